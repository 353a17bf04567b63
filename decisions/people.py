"""People, their roles and their tokens: made, changed and taken away, each with one event.

`by` is who does it, None whoever holds the server's shell. What concerns one queue stands in that queue's chain.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.models import Event, Membership, Move, Queue, Task, Token, User
from decisions.record import digest, log
from decisions.rights import Act
from decisions.work import lease as leases

GONE = "left.invalid"  # where the addresses of those who left point to: nowhere, by RFC 6761
SERVICES = "service.invalid"
LEFT = "left"  # the reason of the moves that give back what a person held


@transaction.atomic
def make_user(
    *,
    email: str,
    role: str,
    by: User | None,
    at: datetime,
    queue: Queue | None = None,
    name: str = "",
    kind: str = User.Kind.PERSON,
    value_limit: float | None = None,
    password: str | None = None,
) -> User:
    """Store a person with a role on a queue (None = all); without a password they cannot sign in.

    Refuses an address that is no address or that somebody has.
    """
    _require(by, queue)
    faults = [*_email_faults(email), *_name_faults(name), *_role_faults(role, value_limit)]
    if faults:
        raise Invalid(faults=faults)
    if User.objects.filter(email=email.lower()).exists():
        raise Conflict(_("There is somebody with this e-mail address."))
    user = User.objects.create_user(email, password, name=name, kind=kind)
    made = Membership.objects.create(user=user, queue=queue, role=role, value_limit=value_limit)
    entry = {"person": user.pk, "kind": kind, "after": _standing(made)}
    log.append(Event.Kind.PERSON_MADE, chain=_chain(queue), actor=by, at=at, entry=entry)
    return user


@transaction.atomic
def change_role(
    *,
    user: User,
    queue: Queue | None,
    role: str,
    by: User | None,
    at: datetime,
    value_limit: float | None = None,
) -> bool:
    """Give a person a role on a queue (None = all), in place of the one they had there; "" takes it away.

    Says whether that changed anything. Refuses for who has left.
    """
    _require(by, queue)
    faults = _role_faults(role, value_limit) if role else []
    if faults:
        raise Invalid(faults=faults)
    _lock_active(user)
    held = Membership.objects.filter(user=user, queue=queue).first()
    before = _standing(held)
    if role != Membership.Role.ADMIN and queue is None:
        _keep_an_admin(user)
    if role:
        given = {"role": role, "value_limit": value_limit}
        held, _made = Membership.objects.update_or_create(given, user=user, queue=queue)
    elif held is not None:
        held.delete()
        held = None
    after = _standing(held)
    if after == before:
        return False
    entry = {"person": user.pk, "before": before, "after": after}
    log.append(Event.Kind.PERSON_CHANGED, chain=_chain(queue), actor=by, at=at, entry=entry)
    return True


@transaction.atomic
def deactivate(*, user: User, by: User | None, at: datetime) -> None:
    """Let a person go: what they held goes back, tokens and roles end, name and address give way to a pseudonym.

    What they decided stays theirs, under the pseudonym. Refuses for who has left already.
    """
    _require(by, None)
    _lock_active(user)
    _keep_an_admin(user)
    released = _release_all(user, at)
    kept = _return_kept(user, at)
    tokens = Token.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    user.memberships.all().delete()
    for trace in ("emailaddress_set", "authenticator_set", "socialaccount_set"):  # the sign-in's own rows
        getattr(user, trace).all().delete()
    user.email = f"{user.pk}-{_mark(user.email)}@{GONE}"
    user.name = _("Former colleague %(number)d") % {"number": user.pk}
    user.is_active = False
    user.keys, user.opt_outs = {}, []
    user.set_unusable_password()
    user.save()
    entry = {"person": user.pk, "released": released, "returned": kept, "tokens": tokens}
    log.append(Event.Kind.PERSON_LEFT, chain=Event.SITE, actor=by, at=at, entry=entry)


def has_left(email: str) -> bool:
    """Say whether the person with this address was here and left; nobody else has it now."""
    if User.objects.filter(email=email.lower(), is_active=True).exists():
        return False
    return User.objects.filter(email__endswith=f"-{_mark(email)}@{GONE}").exists()


@transaction.atomic
def make_service(*, name: str, role: str, queues: Sequence[Queue], by: User | None, at: datetime) -> User:
    """Return the service of this name, made where there is none, with the role on each queue (none named = on all)."""
    faults = _blank_faults(name, 80)
    if faults:
        raise Invalid(faults=faults)
    places: list[Queue | None] = [*sorted(queues, key=lambda queue: queue.pk)] or [None]
    service = User.objects.filter(kind=User.Kind.SERVICE, name=name, is_active=True).first()
    if service is None:
        email = f"{secrets.token_hex(6)}@{SERVICES}"
        kind = User.Kind.SERVICE
        service = make_user(email=email, name=name, kind=kind, role=role, queue=places.pop(0), by=by, at=at)
    for queue in places:
        change_role(user=service, queue=queue, role=role, by=by, at=at)
    return service


@transaction.atomic
def make_token(
    *,
    user: User,
    name: str,
    scopes: Sequence[str],
    queues: Sequence[Queue],
    by: User | None,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Store a token that acts as this person, within these scopes and queues (none named = all that they may).

    Returns it with its secret text, which nobody can read again. Everybody may make tokens of their own.
    """
    _require_for_token(by, user, queues)
    _lock_active(user)
    faults = _blank_faults(name, 80)
    if not scopes or not set(scopes) <= set(Token.Scope.values):
        faults.append(Fault("scopes", "choice", _("Choose from: %s") % ", ".join(Token.Scope.values)))
    if faults:
        raise Invalid(faults=faults)
    prefix = f"rq_{secrets.token_hex(4)}"
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    token = Token.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=hashlib.sha256(text.encode()).digest(),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    token.queues.set(queues)
    log.append(Event.Kind.TOKEN_MADE, chain=_token_chain(queues), actor=by, at=at, entry=_described(token, queues))
    return token, text


@transaction.atomic
def revoke_token(*, token: Token, by: User | None, at: datetime) -> bool:
    """Make a token useless from now on; says whether it was of use."""
    queues = list(token.queues.all())
    _require_for_token(by, token.user, queues)
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        return False
    entry = {"token": token.pk, "prefix": token.prefix, "person": token.user_id}
    log.append(Event.Kind.TOKEN_REVOKED, chain=_token_chain(queues), actor=by, at=at, entry=entry)
    return True


def members(queue: Queue | None) -> list[Membership]:
    """Return who belongs to a queue (None: to all), by name; where somebody has a role on the queue, that counts."""
    rows = Membership.objects.filter(Q(queue=queue) | Q(queue=None), user__is_active=True).select_related("user")
    counts: dict[int, Membership] = {}
    for row in rows.order_by("queue"):  # those on all queues (NULL) last
        counts.setdefault(row.user_id, row)
    return sorted(counts.values(), key=lambda row: (row.user.kind, row.user.name, row.user.email))


def find(*, pk: int | None = None, email: str = "") -> User:
    """Return an active person by their id, or by their address; refuses one that is not here."""
    known = User.objects.filter(is_active=True)
    found = known.filter(pk=pk).first() if pk else known.filter(email=email.strip().lower()).first()
    if found is None:
        field, detail = ("person" if pk else "email"), _("There is nobody with this address here.")
        raise Invalid(faults=[Fault(field, "reference", detail)])
    return found


def role_for(scopes: Sequence[str]) -> Membership.Role:
    """Return the least role in which a service can use these scopes."""
    if Token.Scope.MANAGE in scopes:
        return Membership.Role.MANAGER
    return Membership.Role.REVIEWER if Token.Scope.REVIEW in scopes else Membership.Role.AUDITOR


def _require(by: User | None, queue: Queue | None) -> None:
    if by is not None:
        rights.require(by, Act.MANAGE_PEOPLE, queue_id=queue.pk if queue else None)


def _require_for_token(by: User | None, user: User, queues: Sequence[Queue]) -> None:
    if by != user:
        places: list[Queue | None] = [*queues] or [None]
        for queue in places:
            _require(by, queue)


def _lock_active(user: User) -> None:
    """Hold the person's row until the end, so that changes come one after another; refuses who has left."""
    if not User.objects.select_for_update().filter(pk=user.pk, is_active=True).exists():
        raise Conflict(_("This person has left."))


def _keep_an_admin(user: User) -> None:
    """Refuse to let the last person go who can manage people and rights everywhere; two at once wait for each other."""
    admins = Membership.objects.filter(
        queue=None, role=Membership.Role.ADMIN, user__is_active=True, user__kind=User.Kind.PERSON
    )
    people = [row.user_id for row in admins.select_for_update(of=("self",)).order_by("pk")]
    if people == [user.pk]:
        raise Conflict(_("This is the last administrator of the site. Make somebody else one first."))


def _release_all(user: User, at: datetime) -> list[int]:
    """Give back every task that a person holds; return their ids."""
    held = Task.objects.select_for_update().filter(holder=user, state__in=leases.HOLDING).order_by("id")
    for task in held:
        leases.leave(task, Task.State.WAITING)
        leases.move(task, Move.Kind.RELEASED, person=user, at=at, reason=LEFT)
    return [task.pk for task in held]


def _return_kept(user: User, at: datetime) -> list[int]:
    """Give back to all what was assigned to a person; return the tasks' ids."""
    kept = Task.objects.waiting().select_for_update().filter(only_for=user, only_until__isnull=False).order_by("id")
    for task in kept:
        leases.let_go(task, person=user, at=at, reason=LEFT)
    return [task.pk for task in kept]


def _standing(held: Membership | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {"queue": held.queue_id, "role": str(held.role), "value_limit": held.value_limit}


def _described(token: Token, queues: Sequence[Queue]) -> dict[str, Any]:
    return {
        "token": token.pk,
        "prefix": token.prefix,
        "person": token.user_id,
        "scopes": token.scopes,
        "queues": sorted(queue.pk for queue in queues),
        "expires_at": digest.moment(token.expires_at) if token.expires_at else None,
    }


def _chain(queue: Queue | None) -> int:
    return queue.pk if queue else Event.SITE


def _token_chain(queues: Sequence[Queue]) -> int:
    return _chain(queues[0] if len(queues) == 1 else None)


def _mark(email: str) -> str:
    """Return what an address leaves behind: it can be compared, not read."""
    return digest.subject_key(0, email.lower())


def _blank_faults(name: str, most: int) -> list[Fault]:
    """Return what is wrong with a name that somebody must be able to find again."""
    return [Fault("name", "blank", _("must not be empty"))] if not name.strip() else _name_faults(name, most)


def _name_faults(name: str, most: int = 120) -> list[Fault]:
    if len(name) > most:
        return [Fault("name", "too_long", _("at most %(most)d characters") % {"most": most})]
    if not name.isprintable() or name != name.strip():
        return [Fault("name", "characters", _("no line breaks, no spaces around it"))]
    return []


def _email_faults(email: str) -> list[Fault]:
    try:
        validate_email(email)
    except ValidationError:
        return [Fault("email", "form", _("This is not an e-mail address."))]
    return []


def _role_faults(role: str, value_limit: float | None) -> list[Fault]:
    faults = []
    if role not in Membership.Role:
        faults.append(Fault("role", "choice", _("Choose from: %s") % ", ".join(Membership.Role.values)))
    if value_limit is not None and not 0 <= value_limit < float("inf"):
        faults.append(Fault("value_limit", "range", _("A limit is not below zero.")))
    return faults
