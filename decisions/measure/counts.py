"""How many items arrived, by what routed them and how: from the hourly figures, so that history costs nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from decisions.measure.columns import BoolArray, FloatArray, IntArray, Rows, WordArray, read
from decisions.measure.rollups import BANDED, HOUR, SEGMENTED
from decisions.models import Item, Rollup

MODEL = (
    Item.RouteReason.SCORE,
    Item.RouteReason.CONTROL,
    Item.RouteReason.OVERLOAD,
)  # what the model is answerable for; the rest is apart


@dataclass(frozen=True)
class Bands(Rows):
    """How many items (`n`) arrived in the hour (or part of one) that starts at `at`, by what routed them and how.

    The segment is "" throughout unless segments were asked for.
    """

    at: FloatArray
    policy: IntArray
    model: IntArray
    band: WordArray
    route: WordArray
    reason: WordArray
    segment: WordArray
    n: FloatArray

    def within(self, start: datetime, end: datetime) -> Self:
        """Return the hours in [start, end)."""
        return self.where((self.at >= start.timestamp()) & (self.at < end.timestamp()))

    def count(self, *, is_model: bool | None = None, **equal: str) -> int:
        """Return how many items have these words, e.g. `band="hard"`; `is_model`: routed by a trusted score or not."""
        mask = np.ones(len(self), dtype=np.bool_)
        for name, word in equal.items():
            mask &= getattr(self, name) == word
        if is_model is not None:
            mask &= np.isin(self.reason, [str(r) for r in MODEL]) == is_model
        return int(self.n[mask].sum())


@dataclass(frozen=True)
class Which:
    """Which items are meant, by who routed them; None = all."""

    policies: tuple[int, ...] | None = None
    models: tuple[int, ...] | None = None
    segment: str | None = None

    def sql(self) -> str:
        """Return the conditions on an item `i`."""
        said = {"policy_id": self.policies, "model_id": self.models, "segment": self.segment}
        return "".join(f" AND i.{name} = ANY(%({name})s)" for name, value in said.items() if value is not None)

    def params(self) -> dict[str, list[Any]]:
        """Return the values that the conditions name."""
        segments = [] if self.segment is None else [self.segment]
        return {"policy_id": list(self.policies or ()), "model_id": list(self.models or ()), "segment": segments}

    def mask(self, bands: Bands) -> BoolArray:
        """Tell which counts are meant."""
        mask = np.ones(len(bands), dtype=np.bool_)
        if self.policies is not None:
            mask &= np.isin(bands.policy, self.policies)
        if self.models is not None:
            mask &= np.isin(bands.model, self.models)
        if self.segment is not None:
            mask &= bands.segment == self.segment
        return mask


ALL = Which()

WHOLE_HOURS = """
SELECT extract(epoch FROM r.at)::float8 AS at, r.key, r.value AS n FROM decisions_rollup r
WHERE r.queue_id = %(queue)s AND r.figure = %(figure)s AND r.at >= %(start)s AND r.at < %(end)s"""
WHOLE_WINDOW = """
SELECT extract(epoch FROM %(start)s)::float8 AS at, r.key, sum(r.value) AS n FROM decisions_rollup r
WHERE r.queue_id = %(queue)s AND r.figure = %(figure)s AND r.at >= %(start)s AND r.at < %(end)s GROUP BY r.key"""
PART_OF_HOUR = """
SELECT extract(epoch FROM %(start)s)::float8 AS at, {key} AS key, count(*)::float8 AS n FROM decisions_item
WHERE queue_id = %(queue)s AND arrived_at >= %(start)s AND arrived_at < %(end)s AND reason <> 'imported' GROUP BY 2"""


def floor_hour(at: datetime) -> datetime:
    """Return the hour (UTC) that a time is in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def counted_until(queue_id: int, at: datetime) -> datetime | None:
    """Return when the hourly figures were last counted, None where they never were."""
    newest = Rollup.objects.filter(queue=queue_id, figure="counted", at__lte=at).order_by("-at").first()
    return newest.made_at if newest else None


def bands(
    queue_id: int, start: datetime, end: datetime, *, which: Which = ALL, by_segment: bool = False, hourly: bool = True
) -> Bands:
    """Return how many items arrived in [start, end), from the hourly figures; parts of hours are counted.

    `by_segment` tells segments apart; `hourly` False returns one sum for all whole hours, at `start`.
    """
    figure, key = ("segmented", SEGMENTED) if by_segment or which.segment is not None else ("banded", BANDED)
    asked = {"queue": queue_id, "figure": figure}
    first, last = _ceil_hour(start), floor_hour(end)
    spans = [(first, last)] if first < last else []
    edges = [(start, min(first, end)), (max(last, start), end)] if first <= last else [(start, end)]
    whole = WHOLE_HOURS if hourly else WHOLE_WINDOW
    parts = [read(whole, {**asked, "start": a, "end": b}) for a, b in spans]
    part = PART_OF_HOUR.format(key=key)
    parts += [read(part, {**asked, "start": a, "end": b}) for a, b in edges if a < b]
    found = _bands(parts)
    return found if which == ALL else found.where(which.mask(found))


def _ceil_hour(at: datetime) -> datetime:
    hour = floor_hour(at)
    return hour if hour == at else hour + HOUR


def _bands(parts: list[dict[str, npt.NDArray[Any]]]) -> Bands:
    """Return counts with the words of their keys apart."""
    keys = np.concatenate([part["key"] for part in parts]) if parts else np.empty(0, dtype=object)
    known = {key: [*key.split(":", 5), ""][:6] for key in set(keys)}
    policy, model, band, route, reason, segment = (
        zip(*(known[key] for key in keys), strict=True) if len(keys) else [()] * 6
    )
    return Bands(
        at=np.concatenate([part["at"] for part in parts]) if parts else np.empty(0),
        policy=np.array(policy, dtype=np.int64),
        model=np.array(model, dtype=np.int64),
        band=np.array(band, dtype=object),
        route=np.array(route, dtype=object),
        reason=np.array(reason, dtype=object),
        segment=np.array(segment, dtype=object),
        n=np.concatenate([part["n"] for part in parts]) if parts else np.empty(0),
    )
