"""Recommended thresholds against cases worked out by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from decisions.measure import label_counts, thresholds
from decisions.measure.intervals import exact_lower
from decisions.measure.thresholds import Bound, Crew, Traffic, Verdict

FloatArray = npt.NDArray[np.float64]


def labels(*groups: tuple[float, int, int]) -> tuple[FloatArray, FloatArray]:
    """Return scores and labels of groups, each a score, how many labels, how many of them negative."""
    scores = np.concatenate([np.full(n, score) for score, n, _errors in groups])
    y = np.concatenate([np.arange(n) >= errors for _score, n, errors in groups]).astype(np.float64)
    return scores, y


@pytest.mark.parametrize(
    ("group", "verdict", "needed"),
    [
        ((0.99, 300, 0), Verdict.CERTIFIED, 0),
        ((0.99, 299, 0), Verdict.MORE_LABELS, 1),  # 59 would bear it out, yet under 300 nothing is certified
        ((0.99, 400, 12), Verdict.CERTIFIED, 0),  # .97; twelve errors are allowed from 386 labels on
        ((0.99, 300, 9), Verdict.MORE_LABELS, 43),  # .97 too, but at this rate the bound needs 343
        ((0.99, 1000, 35), Verdict.CERTIFIED, 0),  # .965: above the target by more than its buffer of one point
        ((0.99, 4000, 170), Verdict.OUT_OF_REACH, None),  # .9575: the bound holds, the buffer does not
        ((0.99, 1000, 1000), Verdict.OUT_OF_REACH, None),  # one class only
        ((0.99, 20, 20), Verdict.MORE_LABELS, 280),  # 20 labels do not tell that no number will do
        ((0.01, 500, 0), Verdict.MORE_LABELS, 300),  # none at or above any candidate
    ],
)
def test_hard_is_certified_or_says_what_is_missing(
    group: tuple[float, int, int], verdict: Verdict, needed: int | None
) -> None:
    found = thresholds.hard(*labels(group), target=0.95)
    assert (found.verdict, found.needed) == (verdict, needed)
    assert (found.threshold is not None) == found.certified == (verdict == Verdict.CERTIFIED)


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    found = thresholds.hard(*labels((0.99, 300, 0)), target=0.95)
    assert found.low == pytest.approx(0.05 ** (1 / 300))
    assert found.precision == 1.0


def test_without_labels_it_says_how_many_are_needed() -> None:
    found = thresholds.hard(np.empty(0), np.empty(0), target=0.95)
    assert (found.verdict, found.needed, found.labels, found.precision) == (Verdict.MORE_LABELS, 300, 0, None)


def test_the_labels_that_are_missing_are_enough() -> None:
    found = thresholds.hard(*labels((0.99, 300, 9)), target=0.95)
    n = 300 + (found.needed or 0)
    assert exact_lower(0.97 * n, n, 0.95) >= 0.95 > exact_lower(0.97 * (n - 1), n - 1, 0.95)


def test_of_the_steps_that_passed_it_takes_the_lowest_with_buffer() -> None:
    groups = (0.99, 1000, 0), (0.9, 1000, 20), (0.8, 1000, 105)  # from each down: 1, .99 and .958
    found = thresholds.hard(*labels(*groups), target=0.95, candidates=np.array([0.8, 0.9, 0.99]))
    assert [step.passed for step in found.steps] == [True, True, True]
    assert found.threshold == 0.9
    tuned = thresholds.hard(*labels(*groups), target=0.95, buffer=0.0, candidates=np.array([0.8, 0.9, 0.99]))
    assert tuned.threshold == 0.8


def test_the_sequence_ends_with_the_first_step_that_fails() -> None:
    groups = (0.99, 300, 30), (0.9, 5000, 0)  # the lower candidate would pass by far
    found = thresholds.hard(*labels(*groups), target=0.95, candidates=np.array([0.9, 0.99]))
    assert [step.passed for step in found.steps] == [False, None]
    assert not found.certified


def test_candidates_with_too_few_labels_are_not_asked_and_end_nothing() -> None:
    groups = (0.99, 50, 10), (0.9, 1000, 0)
    found = thresholds.hard(*labels(*groups), target=0.95, candidates=np.array([0.9, 0.99]))
    assert [step.passed for step in found.steps] == [None, True]
    assert found.threshold == 0.9


def test_nothing_is_certified_below_the_lowest_label() -> None:
    found = thresholds.hard(*labels((0.97, 400, 0)), target=0.95, candidates=np.array([0.5, 0.9, 0.96, 0.99]))
    assert [step.passed for step in found.steps] == [None, True, True, True]
    assert found.threshold == 0.96


def test_equal_weights_only_scale_the_items() -> None:
    scores, y = labels((0.99, 400, 12))
    plain = thresholds.hard(scores, y, target=0.95)
    control = thresholds.hard(scores, y, np.full(400, 10.0), target=0.95)
    assert control.threshold == plain.threshold
    assert control.precision == pytest.approx(plain.precision)
    assert control.low == pytest.approx(plain.low)
    assert control.steps[-1].items == pytest.approx(4000)


def test_unequal_weights_are_worth_fewer_labels() -> None:
    scores, y = labels((0.99, 400, 0))
    weights = np.where(np.arange(400) < 100, 10.0, 1.0)
    found = thresholds.hard(scores, y, weights, target=0.95)
    assert found.steps[-1].n_eff == pytest.approx(1300**2 / 10_300)  # 164 of 400
    assert found.verdict == Verdict.MORE_LABELS
    assert found.needed == 332  # 732 of this mix are worth 300


@pytest.mark.parametrize(("target", "buffer"), [(0.5, 0.02), (0.9, 0.02), (0.95, 0.01), (0.99, 0.002)])
def test_the_buffer_is_a_fifth_of_what_the_target_leaves_and_two_points_at_most(target: float, buffer: float) -> None:
    assert thresholds.buffer_of(target) == pytest.approx(buffer)
    assert thresholds.hard(*labels((0.99, 400, 0)), target=target).goal == pytest.approx(target + buffer)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_target_that_is_no_target_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="target"):
        thresholds.hard(*labels((0.9, 400, 0)), target=target)


def traffic(slots: int = 10, *, harm: float = 10.0, cost: float = 0.0) -> Traffic:
    """A hundred items a slot, scored .01 to 1.00 and calibrated."""
    scores = np.tile(np.arange(1, 101) / 100, slots)
    full = np.ones_like(scores)
    return Traffic(scores, scores, harm * full, cost * full, np.repeat(np.arange(slots), 100), slots)


def crew(people: float = 1.0) -> Crew:
    """28 decisions a slot and person may be planned, 25.2 of them for SOFT."""
    return Crew(people=people, rate=5.0, hours=7.0)


def test_soft_is_where_the_volume_meets_what_people_can_do() -> None:
    found = thresholds.soft(traffic(), crew())
    assert found.capacity == pytest.approx(28)
    assert found.available == pytest.approx(25.2)
    assert (found.threshold, found.volume, found.bound) == (0.76, 25, Bound.CAPACITY)  # 25 scores from .76 to 1.00
    assert found.value == pytest.approx(10 * sum(range(76, 101)) / 100)


def test_one_more_hour_is_worth_the_reviews_that_it_lets_in() -> None:
    found = thresholds.soft(traffic(), crew())
    # 5 an hour * .8 * .9 = 3.6 reviews of items of about .74 each, worth 10 * p
    assert found.shadow_price == pytest.approx(3.6 * 7.35, rel=0.01)


def test_items_that_are_not_worth_a_review_are_left() -> None:
    found = thresholds.soft(traffic(cost=9.0), crew(10))
    assert (found.threshold, found.bound, found.shadow_price) == (0.91, Bound.VALUE, 0.0)  # 10 p > 9
    missed = thresholds.soft(traffic(cost=4.5), crew(10), miss_rate=0.5)
    assert missed.threshold == 0.91  # reviewers who let half pass are worth half
    assert thresholds.soft(traffic(cost=20.0), crew(10)).threshold is None


def test_with_people_enough_everything_is_reviewed() -> None:
    found = thresholds.soft(traffic(), crew(10))
    assert (found.threshold, found.volume, found.bound, found.shadow_price) == (0.01, 100, Bound.NOTHING, 0.0)


def test_items_above_the_hard_threshold_take_nobodys_time() -> None:
    assert thresholds.soft(traffic(), crew(), hard=0.9).threshold == 0.65  # 25 scores from .65 to .89


def test_nobody_there_reviews_nothing_and_the_first_hour_is_worth_most() -> None:
    found = thresholds.soft(traffic(), crew(0))
    assert (found.threshold, found.volume, found.bound) == (None, 0, Bound.CAPACITY)
    assert found.shadow_price == pytest.approx(3.6 * 9.85, rel=0.01)


def test_busy_slots_count_by_their_quantile_not_their_mean() -> None:
    even = traffic()
    weights = np.where(even.slot >= 8, 2.0, 1.0)  # two slots of ten are twice as busy
    busy = Traffic(even.scores, even.p, even.harm, even.cost, even.slot, even.slots, weights)
    found = thresholds.soft(busy, crew())
    assert (found.threshold, found.volume) == (0.89, 24)
    assert found.mean == pytest.approx(14.4)


@pytest.mark.parametrize(
    ("planned", "available"),
    [
        ({}, 25.2),  # a tenth of 28 is kept
        ({"control": 1.0, "audits": 1.0}, 25.2),  # less than the tenth
        ({"control": 5.0, "audits": 5.0}, 18.0),  # more than it
        ({"seconds": 5.0}, 20.2),
        ({"audits": 50.0}, 0.0),
    ],
)
def test_control_and_audits_are_reserved_first(planned: dict[str, float], available: float) -> None:
    assert Crew(people=1, rate=5.0, hours=7.0, **planned).available == pytest.approx(available)


def test_traffic_without_items_has_no_threshold() -> None:
    nothing = np.empty(0)
    found = thresholds.soft(Traffic(nothing, nothing, nothing, nothing, np.empty(0, np.int64), 0), crew())
    assert (found.threshold, found.volume, found.value, found.shadow_price) == (None, 0, 0, 0)


def test_many_distinct_scores_are_thinned_without_losing_the_capacity() -> None:
    numbers = np.random.default_rng(1)
    n = 100_000
    scores = numbers.random(n)
    big = Traffic(scores, scores, np.ones(n), np.zeros(n), numbers.integers(0, 10, n), 10)
    found = thresholds.soft(big, Crew(people=10, rate=5.0, hours=7.0))
    assert 0.98 * found.available < found.volume <= found.available


def test_control_share_is_what_the_labels_need_and_at_most_a_tenth() -> None:
    found = thresholds.control_share(20_000, labels=361, precision=0.97, cost_of_delay=0.5)
    assert found.enough
    assert found.share == pytest.approx(361 / 20_000)
    assert found.cost == pytest.approx(361 * 0.97 * 0.5)
    few = thresholds.control_share(1_000, labels=361)
    assert (few.share, few.given, few.enough) == (0.1, 100, False)
    assert thresholds.control_share(0, labels=361).given == 0


def test_labels_that_tell_97_from_95_and_93_from_95() -> None:
    assert label_counts.to_certify(0.97, 0.95) == 361
    assert label_counts.to_see(0.93, 0.95) == 855
    assert label_counts.to_certify(1.0, 0.95) == 59


@pytest.mark.parametrize(("precision", "target"), [(0.95, 0.95), (0.9, 0.95)])
def test_what_is_not_above_its_target_cannot_be_certified(precision: float, target: float) -> None:
    with pytest.raises(ValueError, match="above"):
        label_counts.to_certify(precision, target)
    with pytest.raises(ValueError, match="below"):
        label_counts.to_see(target, precision)
