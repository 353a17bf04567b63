"""Trials of thresholds, alarms and drift: made queues whose truth is known, and how often we are wrong about them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtr, ndtri

from decisions.measure import alarms, drift, label_counts, thresholds
from tests.simulation.worlds import Score

FloatArray = npt.NDArray[np.float64]

MIDDLE, SPREAD = -7.0, 3.0  # of the true log odds: about 1.7 % positives
LIVE = 0.9  # the true probability above which the live policy acts by itself
CONTROL = 0.1
LIKELIER = 0.5  # only items with log odds above are made: no others come near a threshold for HARD
PROVING = 200_000  # items from which the truth of each threshold is taken

DAYS = 90
LABELS_A_DAY = round(label_counts.to_certify(0.97, 0.95) / 7)  # 52 of the control group


@dataclass(frozen=True)
class Kept:
    """What came of recommended thresholds: shares of the draws, and the volume as a share of the best possible one.

    `missed`: certified though precision is below the target. `volume` is the mean of those certified beside the
    largest volume with precision at the target.
    """

    certified: float
    missed: float
    volume: float


def thresholds_kept(score: Score, target: float, *, control: int, draws: int, seed: int) -> Kept:
    """Recommend thresholds from labels of about so many control items, and look what they really bring."""
    numbers = np.random.default_rng(seed)
    shown, p = _items(score, PROVING, numbers)
    items = round(control / CONTROL / float((p >= LIVE).mean()))
    live = float(np.quantile(shown, 1 - (p >= LIVE).mean()))
    volume, precision = _truth(shown, p)
    right = thresholds.GRID[precision >= target]
    best = volume[precision >= target].max(initial=0.0)
    found = [thresholds.hard(*_labels(score, items, live, numbers), target=target) for _ in range(draws)]
    certified = [one.threshold for one in found if one.threshold is not None]
    mean = float(np.mean([volume[at == thresholds.GRID] for at in certified])) if certified else 0.0
    return Kept(
        certified=len(certified) / draws,
        missed=sum(at not in right for at in certified) / draws,
        volume=float(mean / best) if best else 0.0,
    )


def _items(score: Score, n: int, numbers: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the score that is shown for each item and its true probability."""
    least = ndtr((LIKELIER - MIDDLE) / SPREAD)
    odds = MIDDLE + SPREAD * ndtri(least + (1 - least) * numbers.random(n))
    shown = expit({Score.OVER: 2 * odds, Score.UNDER: odds / 2}.get(score, odds))
    if score is Score.ROUNDED:
        shown = np.round(shown, 2)
    if score is Score.NOISE:
        shown = numbers.permutation(shown)
    return shown, expit(odds)


def _truth(shown: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the volume and the precision at or above each threshold of the grid."""
    order = np.argsort(-shown)
    count = np.searchsorted(-shown[order], -thresholds.GRID, side="right")
    positives = np.concatenate([[0.0], np.cumsum(p[order])])[count]
    return count / len(p), np.divide(positives, count, out=np.zeros(len(count)), where=count > 0)


def _labels(
    score: Score, n: int, live: float, numbers: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return scores, labels and weights of what people saw: all below the live threshold, the control group above."""
    shown, p = _items(score, n, numbers)
    hard = shown >= live
    seen = ~hard | (numbers.random(n) < CONTROL)
    return shown[seen], (numbers.random(n) < p)[seen].astype(np.float64), np.where(hard, 1 / CONTROL, 1.0)[seen]


@dataclass(frozen=True)
class Watch:
    """What came of watching precision: the share of draws with a false alarm, and the days to the right one.

    `half`, `most`: within how many days half of the falls and nine of ten were seen; infinite where fewer were. `mean`
    of the days, each at most what was left of the 90.
    """

    false: float
    half: float = np.inf
    most: float = np.inf
    mean: float = np.inf


def precision_watched(
    before: float, after: float | None = None, *, day: int = DAYS, target: float = 0.95, draws: int, seed: int
) -> Watch:
    """Watch a control group of 52 labels a day for 90 days; from `day` on precision is `after`."""
    numbers = np.random.default_rng(seed)
    truth = np.full(DAYS * LABELS_A_DAY, before)
    change = day * LABELS_A_DAY
    truth[change:] = before if after is None else after
    first = []
    for _ in range(draws):
        found = alarms.precision((numbers.random(len(truth)) < truth).astype(np.float64), target).first
        first.append(np.inf if found is None else found)
    rows = np.array(first)
    false = float((rows < change).mean())
    if after is None:
        return Watch(false)
    delays = (rows[rows >= change] - change + 1) / LABELS_A_DAY
    half, most = (float(np.quantile(delays, share, method="higher")) for share in (0.5, 0.9))
    return Watch(false, half, most, float(np.minimum(delays, DAYS - day).mean()))


def cusum_watched(before: float, after: float, *, day: int, target: float = 0.95, draws: int, seed: int) -> Watch:
    """Watch the same by the CUSUM that knows `after`, set so that it rings falsely in 5 % of 90 days on the target.

    No rule that rings as seldom finds the worst-placed fall sooner on average (Moustakides 1986): the best there is.
    """
    numbers = np.random.default_rng(seed)
    gains = np.log((1 - after) / (1 - target)), np.log(after / target)

    def path(truth: FloatArray) -> FloatArray:
        y = numbers.random((len(truth), draws)) < truth[:, None]
        steps: FloatArray = np.asarray(np.where(y, gains[1], gains[0]), dtype=np.float64)
        level = np.zeros(draws)
        for row in steps:
            level = row[:] = np.maximum(0.0, level + row)
        return steps

    change = day * LABELS_A_DAY
    limit = np.quantile(path(np.full(DAYS * LABELS_A_DAY, target)).max(axis=0), 0.95)
    hit = path(np.repeat([before, after], [change, DAYS * LABELS_A_DAY - change])) >= limit
    rows = np.where(hit.any(axis=0), hit.argmax(axis=0), np.inf)
    delays = np.minimum((rows[rows >= change] - change + 1) / LABELS_A_DAY, DAYS - day)
    half, most = (float(np.quantile(delays, share, method="higher")) for share in (0.5, 0.9))
    return Watch(0.05, half, most, float(delays.mean()))


SHARES = {"hard": 0.003, "soft": 0.05, "pass": 0.947, "overrides": 0.1}
PAST = 28  # days of the baseline


def shares_watched(days_differ: float, *, items: int, times: float = 1.0, seed: int, every: int = 1) -> dict[str, int]:
    """Check each share of a queue at each hour of 90 days; return the alarms that were raised, a signal.

    Its days differ by this standard deviation of their log odds, `items` come in an hour, and from the first day on
    the odds are so many `times` what they were in the baseline.
    """
    numbers = np.random.default_rng(seed)
    return {
        name: sum(_hourly(base, days_differ, items=items, times=times, every=every, numbers=numbers))
        for name, base in SHARES.items()
    }


def _hourly(
    base: float, days_differ: float, *, items: int, times: float, every: int, numbers: np.random.Generator
) -> Iterator[bool]:
    odds = logit(base) + np.repeat(numbers.normal(0, days_differ, PAST + DAYS), 24)
    odds[PAST * 24 :] += np.log(times)
    totals = numbers.poisson(items, len(odds))
    hits = numbers.binomial(totals, expit(odds))
    past: list[list[int]] = []
    for hour in range(PAST * 24 + 24, len(odds), every):
        now = slice(hour - 24, hour)
        if hour % 24 == 0 or not past:
            days = slice((hour // 24 - 1 - PAST) * 24, (hour // 24 - 1) * 24)  # they end before `now` begins
            past = [part[days].reshape(PAST, 24).sum(axis=1).tolist() for part in (hits, totals)]
        yield alarms.share(int(hits[now].sum()), int(totals[now].sum()), *past).alarm


def psi_false(*, reference: int, now: int, digits: int | None, draws: int, seed: int) -> tuple[float, float]:
    """Compare two samples of the same scores again and again: how often p < .05, and how often a level is raised."""
    numbers = np.random.default_rng(seed)
    low, raised = 0, 0
    for _ in range(draws):
        scores = expit(MIDDLE + SPREAD * numbers.standard_normal(reference + now))
        scores = scores if digits is None else np.round(scores, digits)
        found = drift.psi(scores[:reference], scores[reference:])
        low += found.p < 0.05
        raised += found.level in (drift.Level.WARN, drift.Level.ACT)
    return low / draws, raised / draws


def large_recommendations(items: int = 1_000_000, seed: int = 1) -> None:
    """Recommend both thresholds from so many items, all of them labelled."""
    numbers = np.random.default_rng(seed)
    scores = expit(MIDDLE + SPREAD * numbers.standard_normal(items))
    y = (numbers.random(items) < scores).astype(np.float64)
    thresholds.hard(scores, y, target=0.9)
    ones = np.ones(items)
    traffic = thresholds.Traffic(scores, scores, 10 * ones, 0.1 * ones, numbers.integers(0, 56 * 24, items), 56 * 24)
    thresholds.soft(traffic, thresholds.Crew(people=2, rate=5, hours=1), hard=0.9)
