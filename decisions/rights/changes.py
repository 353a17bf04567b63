"""What tells two tables of rights apart, and whether a cell may stand as it is. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.models import Item, Task
from decisions.rights.default import KEPT
from decisions.rights.words import Act, Cells, Limit, Own, Purpose, Role, Table

VALUE = frozenset({"is_valued", "up_to"})
# What of a limit the cases of an act can tell; the rest of it stays as it is where nothing is said.
FREE: dict[Act, frozenset[str]] = {
    **dict.fromkeys((Act.CLAIM, Act.DECIDE, Act.ESCALATE, Act.HOLD), VALUE | {"rank", "purposes", "own"}),
    **dict.fromkeys((Act.TAKE_OVER, Act.OVERRIDE_PASS, Act.REVERSE_HARD), VALUE),
    Act.REVERSE_RULING: VALUE | {"routes", "own"},
    Act.READ_RECORD: frozenset({"own"}),
}
# What of a limit belongs to an act, whoever has the right.
FIXED: dict[Act, Mapping[str, Any]] = {
    Act.UNDO: {"own": Own.ONLY},
    Act.OVERRIDE_PASS: {"routes": frozenset({Item.Route.PASS})},
    Act.REVERSE_HARD: {"routes": frozenset({Item.Route.HARD})},
}
OWNS = {
    **dict.fromkeys((Act.CLAIM, Act.DECIDE, Act.ESCALATE, Act.HOLD), (Own.ANY, Own.INDEPENDENT)),
    **dict.fromkeys((Act.REVERSE_RULING, Act.READ_RECORD), (Own.ANY, Own.ONLY)),
}
LISTS = {"purposes": frozenset(Purpose.values), "routes": frozenset(Item.Route.values)}
FIELDS = tuple(field.name for field in fields(Limit))


@dataclass(frozen=True)
class Change:
    """A cell that is otherwise in another table."""

    act: Act
    role: str
    before: Limit | None
    after: Limit | None

    @property
    def is_raised(self) -> bool:
        """Whether the role may do anything that it could not before."""
        return not covers(self.before, self.after)

    @property
    def is_lowered(self) -> bool:
        """Whether the role loses anything that it could do before."""
        return not covers(self.after, self.before)


def between(before: Table, after: Table) -> list[Change]:
    """Return the cells that differ, in the order of the table."""
    cells = ((act, role, before.limit(act, role), after.limit(act, role)) for act in Act for role in Role.values)
    return [Change(*cell) for cell in cells if cell[2] != cell[3]]


def covers(one: Limit | None, other: Limit | None) -> bool:
    """Return whether all that `other` allows is allowed by `one` too."""
    if one is None or other is None:
        return other is None
    return (
        (other.is_valued or not one.is_valued)
        and (other.up_to is not None or one.up_to is None)
        and (other.up_to is None or one.up_to is None or one.up_to >= other.up_to)
        and one.rank >= other.rank
        and _holds(one.purposes, other.purposes)
        and _holds(one.routes, other.routes)
        and one.own in (Own.ANY, other.own)
    )


def _holds(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or (other is not None and other <= one)


def faults(cells: Cells) -> list[Fault]:
    """Return all that is wrong with these cells; the field of each names its cell."""
    return [
        Fault(f"{act}.{role}{name and '.'}{name}", code, detail)
        for act, row in cells.items()
        for role, far in row.items()
        for name, code, detail in _cell_faults(act, role, far)
    ]


def _cell_faults(act: Act, role: str, far: Limit | None) -> list[tuple[str, str, str]]:
    if act in KEPT and role == Role.ADMIN and far != Limit():
        return [("", "kept", _("Administrators keep this right: else nobody could give it back."))]
    if far is None:
        return []
    free, fixed = FREE.get(act, frozenset()), FIXED.get(act, {})
    found = [
        (name, "fixed", _("This limit cannot be set for this right."))
        for name in FIELDS
        if name not in free and getattr(far, name) != fixed.get(name, getattr(Limit(), name))
    ]
    return found + [fault for fault in _value_faults(act, far) if fault[0] in free]


def _value_faults(act: Act, far: Limit) -> list[tuple[str, str, str]]:
    found = []
    if far.up_to is not None and not (math.isfinite(far.up_to) and far.up_to >= 0):
        found.append(("up_to", "range", _("A limit is not below zero.")))
    if far.rank not in Task.Rank.values:
        found.append(("rank", "choice", _("There is no such rank.")))
    if far.own not in OWNS.get(act, (far.own,)):
        found.append(("own", "choice", _("This cannot be asked of that right.")))
    for name, known in LISTS.items():
        some = getattr(far, name)
        if some is not None and not (some and some <= known):
            found.append((name, "choice", _("Choose from: %s") % ", ".join(sorted(known))))
    return found
