"""What a queue won and lost, read from what is stored."""

from datetime import timedelta

import pytest

from decisions.measure import valued
from decisions.measure.value import Beside, Route, Why
from decisions.measure.valued import Valued
from decisions.models import Decision, Queue, Task
from decisions.queues.spec import Money, ValueFormula
from tests.decisions.measure.measured import (
    DAY,
    HOUR,
    MIDNIGHT,
    NEGATIVE,
    POSITIVE,
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
from tests.factories import NOON, make_task, make_user

pytestmark = pytest.mark.django_db

FLAT = ValueFormula("EUR", tp=Money(1.0), fp=Money(-8.0), fn=Money(-3.0), review_minute=0.5)


def read(queue: Queue) -> Valued:
    found = valued.read(queue, MIDNIGHT - DAY, MIDNIGHT + DAY, at=NOON)
    assert found is not None
    return found


def timed(queue: Queue, purpose: str = "soft", seconds: float = 60.0, **fields: object) -> None:
    """Let somebody take a time at a decision."""
    task = make_task(queue, soft(queue, arrived_at=MIDNIGHT - DAY * 3), purpose=purpose, state=Task.State.DECIDED)
    Decision.objects.create(
        queue=queue,
        item=task.item,
        task=task,
        round=1,
        purpose=purpose,
        queue_version=task.item.queue_version,
        person=make_user(),
        outcome=POSITIVE,
        active_seconds=seconds,
        claimed_at=NOON - HOUR,
        at=NOON - HOUR,
        **fields,
    )


def test_routes_are_worth_what_labels_and_counts_say() -> None:
    queue = queue_of_last_week(value=FLAT)
    timed(queue)
    many(queue, 10, 30)
    for k in range(40):
        control(queue, POSITIVE if k < 36 else NEGATIVE)
        hard(queue), hard(queue)
    counted()
    found = read(queue)
    assert found.seconds == 60
    assert found.routes[Route.SOFT].beside[Beside.NO_MODEL].value == pytest.approx(46 * 4 - 80 * 0.5)
    assert found.routes[Route.HARD].beside[Beside.NO_MODEL].value == pytest.approx(80 * (0.9 * 4 - 0.1 * 8))
    assert found.total.beside[Beside.NO_MODEL].value == pytest.approx(46 * 4 - 40 + 80 * 2.8)
    assert found.total.beside[Beside.REVIEW_ALL].why == Why.NO_RATES
    assert (found.labels, found.simulated, found.left.waiting) == (80, 0, 0)
    assert sum(one.total.items for one in found.moments) == found.total.items == 160


def test_passes_are_known_by_audits_of_the_spans_that_have_ended() -> None:
    queue = queue_of_last_week(value=FLAT)
    drawn = [ruled(passed(queue), POSITIVE if k < 4 else NEGATIVE) for k in range(40)]
    passed(queue, arrived_at=MIDNIGHT + HOUR)  # of today's open frame
    frame(queue, *drawn, pi=1.0)
    counted()
    money = read(queue).routes[Route.PASS]
    assert (money.items, money.labels) == (41, 40)


def test_each_policy_and_model_has_its_own_money() -> None:
    queue = queue_of_last_week(value=FLAT)
    timed(queue)
    many(queue, 4, 0)
    next_policy(queue)
    many(queue, 0, 6)
    counted()
    found = read(queue)
    assert [one.name for one in found.policies] == ["2", "1"]
    assert [one.total.beside[Beside.NO_MODEL].value for one in found.policies] == [-3, 14]
    (model,) = found.models
    assert model.total.beside[Beside.NO_MODEL].value == 11


def test_amounts_come_from_the_payload_of_labelled_items() -> None:
    formula = ValueFormula("EUR", fn=Money(0.0, -0.5, "words"))
    queue = queue_of_last_week(value=formula, value_field="")
    for words in (10, 30):
        soft(queue, POSITIVE, payload={"text": "x", "words": words})
    counted()
    found = read(queue)
    assert found.people.cost == 0  # a minute has no price here
    assert found.routes[Route.SOFT].beside[Beside.NO_MODEL].value == pytest.approx(20)


def test_the_control_group_pays_for_its_delay() -> None:
    queue = queue_of_last_week(value=ValueFormula("EUR", tp=Money(1.0), delay_hour=Money(0.25)))
    item = control(queue, POSITIVE)
    task = make_task(queue, item, purpose="control", state=Task.State.DECIDED)
    Decision.objects.create(
        queue=queue,
        item=item,
        task=task,
        round=1,
        purpose="control",
        queue_version=task.item.queue_version,
        person=make_user(),
        outcome=POSITIVE,
        claimed_at=item.arrived_at,
        at=item.arrived_at + timedelta(hours=2),
    )
    counted()
    assert read(queue).routes[Route.SOFT].beside[Beside.NO_MODEL].value == pytest.approx(1 - 2 * 0.25)


def test_what_is_in_no_amount_is_named() -> None:
    queue = queue_of_last_week(value=FLAT)
    timed(queue)
    soft(queue), soft(queue, "unclear"), soft(queue, POSITIVE, reason="input_check")
    ruled(soft(queue), NEGATIVE, source="expiry")
    soft(queue, POSITIVE, reason="imported")
    ruled(soft(queue), POSITIVE, by=simulated_person())
    counted()
    found = read(queue)
    left = found.left
    assert (left.waiting, left.cant_tell, left.expired, left.apart, left.imported) == (1, 1, 1, 1, 1)
    assert (found.labels, found.simulated) == (1, 1)
    assert found.routes[Route.SOFT].beside[Beside.NO_MODEL].value == pytest.approx(3.5)


def test_without_a_formula_there_is_no_money() -> None:
    assert valued.read(queue_of_last_week(value=ValueFormula()), MIDNIGHT, NOON, at=NOON) is None


def test_before_anything_was_counted_there_is_nothing() -> None:
    found = read(queue_of_last_week(value=FLAT))
    assert found.fresh_at is None
    assert found.total.items == 0
