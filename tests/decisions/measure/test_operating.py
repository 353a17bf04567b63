"""The operating point, against what was put in: each figure, what it rests on, what it says of what is not known."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from decisions.exceptions import Invalid
from decisions.measure import operating, sample, summary, window
from decisions.measure.estimates import Why
from decisions.measure.operating import OperatingPoint
from decisions.measure.window import Filters
from decisions.models import Item, Policy, Queue
from decisions.queues.spec import Money, PolicySpec, ValueFormula
from tests.decisions.measure.measured import (
    DAY,
    HOUR,
    MIDNIGHT,
    NEGATIVE,
    NONE,
    POSITIVE,
    audited,
    control,
    counted,
    frame,
    hard,
    many,
    next_policy,
    passed,
    queue_of_last_week,
    ruled,
    simulated_person,
    soft,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def measured(queue: Queue, at: datetime = NOON, **asked: Any) -> OperatingPoint:
    """Count what there is and measure the week before."""
    counted(at)
    return operating.point(queue.pk, at, **{"days": 7, **asked})


def test_soft_is_a_census_of_what_was_answered() -> None:
    queue = queue_of_last_week()
    many(queue, 3, 1)
    soft(queue, NONE), soft(queue)
    found = measured(queue)
    assert (found.soft.value, found.soft.n) == (0.75, 4)
    assert (found.soft.low, found.soft.high) == pytest.approx((0.6, 0.8))  # one still waits
    asked = found.soft_asked
    assert (asked.items, asked.answered, asked.cant_tell, asked.waiting, asked.expired) == (6, 4, 1, 1, 0)


def test_the_begun_hour_is_in_the_window() -> None:
    queue, at = queue_of_last_week(), NOON + HOUR / 2
    soft(queue, arrived_at=NOON + HOUR / 4)
    found = measured(queue, at)
    assert (found.items, found.end) == (1, at)
    assert [moment.at for moment in operating.page(queue.pk, at, days=7, filters=Filters()).moments][-2:] == [
        NOON - DAY,
        at,
    ]


def test_hard_is_measured_by_its_control_group() -> None:
    queue = queue_of_last_week()
    for k in range(10):
        hard(queue)
        control(queue, POSITIVE if k < 9 else NEGATIVE)
    found = measured(queue)
    assert found.hard_items == 20
    assert found.hard.value == pytest.approx(0.9)
    assert found.hard.low is not None
    assert found.hard.high is not None
    assert (found.hard.low < 0.75, found.hard.high > 0.97) == (True, True)


def test_a_control_item_that_got_stuck_widens_the_limits_and_the_newest_ones_do_not() -> None:
    queue = queue_of_last_week()
    for k in range(10):
        hard(queue)
        control(queue, POSITIVE if k < 9 else NEGATIVE)
    plain = measured(queue).hard
    control(queue, arrived_at=NOON - DAY + HOUR / 2)  # after the newest answered: it is not its turn yet
    assert (measured(queue).hard.low, measured(queue).hard.high) == (plain.low, plain.high)
    audited(queue, POSITIVE, NEGATIVE, NEGATIVE, pi=0.25)
    free = measured(queue, MIDNIGHT + DAY / 2)
    control(queue, arrived_at=NOON - DAY - HOUR * 2)  # passed over
    stuck = measured(queue, MIDNIGHT + DAY / 2)
    assert plain.low is not None
    assert plain.high is not None
    assert (stuck.hard.value, stuck.hard.n) == (plain.value, plain.n)
    assert stuck.hard.low == pytest.approx(plain.low * 10 / 11)
    assert stuck.hard.high == pytest.approx((plain.high * 10 + 1) / 11)
    assert free.recall.low is not None
    assert stuck.recall.low is not None
    assert stuck.recall.low < free.recall.low


def test_an_overdue_control_item_is_stuck_though_none_came_after_it() -> None:
    queue = queue_of_last_week()
    control(queue, POSITIVE, arrived_at=NOON - DAY * 3)
    control(queue, arrived_at=NOON - DAY - HOUR)
    assert measured(queue).hard.unknown == 0.5
    assert measured(queue, NOON - 2 * HOUR).hard.unknown == 0.0


def test_recall_is_what_was_caught_of_that_and_what_audits_found() -> None:
    queue = queue_of_last_week()
    many(queue, 6, 4)
    for _k in range(10):
        hard(queue)
        control(queue, POSITIVE)
    audited(queue, POSITIVE, NEGATIVE, NEGATIVE, NEGATIVE, pi=0.25)
    found = measured(queue)
    assert found.missed.value == 4  # one found, each stands for four
    assert found.caught == 6 + 20  # what people found, and all of HARD, control or not
    assert found.recall.value == pytest.approx(26 / 30)
    assert found.recall.low is not None
    assert found.recall.low < 26 / 30
    assert found.passes == 4


def test_what_was_missed_has_its_cost_in_the_money_of_the_queue() -> None:
    queue = queue_of_last_week()
    many(queue, 6, 4)
    items = [passed(queue, harm=harm, v=2.0, q=0.6) for harm in (100.0, 5.0, None, 5.0)]
    frame(queue, *[ruled(item, POSITIVE if k == 0 else NEGATIVE) for k, item in enumerate(items)], pi=0.25)
    found = measured(queue)
    assert found.missed.value == 4
    assert found.harm is not None
    assert found.harm.value == 400.0
    assert found.harm.high is not None
    assert found.harm.high > 1000
    assert "What was missed cost about 400 EUR, between 10 and" in summary.sentence(found, queue.spec)


def test_each_miss_costs_the_same_where_the_formula_has_no_field() -> None:
    queue = queue_of_last_week(value=ValueFormula(currency="EUR", tp=Money(1.0), fn=Money(-2.0)))
    many(queue, 6, 4)
    audited(queue, POSITIVE, NEGATIVE, NEGATIVE, NEGATIVE, pi=0.25)
    found = measured(queue)
    assert found.harm is not None
    assert (found.harm.value, found.missed.value) == (12.0, 4.0)
    assert (found.harm.weights, found.harm.unseen) == (3 * found.missed.weights, 3 * found.missed.unseen)


def test_without_a_formula_a_miss_has_no_cost() -> None:
    queue = queue_of_last_week(value=ValueFormula())
    audited(queue, POSITIVE, NEGATIVE, pi=0.25)
    found = measured(queue)
    assert (found.harm, summary.harm(found, queue.spec)) == (None, "")


def test_none_found_has_a_limit_and_no_point() -> None:
    queue = queue_of_last_week()
    many(queue, 6, 4)
    audited(queue, *[NEGATIVE] * 10, pi=0.5)
    found = measured(queue)
    assert found.missed.value == 0
    assert found.missed.high == pytest.approx(3.69 * 2, rel=0.01)
    assert (found.recall.value, found.recall.why) == (None, Why.NONE_FOUND)
    said = summary.sentence(found, queue.spec)
    assert "100" not in said
    assert "At least 44.8 % of all Spam was caught. Found 0 in 10 audits: at most 8 of 10 passes were Spam" in said


def test_an_audit_that_nobody_could_answer_is_seen_in_the_response() -> None:
    queue = queue_of_last_week()
    audited(queue, POSITIVE, NEGATIVE, NONE, None, pi=0.5)
    found = measured(queue, MIDNIGHT + DAY)
    assert found.missed.response == 0.5
    assert found.missed.value == 4  # the answered stand for the rest
    assert (found.audits.answered, found.audits.cant_tell, found.audits.expired) == (2, 1, 1)


def test_recall_does_not_wait_for_the_last_audit() -> None:
    queue = queue_of_last_week()
    audited(queue, POSITIVE, *[NEGATIVE] * 18, None, pi=0.5)
    found = measured(queue)
    assert found.measured
    assert (found.missed.response, found.missed.n) == (0.95, 19)


def test_recall_waits_for_the_audits_of_a_frame() -> None:
    queue = queue_of_last_week()
    many(queue, 5, 5)
    audited(queue, POSITIVE, NEGATIVE, None, pi=0.5)
    found = measured(queue)
    assert (found.measured, found.recall.value, found.recall.why) == ((), None, Why.NO_LABELS)
    assert summary.advice(found) == [
        "Set an audit budget in the next policy: without audits nobody knows what was missed."
    ]
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    next_one = Policy.objects.create(
        queue=queue, no=2, state="live", suggest=0.5, audit_budget=5, objective="o", why="w", created_at=NOON
    )
    assert next_one.audit_budget == 5
    assert "Wait until a frame has closed" in summary.advice(measured(queue))[0]
    assert measured(queue, MIDNIGHT + DAY).measured == ((MIDNIGHT - DAY, MIDNIGHT),)


def test_recall_holds_for_the_spans_of_closed_frames_only() -> None:
    queue = queue_of_last_week()
    many(queue, 4, 0)
    many(queue, 7, 0, arrived_at=MIDNIGHT + HOUR)  # today, open
    passed(queue, arrived_at=MIDNIGHT + HOUR)
    audited(queue, POSITIVE, NEGATIVE, pi=0.5)
    found = measured(queue)
    assert found.measured == ((MIDNIGHT - DAY, MIDNIGHT),)
    assert (found.caught, found.passes) == (4, 2)
    assert found.is_partly_measured
    assert found.soft.n == 11  # precision is of the whole window


def test_counts_stop_where_a_frame_ends_in_mid_hour() -> None:
    queue = queue_of_last_week()
    ends = NOON - HOUR * 2 + HOUR / 3
    for k in range(12):
        hard(queue, arrived_at=NOON - HOUR * 2 + timedelta(minutes=5 * k))
    one = passed(queue, arrived_at=NOON - HOUR * 3)
    frame(queue, ruled(one, NEGATIVE), pi=1.0, starts=MIDNIGHT, ends_at=ends, passes=1)
    counted()
    seen = window.read(queue.pk, NOON, days=7, filters=Filters())
    assert seen.in_measured()[1].count(band="hard") == 4
    assert seen.counts.count(band="hard") == 12


def test_days_of_another_time_zone_need_no_whole_hours() -> None:
    queue = queue_of_last_week(timezone="Asia/Kolkata")
    local_midnight = MIDNIGHT - HOUR * 5.5
    for k in range(48):
        passed(queue, arrived_at=local_midnight - DAY + timedelta(minutes=30 * k))
        hard(queue, arrived_at=local_midnight - DAY + timedelta(minutes=30 * k))
    items = Item.objects.filter(queue=queue, route="pass", arrived_at__lt=local_midnight)
    frame(queue, *(ruled(item, NEGATIVE) for item in items[:12]), pi=0.25, starts=local_midnight - DAY)
    found = measured(queue)
    assert found.measured == ((local_midnight - DAY, local_midnight),)
    assert found.passes == 48
    seen = window.read(queue.pk, NOON, days=7, filters=Filters())
    assert seen.in_measured()[1].count(band="hard") == 48


def test_without_a_control_group_nobody_knows_how_precise_hard_is() -> None:
    queue = queue_of_last_week()
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    live = Policy.objects.filter(queue=queue).get()
    Policy.objects.filter(pk=live.pk).update(state=Policy.State.LIVE)
    next_policy(queue, control_share=0.0, audit_budget=5)
    hard(queue), hard(queue)
    audited(queue, POSITIVE, NEGATIVE, pi=1.0)
    found = measured(queue)
    assert (found.hard.value, found.hard.why, found.recall.value) == (None, Why.NO_CONTROL, None)
    assert found.recall.why == Why.NO_CONTROL
    assert found.recall.low == 0.0
    assert found.recall.high == pytest.approx(2 / 3)
    assert "Set a control share" in summary.advice(found)[0]


def test_two_policies_in_one_window_are_told_apart() -> None:
    queue = queue_of_last_week()
    many(queue, 1, 3)
    one = passed(queue)
    next_policy(queue)
    many(queue, 3, 1)
    two = passed(queue)
    frame(queue, ruled(one, POSITIVE), ruled(two, NEGATIVE), pi=0.5)
    both, first, second = (measured(queue, policy=no) for no in (None, 1, 2))
    assert (both.soft.value, first.soft.value, second.soft.value) == (0.5, 0.25, 0.75)
    assert (both.passes, first.passes, second.passes) == (2, 1, 1)
    assert (first.missed.value, second.missed.value) == (1, 0)  # each at most as many as it passed
    assert second.policy is not None
    assert second.policy.no == 2


def test_a_segment_has_its_own_figures() -> None:
    queue = queue_of_last_week()
    many(queue, 4, 0, segment="north")
    many(queue, 0, 4, segment="south")
    found = measured(queue, segment="north")
    assert (found.soft.value, found.items, measured(queue, segment="east").items) == (1.0, 4, 0)


def test_scores_from_elsewhere_are_measured_like_others() -> None:
    queue = queue_of_last_week()
    audited(queue, NEGATIVE, POSITIVE, score=0.2, p=0.2, rung="sent", pi=0.5)
    assert measured(queue, model="external").missed.value == 2


@pytest.mark.parametrize("asked", [{"model": "nobody's"}, {"policy": 99}])
def test_what_is_not_there_cannot_be_asked_for(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        measured(queue_of_last_week(), **asked)


def test_nothing_counted_is_nothing_measured() -> None:
    queue = queue_of_last_week()
    many(queue, 2, 2)
    found = operating.point(queue.pk, NOON)
    assert (found.fresh_at, found.items, found.soft.n, found.recall.why) == (None, 0, 0, Why.NO_LABELS)
    assert summary.sentence(found, queue.spec) == "Not measured: nothing was audited."


def test_where_nothing_is_passed_there_is_nothing_to_audit() -> None:
    queue = queue_of_last_week(policy=PolicySpec(hard=None, soft=None, suggest=0.5, control_share=0, objective="o"))
    for k in range(20):
        soft(queue, POSITIVE if k % 4 == 0 else NEGATIVE, score=k / 20, p=k / 20)
    found = measured(queue)
    assert (found.missed.value, found.missed.of, found.recall.low) == (0, 0, 1)
    assert summary.sentence(found, queue.spec) == "Nothing was passed: every item was acted on or went to people."
    assert summary.advice(found) == []
    assert len(operating.page(queue.pk, NOON, days=7, filters=Filters()).plane.points) > 5


def test_simulated_labels_are_counted_and_marked() -> None:
    queue, person = queue_of_last_week(), simulated_person()
    ruled(soft(queue), POSITIVE, by=person)
    many(queue, 1, 1)
    found = measured(queue)
    assert (found.labels, found.simulated) == (3, 1)


def test_thinned_soft_items_still_make_the_caught() -> None:
    queue = queue_of_last_week()
    for k in range(40):
        soft(queue, POSITIVE if k % 2 else NEGATIVE, u=k / 40)
    audited(queue, POSITIVE, NEGATIVE, pi=0.5)
    counted()
    seen = window.read(queue.pk, NOON, days=7, filters=Filters(), cap=10)
    found = operating._point(seen, Filters(), queue, None)
    assert found.caught == 20
    assert (found.soft.n, found.soft_asked.kept, found.soft_asked.answered) == (10, 0.25, 40)
    assert found.soft.low is not None
    assert found.soft.low < 0.5  # no census any more


def test_the_same_log_gives_the_same_figures() -> None:
    queue = queue_of_last_week()
    many(queue, 9, 8)
    audited(queue, POSITIVE, NEGATIVE, NEGATIVE, pi=0.3)
    before = measured(queue, MIDNIGHT + DAY)
    soft(queue, POSITIVE, arrived_at=MIDNIGHT + DAY + HOUR)
    ruled(Item.objects.filter(queue=queue, route="soft").earliest("pk"), NEGATIVE, at=MIDNIGHT + DAY + HOUR)
    again = operating.point(queue.pk, MIDNIGHT + DAY, days=7)
    assert (again.recall, again.soft, again.missed) == (before.recall, before.soft, before.missed)
    assert np.isclose(again.caught or 0, 9)
    assert sample.counted_until(queue.pk, MIDNIGHT + DAY) == MIDNIGHT + DAY
