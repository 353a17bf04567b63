"""The guard of a canary: compares it with the live policy, and stops it by itself when a sign is off.

Whoever looks every minute for weeks finds a difference by chance sooner or later, so each sign is judged by limits that
hold at all times at once. Of canaries with nothing wrong at most seven in a hundred are ever stopped.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils.translation import gettext as _
from scipy import optimize, special

from decisions.measure import alarms
from decisions.measure.intervals import Limits
from decisions.models import Alert, Policy
from decisions.routing import publish, trials
from decisions.routing.trials import Count, Trial
from decisions.watch import alerts

ALPHA = 0.005  # the chance that the limits of one share ever miss it; a sign compares two shares
OVERRIDE_FACTOR = 1.5  # how far the canary's override rate may lie above the live policy's
# How much a sign needs before it is judged, on either side.
LEAST_ITEMS, LEAST_ANSWERS, LEAST_CONTROL = 100, 30, 10
PAGE = alarms.PAGE  # evidence against the precision target at which a canary stops
NOTHING = Count()


class Sign(StrEnum):
    """What the guard looks at."""

    HARD = "hard_share"
    OVERRIDES = "override_rate"
    PRECISION = "precision"


class Verdict(StrEnum):
    """How a sign stands: nothing to compare, too little to judge yet, within its bounds, or off."""

    IDLE = "idle"
    WAITING = "waiting"
    SOUND = "sound"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """A sign with its figures: the canary's count and limits, the other side's (the live policy's, or the target).

    `needed` is how many of each the guard waits for, `factor` how far apart the two may be. For precision `wealth` is
    that of the e-process, which fails at 20.
    """

    sign: Sign
    verdict: Verdict
    canary: Count
    limits: Limits
    live: Count = NOTHING
    live_limits: Limits = (0.0, 1.0)
    needed: int = 0
    factor: float | None = None
    target: float | None = None
    wealth: float | None = None


@dataclass(frozen=True)
class Guard:
    """A canary's trial and how each sign stands."""

    trial: Trial
    checks: Sequence[Check]

    @property
    def failed(self) -> list[Check]:
        """The signs that are off."""
        return [check for check in self.checks if check.verdict == Verdict.FAILED]


def watch(at: datetime) -> int:
    """Judge every canary that runs and stop those of which a sign is off; returns how many were stopped."""
    queues = Policy.objects.canary().values_list("queue_id", flat=True)
    return sum(_watch(queue_id, at) for queue_id in queues)


def judge(trial: Trial, at: datetime) -> Guard:
    """Return how a canary stands by what was counted so far."""
    return Guard(trial, (_hard(trial), _overrides(trial), _precision(trial, trials.control(trial, at))))


def at_all_times(hits: int, of: int, alpha: float = ALPHA) -> Limits:
    """Return limits of a share that hold at every count at once with probability 1 - alpha, however often one looks.

    Shares are kept against which the beta-binomial mixture (Robbins 1970, Jeffreys' prior) has a likelihood ratio below
    1 / alpha; that ratio is a martingale at the true share (Ville 1939). (0, 1) where nothing was counted.
    """
    if of <= 0:
        return 0.0, 1.0
    mixture = special.betaln(0.5 + hits, 0.5 + of - hits) - special.betaln(0.5, 0.5)

    def over(p: float) -> float:
        return float(mixture - special.xlogy(hits, p) - special.xlog1py(of - hits, -p) + math.log(alpha))

    return _root(over, 0.0, hits / of), _root(over, 1.0, hits / of)


def _root(over: Callable[[float], float], end: float, middle: float) -> float:
    """Return where the ratio crosses between an end and the share that was seen; the end itself where it does not."""
    if middle == end:
        return end
    inside = abs(end - 1e-15)
    return float(optimize.brentq(over, inside, middle)) if over(inside) > 0 else end


@transaction.atomic
def _watch(queue_id: int, at: datetime) -> bool:
    """Count, judge and, where a sign is off, stop. The alert comes before the step: their locks have that order."""
    publish.lock(queue_id)
    trial = trials.running(queue_id)
    if trial is None:
        return False
    trials.count(trial, at)
    trial = trials.running(queue_id) or trial
    failed = judge(trial, at).failed
    if not failed:
        return False
    alerts.see(
        queue=trial.canary.queue,
        kind=Alert.Kind.CANARY,
        key=f"policy:{trial.canary.no}",
        level=Alert.Level.ACT,
        figures={"policy": trial.canary.no, "live": trial.live.no, **figures(failed[0])},
        began_at=trial.start.at,
        at=at,
    )
    publish.stop(policy=trial.canary, by=None, why=" ".join(why(trial, check) for check in failed), at=at)
    return True


def figures(check: Check) -> dict[str, float | str | None]:
    """Return what a sign measured, as plain figures."""
    return {
        "sign": check.sign.value,
        "share": check.canary.share,
        "of": check.canary.of,
        "low": check.limits[0],
        "high": check.limits[1],
        "live_share": check.live.share,
        "live_of": check.live.of,
        "live_low": check.live_limits[0],
        "live_high": check.live_limits[1],
        "factor": check.factor,
        "target": check.target,
        "wealth": check.wealth,
    }


def why(trial: Trial, check: Check) -> str:
    """Return in words why a sign is off."""
    words = {
        "no": trial.canary.no,
        "live": trial.live.no,
        "share": _percent(check.canary.share),
        "low": _percent(check.limits[0]),
        "high": _percent(check.limits[1]),
        "of": check.canary.of,
        "other": _percent(check.live.share),
        "factor": f"{check.factor or 0:g}",
        "target": _percent(check.target),
    }
    if check.sign == Sign.PRECISION:
        return (
            _("Precision of HARD: people agreed with %(share)s of %(of)s control items; the target is %(target)s.")
            % words
        )
    if check.sign == Sign.OVERRIDES:
        return (
            _(
                "Overrides: %(share)s of %(of)s suggestions of policy %(no)s (at least %(low)s), %(other)s of policy"
                " %(live)s's: more than %(factor)s times as many."
            )
            % words
        )
    return (
        _(
            "HARD: %(share)s of %(of)s items of policy %(no)s (%(low)s to %(high)s), %(other)s of policy %(live)s's:"
            " more than a factor of %(factor)s apart."
        )
        % words
    )


def _hard(trial: Trial) -> Check:
    """Compare the shares of HARD, both ways: too many act too much, too few flood people."""
    factor = trial.canary.canary_factor
    check = _two(Sign.HARD, trial.hard, LEAST_ITEMS, factor)
    if None in (trial.canary.hard, trial.canary.soft, trial.live.hard, trial.live.soft):
        return replace(check, verdict=Verdict.IDLE)  # one of the two makes nothing HARD, and is meant to
    (low, high), (live_low, live_high) = check.limits, check.live_limits
    return _settled(check, is_off=low > factor * live_high or high * factor < live_low)


def _overrides(trial: Trial) -> Check:
    """Compare how often people answer otherwise than suggested; fewer is no harm."""
    check = _two(Sign.OVERRIDES, trial.overrides, LEAST_ANSWERS, OVERRIDE_FACTOR)
    return _settled(check, is_off=check.limits[0] > OVERRIDE_FACTOR * check.live_limits[1])


def _precision(trial: Trial, answers: npt.NDArray[np.float64]) -> Check:
    """Bet against the precision target of the canary with the answers to its control group."""
    seen, target = Count(int(answers.sum()), len(answers)), trial.canary.precision_target
    check = Check(Sign.PRECISION, Verdict.IDLE, seen, at_all_times(seen.hits, seen.of), needed=LEAST_CONTROL)
    if target is None or trial.canary.hard is None or not trial.canary.control_share:
        return check
    process = alarms.precision(answers, target)
    check = replace(check, target=target, wealth=float(process.path.max(initial=1.0)))
    return _settled(check, is_off=process.is_alarm)


def _two(sign: Sign, counts: tuple[Count, Count], needed: int, factor: float) -> Check:
    """Return a sign with the counts of both sides and their limits."""
    (limits, live_limits) = (at_all_times(one.hits, one.of) for one in counts)
    canary, live = counts
    return Check(sign, Verdict.WAITING, canary, limits, live, live_limits, needed, factor)


def _settled(check: Check, *, is_off: bool) -> Check:
    """Judge a sign of which enough was seen on every side it has."""
    sides = (check.canary,) if check.target is not None else (check.canary, check.live)
    if min(side.of for side in sides) < check.needed:
        return replace(check, verdict=Verdict.WAITING)
    return replace(check, verdict=Verdict.FAILED if is_off else Verdict.SOUND)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
