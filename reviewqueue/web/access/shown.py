"""What the page of the rights shows: the matrix, what a version changes, and whom that concerns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from decisions import people, rights
from decisions.models import Membership, Queue, RightsVersion, User
from decisions.rights import Act, Table, edit, stored
from decisions.rights.changes import Change
from reviewqueue.web.access import words

NAMED = 5  # people whom a change names, a role
OTHER = "other"


@dataclass(frozen=True)
class Cell:
    """How far a role has a right, in words; `is_own`: otherwise than on the site, or than in code."""

    may: bool
    far: Sequence[str]
    is_own: bool


@dataclass(frozen=True)
class Row:
    """A right with its cell for each role."""

    act: str
    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Group:
    """Rights about the same thing."""

    name: str
    rows: Sequence[Row]


def roles() -> list[str]:
    """Return the roles, as they are read."""
    return [str(label) for label in Membership.Role.labels]


def matrix(table: Table, below: Table) -> list[Group]:
    """Return the whole table by groups; `below` is the one that it differs from."""
    named = {act for _group, acts in words.GROUPS for act in acts}
    groups = [(str(group), [Act(act) for act in acts if act in set(Act)]) for group, acts in words.GROUPS]
    rest = [act for act in Act if act not in named]
    return [
        Group(name, [_row(act, table, below) for act in acts])
        for name, acts in [*groups, *([(OTHER, rest)] if rest else [])]
    ]


def _row(act: Act, table: Table, below: Table) -> Row:
    cells = []
    for role in Membership.Role.values:
        limit = table.limit(act, role)
        cells.append(Cell(limit is not None, words.far(act, limit), limit != below.limit(act, role)))
    return Row(act, words.name(act), cells)


@dataclass(frozen=True)
class Told:
    """A changed cell in words, with the people who have the role there."""

    act: str
    role: str
    before: str
    after: str
    is_raised: bool
    is_lowered: bool
    people: Sequence[User]
    more: int


def told(changes: Iterable[Change], queue: Queue | None) -> list[Told]:
    """Return changed cells in words, with whom each of them concerns."""
    members = people.members(queue)
    return [_told(change, [row.user for row in members if row.role == change.role]) for change in changes]


def _told(change: Change, holders: Sequence[User]) -> Told:
    return Told(
        words.name(change.act),
        str(Membership.Role(change.role).label),
        words.brief(change.act, change.before),
        words.brief(change.act, change.after),
        change.is_raised,
        change.is_lowered,
        holders[:NAMED],
        max(0, len(holders) - NAMED),
    )


def history(queue: Queue | None) -> list[dict[str, Any]]:
    """Return the versions with what became of each, the newest first."""
    return [
        {
            "version": version,
            "state": state,
            "step": version.step if state not in ("waiting", "overtaken") else None,
            "count": len(edit.differences(version)),
        }
        for version in edit.versions(queue)
        for state in [edit.state(version)]
    ]


def below(queue: Queue | None) -> Table:
    """Return the table under a place's own: the site's under a queue's, that in code under the site's."""
    return rights.table(None) if queue else rights.DEFAULT


def table_of(version: RightsVersion | None, queue: Queue | None) -> Table:
    """Return the table that a version makes there; without one, what is under it."""
    under = below(queue)
    return under.under(stored.load(version.content), (0, "")) if version else under
