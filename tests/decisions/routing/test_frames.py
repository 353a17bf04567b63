"""Frames: disjoint, complete, with an exact budget, and closed once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from decisions.exceptions import Conflict, Forbidden
from decisions.models import Draw, Event, Frame, Item, Queue, Ruling, Task
from decisions.queues.spec import Heuristic, Money, ValueFormula
from decisions.record import deep, draws
from decisions.routing import frames, recount, sampling
from tests.decisions.routing.framed import DAY, audited_queue, named, send
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db

MIDNIGHT = NOON.replace(hour=0)
ROOT = Path(__file__).resolve().parents[3]


def spans(queue: Queue) -> list[tuple[datetime, datetime, int, int]]:
    """Return a queue's frames as (start, end, budget, drawn), oldest first."""
    rows = Frame.objects.filter(queue=queue).order_by("starts_at")
    return list(rows.values_list("starts_at", "ends_at", "budget", "drawn"))


def expected_pi(draw: Draw, tau: float | None) -> float:
    assert draw.item.q
    assert tau
    return min(1.0, draw.item.q * tau)


def test_a_day_that_is_over_gets_a_frame_with_audits() -> None:
    queue = audited_queue(10)
    send(queue, named(40), NOON)
    assert frames.close_due(MIDNIGHT + DAY - timedelta(seconds=1)) == 0
    assert frames.close_due(MIDNIGHT + DAY) == 1
    assert spans(queue) == [(MIDNIGHT, MIDNIGHT + DAY, 10, 10)]
    frame = Frame.objects.get()
    assert (frame.passes, frame.person, frame.beta) == (40, None, sampling.BETA)
    assert frame.mean_p == pytest.approx(
        np.mean([item.p for item in Item.objects.all() if item.p is not None]), abs=1e-9
    )
    drawn = Draw.objects.filter(frame=frame).select_related("item")
    assert all(draw.pi == expected_pi(draw, frame.tau) for draw in drawn)
    tasks = Task.objects.filter(purpose="audit", state="waiting", moves__kind="opened")
    assert set(tasks.values_list("item", flat=True)) == set(drawn.values_list("item", flat=True))
    assert set(tasks.values_list("due_at", flat=True)) == {MIDNIGHT + DAY + queue.spec.sla}
    event = Event.objects.get(kind="frame.closed")
    entry = orjson.loads(event.entry)
    assert (entry["drawn"], entry["tasks"], entry["strata"][0]["tau"]) == (10, 10, frames.exact(frame.tau or 0))
    assert entry["draws"] == draws.of_frame(frame.pk)
    assert not list(deep.verify(queue.pk))
    assert frames.close_due(MIDNIGHT + DAY) == 0


def test_items_never_change_when_they_are_drawn() -> None:
    queue = audited_queue(5)
    send(queue, named(20), NOON)
    before = list(Item.objects.order_by("pk").values())
    frames.close(queue.pk, NOON + timedelta(hours=3))
    assert Draw.objects.exists()
    assert list(Item.objects.order_by("pk").values()) == before


def test_mid_day_frames_and_the_rest_of_the_day_share_its_budget() -> None:
    queue = audited_queue(101)
    for hour in range(24):
        send(queue, named(30, f"h{hour}"), MIDNIGHT + timedelta(hours=hour, minutes=30))
    for minutes in (300, 666, 1200):
        frames.close(
            queue.pk, MIDNIGHT + timedelta(minutes=minutes), person=make_user("manager", queue), why="new model"
        )
    frames.close_due(MIDNIGHT + DAY)
    found = spans(queue)
    assert [frame[0] for frame in found[1:]] == [frame[1] for frame in found[:-1]]
    assert [frame[2] for frame in found] == [21, 25, 38, 17]
    assert sum(frame[3] for frame in found) == 101 == Draw.objects.count() == Task.objects.count()
    assert sum(Frame.objects.values_list("passes", flat=True)) == 720
    first = Frame.objects.order_by("starts_at")[0]
    assert (first.why, first.person_id is not None) == ("new model", True)


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 3, 29, tzinfo=UTC), 23), (datetime(2026, 10, 25, tzinfo=UTC), 25)]
)
def test_a_day_on_which_the_clock_changes_has_the_whole_budget(day: datetime, hours: int) -> None:
    queue = audited_queue(50, timezone="Europe/Berlin")
    for hour in range(30):
        send(queue, named(10, f"h{hour}"), day + timedelta(hours=hour - 2))
    frames.close(queue.pk, day + timedelta(hours=9.3))
    frames.close_due(day + 2 * DAY)
    inside = [frame for frame in spans(queue) if frame[0] >= day - timedelta(hours=2)]
    today = [frame for frame in inside if frame[1] <= inside[0][0] + timedelta(hours=hours)]
    assert today[-1][1] - today[0][0] == timedelta(hours=hours)
    assert sum(frame[2] for frame in today) == 50
    assert len(today) == 2


def test_missed_days_get_their_frames_later_and_days_without_passes_none() -> None:
    queue = audited_queue(4)
    send(queue, named(9, "monday"), NOON)
    send(queue, named(9, "thursday"), NOON + 3 * DAY)
    assert frames.close_due(NOON + 4 * DAY) == 2
    assert spans(queue) == [
        (MIDNIGHT, MIDNIGHT + DAY, 4, 4),
        (MIDNIGHT + DAY, MIDNIGHT + 4 * DAY, 4, 4),  # from where the last one ended, with the budget of its one day
    ]


def test_on_demand_the_days_that_are_over_come_first() -> None:
    queue = audited_queue(24)
    send(queue, named(50, "monday"), NOON)
    send(queue, named(50, "tuesday"), NOON + DAY - timedelta(hours=6))
    frame = frames.close(queue.pk, NOON + DAY)
    assert (frame.starts_at, frame.ends_at, frame.budget) == (MIDNIGHT + DAY, NOON + DAY, 12)
    assert Frame.objects.count() == 2


def test_a_queue_without_budget_leaves_a_frame_that_says_so() -> None:
    queue = audited_queue(0)
    send(queue, named(5), NOON)
    assert frames.close_due(NOON + DAY) == 1
    frame = Frame.objects.get()
    assert (frame.passes, frame.budget, frame.drawn, frame.tau) == (5, 0, 0, 0.0)
    assert not Task.objects.exists()


def test_all_are_drawn_where_the_budget_allows() -> None:
    queue = audited_queue(100)
    send(queue, named(7), NOON)
    frames.close_due(NOON + DAY)
    frame = Frame.objects.get()
    assert (frame.drawn, frame.tau, set(Draw.objects.values_list("pi", flat=True))) == (7, None, {1.0})


# what arrived when, when it is closed
@pytest.mark.parametrize(
    ("budget", "count", "hour"),
    [
        (10, 0, 13),  # nothing was passed
        (1, 5, 13),  # half an audit
    ],
)
def test_what_would_be_no_frame_is_refused(budget: int, count: int, hour: int) -> None:
    queue = audited_queue(budget)
    if count:
        send(queue, named(count), NOON)
    with pytest.raises(Conflict):
        frames.close(queue.pk, MIDNIGHT + timedelta(hours=hour))
    assert not Frame.objects.exists()


def test_a_frame_is_closed_by_who_has_the_right() -> None:
    queue = audited_queue()
    send(queue, named(5), NOON)
    with pytest.raises(Forbidden, match="close_frame"):
        frames.close(queue.pk, NOON + timedelta(hours=3), person=make_user("reviewer", queue))


def test_whatever_was_passed_can_be_drawn_for_every_reason() -> None:
    rule = Heuristic("text", "!=", "nothing", 0.05)
    routes = {"failed_check_routes": ("pass",), "fallback_routes": ("pass",)}
    queue = audited_queue(100, heuristics=(rule,), **routes)
    send(queue, named(3, "scored"), NOON)
    send(queue, named(3, "unseen"), NOON, payload={"text": "x", "kind": "letter"})
    send(queue, named(3, "without"), NOON, score=None)
    passed = Item.objects.filter(route="pass")
    assert sorted(passed.values_list("reason", flat=True)) == ["fallback"] * 3 + ["input_check"] * 3 + ["score"] * 3
    assert all(item.q and item.p is not None for item in passed)
    frames.close_due(NOON + DAY)
    assert Draw.objects.count() == 9


def test_what_a_person_has_ruled_on_is_drawn_and_not_asked_again() -> None:
    queue = audited_queue(100)
    send(queue, named(3), NOON)
    item = Item.objects.order_by("pk")[0]
    Ruling.objects.create(
        queue=queue, item=item, no=1, outcome="spam", truth="positive", source="override", at=NOON, final_at=NOON
    )
    frames.close_due(NOON + DAY)
    assert Draw.objects.count() == 3
    assert set(Task.objects.values_list("item", flat=True)) == set(Item.objects.values_list("pk", flat=True)) - {
        item.pk
    }


def test_sizes_rest_on_the_frame_before() -> None:
    queue = audited_queue(5)
    send(queue, named(30), NOON)
    frames.close(queue.pk, NOON + timedelta(hours=4))
    frame = Frame.objects.get()
    send(queue, ["later"], NOON + timedelta(hours=5))
    later = Item.objects.get(external_id="later")
    assert later.q == sampling.q(np.array([later.p]), frame.mean_p, frame.beta)[0]


def test_sizes_follow_what_a_miss_costs_once_a_frame_has_told_what_is_usual() -> None:
    queue = audited_queue(5)
    send(queue, named(30), NOON, payload={"text": "x", "amount": 100})
    first = Item.objects.get(external_id="m-0")
    assert (first.harm, first.v) == (1.0 + 2.0 + 10.0, None)  # tp - fn, of which fn = -2 - 0.1 * amount
    frame = frames.close(queue.pk, NOON + timedelta(hours=4))
    assert frame.harm_square == pytest.approx(13.0**2)
    for name, amount in (("little", 0), ("much", 10_000)):
        send(queue, [name], NOON + timedelta(hours=5), payload={"text": "x", "amount": amount})
    send(queue, ["bare"], NOON + timedelta(hours=5))
    little, much, bare = (Item.objects.get(external_id=name) for name in ("little", "much", "bare"))
    assert (little.v, much.v) == tuple(sampling.stakes(np.array([3.0, 1003.0]), frame.harm_square or 0))
    assert (bare.harm, bare.v) == (None, None)
    for item in (little, much, bare):
        v = np.array([np.nan if item.v is None else item.v])
        assert item.q == sampling.q(np.array([item.p]), frame.mean_p, frame.beta, v)[0]
    assert much.q is not None
    assert much.q > 1


def test_a_queue_without_a_harm_of_its_items_weighs_nothing() -> None:
    queue = audited_queue(5, value=ValueFormula(currency="EUR", fn=Money(-2.0)))
    send(queue, named(30), NOON, payload={"text": "x", "amount": 100})
    assert frames.close(queue.pk, NOON + timedelta(hours=4)).harm_square is None
    send(queue, ["later"], NOON + timedelta(hours=5), payload={"text": "x", "amount": 100})
    later = Item.objects.get(external_id="later")
    assert (later.harm, later.v) == (None, None)


def test_the_floor_is_lowered_for_good_once_enough_audits_were_positive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "ENOUGH_POSITIVES", 2)
    queue = audited_queue(4)
    send(queue, named(9), NOON)
    frames.close_due(NOON + DAY)
    for item in Item.objects.filter(draw__isnull=False)[:2]:
        Ruling.objects.create(
            queue=queue, item=item, no=1, outcome="spam", truth="positive", source="decision", at=NOON, final_at=NOON
        )
    send(queue, named(9, "n"), NOON + DAY)
    frames.close_due(NOON + 2 * DAY)
    assert list(Frame.objects.order_by("pk").values_list("beta", flat=True)) == [sampling.BETA, sampling.LATE_BETA]
    monkeypatch.setattr(sampling, "ENOUGH_POSITIVES", 1000)
    send(queue, named(9, "o"), NOON + 2 * DAY)
    assert frames.close(queue.pk, NOON + 2.5 * DAY).beta == sampling.LATE_BETA


def test_segments_that_are_not_measured_are_a_stratum_with_probabilities_of_their_own() -> None:
    queue = audited_queue(20)
    send(queue, named(90, "known"), NOON, segment="known")
    send(queue, named(10, "new"), NOON, segment="new")
    frame = frames.close(queue.pk, NOON + DAY, blind=["new"])
    rest, blind = frame.strata
    assert (rest["segments"], rest["passes"], rest["budget"]) == (None, 90, 17)
    assert (blind["segments"], blind["passes"], blind["budget"]) == (["new"], 10, 3)
    for stratum, segment in ((rest, "known"), (blind, "new")):
        drawn = Draw.objects.filter(item__segment=segment).select_related("item")
        assert len(drawn) == stratum["drawn"] == stratum["budget"]
        tau = float.fromhex(stratum["tau"])
        assert all(draw.pi == expected_pi(draw, tau) for draw in drawn)
    assert not list(recount.differences(frame))


def test_audits_are_spread_over_the_time_in_which_others_are_due() -> None:
    queue = audited_queue(60)
    send(queue, named(200), NOON)
    at = NOON + timedelta(hours=12)
    frames.close_due(at)
    steps = sorted(Task.objects.values_list("due_step", flat=True))
    assert at <= steps[0] < at + queue.spec.sla / 4
    assert at + queue.spec.sla * 3 / 4 < steps[-1] <= at + queue.spec.sla + queue.spec.sla_step
    places = np.array([(step - at) / queue.spec.sla for step in steps])
    assert abs(float(places.mean()) - 0.5) < 0.15


def test_a_frame_of_another_queue_is_not_there() -> None:
    with pytest.raises(CommandError, match="no frame 7"):
        call_command("verify_frame", audited_queue().slug, 7)


def test_the_probabilities_make_totals_unbiased() -> None:
    """The mean of sum(1/pi) over many secrets is the number of passes, and that over the positives theirs."""
    rng = np.random.default_rng(11)
    p = 0.3 * rng.beta(1, 30, 400)
    y = rng.random(400) < p
    q = sampling.q(p, float(p.mean()))
    totals, found = [], []
    for _ in range(600):
        places, tau = sampling.draw(rng.random(400) / q, 60)
        weights = 1.0 / sampling.inclusion(q[places], tau)
        totals.append(weights.sum())
        found.append(weights[y[places]].sum())
    for values, truth in ((totals, 400), (found, int(y.sum()))):
        assert abs(np.mean(values) - truth) < 4 * np.std(values) / np.sqrt(len(values))
