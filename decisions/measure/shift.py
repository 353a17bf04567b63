"""How far fields differ between two sets of items: gaps, values out of range, unseen ones, distributions; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from decisions.measure import drift
from decisions.measure.columns import FloatArray, WordArray
from decisions.measure.drift import Level, Mix, Share
from decisions.queues.spec import NUMERIC, FieldType, PayloadField

AT = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles that are told
ORDER = (Level.UNMEASURED, Level.NONE, Level.WARN, Level.ACT)
TEXTS = frozenset({FieldType.TEXT, FieldType.HTML})
NAMES = frozenset({FieldType.CATEGORY, FieldType.BOOLEAN})
NOTHING = np.empty(0)


@dataclass(frozen=True)
class Sent:
    """Items of one side: each one's segment and recalibrated probability (NaN: none), and its payload."""

    segment: WordArray
    p: FloatArray
    payloads: Sequence[Mapping[str, Any]]

    def of(self, segment: str) -> "Sent":
        """Return the items of a segment."""
        keep = self.segment == segment
        return Sent(self.segment[keep], self.p[keep], [self.payloads[place] for place in np.flatnonzero(keep).tolist()])

    def __len__(self) -> int:
        return len(self.payloads)


@dataclass(frozen=True)
class FieldShift:
    """One field on both sides; None where a field of its type has no such thing.

    `missing` lacks a value, `misfit` is out of the field's range or no number, `unseen` a category that the field does
    not list or that the first side never had. `mix` compares numbers, categories or the lengths of texts; `quantiles`
    are those of numbers and lengths, before and now.
    """

    name: str
    missing: Share
    misfit: Share | None
    unseen: Share | None
    mix: Mix | None
    quantiles: tuple[tuple[float, ...], tuple[float, ...]] | None

    @property
    def level(self) -> Level:
        """The worst of what was compared."""
        return worst([one.level for one in (self.missing, self.misfit, self.unseen, self.mix) if one])


def worst(levels: Sequence[Level]) -> Level:
    """Return the gravest of these levels; unmeasured where there is none."""
    return max(levels, key=ORDER.index, default=Level.UNMEASURED)


def fields(named: Sequence[PayloadField], before: Sent, now: Sent) -> list[FieldShift]:
    """Return each field's shift, in the order of the queue's file."""
    return [
        _field(one, [sent.get(one.name) for sent in before.payloads], [s.get(one.name) for s in now.payloads])
        for one in named
    ]


def _field(field: PayloadField, before: list[Any], now: list[Any]) -> FieldShift:
    there = [[value for value in side if not _is_gap(value)] for side in (before, now)]
    gaps = drift.missing(len(before) - len(there[0]), len(before), len(now) - len(there[1]), len(now))
    if field.type in NAMES:
        names = [[str(value) for value in side] for side in there]
        unseen = _unseen(field, *names)
        return FieldShift(field.name, gaps, None, unseen, drift.psi_categories(*names), None)
    if field.type in NUMERIC:
        numbers = [_numbers(side) for side in there]
        misfit = drift.missing(*_misfits(field, numbers[0]), *_misfits(field, numbers[1]))
        return _measured(field.name, gaps, misfit, numbers)
    if field.type in TEXTS:
        return _measured(field.name, gaps, None, [np.array([float(len(str(one))) for one in side]) for side in there])
    return FieldShift(field.name, gaps, None, None, None, None)


def _measured(name: str, gaps: Share, misfit: Share | None, sides: list[FloatArray]) -> FieldShift:
    known = [side[~np.isnan(side)] for side in sides]
    told = tuple(tuple(np.quantile(side, AT).tolist()) if len(side) else () for side in known)
    return FieldShift(name, gaps, misfit, None, drift.psi(known[0], known[1]), (told[0], told[1]))


def _unseen(field: PayloadField, before: list[str], now: list[str]) -> Share:
    """Return how much has a category that is not listed; where none is listed, that the first side never had."""
    known = set(field.categories)
    if not known:
        return drift.unseen(before, now)
    return drift.missing(
        sum(one not in known for one in before), len(before), sum(one not in known for one in now), len(now)
    )


def _misfits(field: PayloadField, values: FloatArray) -> tuple[int, int]:
    low, high = field.low if field.low is not None else -math.inf, field.high if field.high is not None else math.inf
    return int((np.isnan(values) | (values < low) | (values > high)).sum()), len(values)


def _numbers(values: list[Any]) -> FloatArray:
    """Return numbers, NaN for what is none; yes and no are none here."""
    is_number = [isinstance(one, int | float) and not isinstance(one, bool) for one in values]
    return np.array([float(one) if fits else np.nan for one, fits in zip(values, is_number, strict=True)])


def _is_gap(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
