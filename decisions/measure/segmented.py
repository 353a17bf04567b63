"""Precision, misses and overrides of each segment, and which segments the next audits should look at."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from decisions.measure import sample, segments
from decisions.measure import window as windows
from decisions.measure.counts import MODEL, Bands
from decisions.measure.sample import Labelled, State
from decisions.measure.segments import Segment, SegmentShare
from decisions.measure.window import Filters, Window
from decisions.models import Item, Policy

DAYS = 28
MOST = 100  # segments that are told apart: the largest; the others are one
OTHERS = "*"
Named = TypeVar("Named", Segment, SegmentShare)


class Order(StrEnum):
    """By what segments are ranked, the worst first; figures as shrunk."""

    MISSED = "missed"
    PRECISION = "precision"
    OVERRIDES = "overrides"
    ITEMS = "items"


@dataclass(frozen=True)
class SegmentRow:
    """One segment: how much arrived, and what is measured there; None where it has no such items at all.

    `is_blind`: too little is known of what passes there, so it is among those that the next audits are steered to.
    """

    name: str
    items: int
    precision: SegmentShare | None
    missed: Segment | None
    overrides: SegmentShare | None
    is_blind: bool


@dataclass(frozen=True)
class Segments:
    """All segments of a queue in a window; the live policy has `budget` audits a day."""

    window: Window
    rows: tuple[SegmentRow, ...]
    budget: int

    def ranked(self, order: Order) -> Self:
        """Return the same with the worst first; what is not measured comes last."""
        return replace(self, rows=tuple(sorted(self.rows, key=lambda row: (*RANKS[order](row), -row.items, row.name))))


def by_segment(queue_id: int, at: datetime, *, days: int = DAYS) -> Segments | None:
    """Return what is measured in each segment, worst first; None where nothing was counted yet.

    Beyond 100 segments the smallest are one.
    """
    window = windows.read(queue_id, at, days=days, filters=Filters())
    if window.fresh_at is None:
        return None
    arrived = _totals(sample.bands(queue_id, window.start, window.end, by_segment=True, hourly=False))
    told = _largest(arrived)
    missed = _missed(queue_id, window, told)
    control, decided = window.sample.control, decided_by_people(window.sample.soft)
    precise = segments.shares(_names(control, told), control.y, control.pi)
    overrides = segments.shares(_names(decided, told), decided.was_override.astype(np.float64), decided.pi)
    budget = Policy.objects.live().filter(queue=queue_id).values_list("audit_budget", flat=True).first() or 0
    blind = _blind(missed, budget)
    precise_by, missed_by, overrides_by = _by_name(precise), _by_name(missed), _by_name(overrides)
    rows = tuple(
        SegmentRow(
            name=name,
            items=items,
            precision=precise_by.get(name),
            missed=missed_by.get(name),
            overrides=overrides_by.get(name),
            is_blind=name in blind,
        )
        for name, items in _pooled(arrived, told).items()
    )
    return Segments(window, rows, budget).ranked(Order.MISSED)


def blind_spots(queue_id: int, at: datetime, audits: int, *, days: int = DAYS) -> tuple[str, ...]:
    """Return the segments to which a tenth of the next `audits` is steered, for too little is known of them.

    The largest come first; no more than a tenth could bring to where something can be said.
    """
    window = windows.read(queue_id, at, days=days, filters=Filters(), cap=1)  # of people's other answers none is asked
    if window.fresh_at is None:
        return ()
    return tuple(_blind(_missed(queue_id, window, None), audits))


def decided_by_people(soft: Labelled) -> Labelled:
    """Return those rows that a person decided on, "can't tell" too."""
    return soft.where(np.isin(soft.state, [State.ANSWERED.value, State.CANT_TELL.value]))


def _missed(queue_id: int, window: Window, told: frozenset[str] | None) -> list[Segment]:
    """Return the misses of each segment over the spans whose audits have ended; `told` None: of the largest ones."""
    passes = _passes(queue_id, window)
    told = told or _largest(passes)
    audits = window.in_measured()[0].audits
    return segments.missed(_names(audits, told), audits.y, audits.pi, audits.floored, _pooled(passes, told))


def _blind(missed: Iterable[Segment], audits: int) -> dict[str, int]:
    return segments.blind_spots([one for one in missed if one.name != OTHERS], audits)


def _passes(queue_id: int, window: Window) -> dict[str, int]:
    """Return how many items the model let pass in each segment, in the spans whose audits have ended."""
    total: dict[str, int] = {}
    for start, end in window.measured:
        counts = sample.bands(queue_id, start, end, by_segment=True, hourly=False)
        is_model = np.isin(counts.reason, [str(reason) for reason in MODEL])
        ours = counts.where((counts.route == Item.Route.PASS.value) & is_model)
        for name, number in _totals(ours).items():
            total[name] = total.get(name, 0) + number
    return total


def _by_name(found: Iterable[Named]) -> dict[str, Named]:
    return {one.name: one for one in found}


def _totals(counts: Bands) -> dict[str, int]:
    total: dict[str, int] = {}
    for name, number in zip(counts.segment.tolist(), counts.n.tolist(), strict=True):
        total[name] = total.get(name, 0) + int(number)
    return total


def _largest(totals: Mapping[str, int]) -> frozenset[str]:
    """Return the segments that are told apart: the largest."""
    return frozenset(sorted(totals, key=lambda name: (-totals[name], name))[:MOST])


def _pooled(totals: Mapping[str, int], told: frozenset[str]) -> dict[str, int]:
    pooled = {name: number for name, number in totals.items() if name in told}
    rest = sum(number for name, number in totals.items() if name not in told)
    return pooled | ({OTHERS: rest} if rest else {})


def _names(rows: Labelled, told: frozenset[str]) -> npt.NDArray[np.str_]:
    """Return each row's segment as it is told."""
    return np.array([name if name in told else OTHERS for name in rows.segment.tolist()], dtype=np.str_)


def _worst(ranked: float | None, *, is_low_worse: bool = False) -> tuple[float, ...]:
    """Return the place of a figure: the worst first, none at all last."""
    if ranked is None:
        return 1.0, 0.0
    return 0.0, ranked if is_low_worse else -ranked


RANKS: dict[Order, Callable[[SegmentRow], tuple[float, ...]]] = {
    Order.MISSED: lambda row: _worst(row.missed.ranked if row.missed else None),
    Order.PRECISION: lambda row: _worst(row.precision.ranked if row.precision else None, is_low_worse=True),
    Order.OVERRIDES: lambda row: _worst(row.overrides.ranked if row.overrides else None),
    Order.ITEMS: lambda _row: (),
}
