"""How often reviewers err, from gold items and from second opinions, and from both."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from decisions.measure import estimates, gold, operating, reviewers
from decisions.measure.estimates import Share, Why
from decisions.measure.gold import GoldAnswers
from decisions.models import Decision, Gold, Item, Lot, Queue, User
from tests.decisions.measure.measured import DAY, HOUR, NEGATIVE, NONE, POSITIVE, counted, frame, passed, ruled
from tests.decisions.measure.measured import queue_of_last_week as made_queue
from tests.decisions.measure.test_operating_errors import seen_twice
from tests.factories import NOON, make_item, make_task, make_user

TRUTHS = {"spam": "positive", "ham": "negative", "unclear": "none"}


def said(*answers: tuple[str, str, float]) -> GoldAnswers:
    """Make answers from outcome, truth and chance."""
    n = len(answers)
    words = np.array([(outcome, truth) for outcome, truth, _pi in answers], dtype=np.object_).reshape(n, 2)
    return GoldAnswers(
        np.zeros(n, dtype=np.int64),
        np.arange(n, dtype=np.int64),
        np.zeros(n),
        words[:, 0],
        words[:, 1],
        np.array([pi for _outcome, _truth, pi in answers]),
        np.zeros(n, dtype=np.bool_),
    )


def share(hits: int, n: int) -> Share:
    return estimates.as_sample(estimates.precision(np.r_[np.ones(hits), np.zeros(n - hits)], np.ones(n)))


def measured_errors(queue: Queue) -> Any:
    counted()
    return operating.point(queue.pk, NOON, days=7).errors


def test_gold_answers_give_both_rates_with_exact_limits() -> None:
    answers = [*[("spam", "positive", 0.05)] * 18, *[("ham", "positive", 0.05)] * 2, *[("ham", "negative", 0.05)] * 30]
    shown = reviewers._by_gold(said(*answers, ("unclear", "negative", 0.05)), TRUTHS)
    s, f = shown.sensitivity, shown.false_positives
    assert (s.value, s.n, s.found) == (0.9, 20, 18)
    # Clopper and Pearson (1934) for 18 of 20, and for 0 of 30: 1 - .025 ** (1 / 30)
    assert s.low == pytest.approx(0.6830, abs=1e-4)
    assert s.high == pytest.approx(0.9877, abs=1e-4)
    assert (f.value, f.low) == (0.0, 0.0)
    assert f.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert f.response == pytest.approx(30 / 31)  # one could not tell


def test_who_gets_more_gold_does_not_count_more() -> None:
    """A person who errs is asked four times as often: weighted by the chance both stand for their part of the work."""
    careful = [("spam", "positive", 0.05)] * 10
    careless = [*[("ham", "positive", 0.2)] * 20, *[("spam", "positive", 0.2)] * 20]
    shown = reviewers._by_gold(said(*careful, *careless), TRUTHS).sensitivity
    assert shown.value == pytest.approx((10 * 20 + 20 * 5) / (10 * 20 + 40 * 5))
    assert shown.n_eff < shown.n == 50


def test_two_sources_are_pooled_by_the_labels_they_are_worth() -> None:
    one, other = share(9, 10), share(60, 90)
    both = estimates.pooled([one, other])
    assert both.value == pytest.approx(69 / 100)
    assert (both.n, both.found, both.n_eff, both.units) == (100, 69, 100, 100)
    low, high = share(69, 100).at(0.95)
    assert both.low == pytest.approx(low)
    assert both.high == pytest.approx(high)


def test_one_source_alone_is_taken_as_it_is() -> None:
    one, none = share(9, 10), estimates.precision(np.empty(0), np.empty(0))
    assert estimates.pooled([none, one]) == estimates.pooled([one, none]) == one
    assert estimates.pooled([none, none]).why == Why.NO_LABELS


def test_a_census_is_no_certainty_about_the_next_answer() -> None:
    census = estimates.precision(np.r_[np.ones(9), 0.0], np.ones(10))
    assert (census.low, census.high) == (0.9, 0.9)
    sample = estimates.as_sample(census)
    assert (sample.low or 1) < 0.6
    assert (sample.high or 0) > 0.98


@pytest.mark.parametrize(("gold_hits", "divided"), [(36, False), (10, True)])
def test_sources_that_differ_by_more_than_chance_are_said_to(gold_hits: int, divided: bool) -> None:
    second, known = share(36, 40), share(gold_hits, 40)
    empty = estimates.precision(np.empty(0), np.empty(0))
    found = reviewers.Errors(
        estimates.Count(), empty, empty, estimates.Estimate(),
        reviewers.Shown(empty, second), reviewers.Shown(empty, known),
    )  # fmt: skip
    assert found.is_divided is divided


def test_pooled_rates_hold_the_truth_as_often_as_they_say() -> None:
    """Second opinions of unequal weight and gold answers of unequal chance, both of reviewers who see 85 of 100."""
    numbers, true, held = np.random.default_rng(5), 0.85, 0
    for _ in range(800):
        pi = numbers.uniform(0.2, 1.0, 60)
        seen = estimates.precision((numbers.random(60) < true).astype(float), pi)
        chance = numbers.choice([0.05, 0.2], 40)
        known = estimates.as_sample(estimates.precision((numbers.random(40) < true).astype(float), chance))
        both = estimates.pooled([seen, known])
        held += (both.low or 0) <= true <= (both.high or 1)
    assert held / 800 >= 0.95


@pytest.mark.django_db
def test_answers_to_gold_are_read_with_their_chance_and_held_against_what_counts_now() -> None:
    queue = made_queue()
    person = make_user("reviewer", queue)
    first, second, wrong = (gold_answer(queue, person, outcome, "spam") for outcome in (POSITIVE, NEGATIVE, POSITIVE))
    corrected(second, "ham", "negative")
    corrected(wrong, "", "none")
    late = gold_answer(queue, person, POSITIVE, "spam", at=NOON + HOUR)
    found = gold.answers(queue.pk, start=NOON - DAY * 7, end=NOON + DAY, at=NOON)
    told = sorted(zip(found.item.tolist(), found.outcome, found.truth, found.pi.tolist(), strict=True))
    assert told == [(first.pk, "spam", "positive", 0.25), (second.pk, "ham", "negative", 0.25)]
    assert set(found.person.tolist()) == {person.pk}
    later = gold.answers(queue.pk, start=NOON - DAY * 7, end=NOON + DAY, at=NOON + DAY)
    assert late.pk in later.item.tolist()
    assert not len(gold.answers(queue.pk, start=NOON + DAY, end=NOON + DAY * 2, at=NOON + DAY * 2))


@pytest.mark.django_db
def test_gold_alone_corrects_the_misses() -> None:
    queue = made_queue()
    person = make_user("reviewer", queue)
    for k in range(40):
        gold_answer(queue, person, POSITIVE if k else NEGATIVE, POSITIVE)
        gold_answer(queue, person, NEGATIVE, NEGATIVE)
    items = [first_answer(queue, POSITIVE if k < 24 else NEGATIVE) for k in range(120)]
    frame(queue, *items, pi=0.5, passes=240)
    errors = measured_errors(queue)
    assert errors.second.sensitivity.why == Why.NO_LABELS
    assert errors.sensitivity == errors.gold.sensitivity
    assert (errors.sensitivity.value, errors.false_positives.value) == (39 / 40, 0.0)
    assert errors.corrected.value == pytest.approx(48 / (39 / 40))


@pytest.mark.django_db
def test_both_sources_together_correct_the_misses_and_each_says_its_own() -> None:
    queue = made_queue()
    person = make_user("reviewer", queue)
    for k in range(33):
        gold_answer(queue, person, POSITIVE if k < 22 else NEGATIVE, POSITIVE)
    right = [seen_twice(queue, POSITIVE, POSITIVE, "") for _k in range(30)]
    clear = [seen_twice(queue, NEGATIVE, NEGATIVE, "") for _k in range(90)]
    overlooked = [seen_twice(queue, NEGATIVE, POSITIVE, POSITIVE) for _k in range(3)]
    frame(queue, *right, *clear, *overlooked, pi=0.5, passes=246)
    errors = measured_errors(queue)
    assert errors.second.sensitivity.value == pytest.approx(30 / 33)
    assert errors.gold.sensitivity.value == pytest.approx(22 / 33)
    assert 22 / 33 < errors.sensitivity.value < 30 / 33
    assert errors.sensitivity.n == 66
    assert errors.gold.false_positives.why == Why.NO_LABELS
    assert errors.false_positives == errors.second.false_positives


def first_answer(queue: Queue, outcome: str) -> Item:
    """Pass an item whose audit said so."""
    item = ruled(passed(queue), outcome)
    decided(item, make_user("reviewer", queue), outcome, "audit", NOON - HOUR * 3)
    return item


def gold_answer(queue: Queue, person: User, outcome: str, known: str, at: Any = NOON - HOUR) -> Item:
    """Let somebody answer a gold item that was given to one answer in four."""
    item = ruled(make_item(queue, arrived_at=NOON - DAY * 9), known)
    truth = TRUTHS[known]
    Gold.objects.create(
        queue=queue, item=item, no=1, outcome=known, truth=truth, reason="expert", at=NOON - timedelta(days=8)
    )
    made = decided(item, person, outcome, "gold", at)
    Lot.objects.create(task=made.task, pi=0.25, u=0.1, u_secret=1)
    return item


def corrected(item: Item, outcome: str, truth: str) -> None:
    Gold.objects.create(
        queue=item.queue, item=item, no=2, outcome=outcome, truth=truth, reason="clear", at=NOON - timedelta(days=7)
    )


def decided(item: Item, person: User, outcome: str, purpose: str, at: Any) -> Decision:
    queue = item.queue
    task = make_task(queue, item, purpose=purpose, state="decided", only_for=person if purpose == "gold" else None)
    return Decision.objects.create(
        queue=queue,
        item=item,
        task=task,
        round=1,
        purpose=purpose,
        queue_version=item.queue_version,
        person=person,
        outcome=outcome,
        claimed_at=at,
        at=at,
    )


def test_an_answer_that_says_neither_is_no_answer() -> None:
    shown = reviewers._by_gold(said((NONE, "positive", 0.5)), TRUTHS)
    assert (shown.sensitivity.value, shown.sensitivity.why) == (None, Why.NO_TRUTH)
