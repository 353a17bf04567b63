"""Items that nobody decided, or the model did not: where the operating point counts them."""

import pytest

from tests.decisions.measure.measured import (
    NEGATIVE,
    POSITIVE,
    audited,
    control,
    hard,
    many,
    passed,
    queue_of_last_week,
    ruled,
    soft,
)
from tests.decisions.measure.test_operating import measured

pytestmark = pytest.mark.django_db


def test_what_overload_passed_counts_for_recall_and_not_for_soft() -> None:
    queue = queue_of_last_week()
    many(queue, 5, 5)
    spared = {"band": "soft", "reason": "overload", "score": 0.4, "p": 0.4, "overload_level": 2}
    for _k in range(6):
        passed(queue, **spared)
    audited(queue, POSITIVE, NEGATIVE, NEGATIVE, NEGATIVE, pi=0.4, **spared)
    point = measured(queue)
    assert point.passes == 10  # all of them are in the audits' population
    assert point.missed.value == pytest.approx(2.5)  # one found, and it stands for two and a half
    assert point.recall.value == pytest.approx(5 / 7.5)
    assert (point.soft_asked.items, point.soft.value) == (10, 0.5)
    assert [one.items for one in point.apart] == []


def test_expired_items_count_as_passed() -> None:
    queue = queue_of_last_week()
    many(queue, 10, 10)
    audited(queue, *[NEGATIVE] * 5, pi=1.0)
    before = measured(queue)
    for _k in range(20):
        ruled(soft(queue), NEGATIVE, source="expiry")
    after = measured(queue)
    assert (before.caught, before.missed.value) == (10, 0)
    assert (after.caught, after.soft.n) == (10, 20)  # nobody looked at them
    assert after.missed.value == pytest.approx(20)  # as many as those with the smallest u show: all positive
    assert after.missed.of == 5 + 20
    assert after.recall.value == pytest.approx(1 / 3)
    assert (after.soft_asked.expired, after.soft_asked.items) == (20, 40)


def test_expired_items_without_any_answer_are_not_left_out() -> None:
    queue = queue_of_last_week()
    for _k in range(10):
        ruled(soft(queue), NEGATIVE, source="expiry")
    audited(queue, POSITIVE, POSITIVE, NEGATIVE, NEGATIVE, pi=1.0)
    found = measured(queue)
    assert found.missed.value == pytest.approx(7)  # half of the fourteen
    assert found.caught == 0
    assert found.recall.value == 0.0


def test_an_expired_control_item_is_not_part_of_what_was_done() -> None:
    queue = queue_of_last_week()
    for _k in range(8):
        hard(queue)
        control(queue, POSITIVE)
    ruled(control(queue), NEGATIVE, source="expiry")
    audited(queue, NEGATIVE, pi=1.0)
    found = measured(queue)
    assert (found.hard_items, found.caught) == (17, 16)
    assert (found.control.expired, found.missed.value) == (1, 1)


def test_what_still_waits_is_in_neither_side() -> None:
    queue = queue_of_last_week()
    many(queue, 6, 2)
    audited(queue, POSITIVE, NEGATIVE, pi=1.0)
    before = measured(queue)
    soft(queue), soft(queue)
    after = measured(queue)
    assert (before.recall.value, after.recall.value) == (6 / 7, 6 / 7)
    assert after.soft_asked.waiting == 2


def test_fallback_and_failed_checks_are_told_apart() -> None:
    queue = queue_of_last_week()
    many(queue, 3, 1)
    for outcome in (POSITIVE, NEGATIVE, NEGATIVE):
        soft(queue, outcome, reason="fallback")
    soft(queue, NEGATIVE, reason="input_check", band="none", score=None, p=None)
    audited(queue, NEGATIVE, POSITIVE, reason="fallback", pi=0.5)
    found = measured(queue)
    assert (found.soft.value, found.soft.n, found.missed.n, found.passes) == (0.75, 4, 0, 0)
    assert [(one.reason, one.items, one.share.n) for one in found.apart] == [("input_check", 1, 1), ("fallback", 5, 3)]
