"""What a policy would have done with the items that came: routes and volumes under any cuts, over arrays."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from decisions.models.items import Item
from decisions.routing import policy
from decisions.routing.policy import BoolArray, Cuts, FloatArray, WordArray
from decisions.routing.sampling import IntArray

ROUTE, REASON, BAND = Item.Route, Item.RouteReason, Item.Band
DAY, HOUR, QUARTER = 86400, 3600, 900
WEEK = 168  # hours
THURSDAY = 72  # hours from Monday to the weekday of 1970-01-01


class Kind(StrEnum):
    """Where an item goes, and why: people get SOFT by its score, the control group of HARD, and what failed a check."""

    HARD = "hard"
    CONTROL = "control"
    SOFT = "soft"
    CHECKS = "checks"
    PASS = "pass"  # noqa: S105 - a route, not a password


KINDS = tuple(Kind)
PEOPLE = (Kind.CONTROL, Kind.SOFT, Kind.CHECKS)


@dataclass(frozen=True)
class Stream:
    """Items as they came and were routed, one entry each; an entry may stand for more than one, its `weight`.

    `score` is raw (NaN: nothing scored it), `p` recalibrated, in [0, 1], `band` and `reason` as routed,
    `control_share` that of the policy that routed it, `arrived` in seconds since 1970, `value` at stake (NaN: none).
    """

    score: FloatArray
    p: FloatArray
    band: WordArray
    reason: WordArray
    weight: FloatArray
    control_share: FloatArray
    arrived: FloatArray
    value: FloatArray

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def in_control(self) -> BoolArray:
        """Those whose number put them into the control group of HARD."""
        return np.asarray(self.reason == REASON.CONTROL, dtype=np.bool_)

    @cached_property
    def was_hard(self) -> BoolArray:
        return np.asarray(self.band == BAND.HARD, dtype=np.bool_)

    @cached_property
    def trusted(self) -> BoolArray:
        """Those routed by their score: no check failed, and the model itself scored them."""
        return np.asarray(
            np.isin(self.reason, (REASON.SCORE.value, REASON.OVERLOAD.value)) | self.in_control, dtype=np.bool_
        )

    @cached_property
    def untried(self) -> WordArray:
        """The reasons as they were before anybody was drawn for the control group."""
        return np.asarray(np.where(self.trusted, REASON.SCORE.value, self.reason).astype(object))

    def part(self, keep: BoolArray) -> "Stream":
        """Return the entries that `keep` names."""
        return Stream(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Routed:
    """The band of each entry under some cuts, and the part of it, in [0, 1], that goes each way; parts add up to 1."""

    band: WordArray
    parts: dict[Kind, FloatArray]

    def volumes(self, weight: FloatArray) -> dict[Kind, float]:
        """Return the items of each kind; they add up to the sum of the weights."""
        return {kind: float(part @ weight) for kind, part in self.parts.items()}


@dataclass(frozen=True)
class Buckets:
    """Items of each kind by local day, and their mean in each of the 168 hours of a week, Monday 0 h first."""

    days: list[date]
    by_day: dict[Kind, FloatArray]
    by_hour: dict[Kind, FloatArray]


def routes(stream: Stream, cuts: Cuts) -> Routed:
    """Route what came by other cuts, through the rules that route what comes.

    Failed checks and rungs below the model stay what they were. Whether an item of the HARD band falls into the control
    group is known where it was drawn, so that the policy that routed it gives back what happened; elsewhere the share
    stands for the draw.
    """
    by_score = stream.trusted
    no_draw = np.ones(len(stream))  # no number is below a share
    routed = policy.route(stream.score, stream.untried, no_draw, cuts)
    hard, people = routed.route == ROUTE.HARD, routed.route == ROUTE.SOFT
    control = np.where(hard & by_score, _control(stream, cuts.control_share), 0.0)
    return Routed(
        band=routed.band,
        parts={
            Kind.HARD: hard - control,
            Kind.CONTROL: control,
            Kind.SOFT: (people & by_score).astype(np.float64),
            Kind.CHECKS: (people & ~by_score).astype(np.float64),
            Kind.PASS: (routed.route == ROUTE.PASS).astype(np.float64),
        },
    )


def _control(stream: Stream, share: float) -> FloatArray:
    """Return the probability that each entry's number is below `share`, given the side of its own share it fell on."""
    own = stream.control_share
    with np.errstate(divide="ignore", invalid="ignore"):
        if_control = np.minimum(1.0, share / own)
        if_hard = np.maximum(0.0, (share - own) / (1.0 - own))
    drawn = np.select([stream.in_control, stream.was_hard & (own < 1)], [if_control, if_hard], share)
    return np.asarray(np.nan_to_num(drawn, nan=share), dtype=np.float64)


def buckets(stream: Stream, routed: Routed, zone: ZoneInfo, start: float, end: float) -> Buckets:
    """Count by day and by hour of the week on the clock of `zone`, in [start, end), seconds since 1970."""
    local = on_clock(stream.arrived, zone)
    first = int(on_clock(np.array([start]), zone)[0] // DAY)
    last = int(on_clock(np.array([end - 1]), zone)[0] // DAY)
    day = np.clip((local // DAY).astype(np.intp) - first, 0, last - first)
    hour = hour_of_week(local)
    seen = np.bincount(hour_of_week(on_clock(np.arange(start, end, HOUR), zone)), minlength=WEEK)
    weights = {kind: part * stream.weight for kind, part in routed.parts.items()}
    return Buckets(
        days=[date(1970, 1, 1) + timedelta(days=first + n) for n in range(last - first + 1)],
        by_day={kind: _sums(day, w, last - first + 1) for kind, w in weights.items()},
        by_hour={kind: _sums(hour, w, WEEK) / np.maximum(1, seen) for kind, w in weights.items()},
    )


def on_clock(seconds: FloatArray, zone: ZoneInfo) -> FloatArray:
    """Return times since 1970 as a clock of the zone shows them; a zone changes its offset on a quarter of an hour."""
    quarters, place = np.unique(seconds // QUARTER, return_inverse=True)
    offsets = [datetime.fromtimestamp(n * QUARTER, UTC).astimezone(zone).utcoffset() for n in quarters]
    shift = np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])
    return np.asarray(seconds + shift[place], dtype=np.float64)


def spans(stream: Stream, routed: Routed, end: float, count: int) -> dict[Kind, FloatArray]:
    """Return the items of each kind in each of the last `count` spans of 24 hours before `end`, oldest first."""
    back = ((end - stream.arrived) // DAY).astype(np.intp)
    seen = (back >= 0) & (back < count)
    weight = stream.weight[seen]
    return {kind: _sums(back[seen], part[seen] * weight, count)[::-1] for kind, part in routed.parts.items()}


def histogram(stream: Stream, low: float, high: float, bins: int = 40) -> tuple[FloatArray, FloatArray]:
    """Return the edges of `bins` equal bins of [low, high] and the items in each; who has no score is in none."""
    scored = ~np.isnan(stream.score)
    counts, edges = np.histogram(
        np.clip(stream.score[scored], low, high), bins, (low, high), weights=stream.weight[scored]
    )
    return edges, counts.astype(np.float64)


def hour_of_week(local: FloatArray) -> IntArray:
    """Return the hour of the week, Monday 0 h = 0, of times as `on_clock` gives them."""
    return np.asarray(((local // HOUR).astype(np.intp) + THURSDAY) % WEEK)


def _sums(places: IntArray, weights: FloatArray, count: int) -> FloatArray:
    return np.asarray(np.bincount(places, weights, count), dtype=np.float64)
