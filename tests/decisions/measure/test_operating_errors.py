"""Reviewers err: what the operating point makes of second opinions."""

import pytest

from decisions.measure.estimates import Why
from decisions.models import Decision, Item, Queue
from tests.decisions.measure.measured import (
    HOUR,
    NEGATIVE,
    POSITIVE,
    frame,
    passed,
    queue_of_last_week,
    ruled,
)
from tests.decisions.measure.test_operating import measured
from tests.factories import NOON, make_task, make_user

pytestmark = pytest.mark.django_db


def opinion(item: Item, purpose: str, outcome: str) -> None:
    task = make_task(item.queue, item, purpose=purpose, state="decided")
    at = item.arrived_at + HOUR
    Decision.objects.create(
        queue=item.queue, item=item, task=task, round=1, purpose=purpose, queue_version=item.queue_version,
        person=make_user(), outcome=outcome, claimed_at=at, at=at,
    )  # fmt: skip


def seen_twice(queue: Queue, first: str, second: str, ruling: str, source: str = "adjudication") -> Item:
    """Pass an item whose audit and second opinion said so, and what was ruled in the end."""
    item = ruled(passed(queue), first)
    opinion(item, "audit", first)
    opinion(item, "second", second)
    return item if first == second else ruled(item, ruling, source=source, at=NOON - HOUR)


def test_reviewers_errors_are_taken_out_where_second_opinions_show_them() -> None:
    queue = queue_of_last_week()
    right = [seen_twice(queue, POSITIVE, POSITIVE, "") for _k in range(30)]
    wrong = [seen_twice(queue, POSITIVE, NEGATIVE, NEGATIVE) for _k in range(2)]
    clear = [seen_twice(queue, NEGATIVE, NEGATIVE, "") for _k in range(88)]
    overlooked = [seen_twice(queue, NEGATIVE, POSITIVE, POSITIVE) for _k in range(3)]
    frame(queue, *right, *wrong, *clear, *overlooked, pi=0.5, passes=246)
    found = measured(queue)
    errors = found.errors
    assert (errors.first.value, found.missed.value) == (64, 66)  # as first answered, and as it was settled
    assert errors.false_positives.value == pytest.approx(2 / 90)
    assert errors.sensitivity.value == pytest.approx(30 / 33)
    assert errors.corrected.value == pytest.approx((64 - 123 * 2 / 90) / (30 / 33 - 2 / 90), rel=0.01)


def test_a_correction_is_refused_where_errors_may_be_half_of_what_was_found() -> None:
    queue = queue_of_last_week()
    right = [seen_twice(queue, POSITIVE, POSITIVE, "")]
    wrong = [seen_twice(queue, POSITIVE, NEGATIVE, NEGATIVE) for _k in range(4)]
    clear = [seen_twice(queue, NEGATIVE, NEGATIVE, "") for _k in range(45)]
    frame(queue, *right, *wrong, *clear, pi=1.0)
    found = measured(queue)
    assert (found.errors.first.found, found.missed.found) == (5, 1)
    assert (found.errors.corrected.value, found.errors.corrected.why) == (None, Why.DROWNED)


def test_a_disagreement_that_nobody_ended_tells_nothing_of_errors() -> None:
    queue = queue_of_last_week()
    item = ruled(passed(queue), POSITIVE)
    opinion(item, "audit", POSITIVE)
    opinion(item, "second", NEGATIVE)
    frame(queue, item, pi=0.5)
    errors = measured(queue).errors
    assert (errors.false_positives.n, errors.sensitivity.n, errors.corrected.why) == (0, 0, Why.NO_GOLD)
