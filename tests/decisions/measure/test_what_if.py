"""What other terms would have meant, read from the database, against what was put in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from decisions.exceptions import Invalid
from decisions.measure import sample, what_if
from decisions.measure.supposed import recent, terms
from decisions.measure.what_if import Answer
from decisions.models import Item, ModelVersion, Policy, Queue, Rollup, Score
from decisions.queues import live as in_force
from decisions.queues.spec import ModelSpec, Money, Outcome, PolicySpec, Truth, ValueFormula
from decisions.queues.spec_time import Expiry, Lapsed
from decisions.routing.policy import Cuts
from decisions.routing.simulate import Kind
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_queue

pytestmark = pytest.mark.django_db

KINDS = [kind.value for kind in Kind]


def asked(queue: Queue, *, days: int = 7, **changes: Any) -> Answer:
    """Return what changed terms would have meant at noon."""
    live = in_force.of(queue.slug)
    standing = terms.standing(live, NOON)
    answer = what_if.ask(live, standing, replace(standing, **changes), days=days, at=NOON)
    assert answer is not None
    return answer


def test_the_live_column_is_what_happened() -> None:
    queue = busy_queue()
    answer = asked(queue)
    for name, which in {
        "hard": {"route": "hard"},
        "control": {"reason": "control"},
        "soft": {"route": "soft", "reason": "score"},
        "checks": {"reason": "input_check"},
        "pass": {"route": "pass"},
    }.items():
        row = answer.row(name)
        assert row.live.value == pytest.approx(Item.objects.filter(queue=queue, **which).count() / answer.recent.days)
        assert row.gap.value == 0
    assert answer.items == pytest.approx(400 / answer.recent.days)


def test_a_lower_soft_threshold_brings_more_work_and_more_recall() -> None:
    answer = asked(busy_queue(), soft=0.15)
    people, recall, worth = answer.row("people"), answer.row("recall"), answer.row("worth")
    assert people.gap.value is not None
    assert people.gap.value > 0
    assert people.gap.value == pytest.approx(-(answer.row("pass").gap.value or 0))
    assert recall.gap.value is not None
    assert recall.gap.value > 0
    assert recall.gap.low is not None
    assert recall.live.labels
    assert worth.gap.value is not None
    assert worth.gap.value > 0
    assert answer.row("review_cost").gap.value == pytest.approx(people.gap.value * 1.0 * 0.5)  # a minute at 0.5 EUR


def test_a_lower_suggestion_is_made_more_often() -> None:
    queue = busy_queue()
    row = asked(queue, suggest=0.3).row("suggested")
    by_score = Item.objects.filter(queue=queue, route="soft", reason__in=("score", "control"))
    recent_days = asked(queue).recent.days
    assert row.live.value == pytest.approx(by_score.filter(score__gte=0.5).count() / recent_days)
    assert row.new.value == pytest.approx(by_score.count() / recent_days)


def test_money_comes_from_fields_of_the_payload_too() -> None:
    by_words = ValueFormula("EUR", tp=Money(0.0, 1.0, "words"), fn=Money(0.0, -1.0, "words"), review_minute=0.5)
    found = asked(busy_queue(value=by_words), soft=0.15).row("worth")
    assert found.live.value is not None
    assert found.gap.low is not None
    assert found.gap.high is not None
    assert found.gap.low < (found.gap.value or 0) < found.gap.high


def test_what_people_do_not_reach_is_passed_where_the_queue_says_so() -> None:
    queue = busy_queue(items=2000, expiry=Expiry(soft=Lapsed.PASS))
    many, few = asked(queue, people=20.0), asked(queue, people=1.0, hours=0.5)
    assert many.row("unreached").new.value == 0
    assert (few.row("unreached").new.value or 0) > 10
    assert (few.row("unreached").gap.low or -1) >= 0  # on eight days of ten
    for key in ("recall", "worth", "money", "review_cost"):
        fewer, more = few.row(key).new, many.row(key).new
        assert fewer.value is not None
        assert more.value is not None
        assert fewer.value < more.value
    assert (few.row("recall").gap.high or 1) < 0
    assert few.row("precision").new == many.row("precision").new
    backlog = few.row("backlog").new.value
    waits_on = asked(busy_queue(items=2000), people=1.0, hours=0.5).row("backlog").new.value
    assert backlog is not None
    assert waits_on is not None
    assert backlog < waits_on / 2  # what ends waits no more


def test_what_waits_on_makes_the_backlog_longer_without_end() -> None:
    few = asked(busy_queue(items=2000), people=1.0, hours=0.5)
    assert (few.row("unreached").new.value or 0) > 10
    assert (few.row("backlog").new.value or 0) > 100
    assert few.row("recall").new.value is not None


def of_another_model(queue: Queue, *, part: int = 1, high: float = 1.0) -> Policy:
    """Let another model score each so-many-th item as the live one did, in its own units; return a policy with it."""
    model = ModelVersion.objects.create(
        queue=queue, name="other", kind="external", score_high=high, app_version="t", created_at=NOON
    )
    items = list(Item.objects.filter(queue=queue, reason__in=("score", "control")).order_by("pk")) if part else []
    Score.objects.bulk_create(
        Score(item=item, model=model, score=high * (item.score or 0.0), p=item.p or 0.0, at=NOON)
        for item in items[:: part or 1]
    )
    live = Policy.objects.live().get(queue=queue)
    terms = {name: high * (getattr(live, name) or 0.0) for name in ("hard", "soft", "suggest")}
    terms |= {"control_share": live.control_share, "audit_budget": live.audit_budget}
    return Policy.objects.create(
        queue=queue, no=live.no + 1, model=model, objective="o", why="w", created_at=NOON, **terms
    )


def tried(queue: Queue, stored: Policy) -> Answer:
    live = in_force.of(queue.slug)
    standing = terms.standing(live, NOON)
    answer = what_if.ask(live, standing, standing.under(stored), days=7, at=NOON, stored=stored)
    assert answer is not None
    return answer


def test_a_policy_of_another_model_is_tried_on_that_models_scores() -> None:
    queue = busy_queue(items=1200)
    answer = tried(queue, of_another_model(queue, high=100.0))
    assert answer.scored is not None
    assert answer.scored.items == answer.scored.of == 1140  # each 20th failed a check and has no score of its own
    for key in ("hard", "soft", "pass", "checks", "precision", "recall", "worth"):
        row = answer.row(key)
        assert row.new.value == pytest.approx(row.live.value)
        assert row.gap.value == pytest.approx(0.0, abs=1e-9)
    assert answer.new.hard == 90.0
    assert (answer.histogram[0][0], answer.histogram[0][-1]) == (0.0, 100.0)


def test_where_another_model_scored_some_they_stand_for_all_and_say_so() -> None:
    queue = busy_queue(items=2000)
    stored = of_another_model(queue, part=2)
    whole, half = asked(queue), tried(queue, stored)
    assert half.scored is not None
    assert half.scored.items == half.scored.of / 2
    assert half.items == pytest.approx(whole.items)
    for key in ("hard", "soft", "pass"):
        assert half.row(key).new.value == pytest.approx(whole.row(key).live.value, rel=0.2)
    found, all_ = half.row("recall").new, whole.row("recall").live
    assert found.value == pytest.approx(all_.value, abs=0.1)
    assert (found.high or 0) - (found.low or 0) > (all_.high or 0) - (all_.low or 0)  # fewer labels say less


def test_a_policy_of_a_model_that_scored_nothing_is_refused() -> None:
    queue = busy_queue(items=100)
    with pytest.raises(Invalid) as refused:
        tried(queue, of_another_model(queue, part=0))
    (fault,) = refused.value.faults
    assert (fault.field, fault.code) == ("policy", "not_scored")
    assert "other scored none" in fault.detail


def test_without_a_value_formula_there_is_no_money() -> None:
    answer = asked(busy_queue(value=ValueFormula()))
    assert {row.unit for row in answer.rows} == {"items", "share", "hours", "seconds"}


def test_what_it_costs_to_know() -> None:
    hourly = ValueFormula("EUR", tp=Money(1.0), fn=Money(-2.0), review_minute=0.5, delay_hour=Money(0.25))
    answer = asked(busy_queue(value=hourly), control_share=0.5, delay_hours=8.0)
    delayed, precision = answer.row("delayed").new, answer.row("precision").new
    control = answer.row("control").new.value
    assert control
    assert precision.value is not None
    assert delayed.value == pytest.approx(control * precision.value)
    assert answer.row("delay_cost").new.value == pytest.approx(2 * (delayed.value or 0))
    total, worth = answer.row("money").new.value, answer.row("worth").new.value
    assert total == pytest.approx(
        (worth or 0) - (answer.row("review_cost").new.value or 0) - (answer.row("delay_cost").new.value or 0)
    )


def test_an_hour_of_delay_may_hang_on_a_field_that_only_labels_were_asked_for() -> None:
    by_words = ValueFormula("EUR", tp=Money(1.0), fn=Money(-2.0), delay_hour=Money(0.5, 0.1, "words"))
    answer = asked(busy_queue(value=by_words), delay_hours=2.0)
    row, delayed = answer.row("delay_cost").new, answer.row("delayed").new
    assert delayed.value
    assert row.value is not None
    assert row.value / delayed.value > 2 * 0.5


def test_the_control_group_waits_as_it_did_last_week_by_littles_law() -> None:
    queue = busy_queue()
    live = in_force.of(queue.slug)
    assert terms.standing(live, NOON).delay_hours == 24.0  # none was decided: what the queue gives for it
    Rollup.objects.filter(queue=queue, figure__in=("counted", "backlog", "decisions")).delete()
    for hours in range(10):
        at = NOON - timedelta(hours=hours)
        for figure, key, value in (
            ("counted", "", 1),
            ("backlog", "control:waiting:1h", 3),
            ("decisions", "control", 6),
        ):
            Rollup.objects.create(queue=queue, figure=figure, key=key, at=at, value=value, made_at=NOON)
    assert terms.standing(live, NOON).delay_hours == pytest.approx(3 * 9 / 60, abs=0.01)


def test_without_audits_recall_and_money_are_guesses() -> None:
    answer = asked(busy_queue(audits=0))
    for key in ("recall", "worth", "money"):
        row = answer.row(key)
        assert row.live.value is None
        assert row.live.why == "not_measured"
        assert row.live.guess is not None


def test_a_queue_that_only_ranks() -> None:
    ranks = PolicySpec(hard=None, soft=None, suggest=0.5, control_share=0.0, objective="Order")
    answer = asked(busy_queue(policy=ranks, audits=0))
    assert answer.row("queue_rate").live.value == 1.0
    assert answer.row("recall").live.value == 1.0
    assert answer.row("precision").live.why == "no_items"
    lower = asked(busy_queue(policy=ranks, audits=0), soft=0.3, hard=0.9)
    assert lower.row("precision").new.value is not None  # everything was labelled: a census
    assert (lower.row("recall").gap.value or 0) < 0


def test_scores_from_outside_in_units_of_their_own() -> None:
    policy = PolicySpec(hard=70.0, soft=20.0, suggest=40.0, control_share=0.2, objective="Catch")
    answer = asked(busy_queue(policy=policy, model=ModelSpec(low=-20.0, high=120.0)), hard=100.0)
    assert answer.histogram[0][0] == -20.0
    assert answer.histogram[0][-1] == 120.0
    assert (answer.row("hard").gap.value or 0) < 0


def test_three_outcomes() -> None:
    answers = (
        Outcome("spam", "Spam", "1", Truth.POSITIVE),
        Outcome("ham", "Ham", "2", Truth.NEGATIVE),
        Outcome("unclear", "Unclear", "3", Truth.NONE),
    )
    assert asked(busy_queue(outcomes=answers)).row("precision").live.value is not None


def test_days_are_those_of_the_queues_clock() -> None:
    here, there = (asked(busy_queue(timezone=zone)) for zone in ("UTC", "Pacific/Auckland"))
    assert here.buckets[0].days[-1].isoformat() == "2026-03-02"
    assert there.buckets[0].days[-1].isoformat() == "2026-03-03"
    assert here.row("hard").live == there.row("hard").live


def test_items_that_another_model_scored_say_nothing_about_these_cuts() -> None:
    queue = busy_queue()
    live = Policy.objects.live().select_related("model").get(queue=queue)
    assert live.model is not None
    other = live.model.__class__.objects.create(
        queue=queue, name="newer", kind="pipeline", app_version="test", created_at=NOON
    )
    Policy.objects.filter(pk=live.pk).update(state="retired")
    Policy.objects.create(
        queue=queue, no=2, state="live", model=other, hard=0.9, soft=0.3, suggest=0.5, control_share=0.1,
        objective="o", why="w", created_at=NOON, live_at=NOON,
    )  # fmt: skip
    answer = asked(queue)
    assert answer.recent.elsewhere == 380
    assert answer.row("checks").live.value == pytest.approx(20 / answer.recent.days)
    assert answer.row("precision").live.why == "no_items"


def test_a_young_queue_is_not_watered_down() -> None:
    answer = asked(busy_queue(days=2, items=100), days=28)
    assert answer.recent.days == pytest.approx(2, abs=0.1)
    assert answer.items == pytest.approx(50, abs=3)


def test_nothing_came() -> None:
    live = in_force.of(make_queue().slug)
    standing = terms.standing(live, NOON)
    assert what_if.ask(live, standing, standing, days=28, at=NOON) is None


def test_what_was_read_is_forgotten_with_the_policy() -> None:
    queue = busy_queue()
    live = in_force.of(queue.slug)
    first = recent.read(live, days=7, at=NOON)
    assert recent.read(live, days=7, at=NOON + timedelta(seconds=10)) is first
    Policy.objects.filter(queue=queue).update(state="retired")
    Policy.objects.create(
        queue=queue, no=2, state="live", model=live.model, hard=0.9, soft=0.2, suggest=0.5, control_share=0.1,
        objective="o", why="w", created_at=NOON, live_at=NOON,
    )  # fmt: skip
    assert recent.read(in_force.of(queue.slug), days=7, at=NOON) is not first


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"soft": 0.95}, "soft"),  # above suggest and hard
        ({"hard": 1.5}, "hard"),  # out of the model's range
        ({"soft": None}, "hard"),  # everything goes to people, so nothing can be hard
        ({"control_share": 1.5}, "control_share"),
        ({"audit_budget": -1}, "audit_budget"),
        ({"people": -1.0}, "people"),
        ({"hours": 25.0}, "hours"),
        ({"handling_seconds": 0.0}, "handling_seconds"),
        ({"delay_hours": float("nan")}, "delay_hours"),
    ],
)
def test_terms_that_nobody_could_mean_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        asked(busy_queue(items=20, audits=0), **changes)
    assert field in {fault.field for fault in refused.value.faults}


def test_a_control_share_that_a_rule_had_lowered_is_read_from_the_log() -> None:
    queue = busy_queue()
    live = in_force.of(queue.slug)
    traffic = sample.traffic(queue.pk, days=7, at=NOON)
    hard = traffic.band == "hard"
    lowered = replace(traffic, propensity=np.where(hard, 0.02, traffic.propensity))
    stream = recent._stream(lowered, Cuts.of(live.policy, live.spec), {live.policy.pk: 0.1})
    assert set(stream.control_share[hard]) == {0.02}
    assert set(stream.control_share[~hard & (traffic.policy == live.policy.pk)]) == {0.1}
