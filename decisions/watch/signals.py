"""Which signals are off: what arrives now against what arrived before, as pure functions over arrays.

A signal is compared at several spans at once, the last 300 rows, 1,200, 4,800, within 24 hours: a sudden change shows
in the short one, a slow one in the long one. What it is compared with is the same hours of earlier weeks, or of
earlier days while the history is short, or all of it while there are no five days, or, as long as it does not hold
each hour of the day once, the hour before only: `Before`. All the comparisons of one look share the probability of a
false alarm `FALSE_ALARMS`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from decisions.measure import alarms, drift
from decisions.measure import bins as binning
from decisions.measure.drift import Level, Share

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
WordArray = npt.NDArray[np.object_]

FALSE_ALARMS = (
    1e-5  # how likely a look at one queue is to find anything off where nothing changed: 105,000 looks a year
)
PARTS = {"volume": 0.4, "scores": 0.3, "fields": 0.2, "overrides": 0.1}  # of that, for each family of signals

DAY, WEEK = 86400.0, 7 * 86400.0
SPANS = (300, 1200, 4800)  # rows
FEW = (100, 400, 1600)  # the same of decisions, which are fewer
FIRST = 1000  # rows from which a signal learns what is usual on its first day
MOST_BLOCKS = 100  # as long as the span each, where there is more than that and less than five days
FIRST_DAY = 2  # times the least PSI to act on
NEAR = 3600.0  # seconds; so long a span, and so long before it, the time of day hardly matters
ENOUGH_DAYS, ENOUGH_WEEKS = 5, 2
ROUTES = 3
ENOUGH_ROWS = 500  # of the same hours before
WARN_ODDS, ACT_ODDS = float(np.log(1.5)), float(np.log(2.5))  # by how much the odds of a share must have changed
BY_CHANCE = 0.01  # how likely blocks must be to differ as they do, to be taken as alike
LOUD = (Level.WARN, Level.ACT)


class Against(StrEnum):
    """With what a span is compared."""

    WEEKS = "weeks"  # the same hours of the same days of earlier weeks
    DAYS = "days"  # the same hours of earlier days
    ALL = "all"  # all rows since the last change of what is compared
    NEAR = "near"  # the hour before, while these do not hold each hour of the day


EARLY = (Against.ALL, Against.NEAR)


@dataclass(frozen=True)
class Off:
    """A signal that is off: what (`kind`, `key`), how much (`level`, `figures`), and since when as far as is known.

    `began` is in seconds since 1970.
    """

    kind: str
    key: str
    level: Level
    figures: dict[str, Any]
    began: float


@dataclass(frozen=True)
class Usual:
    """Which rows show what is usual, by their times in seconds: from `since` on, but for those of incidents."""

    since: float = 0.0
    incidents: Sequence[tuple[float, float]] = ()

    def holds(self, at: FloatArray) -> BoolArray:
        """Return which of these times count."""
        held = at >= self.since
        for start, end in self.incidents:
            held &= (at < start) | (at > end)
        return held


@dataclass(frozen=True)
class Before:
    """The rows that a span is compared with, and the block of time that each is in."""

    against: Against
    rows: IntArray
    block: IntArray


@dataclass(frozen=True)
class Look:
    """One span of rows, as places in arrays ordered by time, and what it is compared with."""

    rows: IntArray
    before: Before


@dataclass(frozen=True)
class Payloads:
    """What was sent before and now, now in the order of the times `at`; `told` says which rows these are."""

    before: Sequence[Mapping[str, Any]]
    now: Sequence[Mapping[str, Any]]
    at: FloatArray
    told: Mapping[str, Any]


def looks(at: FloatArray, usual: Usual, *, spans: Sequence[int] = SPANS, is_weekly: bool = False) -> Iterator[Look]:
    """Yield the spans that can be compared; `at` is ascending, in seconds.

    `is_weekly`: with the same days of the week where there are two weeks; else every earlier day is a block.
    """
    if not len(at):
        return
    today = len(at) - int(np.searchsorted(at, max(at[-1] - DAY, usual.since)))
    for size in sorted({min(span, today) for span in spans} - set(range(spans[0]))):
        start = len(at) - size
        before = earlier(at, usual, start=start, least=spans[0], is_weekly=is_weekly)
        if before is not None:
            yield Look(np.arange(start, len(at)), before)


def earlier(at: FloatArray, usual: Usual, *, start: int, least: int, is_weekly: bool) -> Before | None:
    """Return what the rows from `start` on are compared with; None where there are too few rows before them."""
    rows = np.flatnonzero(usual.holds(at[:start]))
    if len(rows) < least:
        return None
    days = (at[start] - at[rows[0]]) / DAY
    if is_weekly and days >= ENOUGH_WEEKS * 7 and (found := _same_hours(at, rows, start, WEEK)) is not None:
        return Before(Against.WEEKS, *found)
    if days >= ENOUGH_DAYS and (found := _same_hours(at, rows, start, DAY)) is not None:
        return Before(Against.DAYS, *found)
    if days >= 1:  # the hours of a day differ: each of them is there
        return Before(Against.ALL, rows, _blocks(len(rows), min(MOST_BLOCKS, len(rows) // (len(at) - start))))
    return _hour_before(at, rows, start=start, least=least)


def _hour_before(at: FloatArray, rows: IntArray, *, start: int, least: int) -> Before | None:
    """Return the first rows of the hour before a span, None where the span is longer than that or they are too few.

    On a first day nobody knows how day and night differ, so that hours far apart say nothing of each other. Where
    nothing came for longer than that, the last of it before the pause is all that the rows after it can be held
    against: the pause does not count as time, but only one does not.
    """
    since = at[start] - NEAR
    first = int(np.searchsorted(at, since))
    if first and (pause := at[first] - at[first - 1]) > NEAR:
        since -= pause
    near = rows[at[rows] >= since]
    if at[-1] - at[start] > NEAR or len(near) < least:
        return None
    near = near[: max(least, min(FIRST, len(near) // 2))]  # the later half may have begun to change
    return Before(Against.NEAR, near, np.zeros(len(near), dtype=np.intp))


def volume(at: FloatArray, is_routed: BoolArray, key: str, usual: Usual) -> Iterator[Off]:
    """Yield whether a route's share of the items is off."""
    yield from _worst(_shares(at, is_routed, ("volume", key), usual, spans=SPANS, signals=ROUTES))


def overrides(at: FloatArray, is_override: BoolArray, key: str, usual: Usual, *, signals: int) -> Iterator[Off]:
    """Yield whether people override more, or less, than they did."""
    yield from _worst(_shares(at, is_override, ("overrides", key), usual, spans=FEW, signals=signals))


def scores(at: FloatArray, score: FloatArray, key: str, usual: Usual, *, signals: int) -> Iterator[Off]:
    """Yield whether the mix of scores of one kind of items changed."""
    found = list(looks(at, usual, is_weekly=True))
    rare = FALSE_ALARMS * PARTS["scores"] / (signals * max(1, len(found)))
    yield from _worst(off for look in found for off in _mix(at, score, key, look, rare))


def missing(payloads: Payloads, names: Sequence[str], *, signals: int) -> Iterator[Off]:
    """Yield the fields that more payloads lack, or fewer, than did."""
    for name in names:
        lack, lacked = ([payload.get(name) is None for payload in some] for some in (payloads.now, payloads.before))
        share = drift.missing(sum(lacked), len(lacked), sum(lack), len(lack))
        yield from _field(("missing", name), share, lack, payloads, signals)


def unseen(payloads: Payloads, known: Mapping[str, frozenset[str]], *, signals: int) -> Iterator[Off]:
    """Yield the fields with more unseen categories than usual.

    `known` has the categories of each field as the spec names them; where it names none, those of the payloads before.
    """
    for name, categories in known.items():
        was, values = (
            [str(p[name]) for p in some if p.get(name) is not None] for some in (payloads.before, payloads.now)
        )
        if categories:
            strange = [sum(value not in categories for value in side) for side in (was, values)]
            share = drift.missing(strange[0], len(was), strange[1], len(values))
        else:
            share = drift.unseen(was, values)
        if share.change > 0:
            usual = categories or set(was)
            is_strange = [p.get(name) is not None and str(p[name]) not in usual for p in payloads.now]
            yield from _field(("unseen", name), share, is_strange, payloads, signals)


def precision(at: FloatArray, y: FloatArray, key: str, *, target: float, since: float) -> Iterator[Off]:
    """Yield whether hard actions are less precise than their target; rows in the order in which they became known."""
    wealth = alarms.precision(y, target, at=at, since=since)
    if wealth.first is None:
        return
    counted, worse = y[wealth.began :], 1 - min(2 * (1 - target), (2 - target) / 2)
    gain = np.where(counted > 0, _ratio(worse, target), _ratio(1 - worse, 1 - target))
    figures = {
        "target": target,
        "precision": float(counted.mean()),
        "labels": len(counted),
        "from": float(at[wealth.began]),
        "to": float(at[-1]),
    }
    yield Off("precision", key, Level.ACT, figures, float(at[wealth.began + _change(gain)]))


def told(at: FloatArray, look: Look) -> dict[str, Any]:
    """Return what a look says of itself: how many rows, from when, against what."""
    rows, before = look.rows, look.before
    return {
        "rows": len(rows),
        "rows_before": len(before.rows),
        "from": float(at[rows[0]]),
        "to": float(at[rows[-1]]),
        "against": before.against.value,
        "before_from": float(at[before.rows[0]]),
        "before_to": float(at[before.rows[-1]]),
    }


def _shares(
    at: FloatArray, hit: BoolArray, name: tuple[str, str], usual: Usual, *, spans: Sequence[int], signals: int
) -> Iterator[Off]:
    """Yield each span in which a share left its earlier blocks."""
    kind, key = name
    found = list(looks(at, usual, spans=spans))
    rare = FALSE_ALARMS * PARTS[kind] / (signals * max(1, len(found)))
    for look in found:
        off = _beside(hit, look, rare)
        if off.alarm and abs(off.effect) >= (ACT_ODDS if look.before.against == Against.NEAR else WARN_ODDS):
            gain = np.where(hit, _ratio(off.share, off.baseline), _ratio(1 - off.share, 1 - off.baseline))
            figures = {"share": off.share, "before": off.baseline, "p": off.p, **told(at, look)}
            level = Level.ACT if abs(off.effect) >= ACT_ODDS else Level.WARN
            yield Off(kind, key, level, figures, _began(at, gain, look))


def _beside(hit: BoolArray, look: Look, rare: float) -> alarms.Off:
    """Compare a share in a span with that of the blocks before it; of the hour before there is only one block.

    That one is compared as counts are (Fisher 1935): how far days differ shows on no first day, and blocks of a few
    dozen rows would put the log odds of a rare route too high.
    """
    past, block = hit[look.before.rows].astype(np.float64), look.before.block
    hits, total = int(hit[look.rows].sum()), len(look.rows)
    if look.before.against != Against.NEAR:
        past_hits, past_totals = np.bincount(block, weights=past).astype(int), np.bincount(block)
        return alarms.share(hits, total, past_hits.tolist(), past_totals.tolist(), rare=rare)
    share = drift.missing(int(past.sum()), len(past), hits, total)
    odds = [float(np.log((k + 0.5) / (n - k + 0.5))) for k, n in ((hits, total), (past.sum(), len(past)))]
    effect = odds[0] - odds[1]
    return alarms.Off(share.now, share.before, effect, effect, share.p, 0.0, alarm=share.p < rare)


def _mix(at: FloatArray, score: FloatArray, key: str, look: Look, rare: float) -> Iterator[Off]:
    """Yield whether the mix of scores in one span is off.

    While there are no five days of a signal only a change to act on counts, and twice that on its first day: how much
    it moves by itself is not known yet.
    """
    mix = drift.psi(score[look.before.rows], score[look.rows])
    loud = (Level.ACT,) if look.before.against in EARLY else LOUD
    is_small = look.before.against == Against.NEAR and mix.psi < FIRST_DAY * drift.ACT_PSI
    if mix.p >= rare or mix.level not in loud or is_small:
        return
    cell = binning.places(score, np.array(mix.cuts)) if mix.cuts else _named(score, mix.names)
    n, m = mix.rows
    statistic = mix.psi * n * m / (n + m) / _restless(cell, look, len(mix.now))
    p = float(stats.chi2.sf(statistic, len(mix.now) - 1))
    if p < rare:
        gain = np.log((np.array(mix.now) + 1e-3) / (np.array(mix.before) + 1e-3))[cell]
        figures = {"psi": mix.psi, "p": p, **told(at, look)}
        yield Off("scores", key, mix.level, figures, _began(at, gain, look))


def _restless(cell: IntArray, look: Look, cells: int) -> float:
    """Return how many times more the blocks before differ than chance lets them; 1 where chance explains it.

    Finney (1971): the chi-squared of blocks by cells over its degrees of freedom, for blocks about as long as the span.
    """
    rows, block = look.before.rows, look.before.block
    if look.before.against in EARLY:
        block = np.arange(len(rows)) // len(look.rows)
    table = np.zeros((int(block.max()) + 1, cells))
    np.add.at(table, (block, cell[rows]), 1.0)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi2 = float((np.square(table - expected) / expected).sum())
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return chi2 / freedom if stats.chi2.sf(chi2, freedom) < BY_CHANCE else 1.0


def _blocks(rows: int, count: int) -> IntArray:
    """Return the block of each row, of blocks of one length."""
    return np.arange(rows) * max(1, count) // rows


def _named(score: FloatArray, names: Sequence[Any]) -> IntArray:
    """Return the cell of each score where few distinct ones are compared one by one; the last cell holds the rest."""
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(value, len(names)) for value in score.tolist()], dtype=np.intp)


def _same_hours(at: FloatArray, rows: IntArray, start: int, period: float) -> tuple[IntArray, IntArray] | None:
    """Return those of the rows at the hours of the rows from `start` on, and how many periods ago each is.

    None where they are too few.
    """
    ago = at[-1] - at[rows]
    periods = (ago // period).astype(np.intp)
    kept = (ago % period <= at[-1] - at[start]) & (periods > 0)  # the rest of the span's own day is no other day
    if kept.sum() < ENOUGH_ROWS or len(np.unique(periods[kept])) < (ENOUGH_DAYS if period == DAY else ENOUGH_WEEKS):
        return None
    return rows[kept], periods[kept]


def _worst(offs: Iterable[Off]) -> Iterator[Off]:
    """Yield one for each signal: the highest level, and of those the least likely."""
    best: dict[tuple[str, str], Off] = {}
    for off in offs:
        held = best.get((off.kind, off.key))
        if held is None or (off.level == Level.ACT, -off.figures["p"]) > (held.level == Level.ACT, -held.figures["p"]):
            best[off.kind, off.key] = off
    yield from best.values()


def _began(at: FloatArray, gain: FloatArray, look: Look) -> float:
    """Return when the change most likely happened: between what it is compared with and now, at most a day ago."""
    first = max(int(look.before.rows[-1]) + 1, int(np.searchsorted(at, at[-1] - DAY)))
    return float(at[first + _change(gain[first:])])


def _change(gain: FloatArray) -> int:
    """Return the place from which on the rows speak most for the change, by their log likelihood ratios."""
    return int(np.argmax(np.cumsum(gain[::-1])[::-1]))


def _field(sign: tuple[str, str], share: Share, hit: Sequence[bool], payloads: Payloads, signals: int) -> Iterator[Off]:
    kind, name = sign
    if share.p < FALSE_ALARMS * PARTS["fields"] / signals and share.level in LOUD:
        gain = np.where(hit, _ratio(share.now, share.before), _ratio(1 - share.now, 1 - share.before))
        figures = {**payloads.told, "share": share.now, "before": share.before, "p": share.p}
        yield Off(kind, f"field:{name}", share.level, figures, float(payloads.at[_change(gain)]))


def _ratio(one: float, other: float) -> float:
    """Return the log of a ratio of shares, finite where one is nothing."""
    return float(np.log((one + 1e-3) / (other + 1e-3)))
