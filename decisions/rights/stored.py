"""Tables of rights as they are stored, and the one in force: read once in a process, at no further query."""

from collections.abc import Iterable, Mapping
from typing import Any

from decisions.models import RightsVersion
from decisions.rights.default import DEFAULT
from decisions.rights.words import Act, Cells, Limit, Own, Role, Table

MANY = 1_000  # tables that a process keeps
LISTS = ("purposes", "routes")
ACTS = frozenset(act.value for act in Act)

Versions = tuple[tuple[int, str], ...]  # in force, the site's first: (id, since when), which tells databases apart

_known: dict[Versions, Table] = {}  # an entry never changes, so threads need no lock


def in_force(versions: Iterable[Iterable[Any]] | None) -> Table:
    """Return the table that these versions make; what is read with a standing names them."""
    key: Versions = tuple((one, since) for one, since in versions or ())
    if not key:
        return DEFAULT
    table = _known.get(key)
    if table is None:
        if len(_known) >= MANY:
            _known.clear()
        table = _known[key] = _read(key)
    return table


def _read(versions: Versions) -> Table:
    contents = dict(RightsVersion.objects.filter(pk__in=[pk for pk, _since in versions]).values_list("pk", "content"))
    table = DEFAULT
    for version in versions:
        table = table.under(load(contents[version[0]]), version)
    return table


def load(content: Mapping[str, Mapping[str, Any]]) -> Cells:
    """Return the cells of a version. An act or a role that is no more is passed over."""
    return {
        Act(act): {role: limit_from(far) for role, far in row.items() if role in Role.values}
        for act, row in content.items()
        if act in ACTS
    }


def dump(cells: Cells) -> dict[str, dict[str, Any]]:
    """Return the same as JSON, in one order."""
    return {
        str(act): {str(role): limit_to(row[role]) for role in Role.values if role in row}
        for act in Act
        if (row := cells.get(act))
    }


def limit_from(far: Mapping[str, Any] | None) -> Limit | None:
    """Return how far a right goes from its JSON."""
    if far is None:
        return None
    lists = {name: None if far.get(name) is None else frozenset(far[name]) for name in LISTS}
    return Limit(
        is_valued=far.get("is_valued", False),
        rank=far.get("rank", Limit.rank),
        own=Own(far.get("own", Own.ANY)),
        up_to=far.get("up_to"),
        **lists,
    )


def limit_to(far: Limit | None) -> dict[str, Any] | None:
    """Return how far a right goes as JSON; null = not at all."""
    if far is None:
        return None
    lists = {name: None if (some := getattr(far, name)) is None else sorted(map(str, some)) for name in LISTS}
    return {"is_valued": far.is_valued, "rank": int(far.rank), "own": str(far.own), "up_to": far.up_to, **lists}
