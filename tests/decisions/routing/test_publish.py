"""One policy a queue is live; what it was, who changed it and why stays."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from decisions import people
from decisions.exceptions import Conflict, Forbidden, Invalid
from decisions.models import Event, ModelVersion, Policy, PolicyChange, Queue
from decisions.routing import publish
from decisions.routing.publish import Changes
from tests.databases import Clone
from tests.factories import NOON, make_queue, make_user

LATER = NOON + timedelta(hours=1)


def draft(queue: Queue, hard: float = 0.95) -> Policy:
    return publish.draft(queue=queue, changes={"hard": hard}, by=None, why="fewer mistakes", at=NOON)


def last_event(queue: Queue) -> Event:
    return Event.objects.filter(chain=queue.pk).latest("seq")


@pytest.mark.django_db
def test_a_draft_is_the_live_policy_with_its_changes() -> None:
    queue, by = make_queue(), make_user("manager")
    policy = publish.draft(
        queue=queue, changes={"hard": 0.95, "control_share": 0.2}, by=by, why="fewer mistakes", at=NOON
    )
    assert (policy.no, policy.state, policy.hard, policy.soft) == (2, Policy.State.DRAFT, 0.95, 0.3)
    assert (policy.control_share, policy.author, policy.objective) == (0.2, by, "Keep the mail box clean")
    event = last_event(queue)
    entry = orjson.loads(event.entry)
    assert (event.kind, event.actor) == ("policy.drafted", by)
    assert (entry["before"]["hard"], entry["after"]["hard"]) == (0.9, 0.95)


@pytest.mark.django_db
def test_a_new_model_comes_without_the_old_calibration() -> None:
    queue = make_queue()
    calibrated = publish.draft(
        queue=queue, changes={"calibration": {"id": "c1", "slope": 1.1, "intercept": 0.2}}, by=None, why="x", at=NOON
    )
    publish.publish(policy=calibrated, by=None, why="x", at=NOON)
    model = ModelVersion.objects.create(queue=queue, name="m2", kind="pipeline", app_version="t", created_at=NOON)
    assert draft(queue).calibration["id"] == "c1"
    assert publish.draft(queue=queue, changes={"model": model}, by=None, why="new model", at=NOON).calibration == {}


# what the draft changes, and the field that is refused
UNFIT: list[tuple[Changes, str]] = [
    ({"hard": 1.5}, "hard"),  # above the model's range
    ({"soft": -0.5}, "soft"),  # below it
    ({"hard": 0.4}, "suggest"),  # hard below suggest
    ({"soft": 0.6}, "soft"),  # soft above suggest
    ({"control_share": 1.5}, "control_share"),  # more than everything
]


@pytest.mark.django_db
@pytest.mark.parametrize(("changes", "field"), UNFIT)
def test_unfit_cuts_are_refused(changes: Changes, field: str) -> None:
    queue = make_queue()
    with pytest.raises(Invalid) as caught:
        publish.draft(queue=queue, changes=changes, by=None, why="try", at=NOON)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert Policy.objects.filter(queue=queue).count() == 1


@pytest.mark.django_db
def test_publishing_retires_the_live_policy_and_leaves_one_event_and_one_fact() -> None:
    queue, by = make_queue(), make_user("manager")
    before = Event.objects.count()
    policy = draft(queue)
    change = publish.publish(policy=policy, by=by, why="checked on March", at=LATER)
    first = Policy.objects.get(queue=queue, no=1)
    assert (first.state, first.retired_at) == (Policy.State.RETIRED, LATER)
    assert (policy.state, policy.live_at) == (Policy.State.LIVE, LATER)
    assert (change.replaced, change.person, change.why) == (first, by, "checked on March")
    assert Event.objects.count() == before + 2  # drafted, published
    assert last_event(queue).kind == "policy.published"


@pytest.mark.django_db
def test_rolling_back_makes_the_earlier_policy_live_again() -> None:
    queue = make_queue()
    policy = draft(queue)
    publish.publish(policy=policy, by=None, why="checked", at=NOON)
    change = publish.roll_back(queue=queue, by=None, why="too strict", at=LATER)
    live = Policy.objects.live().get(queue=queue)
    assert (live.no, live.hard, live.live_at, live.retired_at) == (1, 0.9, LATER, None)
    assert (change.kind, change.policy, change.replaced) == (PolicyChange.Kind.ROLLED_BACK, live, policy)
    assert Policy.objects.filter(queue=queue).count() == 2
    assert last_event(queue).kind == "policy.rolled_back"


@pytest.mark.django_db
def test_one_can_go_back_further() -> None:
    queue = make_queue()
    for hard in (0.95, 0.97):
        publish.publish(policy=draft(queue, hard), by=None, why="stricter", at=NOON)
    publish.roll_back(queue=queue, to=Policy.objects.get(queue=queue, no=1), by=None, why="both were wrong", at=LATER)
    assert Policy.objects.live().get(queue=queue).no == 1


@pytest.mark.django_db
def test_without_an_earlier_policy_there_is_no_way_back() -> None:
    with pytest.raises(Conflict, match="no earlier policy"):
        publish.roll_back(queue=make_queue(), by=None, why="back", at=NOON)


@pytest.mark.django_db
def test_another_queues_policy_is_no_way_back() -> None:
    queue, other = make_queue(), make_queue()
    publish.publish(policy=draft(other), by=None, why="stricter", at=NOON)
    with pytest.raises(Conflict):
        publish.roll_back(queue=queue, to=Policy.objects.get(queue=other, no=1), by=None, why="back", at=NOON)


@pytest.mark.django_db
def test_only_a_draft_is_published() -> None:
    queue = make_queue()
    with pytest.raises(Conflict), transaction.atomic():
        publish.publish(policy=Policy.objects.get(queue=queue), by=None, why="again", at=NOON)
    assert Policy.objects.live().filter(queue=queue).exists()


@pytest.mark.django_db
def test_a_reason_is_needed() -> None:
    policy = draft(make_queue())
    with pytest.raises(Invalid) as caught:
        publish.publish(policy=policy, by=None, why=" ", at=NOON)
    assert caught.value.faults[0].field == "why"


@pytest.mark.django_db
def test_a_queue_whose_owner_left_publishes_nothing() -> None:
    owner = make_user("manager")
    policy = draft(make_queue(owner=owner.email))
    people.deactivate(user=owner, by=None, at=NOON)
    with pytest.raises(Conflict, match="no owner"):
        publish.publish(policy=policy, by=None, why="checked", at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["reviewer", "lead", "auditor", "admin"])
def test_only_managers_change_policies(role: str) -> None:
    queue = make_queue()
    by, policy = make_user(role), draft(queue)
    with pytest.raises(Forbidden):
        publish.draft(queue=queue, changes={}, by=by, why="x", at=NOON)
    with pytest.raises(Forbidden):
        publish.publish(policy=policy, by=by, why="x", at=NOON)
    with pytest.raises(Forbidden):
        publish.roll_back(queue=queue, by=by, why="x", at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["hard", "soft", "control_share"])
def test_thresholds_never_change(column: str) -> None:
    policy = draft(make_queue())
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        Policy.objects.filter(pk=policy.pk).update(**{column: 0.5})


def test_of_two_who_publish_at_once_the_second_replaces_the_first(committed_db: Clone) -> None:
    queue = make_queue()
    first, second = draft(queue, 0.95), draft(queue, 0.97)

    def publish_second() -> PolicyChange:
        try:
            return publish.publish(policy=second, by=None, why="second", at=LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            publish.publish(policy=first, by=None, why="first", at=NOON)
            waiting = pool.submit(publish_second)  # it waits for the lock: the first is not committed yet
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        change = waiting.result(timeout=5)
    assert change.replaced == first
    assert Policy.objects.live().get(queue=queue) == second
