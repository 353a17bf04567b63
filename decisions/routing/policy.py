"""From scores to routes: a policy is a value, its rules pure functions over arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from decisions.measure import calibrate
from decisions.models.items import Item
from decisions.queues.relief import LEVELS, NONE, Relief
from decisions.routing import sampling
from decisions.routing.sampling import IntArray

if TYPE_CHECKING:
    from decisions.models import Frame, Policy
    from decisions.queues.spec import Spec

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
WordArray = npt.NDArray[np.object_]  # of the words that are stored: "hard", "score" ...

BAND, ROUTE, REASON = Item.Band, Item.Route, Item.RouteReason


@dataclass(frozen=True)
class Cuts:
    """What of a policy and its queue's spec decides routes.

    `hard` and `soft` are in score units, [low, high] the range of the scores; `raised` is the soft cut that overload
    raised, at its `level`; `slope`, `intercept` and `edge` recalibrate on the log odds (`measure.calibrate`); `mean_p`
    in [0, 1], `beta` in (0, 1] and `harm_square`, the mean square of the harm (0: not known), make the audit sizes. The
    two sets name the automatic routes ("hard", "pass") that the owner allows for items that failed a check and for
    scores from below the model.
    """

    hard: float | None
    soft: float | None
    control_share: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0
    edge: float = 0.0
    mean_p: float = 0.0
    beta: float = sampling.BETA
    harm_square: float = 0.0
    low: float = 0.0
    high: float = 1.0
    raised: float | None = None
    level: int = 0
    failed_check_routes: frozenset[str] = frozenset()
    fallback_routes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policy: "Policy", spec: "Spec", frame: "Frame | None" = None, relief: Relief = NONE) -> "Cuts":
        """Return the cuts of a policy; scores are in its model's range, else in the spec's.

        Audit sizes rest on the newest frame, and on the policy's own guess until there is one. Overload rules go no
        further than the policy allows.
        """
        raised = raised_soft(policy, relief.threshold)
        floor = policy.control_floor if relief.control else None
        return cls(
            hard=policy.hard,
            soft=policy.soft,
            control_share=policy.control_share if floor is None else floor,
            **line(policy.calibration),
            mean_p=frame.mean_p if frame else policy.mean_p,
            beta=frame.beta if frame else sampling.BETA,
            harm_square=(frame.harm_square or 0.0) if frame else 0.0,
            low=policy.model.score_low if policy.model else spec.model.low,
            high=policy.model.score_high if policy.model else spec.model.high,
            raised=raised,
            level=0 if raised is None else relief.threshold,
            failed_check_routes=frozenset(spec.failed_check_routes),
            fallback_routes=frozenset(spec.fallback_routes),
        )


def raised_soft(policy: "Policy", level: int) -> float | None:
    """Return the soft cut at a level of overload: so many equal steps towards the highest that the policy allows."""
    if not level or policy.soft is None or policy.overload_soft is None:
        return None
    return policy.soft + (policy.overload_soft - policy.soft) * min(level, LEVELS) / LEVELS


@dataclass(frozen=True)
class Routing:
    """One entry an item: band, route, reason, propensity (NaN for PASS: null), p, q and v (NaN: there is none), level.

    An item whose score says SOFT and that is below a raised cut keeps its band; it is passed with the reason OVERLOAD,
    an audit may draw it, and the level says how far the cut was raised.
    """

    band: WordArray
    route: WordArray
    reason: WordArray
    propensity: FloatArray
    p: FloatArray
    q: FloatArray
    v: FloatArray
    level: IntArray


def bands(scores: FloatArray, cuts: Cuts) -> WordArray:
    """Return each score's band: HARD at or above `hard`, SOFT at or above `soft`, else PASS; NONE without a score.

    No `hard`: nothing is HARD. No `soft`: every item goes to people, so everything that has a score is SOFT.
    """
    hard = np.inf if cuts.hard is None or cuts.soft is None else cuts.hard
    soft = -np.inf if cuts.soft is None else cuts.soft
    return _words(
        [np.isnan(scores), scores >= hard, scores >= soft],
        [BAND.NONE, BAND.HARD, BAND.SOFT],
        BAND.PASS,
    )


def recalibrate(scores: FloatArray, cuts: Cuts) -> FloatArray:
    """Return each score's probability in [0, 1]: Platt scaling of the log odds of the score within its range."""
    return calibrate.probabilities(shares(scores, cuts.low, cuts.high), cuts.slope, cuts.intercept, cuts.edge)


def line(calibration: Mapping[str, Any]) -> dict[str, float]:
    """Return slope, intercept and edge of a policy's calibrator; without one scores stay as they came."""
    plain = {"slope": 1.0, "intercept": 0.0, "edge": 0.0}
    return {name: float(calibration.get(name, value)) for name, value in plain.items()}


def shares(scores: FloatArray, low: float, high: float) -> FloatArray:
    """Return where scores lie in their range, in [0, 1]."""
    return np.clip((scores - low) / (high - low), 0.0, 1.0)


def route(
    scores: FloatArray,
    reasons: WordArray,
    control_u: FloatArray,
    cuts: Cuts,
    *,
    harm: FloatArray | None = None,
    other: FloatArray | None = None,
) -> Routing:
    """Route items.

    `scores` are NaN where nothing could score, `reasons` say SCORE, or why an item may not be trusted to its score
    (INPUT_CHECK, OUTPUT_CHECK, FALLBACK, FILTER), `control_u` are uniform on [0, 1) and decide the control group of
    HARD. For the audit sizes alone: `harm` is the money lost if the item is a positive that nobody stops, `other`
    what other models say of it, a probability; NaN or None where there is none.
    """
    band = bands(scores, cuts)
    trusted = reasons == REASON.SCORE
    in_hard = trusted & (band == BAND.HARD)
    control = in_hard & (control_u < cuts.control_share)
    to_people = control | (band == BAND.NONE) | ~(trusted | _allowed(band, reasons, cuts))
    spared = trusted & (band == BAND.SOFT) & (scores < (-np.inf if cuts.raised is None else cuts.raised))
    routes = np.where(to_people, ROUTE.SOFT.value, band).astype(object)
    routes[spared] = ROUTE.PASS.value
    p, passed = recalibrate(scores, cuts), routes == ROUTE.PASS
    v = None if harm is None else np.where(passed, sampling.stakes(harm, cuts.harm_square), np.nan)
    size = sampling.q(sampling.signal(p, other), cuts.mean_p, cuts.beta, v)
    return Routing(
        band=band,
        route=routes,
        reason=_words([control, spared], [REASON.CONTROL, REASON.OVERLOAD], reasons),
        propensity=_propensity(routes, in_hard, cuts.control_share),
        p=p,
        q=np.where(passed, size, np.nan),
        v=np.full(len(scores), np.nan) if v is None else v,
        level=np.full(len(routes), cuts.level),
    )


def _allowed(band: WordArray, reasons: WordArray, cuts: Cuts) -> BoolArray:
    """Tell which items that failed a check, or fell below the model, the owner leaves to the machine all the same."""
    if not cuts.fallback_routes and not cuts.failed_check_routes:
        return np.zeros(len(band), dtype=np.bool_)
    fallback = reasons == REASON.FALLBACK
    allowed = np.where(
        fallback, np.isin(band, sorted(cuts.fallback_routes)), np.isin(band, sorted(cuts.failed_check_routes))
    )
    return np.asarray(allowed & (reasons != REASON.FILTER), dtype=np.bool_)


def _propensity(routes: WordArray, in_hard: BoolArray, control_share: float) -> FloatArray:
    """Return the probability that a person sees each item: c for the whole HARD band, 1 for SOFT, unknown for PASS."""
    propensity = np.full(len(routes), np.nan)
    propensity[routes == ROUTE.SOFT] = 1.0
    propensity[routes == ROUTE.HARD] = 0.0
    propensity[in_hard] = control_share
    return propensity


def _words(conditions: list[BoolArray], words: list[str], default: str | WordArray) -> WordArray:
    """Return for each place the word of the first condition that holds: for one item much faster than a select."""
    rest = str(default) if isinstance(default, str) else default
    named: WordArray = np.full(len(conditions[0]), rest, dtype=object)
    for condition, word in zip(reversed(conditions), reversed(words), strict=True):
        named[condition] = str(word)
    return named
