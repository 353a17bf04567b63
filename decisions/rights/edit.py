"""The rights are changed: proposed, agreed to by a second person where somebody gains, turned down, taken back.

A version is immutable and ends once. What gives nobody more than before holds at once; what gives more waits for
another person with the right to change the rights, unless there is none. Who made a change may take it back alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.exceptions import Conflict, Fault, Forbidden, Invalid, NotFound
from decisions.models import Event, Queue, RightsInForce, RightsStep, RightsVersion, User
from decisions.record import digest, log
from decisions.rights import changes, stored
from decisions.rights.changes import Change
from decisions.rights.words import Act, Cells, Role, Table

OWN_SPAN = timedelta(hours=24)  # so long whoever made a change may take it back without a second person
LONGEST = 1_000
Kind = RightsStep.Kind


@dataclass(frozen=True)
class Proposal:
    """What a version would change against what is in force, and whom it needs: the people who may agree to it."""

    before: Table
    after: Table
    changes: list[Change]
    seconds: list[User]

    @property
    def is_raise(self) -> bool:
        """Whether anybody would have more than now."""
        return any(change.is_raised for change in self.changes)

    @property
    def waits(self) -> bool:
        """Whether a second person has to agree, and is there to."""
        return self.is_raise and bool(self.seconds)


def preview(*, queue: Queue | None, cells: Cells, by: User) -> Proposal:
    """Return what these cells (the site's whole table, or all that a queue has otherwise) would change.

    Refuses who may not change the rights there, and cells that cannot stand.
    """
    rights.require(by, Act.MANAGE_RIGHTS, queue_id=_id(queue))
    faults = changes.faults(cells)
    if faults:
        raise Invalid(faults=faults)
    before = rights.table(_id(queue))
    base = rights.table(None) if queue else rights.DEFAULT
    after = base.under(cells, (0, ""))
    return Proposal(before, after, changes.between(before, after), _others(queue, by))


@transaction.atomic
def propose(
    *, queue: Queue | None, cells: Cells, by: User, why: str, at: datetime, base: int | None = None
) -> RightsVersion:
    """Store a version of the rights: in force at once, or waiting for a second person.

    Refuses as `preview` does, a change that changes nothing, one made on another version (`base`, its number, 0 =
    code) than is in force, and a second one that would wait beside a first.
    """
    _begin(queue, why)
    current = in_force(queue)
    if base is not None and base != (current.no if current else 0):
        raise Conflict(_("The rights have changed since you looked. Look again."))
    proposal = preview(queue=queue, cells=cells, by=by)
    if not proposal.changes:
        raise Conflict(_("This changes nothing."))
    content = stored.dump(cells if queue else whole(proposal.after))
    version = _store(queue, content, by=by, why=why, at=at, waits=proposal.waits)
    return _put(version, proposal, by=by, at=at)


@transaction.atomic
def roll_back(*, queue: Queue | None, by: User, why: str, at: datetime) -> RightsVersion:
    """Bring back what was in force before: at once, but where it gives more and somebody else had taken it.

    Refuses where nothing was in force before.
    """
    rights.require(by, Act.MANAGE_RIGHTS, queue_id=_id(queue))
    _begin(queue, why)
    current = in_force(queue)
    if current is None:
        raise Conflict(_("These are the first rights: there is nothing to go back to."))
    content = current.base.content if current.base else {}
    proposal = preview(queue=queue, cells=stored.load(content), by=by)
    is_own = current.author_id == by.pk and at - current.step.at <= OWN_SPAN
    waits = proposal.waits and not is_own
    version = _store(queue, content, by=by, why=why, at=at, waits=waits, restores=current.base)
    return _put(version, proposal, by=by, at=at, waits=waits)


@transaction.atomic
def agree(*, version: RightsVersion, by: User, why: str, at: datetime) -> RightsVersion:
    """Let somebody else's version come into force. Refuses its author, and one that was overtaken."""
    _begin_reply(version, by)
    if version.author_id == by.pk:
        detail = _("You made this change. A second person who has the right “%(right)s” must agree to it.")
        words = {"right": Act.MANAGE_RIGHTS.value}
        raise Forbidden(detail % words, right=Act.MANAGE_RIGHTS.value, queue_id=version.queue_id)
    if is_overtaken(version):
        raise Conflict(_("The rights have changed since this was proposed. It has to be made anew."))
    proposal = preview(queue=version.queue, cells=stored.load(version.content), by=by)
    return _enact(version, proposal, by=by, why=why, at=at)


@transaction.atomic
def turn_down(*, version: RightsVersion, by: User, why: str, at: datetime) -> RightsVersion:
    """Refuse somebody else's version that waits, or withdraw one's own."""
    _begin_reply(version, by)
    _require_why(why)
    kind = Kind.WITHDRAWN if version.author_id == by.pk else Kind.REFUSED
    step = RightsStep.objects.create(version=version, kind=kind, person=by, why=why, at=at)
    _note(Event.Kind.RIGHTS_TURNED_DOWN, version, by=by, at=at, entry={"kind": str(kind)}, step=step)
    return version


def in_force(queue: Queue | None) -> RightsVersion | None:
    """Return the version in force on the site (queue None), or a queue's own; None: as in code, as on the site."""
    rows = RightsInForce.objects.select_related("version__author", "version__step__person", "version__base")
    found = rows.filter(queue=queue).first()
    return found.version if found else None


def waiting(queue: Queue | None) -> RightsVersion | None:
    """Return the version that waits for a second person."""
    found = RightsVersion.objects.filter(queue=queue, step=None).select_related("author", "queue").order_by("-no")
    return next((version for version in found if not is_overtaken(version)), None)


def is_overtaken(version: RightsVersion) -> bool:
    """Say whether another version came into force since this one was proposed."""
    current = in_force(version.queue)
    return version.base_id != (current.pk if current else None)


def state(version: RightsVersion) -> str:
    """Return what became of a version: a kind of `RightsStep`, else `waiting` or `overtaken`."""
    try:
        return str(version.step.kind)
    except RightsStep.DoesNotExist:
        return "overtaken" if is_overtaken(version) else "waiting"


def cells_of(content: Mapping[str, Mapping[str, Any]]) -> Cells:
    """Return cells that somebody wrote; what belongs to an act need not be said. Refuses words that are not known."""
    faults = [Fault(act, "choice", _("There is no such right.")) for act in content if act not in stored.ACTS]
    faults += [
        Fault(f"{act}.{role}", "choice", _("There is no such role."))
        for act, row in content.items()
        for role in row
        if role not in Role.values
    ]
    if faults:
        raise Invalid(faults=faults)
    return {
        Act(act): {
            role: None if far is None else stored.limit_from({**changes.FIXED.get(Act(act), {}), **far})
            for role, far in row.items()
        }
        for act, row in content.items()
    }


def versions(queue: Queue | None) -> list[RightsVersion]:
    """Return all versions of the site's rights, or of a queue's own, the newest first."""
    return list(
        RightsVersion.objects.filter(queue=queue)
        .select_related("author", "step__person", "base", "restores", "queue")
        .order_by("-no")
    )


def numbered(queue: Queue | None, no: int) -> RightsVersion:
    """Return a version by its number; refuses one that is not there."""
    found = RightsVersion.objects.filter(queue=queue, no=no).select_related("author", "base", "queue").first()
    if found is None:
        raise NotFound
    return found


def differences(version: RightsVersion) -> list[Change]:
    """Return what a version changes against the one it was made on, whatever the site's rights are by now."""
    under = rights.table(None) if version.queue_id else rights.DEFAULT
    before = under.under(stored.load(version.base.content), (0, "")) if version.base else under
    return changes.between(before, under.under(stored.load(version.content), (0, "")))


def _begin(queue: Queue | None, why: str) -> None:
    _require_why(why)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.RIGHTS, _id(queue) or 0])


def _begin_reply(version: RightsVersion, by: User) -> None:
    rights.require(by, Act.MANAGE_RIGHTS, queue_id=version.queue_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.RIGHTS, version.queue_id or 0])
    if RightsStep.objects.filter(version=version).exists():
        raise Conflict(_("Somebody has answered this already."))


def _require_why(why: str) -> None:
    if not why.strip() or len(why) > LONGEST:
        raise Invalid(faults=[Fault("why", "required", _("Say why: it is written into the record."))])


def _store(
    queue: Queue | None,
    content: dict[str, Any],
    *,
    by: User,
    why: str,
    at: datetime,
    waits: bool,
    restores: RightsVersion | None = None,
) -> RightsVersion:
    if waits and waiting(queue):
        raise Conflict(_("Another change waits for a second person. Let it be answered first, or withdraw it."))
    last = RightsVersion.objects.filter(queue=queue).order_by("-no").values_list("no", flat=True).first()
    return RightsVersion.objects.create(
        queue=queue,
        no=(last or 0) + 1,
        content=content,
        base=in_force(queue),
        restores=restores,
        author=by,
        why=why,
        created_at=at,
    )


def _put(
    version: RightsVersion, proposal: Proposal, *, by: User, at: datetime, waits: bool | None = None
) -> RightsVersion:
    """Let a new version hold, or note that it waits."""
    if proposal.waits if waits is None else waits:
        _note(Event.Kind.RIGHTS_PROPOSED, version, by=by, at=at, entry=_entry(proposal))
        return version
    return _enact(version, proposal, by=by, why="", at=at)


def _enact(version: RightsVersion, proposal: Proposal, *, by: User, why: str, at: datetime) -> RightsVersion:
    step = RightsStep.objects.create(version=version, kind=Kind.ENACTED, person=by, why=why, at=at)
    # The database's clock, which tells one version's start from another's in every database.
    RightsInForce.objects.update_or_create({"version": version, "since": log.now()}, queue=version.queue)
    entry = {**_entry(proposal), "author": version.author_id, "alone": proposal.is_raise and not proposal.seconds}
    _note(Event.Kind.RIGHTS_CHANGED, version, by=by, at=at, entry=entry, step=step)
    return version


def whole(table: Table) -> Cells:
    """Return every cell of a table, so that what a later release has in code changes none of them."""
    return {act: {role: table.limit(act, role) for role in Role.values} for act in Act}


def _entry(proposal: Proposal) -> dict[str, Any]:
    """Return what changes as the record keeps it."""
    cells = [
        {"act": str(c.act), "role": str(c.role), "before": stored.limit_to(c.before), "after": stored.limit_to(c.after)}
        for c in proposal.changes
    ]
    return {"cells": digest.steady(cells)}


def _note(
    kind: Event.Kind,
    version: RightsVersion,
    *,
    by: User,
    at: datetime,
    entry: dict[str, Any],
    step: RightsStep | None = None,
) -> None:
    log.append(
        kind,
        chain=version.queue_id or Event.SITE,
        actor=by,
        at=at,
        entry={"version": version.pk, "no": version.no, **entry},
        rows=(version, step) if step else (version,),
    )


def _others(queue: Queue | None, by: User) -> list[User]:
    return [person for person in rights.holders(Act.MANAGE_RIGHTS, _id(queue)) if person.pk != by.pk]


def _id(queue: Queue | None) -> int | None:
    return queue.pk if queue else None
