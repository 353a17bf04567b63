"""Fairness: errors, overrides and automatic actions between the groups that a queue's spec names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from django.db import connection

from decisions.measure import estimates, sample, segmented, segments
from decisions.measure import window as windows
from decisions.measure.columns import FloatArray, IntArray, WordArray
from decisions.measure.counts import MODEL
from decisions.measure.sample import Labelled
from decisions.measure.segments import Gap, Parity
from decisions.measure.window import Filters, Window
from decisions.models import Item
from decisions.queues.spec import NUMERIC, FieldType, Group, Spec

DAYS = 28
LABELLED_CAP = 20_000  # SOFT items whose bodies are read for the groups of a queue
TRAFFIC_CAP = 5_000  # items of any kind, for automatic actions
FEWEST_PEOPLE = 5  # in a group of which anything is told
TO = ".."  # between the edges of a band
UNKNOWN = ""  # the group of items whose field is missing, does not fit or was erased


class Figure(StrEnum):
    """What is compared between groups."""

    FALSE_POSITIVES = "false_positives"  # of the negatives, those the machine acted on
    MISSED = "missed"  # of the positives, those that passed
    PRECISION = "precision"  # of what the machine would act on, the positives
    OVERRIDES = "overrides"  # of what people decided, what they decided otherwise than suggested
    AUTOMATIC = "automatic"  # of all items, those the machine acted on by itself


@dataclass(frozen=True)
class Cell:
    """One group in one comparison; without figures, even of how many, where it holds fewer than five items."""

    group: str
    gap: Gap | None

    @property
    def is_hidden(self) -> bool:
        return self.gap is None


@dataclass(frozen=True)
class Comparison:
    """One figure between the groups of one field."""

    figure: Figure
    cells: tuple[Cell, ...]
    parity: Parity


@dataclass(frozen=True)
class Fairness:
    """All comparisons between the groups of one field in a window."""

    group: Group
    comparisons: tuple[Comparison, ...]


def fairness(queue_id: int, spec: Spec, at: datetime, *, days: int = DAYS) -> list[Fairness] | None:
    """Return the comparisons between the groups of each field that the spec names; None where nothing was counted.

    Groups are read from the bodies of the sampled items only, and of some thousand others for automatic actions.
    """
    window = windows.read(queue_id, at, days=days, filters=Filters(), cap=LABELLED_CAP)
    if window.fresh_at is None:
        return None
    traffic = sample.traffic(queue_id, days=days, at=window.end, cap=TRAFFIC_CAP)
    fields = [group.field for group in spec.groups]
    values = _values(np.unique(np.concatenate([window.sample.all.item, traffic.item])), fields)
    ours = traffic.where(np.isin(traffic.reason, [str(reason) for reason in MODEL]))
    is_hard = (ours.route == Item.Route.HARD.value).astype(np.float64)
    made = []
    for group in spec.groups:
        names = _Names(group, spec, values.get(group.field, {}))
        found = [*_errors(window, names), *_of_people(window, names)]
        found.append((Figure.AUTOMATIC, names.of(ours.item), is_hard, 1.0 / ours.weight))
        made.append(Fairness(group, tuple(_comparison(*one) for one in found)))
    return made


@dataclass(frozen=True)
class _Names:
    """The groups of items, from the values of one field."""

    group: Group
    spec: Spec
    values: Mapping[int, str]

    def of(self, items: IntArray) -> WordArray:
        return np.array([self.name(self.values.get(int(item))) for item in items], dtype=np.object_)

    def name(self, value: str | None) -> str:
        """Return the group that a value is in."""
        field = self.spec.payload_field(self.group.field)
        if value is None or field is None:
            return UNKNOWN
        if field.type in NUMERIC:
            return band(value, self.group.edges)
        known = ("true", "false") if field.type == FieldType.BOOLEAN else field.categories
        return value if value in known else UNKNOWN


def band(value: str, edges: Sequence[float]) -> str:
    """Return the group of a number between edges, as `..30`, `30..45` or `45..`; a lower edge is in it."""
    try:
        number = float(value)
    except ValueError:
        return UNKNOWN
    if not math.isfinite(number):
        return UNKNOWN
    place = int(np.searchsorted(edges, number, side="right"))
    low = f"{edges[place - 1]:g}" if place else ""
    high = f"{edges[place]:g}" if place < len(edges) else ""
    return f"{low}{TO}{high}"


VALUES = """
SELECT b.item_id, b.content::jsonb -> 'payload' ->> %(field)s FROM decisions_body b
WHERE b.item_id = ANY(%(items)s) AND b.content IS NOT NULL"""


def _values(items: IntArray, fields: Sequence[str]) -> dict[str, dict[int, str]]:
    """Return by field what these items say; who was erased is not there."""
    found = {}
    with connection.cursor() as cursor:
        for field in fields:
            cursor.execute(VALUES, {"field": field, "items": items.tolist()})
            found[field] = {item: value for item, value in cursor.fetchall() if value is not None}
    return found


Compared = tuple[Figure, WordArray, FloatArray, FloatArray]


def _errors(window: Window, names: _Names) -> list[Compared]:
    """Return what became of true negatives and of true positives, in the spans whose audits have ended.

    Answers stand for those that did not come, design by design.
    """
    rows, _counts = window.in_measured()
    every, pi = rows.all, np.concatenate([_answered(part) for part in (rows.soft, rows.control, rows.audits)])
    told = ~np.isnan(pi) & ~np.isnan(every.y)
    every, pi = every.where(told), pi[told]
    group, negative = names.of(every.item), every.y == 0
    acted = (every.band == Item.Band.HARD.value).astype(np.float64)
    passed = (every.route == Item.Route.PASS.value).astype(np.float64)
    return [
        (Figure.FALSE_POSITIVES, group[negative], acted[negative], pi[negative]),
        (Figure.MISSED, group[~negative], passed[~negative], pi[~negative]),
    ]


def _of_people(window: Window, names: _Names) -> list[Compared]:
    control, decided = window.sample.control, segmented.decided_by_people(window.sample.soft)
    return [
        (Figure.PRECISION, names.of(control.item), control.y, control.pi),
        (Figure.OVERRIDES, names.of(decided.item), decided.was_override.astype(np.float64), decided.pi),
    ]


def _comparison(figure: Figure, names: WordArray, y: FloatArray, pi: FloatArray) -> Comparison:
    """Compare groups; one of fewer than five items is only named, and its items are in nobody's comparison."""
    told = ~np.isnan(y)
    kinds, counts = np.unique(names[told].astype(str), return_counts=True)
    small = {str(kind) for kind, count in zip(kinds, counts, strict=True) if count < FEWEST_PEOPLE}
    kept = told & ~np.isin(names.astype(str), sorted(small))
    parity = segments.parity(names[kept].astype(str), y[kept], pi[kept])
    cells = [Cell(gap.group, gap) for gap in parity.gaps] + [Cell(name, None) for name in sorted(small)]
    return Comparison(figure, tuple(sorted(cells, key=lambda cell: (cell.group == UNKNOWN, cell.group))), parity)


def _answered(rows: Labelled) -> FloatArray:
    """Return each row's propensity after answers took the weight of what was not answered; NaN where none came."""
    told = ~np.isnan(rows.y)
    if not told.any():
        return np.full(len(rows), np.nan)
    return estimates.reweight(told, estimates.strata(rows.p, told), rows.pi).pi
