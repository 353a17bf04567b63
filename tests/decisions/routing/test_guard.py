"""The guard of a canary: it stops what is off, and leaves what is only different or only young alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from decisions.intake import parse, submit
from decisions.models import Alert, Event, Item, Policy, PolicyChange, Queue, Rollup, Ruling
from decisions.queues import live
from decisions.routing import guard, publish, trials
from decisions.routing.guard import Check, Sign, Verdict
from decisions.routing.trials import Count
from tests.factories import NOON, make_item, make_policy, make_queue, make_user

ROUTES = {"hard": ("hard", "hard"), "soft": ("soft", "soft"), "pass": ("pass", "pass"), "control": ("hard", "soft")}


@pytest.fixture
def queue(db: None) -> Queue:
    made = make_queue(owner="owner@example.org")
    make_policy(made, "canary", precision_target=0.95, control_share=0.2)
    return made


def of(queue: Queue, state: str) -> Policy:
    return Policy.objects.get(queue=queue, state=state)


def routed(queue: Queue, state: str, count: int, what: str, at: datetime = NOON, **fields: Any) -> list[Item]:
    """Store items as one of the two policies routed them; they are copies of one that came a day before."""
    policy, (band, route) = of(queue, state), ROUTES[what]
    first = make_item(queue, arrived_at=at - timedelta(days=1), band=band, route=route, **fields)
    values = {field.attname: getattr(first, field.attname) for field in Item._meta.concrete_fields}
    reason = "control" if what == "control" else values["reason"]
    changed = {**values, "id": None, "policy_id": policy.pk, "reason": reason, "arrived_at": at}
    names = [f"{policy.no}-{what}-{at:%H%M%S}-{i}" for i in range(count)]
    return Item.objects.bulk_create([Item(**{**changed, "external_id": name}) for name in names])


def answered(items: Sequence[Item], wrong: int, at: datetime = NOON) -> None:
    """Let people answer, against the machine where `wrong`; the wrong ones are spread among the others."""
    every = len(items) / wrong if wrong else float("inf")
    off = {int(i * every) for i in range(wrong)}
    Ruling.objects.bulk_create(
        Ruling(
            queue=item.queue, item=item, no=1, outcome="ham" if i in off else "spam",
            truth="negative" if i in off else "positive", source="decision", is_override=i in off,
            at=at + timedelta(seconds=i), final_at=at + timedelta(seconds=i),
        )
        for i, item in enumerate(items)
    )  # fmt: skip


def stands(queue: Queue, at: datetime = NOON + timedelta(hours=2)) -> dict[Sign, Check]:
    """Count and judge."""
    trial = trials.running(queue.pk)
    assert trial is not None
    trials.count(trial, at)
    counted = trials.running(queue.pk)
    assert counted is not None
    return {check.sign: check for check in guard.judge(counted, at).checks}


def test_a_canary_without_traffic_waits(queue: Queue) -> None:
    assert {check.verdict for check in stands(queue).values()} == {Verdict.WAITING}
    assert guard.watch(NOON) == 0


def test_one_that_does_as_the_live_policy_is_sound(queue: Queue) -> None:
    for state, size in (("live", 900), ("canary", 100)):
        routed(queue, state, size * 2 // 10, "hard")
        answered(routed(queue, state, size * 3 // 10, "soft"), wrong=size * 3 // 100)
        routed(queue, state, size * 5 // 10, "pass")
    answered(routed(queue, "canary", 40, "control"), wrong=2)
    found = stands(queue)
    assert {sign: check.verdict for sign, check in found.items()} == dict.fromkeys(Sign, Verdict.SOUND)
    assert found[Sign.HARD].canary == Count(60, 140)
    assert found[Sign.HARD].live == Count(180, 900)
    assert found[Sign.OVERRIDES].canary == Count(3, 30)
    assert found[Sign.PRECISION].canary == Count(38, 40)
    assert guard.watch(NOON + timedelta(hours=2)) == 0


def too_many_hard(queue: Queue) -> None:
    routed(queue, "live", 100, "hard")
    routed(queue, "live", 900, "pass")
    routed(queue, "canary", 60, "hard")
    routed(queue, "canary", 60, "pass")


def too_few_hard(queue: Queue) -> None:
    routed(queue, "live", 800, "hard")
    routed(queue, "live", 200, "soft")
    routed(queue, "canary", 10, "hard")
    routed(queue, "canary", 190, "soft")


def too_many_overrides(queue: Queue) -> None:
    answered(routed(queue, "live", 400, "soft"), wrong=40)
    answered(routed(queue, "canary", 100, "soft"), wrong=50)


def too_little_precision(queue: Queue) -> None:
    answered(routed(queue, "canary", 60, "control"), wrong=20)


@pytest.mark.parametrize(
    ("happened", "sign", "told"),
    [
        (too_many_hard, Sign.HARD, "HARD: 50.0% of 120 items of policy 2"),
        (too_few_hard, Sign.HARD, "HARD: 5.0% of 200 items of policy 2"),
        (too_many_overrides, Sign.OVERRIDES, "Overrides: 50.0% of 100 suggestions of policy 2"),
        (too_little_precision, Sign.PRECISION, "people agreed with 66.7% of 60 control items; the target is 95.0%"),
    ],
)
def test_a_sign_that_is_off_stops_the_canary(queue: Queue, happened: object, sign: Sign, told: str) -> None:
    assert callable(happened)
    happened(queue)
    at = NOON + timedelta(hours=1)
    assert guard.watch(at) == 1
    policy = Policy.objects.get(queue=queue, no=2)
    assert (policy.state, policy.canary_share) == (Policy.State.APPROVED, 0.0)
    change = PolicyChange.objects.latest("pk")
    assert (change.kind, change.person, change.at) == ("stopped", None, at)
    assert told in change.why
    event = Event.objects.filter(chain=queue.pk).latest("seq")
    assert (event.kind, event.actor) == ("policy.stopped", None)
    alert = Alert.objects.get(queue=queue)
    assert (alert.kind, alert.key, alert.level, alert.began_at) == ("canary", "policy:2", "act", NOON)
    assert alert.figures["sign"] == sign.value
    assert guard.watch(at) == 0  # it runs no more


def test_what_was_meant_to_change_may(queue: Queue) -> None:
    """Half as many again are HARD: more than before for certain, and within the factor of 2 that was allowed."""
    routed(queue, "live", 2000, "hard")
    routed(queue, "live", 8000, "pass")
    routed(queue, "canary", 300, "hard")
    routed(queue, "canary", 700, "pass")
    assert stands(queue)[Sign.HARD].verdict == Verdict.SOUND


def test_too_little_is_not_judged(queue: Queue) -> None:
    routed(queue, "live", 1000, "pass")
    routed(queue, "canary", 99, "hard")
    assert stands(queue)[Sign.HARD].verdict == Verdict.WAITING


def test_where_a_policy_leaves_all_to_people_shares_of_hard_are_not_compared(queue: Queue) -> None:
    publish.stop(policy=of(queue, "canary"), by=None, why="another", at=NOON)
    make_policy(queue, "canary", hard=None)
    routed(queue, "live", 500, "hard")
    routed(queue, "canary", 500, "soft")
    assert stands(queue)[Sign.HARD].verdict == Verdict.IDLE


def test_without_a_target_precision_is_not_judged(db: None) -> None:
    queue = make_queue()
    make_policy(queue, "canary")
    answered(routed(queue, "canary", 60, "control"), wrong=60)
    assert stands(queue)[Sign.PRECISION].verdict == Verdict.IDLE


def test_what_the_canary_could_not_have_routed_counts_for_neither(queue: Queue) -> None:
    routed(queue, "live", 7, "hard", failures=["output:model"])
    routed(queue, "live", 5, "hard", at=NOON + timedelta(seconds=1), failures=["missing:words"])
    assert stands(queue)[Sign.HARD].live == Count(5, 5)


def test_only_what_came_since_the_start_counts(queue: Queue) -> None:
    answered(routed(queue, "live", 5, "soft", at=NOON - timedelta(minutes=1)), wrong=1)
    answered(routed(queue, "live", 3, "soft", at=NOON + timedelta(minutes=1)), wrong=1)
    found = stands(queue)
    assert found[Sign.HARD].live == Count(0, 3)
    assert found[Sign.OVERRIDES].live == Count(1, 3)


def test_a_canary_that_is_started_again_begins_anew(queue: Queue) -> None:
    routed(queue, "canary", 5, "hard")
    assert stands(queue)[Sign.HARD].canary.of == 5
    policy = of(queue, "canary")
    publish.stop(policy=policy, by=None, why="a pause", at=NOON + timedelta(hours=2))
    publish.canary(policy=policy, share=0.5, by=None, why="again", at=NOON + timedelta(hours=3))
    assert stands(queue, NOON + timedelta(hours=4))[Sign.HARD].canary.of == 0


def test_hours_are_counted_once_however_often_one_counts(queue: Queue) -> None:
    for hours in range(5):
        routed(queue, "canary", 10, "hard", at=NOON + timedelta(hours=hours, minutes=30))
        assert stands(queue, NOON + timedelta(hours=hours + 1))[Sign.HARD].canary == Count(
            10 * hours + 10, 10 * hours + 10
        )
    counted = Rollup.objects.filter(queue=queue, figure=trials.ROUTED, key__endswith=":of")
    assert list(counted.order_by("at").values_list("value", flat=True)) == [10.0] * 5


def test_an_alert_and_the_stop_are_one_step(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    too_many_hard(queue)

    def killed(**_said: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("decisions.routing.publish.stop", killed)
    with pytest.raises(KeyboardInterrupt):
        guard.watch(NOON + timedelta(hours=1))
    assert not Alert.objects.exists()
    assert of(queue, "canary").canary_share == 0.5


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),  # nothing seen
        (0, 100, 0.0, 0.0785),
        (100, 100, 0.9215, 1.0),
        (50, 100, 0.3096, 0.6904),
    ],
)
def test_limits_that_hold_at_all_times(hits: int, of: int, low: float, high: float) -> None:
    assert guard.at_all_times(hits, of) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.7])
def test_they_miss_as_seldom_as_they_say_however_often_one_looks(share: float) -> None:
    """Looked at after every item, at an alpha at which misses can be counted."""
    draws = np.random.default_rng(20_261_122).random((200, 1500)) < share
    missed = 0
    for path in np.cumsum(draws, axis=1):
        looks = [
            guard.at_all_times(int(path[n - 1]), n, alpha=0.1) for n in (10, 20, 40, 80, 150, 300, 600, 1000, 1500)
        ]
        missed += any(not low <= share <= high for low, high in looks)
    assert missed / len(draws) <= 0.1


def test_from_intake_to_the_stop(db: None) -> None:
    """A cut that was typed wrong: what arrives is routed by it for a while, then by the live policy again."""
    queue, sender = make_queue(), make_user()
    make_policy(queue, "canary", share=0.3, hard=0.35, suggest=0.35)

    def send(first: int, count: int, at: datetime) -> set[int]:
        lines = [
            orjson.dumps({"external_id": f"m-{i}", "payload": {"text": "hello"}, "score": (i * 37 % 100) / 100})
            for i in range(first, first + count)
        ]
        batch = submit.many(queue=live.of(queue.slug), lines=parse.many(b"\n".join(lines)), sender=sender, at=at)
        return {result["policy_version"] for result in batch.results}

    assert send(0, 200, NOON + timedelta(minutes=1)) == {1, 2}
    assert guard.watch(NOON + timedelta(minutes=2)) == 0  # too little yet
    send(200, 600, NOON + timedelta(minutes=3))
    assert guard.watch(NOON + timedelta(minutes=4)) == 1
    assert send(800, 100, NOON + timedelta(minutes=5)) == {1}
    assert "more than a factor of 2 apart" in PolicyChange.objects.latest("pk").why


def verdicts(hard: tuple[float, float], draws: int, seed: int) -> list[int | None]:
    """Watch canaries of a tenth of the traffic with these shares of HARD; return after how many of its items each fell.

    None: it never did, over 40 looks at up to 2,000 items of its own.
    """
    rng, policies = np.random.default_rng(seed), {"hard": 0.9, "soft": 0.3}
    canary, live = Policy(no=2, canary_factor=2.0, **policies), Policy(no=1, **policies)
    found: list[int | None] = []
    for _ in range(draws):
        mine, theirs = rng.binomial(50, hard[0], 40).cumsum(), rng.binomial(450, hard[1], 40).cumsum()
        fell = None
        for look in range(40):
            counts = (Count(int(mine[look]), 50 * (look + 1)), Count(int(theirs[look]), 450 * (look + 1)))
            trial = trials.Trial(canary, live, PolicyChange(at=NOON), NOON, counts, (Count(), Count()))
            if guard._hard(trial).verdict == Verdict.FAILED:
                fell = counts[0].of
                break
        found.append(fell)
    return found


# shares of HARD of the canary and the live policy: the same, and just as far apart as the factor allows
@pytest.mark.parametrize("hard", [(0.05, 0.05), (0.2, 0.1), (0.1, 0.2)])
def test_a_canary_within_its_bounds_is_hardly_ever_stopped_by_chance(hard: tuple[float, float]) -> None:
    fell = verdicts(hard, draws=150, seed=7)
    assert sum(after is not None for after in fell) <= 1


def test_one_far_out_of_its_bounds_is_stopped_soon() -> None:
    fell = verdicts((0.4, 0.1), draws=100, seed=11)
    assert None not in fell
    assert np.quantile([after for after in fell if after], 0.9) <= 400
