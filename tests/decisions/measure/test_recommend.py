"""What the numbers speak for: certified only where labels can speak, no lower than people can do."""

from dataclasses import replace
from typing import Any

import pytest

from decisions.measure.supposed import recent, recommend, terms
from decisions.measure.supposed.recommend import Recommendation
from decisions.models import Policy, Queue
from decisions.queues import live as in_force
from decisions.queues.spec import Money, PolicySpec, ValueFormula
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def aimed(queue: Queue, target: float | None) -> Queue:
    """Let a policy like the live one be live that names a precision."""
    live = Policy.objects.live().get(queue=queue)
    Policy.objects.filter(pk=live.pk).update(state=Policy.State.RETIRED)
    names = ("model", "hard", "soft", "suggest", "control_share", "objective", "why", "created_at")
    same = {name: getattr(live, name) for name in names}
    Policy.objects.create(queue=queue, no=live.no + 1, state="live", precision_target=target, **same)
    return queue


def advised(queue: Queue, **changes: Any) -> Recommendation:
    live = in_force.of(queue.slug)
    seen = recent.read(live, days=7, at=NOON)
    assert seen is not None
    return recommend.of(live, replace(terms.standing(live, NOON), **changes), seen)


def policy(**changes: Any) -> PolicySpec:
    return PolicySpec(**{"hard": 0.9, "soft": 0.3, "suggest": 0.5, "control_share": 0.5, "objective": "o", **changes})


def test_a_threshold_is_certified_by_labels_and_never_below_soft() -> None:
    queue = aimed(busy_queue(items=2500, audits=0, policy=policy()), 0.5)
    found = advised(queue)
    assert found.hard is not None
    assert found.hard.certified
    assert found.hard.threshold is not None
    assert 0.3 <= found.hard.threshold < 0.9
    assert found.hard.low >= 0.5
    assert min(step.threshold for step in found.hard.steps) >= 0.3
    assert found.sentence.startswith("Certified")


def test_too_few_labels_say_how_many_are_missing() -> None:
    found = advised(aimed(busy_queue(items=200, audits=0, policy=policy()), 0.6))
    assert found.hard is not None
    assert found.hard.threshold is None
    assert found.hard.needed
    assert str(found.hard.needed) in found.sentence


def test_without_a_control_group_nothing_is_certified() -> None:
    found = advised(aimed(busy_queue(items=1000, audits=0, policy=policy(control_share=0.0)), 0.5))
    assert (found.hard, found.why_hard) == (None, "no_control")


def test_without_a_target_there_is_nothing_to_certify() -> None:
    found = advised(busy_queue())
    assert (found.hard, found.why_hard, found.control) == (None, "no_target", None)


def test_a_queue_that_only_ranks_can_be_certified_anywhere() -> None:
    ranks = policy(hard=None, soft=None, control_share=0.0)
    found = advised(aimed(busy_queue(items=1500, audits=0, policy=ranks), 0.6))
    assert found.hard is not None
    assert found.hard.certified
    assert min(step.threshold for step in found.hard.steps) < 0.1


def test_fewer_people_a_higher_soft_threshold_and_a_price_of_one_more_hour() -> None:
    queue = busy_queue(items=1500)
    few, many = advised(queue, people=1.0, hours=1.5), advised(queue, people=1.0, hours=2.5)
    assert few.soft is not None
    assert many.soft is not None
    assert few.soft.threshold is not None
    assert many.soft.threshold is not None
    assert few.soft.threshold > many.soft.threshold
    assert few.soft.volume <= few.soft.available
    assert few.soft.bound == "capacity"
    assert few.soft.shadow_price > 0
    assert advised(queue, people=0.0).soft is None


def test_without_money_a_review_is_worth_the_positive_it_finds() -> None:
    found = advised(busy_queue(value=ValueFormula()), people=1.0, hours=0.5)
    assert found.currency == ""
    assert found.soft is not None
    assert 0 < found.soft.shadow_price < 60  # positives in an hour of sixty decisions


def test_what_is_lost_may_hang_on_a_field_that_only_labelled_items_were_asked_for() -> None:
    by_words = ValueFormula("EUR", fn=Money(0.0, -1.0, "words"), review_minute=0.5)
    found = advised(busy_queue(value=by_words), people=1.0, hours=0.5)
    assert found.soft is not None
    assert found.soft.value > 0


def test_the_control_share_is_a_tenth_at_most_and_has_its_cost() -> None:
    hourly = ValueFormula(
        "EUR", tp=Money(1.0), fn=Money(-2.0), review_minute=0.5, delay_hour=Money(0.0, 0.01, "amount")
    )
    found = advised(aimed(busy_queue(value=hourly), 0.9), delay_hours=2.0)
    assert found.control is not None
    assert found.control.share == 0.1
    assert not found.control.enough
    dear = [100.0 + n for n in range(400)]  # the value at stake of each item
    assert 0.02 * min(dear) < found.control.cost / found.control.given / 0.9 < 0.02 * max(dear) / 0.8
    assert found.control_review == pytest.approx(found.control.given * 0.5)
