"""Estimates by hand, and what they say where there is nothing to say."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from decisions.measure import estimates, misses
from decisions.measure.estimates import Count, Estimate, FloatArray, Share, Why
from decisions.measure.misses import Caught

NONE = np.empty(0)


def rows(*parts: tuple[float, int, float]) -> tuple[FloatArray, FloatArray]:
    """Return labels and propensities: so many rows of each (label, number, propensity)."""
    labels = np.concatenate([np.full(n, y) for y, n, _pi in parts])
    return labels, np.concatenate([np.full(n, pi) for _y, n, pi in parts])


def missed(*parts: tuple[float, int, float], **known: int | float) -> Count:
    y, pi = rows(*parts)
    return misses.missed(y, pi, np.full(len(y), 0.01), **known)  # type: ignore[arg-type]


def test_precision_is_the_weighted_share() -> None:
    found = estimates.precision(*rows((1, 30, 0.1), (0, 10, 0.1), (1, 60, 1.0)))
    assert found.value == pytest.approx(360 / 460)
    assert found.n == 100
    assert found.found == 90
    assert found.n_eff == pytest.approx(460**2 / 4060)
    assert found.low is not None
    assert found.high is not None
    assert 0.64 < found.low < 360 / 460 < found.high < 0.89


def test_a_census_has_no_error() -> None:
    found = estimates.precision(*rows((1, 3, 1.0), (0, 1, 1.0)))
    assert (found.value, found.low, found.high, found.n_eff) == (0.75, 0.75, 0.75, 4)


def test_a_control_group_of_equal_weights_has_the_exact_interval_of_its_count() -> None:
    found = estimates.precision(*rows((1, 97, 1e-6), (0, 3, 1e-6)))  # by the tables: 97 of 100
    assert (found.low, found.high) == pytest.approx((0.9148, 0.9938), abs=1e-4)
    assert found.at(0.975)[0] < 0.9148


def test_a_control_group_without_an_error_is_not_perfect() -> None:
    found = estimates.precision(*rows((1, 100, 0.1)))
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.025 ** (0.9 / 100), abs=1e-3)


def test_misses_are_the_sum_of_weights() -> None:
    found = missed((1, 2, 0.01), (1, 1, 0.1), (1, 4, 1.0), (0, 1993, 0.01), of=200_000)
    assert found.value == pytest.approx(214)
    assert (found.sure, found.found, found.n) == (4, 7, 2000)
    # By hand: y = 210, v = 20,100, the foretold mean weight sum w^2 / sum w = 1995 * 10^4 + 100 + 4 over 199,514.
    foretold = (1995 * 1e4 + 100 + 4) / (1995 * 100 + 10 + 4)
    assert found.unseen == pytest.approx(min(100, 20_100 / 210 + foretold))
    assert found.low is not None
    assert found.high is not None
    assert 4 < found.low < 214 < found.high


def test_none_found_has_a_limit_and_no_point_of_recall() -> None:
    found = missed((0, 2000, 1 / 650), of=1_000_000)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(3.6889 * 650, rel=1e-4)
    recall = misses.recall(Caught(60_000), found)
    assert recall.value is None
    assert recall.why == Why.NONE_FOUND
    assert recall.low == pytest.approx(60_000 / (60_000 + 3.6889 * 650), rel=1e-6)
    assert recall.high == 1


def test_the_heaviest_weight_may_be_known_from_the_frame() -> None:
    assert missed((0, 50, 0.1), least_pi=0.01).high == pytest.approx(368.89, abs=0.01)


def test_all_passes_audited_leaves_no_doubt() -> None:
    found = missed((1, 3, 1.0), (0, 97, 1.0), of=100)
    assert (found.value, found.low, found.high, found.is_exact) == (3, 3, 3, True)
    assert misses.recall(Caught(97), found).value == 0.97


def test_nobody_missed_more_than_there_were() -> None:
    found = missed((1, 2, 0.01), (0, 1, 0.01), of=150)
    assert found.value == found.high == 150


def test_misses_do_not_depend_on_the_order_of_the_rows() -> None:
    numbers = np.random.default_rng(1)
    y, pi = (numbers.random(500) < 0.05).astype(float), numbers.uniform(0.01, 1, 500)
    p, places = numbers.random(500), numbers.permutation(500)
    one, other = misses.missed(y, pi, p), misses.missed(y[places], pi[places], p[places])
    assert asdict(one) == pytest.approx(asdict(other))


def test_recall_of_a_count_follows_the_limits_of_the_misses() -> None:
    found = missed((1, 5, 0.1), (0, 500, 0.1))
    recall = misses.recall(Caught(450), found)
    assert found.low is not None
    assert found.high is not None
    assert recall.value == pytest.approx(0.9)
    assert (recall.low, recall.high) == (450 / (450 + found.high), 450 / (450 + found.low))


@pytest.mark.parametrize("hits", [19, 20])
def test_recall_combines_both_errors_once_twenty_are_found(hits: int) -> None:
    found = missed((1, hits, 0.1), (0, 2000, 0.1))
    control = estimates.precision(*rows((1, 90, 0.1), (0, 10, 0.1)))
    caught = Caught(known=100, items=1000, share=control)
    recall = misses.recall(caught, found)
    worst = caught.at(0.975)[0] / (caught.at(0.975)[0] + found.at(0.975)[1])
    assert recall.low is not None
    assert recall.value == pytest.approx(1000 / (1000 + 10 * hits))
    assert (recall.low == pytest.approx(worst)) is (hits < 20)
    assert (recall.low > worst) is (hits >= 20)


def test_recall_without_a_positive_anywhere_is_not_measured() -> None:
    census = missed((0, 10, 1.0), of=10)
    assert misses.recall(Caught(0), census).why == Why.NO_POSITIVES


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (NONE, Why.NO_LABELS),  # an empty window
        (np.full(3, np.nan), Why.NO_TRUTH),  # nobody could tell
    ],
)
def test_nothing_to_go_by_is_not_measured(y: FloatArray, why: Why) -> None:
    pi = np.full(len(y), 0.5)
    found, share = misses.missed(y, pi, pi), estimates.precision(y, pi)
    nothing = (found, share, misses.recall(Caught(7), found), misses.corrected(found, 9, share, share))
    for figure in nothing:
        assert (figure.value, figure.low, figure.high, figure.why) == (None, None, None, why)
    assert share.at(0.95) == (0, 1)
    assert found.at(0.95) == (0, math.inf)


def test_a_label_without_a_propensity_is_refused() -> None:
    for pi in (0.0, np.nan, 1.5):
        with pytest.raises(ValueError, match="propensity"):
            estimates.precision(np.ones(1), np.array([pi]))


def test_answers_of_a_stratum_stand_for_those_that_did_not_come() -> None:
    answered = np.array([True, False, True, True])
    found = estimates.reweight(answered, np.array([0, 0, 1, 1]), np.array([0.5, 0.5, 0.1, 0.1]))
    assert found.response == pytest.approx(22 / 24)
    assert found.pi[answered].tolist() == pytest.approx([0.25, 0.1, 0.1])
    assert np.isnan(found.pi[1])


def test_strata_hold_answers_each_and_merge_where_there_are_few() -> None:
    scores, answered = np.arange(300.0), np.arange(300) % 3 > 0
    found = estimates.strata(scores, answered)
    assert np.bincount(found[answered]).tolist() == [20] * 10
    assert estimates.strata(scores[:12], answered[:12]).tolist() == [0] * 12
    assert estimates.strata(np.zeros(300), answered).max() == 0  # blind scores: one stratum
    assert len(estimates.strata(NONE, NONE > 0)) == 0


def test_cannot_tell_is_re_weighted_and_seen_in_the_response() -> None:
    found = missed((1, 10, 0.1), (np.nan, 10, 0.1), (0, 20, 0.1))
    assert found.response == pytest.approx(0.75)
    assert found.value == pytest.approx(100 / 0.75)


def test_reviewers_errors_are_taken_out() -> None:
    """By hand (Rogan and Gladen 1978): (1000 - 100,000 * .001) / (.9 - .001)."""
    found = missed((1, 100, 0.1), (0, 9900, 0.1), of=100_000)
    f, s = (
        estimates.precision(*rows((1, 5, 1e-6), (0, 4995, 1e-6))),
        estimates.precision(*rows((1, 90, 1e-6), (0, 10, 1e-6))),
    )
    true = misses.corrected(found, 100_000, f, s)
    assert true.value == pytest.approx(900 / 0.899)
    assert true.low is not None
    assert true.high is not None
    assert found.low is not None
    assert found.high is not None
    assert true.low < found.low  # the error of f
    assert true.high > found.high  # what reviewers do not see


@pytest.mark.parametrize(
    ("false", "of", "right", "why"),
    [
        (51, 10_000, 90, Why.DROWNED),  # N f = 510 > 1000 / 2
        (0, 0, 90, Why.NO_GOLD),  # no gold negative was answered
        (0, 10, 5, Why.BLURRED),  # up to 31 % false, and as little as 2 % seen
    ],
)
def test_what_cannot_be_corrected_is_refused(false: int, of: int, right: int, why: Why) -> None:
    found = missed((1, 100, 0.1), (0, 9900, 0.1), of=100_000)
    f = estimates.precision(*rows((1, false, 1e-6), (0, of - false, 1e-6)))
    s = estimates.precision(*rows((1, right, 1e-6), (0, 100 - right, 1e-6)))
    refused = misses.corrected(found, 100_000, f, s)
    assert (refused.value, refused.low, refused.high, refused.why) == (None, None, None, why)


def test_few_found_misses_are_corrected_with_each_error_at_its_worst() -> None:
    found = missed((1, 3, 0.1), (0, 997, 0.1), of=10_000)
    perfect = replace(Share(value=0.0, low=0.0, high=0.0, n=9, n_eff=9.0), units=math.inf)
    true = misses.corrected(found, 10_000, perfect, replace(perfect, value=1.0))
    assert isinstance(true, Estimate)
    assert (true.value, true.low, true.high) == (30, *found.at(1 - 0.05 / 3))


def test_what_nobody_answered_may_be_anything() -> None:
    census = estimates.precision(np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4))
    bounded = estimates.with_unknown(census, 4.0, 12.0)
    assert (bounded.value, bounded.low, bounded.high) == (0.75, 3 / 16, 15 / 16)
    assert estimates.with_unknown(census, 4.0, 0.0) == census
    nothing = estimates.precision(np.empty(0), np.empty(0))
    assert estimates.with_unknown(nothing, 0.0, 5.0) == nothing
