"""When to page: precision that fell below its target, and shares that left their baseline, with few false alarms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

FloatArray = npt.NDArray[np.float64]

PAGE = 20.0  # wealth at which to page: one false alarm in twenty processes, however long each is watched
BETS = (
    (2.0, 2.0),
    (1.5, 1.5),
)  # each: how many times as many errors it bets on, and the evidence it waits for, in nats
MOST_LOG = 700.0  # beyond which a wealth is no longer a number

RARE = 2e-4  # how unlikely a share must be where nothing changed: hourly checks of several signals for 90 days
LEAST_ODDS = math.log(1.2)  # the least change of a share's log odds worth an alarm: odds a fifth up or down
LEAST_DAYS = 5  # of a baseline, under which a share raises no alarm


@dataclass(frozen=True)
class Wealth:
    """An e-process: `path` is the wealth, >= 0, after each label counted; it begins at 1 with the row `began`.

    `first` is the row at which it first reached the page, counted in the rows given; it stays, whatever comes after.
    """

    path: FloatArray
    began: int
    first: int | None

    @property
    def now(self) -> float:
        """The wealth after the last label; 1 before the first."""
        return float(self.path[-1]) if len(self.path) else 1.0

    @property
    def is_alarm(self) -> bool:
        """Whether precision is below its target, at an error of at most one in twenty processes."""
        return self.first is not None


def precision(
    y: FloatArray,
    target: float,
    *,
    weights: FloatArray | None = None,
    at: npt.NDArray[Any] | None = None,
    since: Any = None,
    page: float = PAGE,
) -> Wealth:
    """Test by betting that precision is at least `target`, in (0, 1), as labels y (0 or 1) come in.

    A betting martingale (Waudby-Smith and Ramdas 2023, section 4): before each label a part of the wealth is bet
    against the target, at odds that are fair at the target. While every label is positive with at least the target's
    probability, the chance that the wealth ever reaches 20 is at most 1/20 (Ville 1939), however often one looks. Half
    of the wealth bets that errors doubled, half that there are half as many again; each bets only while the labels
    before speak for it by a CUSUM, so that good months do not eat up what a bad week needs.

    Rows are in the order in which labels became known, never sorted anew, or the past would change. `weights` in (0, 1]
    are 1/pi over the largest that the design allows (least pi / pi), needed only where pi differs between the rows of
    one time; inside the control group it does not. The process is made anew from the rows at each call and never
    restarts by itself: after an alarm was dealt with, the caller gives `since`, and rows with `at` (ascending, as many
    as y) before it do not count.
    """
    if not 0 < target < 1 or not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("the target must lie between 0 and 1, and labels be 0 or 1")
    began = 0 if at is None or since is None else int(np.searchsorted(at, since, side="left"))
    part = np.ones(len(y)) if weights is None else weights
    if not ((part > 0) & (part <= 1)).all():
        raise ValueError("weights are parts of the largest weight that the design allows")
    logs = np.stack([_bet(y[began:], part[began:], target, *bet) for bet in BETS])
    log_wealth = special.logsumexp(logs, axis=0) - math.log(len(BETS))
    reached = np.flatnonzero(log_wealth >= math.log(page))
    path = np.exp(np.minimum(log_wealth, MOST_LOG))
    return Wealth(path, began, began + int(reached[0]) if len(reached) else None)


def _bet(y: FloatArray, part: FloatArray, target: float, times: float, patience: float) -> FloatArray:
    """Return the log wealth of a bet that errors are `times` as many as the target allows.

    `part` in (0, 1] scales each bet. The CUSUM of the labels before (Page 1954) decides whether a label is bet on: it
    is never asked about the label itself, which keeps the game fair.
    """
    allowed = 1.0 - target
    wanted = min(times * allowed, (1.0 + allowed) / 2)
    stake = (wanted - allowed) / (allowed * target)
    gains = np.log1p(stake * part * (target - y))
    before = np.concatenate([[0.0], np.cumsum(gains)])
    cusum = before - np.minimum.accumulate(before)
    return np.cumsum(np.where(cusum[:-1] >= patience, gains, 0.0))


@dataclass(frozen=True)
class Off:
    """A share against its baseline, both in [0, 1]; `effect` is the change of the log odds, `statistic` a t value.

    `p` is the two-sided probability of such a change while days differ as they did in the baseline; `days_differ` is
    the standard deviation of the log odds between days beyond what counting explains.
    """

    share: float
    baseline: float
    effect: float
    statistic: float
    p: float
    days_differ: float
    alarm: bool


def share(hits: int, total: int, past_hits: Sequence[int], past_totals: Sequence[int], *, rare: float = RARE) -> Off:
    """Compare `hits` of `total` now with the days of a baseline: is the share off more than days differ anyway.

    Shares are compared on the log odds. Their variance between days is estimated from the baseline (DerSimonian and
    Laird 1986) and added to that of counting, and the result is read from a t distribution with one degree of freedom
    fewer than days: an ordinary bad day raises no alarm, whatever the volume. What is compared must be a span like
    those of the baseline (the last 24 hours against days). No alarm under five days of baseline, or where nothing
    was counted.
    """
    k, n = np.asarray(past_hits, dtype=np.float64), np.asarray(past_totals, dtype=np.float64)
    k, n = k[n > 0], n[n > 0]
    mean = float(k.sum() / n.sum()) if len(n) else 0.0
    if len(n) < LEAST_DAYS or total <= 0:
        return Off(hits / total if total else 0.0, mean, 0.0, 0.0, 1.0, 0.0, alarm=False)
    middle, error, between = _days(_log_odds(k, n), _counting(k, n))
    effect = float(_log_odds(np.array([hits]), np.array([total]))[0]) - middle
    usual = float(special.expit(middle)) * total
    counting = max(float(_counting(np.array([x]), np.array([total]))[0]) for x in (hits, usual))
    statistic = effect / math.sqrt(counting + between + error)
    p = min(1.0, 2 * float(stats.t.sf(abs(statistic), len(n) - 1)))
    alarm = p < rare and abs(effect) >= LEAST_ODDS
    return Off(hits / total, float(special.expit(middle)), effect, statistic, p, math.sqrt(between), alarm=alarm)


def _log_odds(k: FloatArray, n: FloatArray) -> FloatArray:
    """Return the log odds of shares, finite at 0 and at all of them (Haldane 1956)."""
    odds: FloatArray = np.log((k + 0.5) / (n - k + 0.5))
    return odds


def _counting(k: FloatArray, n: FloatArray) -> FloatArray:
    """Return the variance of log odds that counting leaves."""
    variance: FloatArray = 1 / (k + 0.5) + 1 / (n - k + 0.5)
    return variance


def _days(odds: FloatArray, counting: FloatArray) -> tuple[float, float, float]:
    """Return the mean of the days' log odds, its variance, and the variance between days."""
    w = 1 / counting
    mean = w @ odds / w.sum()
    spread = w @ np.square(odds - mean) - (len(odds) - 1)
    between = max(0.0, float(spread / (w.sum() - w @ w / w.sum())))
    w = 1 / (counting + between)
    return float(w @ odds / w.sum()), float(1 / w.sum()), between
