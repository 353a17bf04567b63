"""What a person brings to a queue, does not judge there, and would rather not see: skills, exclusions, opt-outs."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import people, rights
from decisions.exceptions import Conflict, Fault, Forbidden, Invalid, NotFound
from decisions.models import Event, Exclusion, Membership, Queue, User
from decisions.queues import needs
from decisions.record import digest, log
from decisions.rights import Act, Standing

LONGEST = 200  # characters of an external id


def member(queue: Queue, person_id: int) -> Membership:
    """Return the membership that counts for a person on a queue; NotFound for who does not belong there."""
    found = membership(queue, person_id)
    if found is None:
        raise NotFound
    return found


def membership(queue: Queue, person_id: int) -> Membership | None:
    """Return the membership that counts for a person on a queue, None for who does not belong there."""
    return next((row for row in people.members(queue) if row.user_id == person_id), None)


def workers(queue: Queue) -> list[Membership]:
    """Return the memberships of those who can be given work on a queue; a service takes its own, if any."""
    here = rights.table(queue.pk)
    rows = [row for row in people.members(queue) if row.user.kind != User.Kind.SERVICE]
    return [row for row in rows if rights.limit(Standing(row.role, row.value_limit, row.user.kind, here), Act.CLAIM)]


@transaction.atomic
def set_skills(*, queue: Queue, person_id: int, skills: Collection[str], by: User) -> frozenset[str]:
    """Say which of the skills that a queue's items ask for a person has; those of other queues stay.

    Where their membership is one on all queues, so is the right that this takes. Refuses a skill that nothing asks for.
    """
    rights.require(by, Act.MANAGE_TEAM, queue_id=queue.pk)
    row = Membership.objects.select_for_update().get(pk=member(queue, person_id).pk)
    if row.queue_id is None:
        rights.require(by, Act.MANAGE_TEAM, queue_id=None)
    known = needs.skills(queue.spec)
    if not set(skills) <= set(known):
        raise Invalid(faults=[Fault("skills", "choice", _("Choose from: %s") % ", ".join(known))])
    before = sorted(row.skills)
    row.skills = sorted({tag for tag in before if tag not in known} | set(skills))
    if row.skills != before:
        row.save(update_fields=["skills"])
        entry = {
            "person": person_id,
            "queue": row.queue_id,
            "before": {"skills": before},
            "after": {"skills": row.skills},
        }
        log.append(Event.Kind.PERSON_CHANGED, chain=row.queue_id or Event.SITE, actor=by, at=log.now(), entry=entry)
    return frozenset(row.skills)


@transaction.atomic
def exclude(*, queue: Queue, person_id: int, kind: str, name: str, why: str, by: User) -> Exclusion:
    """Keep a person from judging a subject, by its name as it comes with items, or one item, by its external id.

    Everybody may say so of themselves. The name of a subject is not stored, only its keyed digest.
    """
    row = member(queue, person_id)
    if by.pk != person_id:
        rights.require(by, Act.MANAGE_TEAM, queue_id=queue.pk)
    name = name.strip()
    faults = []
    if kind not in Exclusion.Kind:
        faults.append(Fault("kind", "choice", _("Choose from: %s") % ", ".join(Exclusion.Kind.values)))
    if why not in Exclusion.Why:
        faults.append(Fault("why", "choice", _("Choose from: %s") % ", ".join(Exclusion.Why.values)))
    if not name or len(name) > LONGEST or not name.isprintable():
        faults.append(Fault("name", "form", _("1 to %(most)d printable characters") % {"most": LONGEST}))
    if faults:
        raise Invalid(faults=faults)
    key = digest.subject_key(queue.pk, name) if kind == Exclusion.Kind.SUBJECT else name
    given = {"why": why, "by": by, "at": log.now()}
    made, is_new = Exclusion.objects.get_or_create(given, user=row.user, queue=queue, kind=kind, key=key)
    if not is_new:
        raise Conflict(_("They are excluded from this already."))
    _note(Event.Kind.PERSON_EXCLUDED, made, by, why)
    return made


@transaction.atomic
def lift(*, exclusion_id: int, by: User) -> None:
    """Let a person judge again what they were kept from. Nobody lifts their own."""
    found = Exclusion.objects.select_for_update().filter(pk=exclusion_id).first()
    if found is None:
        raise NotFound
    rights.require(by, Act.MANAGE_TEAM, queue_id=found.queue_id)
    if found.user_id == by.pk:
        detail = _("Somebody else has to let you judge this again.")
        raise Forbidden(detail, right=Act.MANAGE_TEAM.value, queue_id=found.queue_id)
    _note(Event.Kind.PERSON_READMITTED, found, by, "")
    found.delete()


def exclusions(queue_id: int, person_id: int) -> list[Exclusion]:
    """Return what a person does not judge on a queue, newest first."""
    return list(Exclusion.objects.filter(queue=queue_id, user=person_id).select_related("by").order_by("-at", "-pk"))


@transaction.atomic
def opt_out(*, queue: Queue, person: User, tags: Collection[str]) -> None:
    """Set out of which of a queue's sensitive categories a person opts. Theirs alone to know: no event says so."""
    rights.require(person, Act.READ_QUEUE, queue_id=queue.pk)
    known = needs.sensitive(queue.spec)
    if not set(tags) <= set(known):
        raise Invalid(faults=[Fault("categories", "choice", _("Choose from: %s") % ", ".join(known))])
    row = User.objects.select_for_update().get(pk=person.pk)
    place = f"{queue.pk}:"
    row.opt_outs = [one for one in row.opt_outs if not one.startswith(place)] + [place + tag for tag in sorted(tags)]
    row.save(update_fields=["opt_outs"])


def opted_out(queue: Queue, person: User) -> frozenset[str]:
    """Return the categories of a queue out of which a person opted."""
    stands = rights.standing(person, queue.pk)
    return stands.shuns if stands else frozenset()


def _note(kind: Event.Kind, row: Exclusion, by: User, reason: str) -> None:
    entry = {"exclusion": row.pk, "person": row.user_id, "kind": row.kind, "key": row.key}
    log.append(kind, chain=row.queue_id, actor=by, at=log.now(), reason=reason, entry=entry)
