"""From scores to routes: tables of cases."""

from dataclasses import replace

import numpy as np
import pytest

from decisions.models import Item, Policy
from decisions.routing import policy
from decisions.routing.policy import Cuts, Routing

CUTS = Cuts(hard=0.9, soft=0.3, control_share=0.1, mean_p=0.04)
NAN = float("nan")
SCORE, INPUT, OUTPUT, FALLBACK = (str(reason) for reason in ("score", "input_check", "output_check", "fallback"))


def routed(score: float, *, reason: str = SCORE, u: float = 0.5, cuts: Cuts = CUTS) -> Routing:
    return policy.route(np.array([score]), np.array([reason], dtype=object), np.array([u]), cuts)


@pytest.mark.parametrize(
    ("score", "hard", "soft", "band"),
    [
        (0.95, 0.9, 0.3, "hard"),
        (0.9, 0.9, 0.3, "hard"),  # at the cut belongs above
        (0.8999999, 0.9, 0.3, "soft"),
        (0.3, 0.9, 0.3, "soft"),
        (0.29, 0.9, 0.3, "pass"),
        (0.0, 0.9, 0.3, "pass"),
        (NAN, 0.9, 0.3, "none"),  # nothing scored it
        (1.0, None, 0.3, "soft"),  # nothing is automatic
        (0.0, None, None, "soft"),  # everything goes to people
        (1.0, 0.9, None, "soft"),  # the same, even above a cut that somebody left in
        (NAN, None, None, "none"),
    ],
)
def test_bands(score: float, hard: float | None, soft: float | None, band: str) -> None:
    assert policy.bands(np.array([score]), Cuts(hard=hard, soft=soft)).tolist() == [band]


RAISED = replace(CUTS, raised=0.5, level=2)


@pytest.mark.parametrize(
    ("score", "reason", "u", "band", "route", "told", "propensity"),
    [
        (0.4, SCORE, 0.5, "soft", "pass", "overload", NAN),  # the band says what the score says
        (0.49999, SCORE, 0.05, "soft", "pass", "overload", NAN),
        (0.5, SCORE, 0.5, "soft", "soft", "score", 1.0),  # at the raised cut belongs above
        (0.1, SCORE, 0.5, "pass", "pass", "score", NAN),  # it would have passed anyway
        (0.95, SCORE, 0.5, "hard", "hard", "score", 0.1),  # HARD and its control group are not touched
        (0.95, SCORE, 0.05, "hard", "soft", "control", 0.1),
        (0.4, INPUT, 0.5, "soft", "soft", "input_check", 1.0),  # a failed check goes to people all the same
        (0.4, FALLBACK, 0.5, "soft", "soft", "fallback", 1.0),
        (NAN, FALLBACK, 0.5, "none", "soft", "fallback", 1.0),
    ],
)
def test_a_raised_cut_passes_what_lies_below_it(  # noqa: PLR0917 - the columns of the table
    score: float, reason: str, u: float, band: str, route: str, told: str, propensity: float
) -> None:
    found = routed(score, reason=reason, u=u, cuts=RAISED)
    assert (found.band[0], found.route[0], found.reason[0], found.level[0]) == (band, route, told, 2)
    np.testing.assert_equal(found.propensity[0], propensity)
    assert np.isnan(found.q[0]) == (route != "pass")  # so that an audit may draw it


@pytest.mark.parametrize(("level", "expected"), [(0, None), (1, 0.35), (2, 0.4), (4, 0.5), (9, 0.5)])
def test_each_level_raises_the_cut_by_an_equal_step(level: int, expected: float | None) -> None:
    terms = Policy(soft=0.3, overload_soft=0.5)
    assert policy.raised_soft(terms, level) == pytest.approx(expected)


@pytest.mark.parametrize("terms", [Policy(soft=0.3), Policy(soft=None, overload_soft=0.5)])
def test_without_a_bound_no_cut_is_raised(terms: Policy) -> None:
    assert policy.raised_soft(terms, 4) is None


@pytest.mark.parametrize(
    ("score", "reason", "u", "route", "told", "propensity"),
    [
        (0.95, SCORE, 0.5, "hard", "score", 0.1),  # the whole band has the control share as its propensity
        (0.95, SCORE, 0.05, "soft", "control", 0.1),
        (0.95, SCORE, 0.1, "hard", "score", 0.1),  # u below the share, not at it
        (0.5, SCORE, 0.05, "soft", "score", 1.0),  # no control below HARD
        (0.1, SCORE, 0.05, "pass", "score", NAN),  # known when its frame closes
        (NAN, FALLBACK, 0.5, "soft", "fallback", 1.0),
        (0.95, INPUT, 0.5, "soft", "input_check", 1.0),  # a machine may not act on these
        (0.95, OUTPUT, 0.05, "soft", "output_check", 1.0),
        (0.95, FALLBACK, 0.5, "soft", "fallback", 1.0),
        (0.1, INPUT, 0.5, "soft", "input_check", 1.0),
        (0.1, FALLBACK, 0.5, "soft", "fallback", 1.0),
        (0.5, FALLBACK, 0.5, "soft", "fallback", 1.0),
    ],
)
def test_routes(  # noqa: PLR0917 - the columns of the table
    score: float, reason: str, u: float, route: str, told: str, propensity: float
) -> None:
    got = routed(score, reason=reason, u=u)
    assert (got.route[0], got.reason[0]) == (route, told)
    assert got.propensity[0] == pytest.approx(propensity, nan_ok=True)


@pytest.mark.parametrize(
    ("score", "reason", "checks", "fallback", "route", "propensity"),
    [
        (0.95, INPUT, {"hard"}, set(), "hard", 0.0),  # the owner allows it; nobody sees it
        (0.95, OUTPUT, {"hard"}, set(), "hard", 0.0),
        (0.95, FALLBACK, {"hard", "pass"}, set(), "soft", 1.0),  # the two permissions are apart
        (0.95, FALLBACK, set(), {"hard"}, "hard", 0.0),
        (0.95, INPUT, set(), {"hard", "pass"}, "soft", 1.0),
        (0.1, INPUT, {"hard"}, set(), "soft", 1.0),  # so are the two routes
        (0.1, INPUT, {"pass"}, set(), "pass", NAN),
        (0.1, FALLBACK, set(), {"pass"}, "pass", NAN),
        (NAN, FALLBACK, {"hard", "pass"}, {"hard", "pass"}, "soft", 1.0),  # without a score always people
    ],
)
def test_what_the_owner_leaves_to_the_machine(  # noqa: PLR0917 - the columns of the table
    score: float, reason: str, checks: set[str], fallback: set[str], route: str, propensity: float
) -> None:
    cuts = replace(CUTS, failed_check_routes=frozenset(checks), fallback_routes=frozenset(fallback))
    got = routed(score, reason=reason, cuts=cuts)
    assert (got.route[0], got.reason[0]) == (route, reason)
    assert got.propensity[0] == pytest.approx(propensity, nan_ok=True)


def test_only_passes_have_an_audit_size() -> None:
    scores = np.array([0.95, 0.5, 0.1, np.nan])
    reasons = np.array([SCORE, SCORE, SCORE, FALLBACK], dtype=object)
    got = policy.route(scores, reasons, np.ones(4), CUTS)
    assert np.isnan(got.q).tolist() == [True, True, False, True]
    assert got.q[2] == pytest.approx(np.sqrt(0.75 * 0.1 + 0.25 * 0.04))


@pytest.mark.parametrize(
    ("score", "slope", "intercept", "low", "high", "p"),
    [
        (0.7, 1.0, 0.0, 0.0, 1.0, 0.7),  # nothing to recalibrate
        (0.0, 1.0, 0.0, 0.0, 1.0, 0.0),
        (0.5, 2.0, 0.0, 0.0, 1.0, 0.5),
        (0.8, 2.0, 0.0, 0.0, 1.0, 16 / 17),  # odds 4 squared
        (0.5, 1.0, np.log(3), 0.0, 1.0, 0.75),
        (700, 1.0, 0.0, 0.0, 1000.0, 0.7),  # a score in thousandths
        (0.0, 1.0, 0.0, -1.0, 1.0, 0.5),
        (1.0, 2.0, 0.0, 0.0, 1.0, 1.0),  # the end of the range has finite log odds
    ],
)
def test_recalibration(  # noqa: PLR0917 - the columns of the table
    score: float, slope: float, intercept: float, low: float, high: float, p: float
) -> None:
    cuts = Cuts(hard=None, soft=None, slope=slope, intercept=intercept, low=low, high=high)
    assert policy.recalibrate(np.array([score]), cuts)[0] == pytest.approx(p, abs=1e-9)


def test_the_control_group_is_about_its_share_and_comes_from_hard_alone() -> None:
    rng = np.random.default_rng(7)
    scores, u = rng.uniform(size=50_000), rng.uniform(size=50_000)
    got = policy.route(scores, np.full(50_000, SCORE, dtype=object), u, CUTS)
    control = got.reason == Item.RouteReason.CONTROL
    assert set(got.band[control]) == {"hard"}
    assert control.sum() / (got.band == "hard").sum() == pytest.approx(0.1, abs=0.015)
    assert set(got.propensity[got.band == "hard"]) == {0.1}
