"""Each step of a policy's life: from which states it leads, who may take it, and what it leaves in the record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from decisions import people
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Event, ModelVersion, Policy, PolicyChange, Queue, User
from decisions.routing import publish, terms
from decisions.routing.terms import Changes, Difference
from tests.databases import Clone
from tests.factories import NOON, make_policy, make_queue, make_user

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
    publish.approve(policy=calibrated, by=None, why="x", at=NOON)
    publish.publish(policy=calibrated, by=None, why="x", at=NOON)
    model = ModelVersion.objects.create(queue=queue, name="m2", kind="external", app_version="t", created_at=NOON)
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
    policy = make_policy(queue)
    before = Event.objects.count()
    change = publish.publish(policy=policy, by=by, why="checked on March", at=LATER)
    first = Policy.objects.get(queue=queue, no=1)
    assert (first.state, first.retired_at) == (Policy.State.RETIRED, LATER)
    assert (policy.state, policy.live_at) == (Policy.State.LIVE, LATER)
    assert (change.replaced, change.person, change.why) == (first, by, "checked on March")
    assert Event.objects.count() == before + 1
    assert last_event(queue).kind == "policy.published"


@pytest.mark.django_db
def test_rolling_back_makes_the_earlier_policy_live_again() -> None:
    queue = make_queue()
    policy = make_policy(queue, "live")
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
        make_policy(queue, "live", hard=hard)
    publish.roll_back(queue=queue, to=Policy.objects.get(queue=queue, no=1), by=None, why="both were wrong", at=LATER)
    assert Policy.objects.live().get(queue=queue).no == 1


@pytest.mark.django_db
def test_without_an_earlier_policy_there_is_no_way_back() -> None:
    with pytest.raises(Conflict, match="no earlier policy"):
        publish.roll_back(queue=make_queue(), by=None, why="back", at=NOON)


@pytest.mark.django_db
def test_another_queues_policy_is_no_way_back() -> None:
    queue, other = make_queue(), make_queue()
    make_policy(other, "retired")
    with pytest.raises(Conflict):
        publish.roll_back(queue=queue, to=Policy.objects.get(queue=other, no=1), by=None, why="back", at=NOON)


Do = Callable[[Policy, User | None], PolicyChange]
DO: dict[str, Do] = {
    "approve": lambda policy, by: publish.approve(policy=policy, by=by, why="w", at=LATER),
    "withdraw": lambda policy, by: publish.withdraw(policy=policy, by=by, why="w", at=LATER),
    "canary": lambda policy, by: publish.canary(policy=policy, share=0.2, by=by, why="w", at=LATER),
    "stop": lambda policy, by: publish.stop(policy=policy, by=by, why="w", at=LATER),
    "publish": lambda policy, by: publish.publish(policy=policy, by=by, why="w", at=LATER),
    "roll_back": lambda policy, by: publish.roll_back(queue=policy.queue, to=policy, by=by, why="w", at=LATER),
}
# step: where it leads from each state, `-` nowhere. Withdrawn: retired without ever having been live.
STEPS = """
            draft     approved  canary    live      retired   withdrawn
approve     approved  -         -         -         -         -
withdraw    retired   retired   retired   -         -         -
canary      -         canary    -         -         -         -
stop        -         -         approved  -         -         -
publish     -         live      live      -         -         -
roll_back   -         -         -         -         live      -
"""
FROM, *LINES = [line.split() for line in STEPS.strip().splitlines()]
CELLS = [(line[0], state, to) for line in LINES for state, to in zip(FROM, line[1:], strict=True)]
TOLD = {"approve": "approved", "withdraw": "withdrawn", "stop": "stopped", "publish": "published"}


@pytest.mark.django_db
@pytest.mark.parametrize(("step", "state", "to"), CELLS)
def test_every_step_from_every_state(step: str, state: str, to: str) -> None:
    queue, by = make_queue(), make_user("manager")
    policy = make_policy(queue, state)
    before, events = Policy.objects.get(pk=policy.pk), Event.objects.count()
    if to == "-":
        with pytest.raises(Conflict), transaction.atomic():
            DO[step](policy, by)
        assert Policy.objects.get(pk=policy.pk).state == before.state
        assert Event.objects.count() == events
        return
    change = DO[step](policy, by)
    assert (policy.state, Policy.objects.get(pk=policy.pk).state) == (to, to)
    assert (change.policy, change.person, change.why, change.at) == (policy, by, "w", LATER)
    told = TOLD.get(step, "rolled_back" if step == "roll_back" else step)
    assert (change.kind, last_event(queue).kind) == (told, f"policy.{told}")
    assert (Event.objects.count(), last_event(queue).actor) == (events + 1, by)
    assert Policy.objects.live().filter(queue=queue).count() == 1


def test_the_table_states_every_step_and_state() -> None:
    assert set(DO) == {line[0] for line in LINES}
    assert {kind.value for kind in publish.STEPS} == {kind.value for kind in PolicyChange.Kind}
    assert {*Policy.State, "withdrawn"} == set(FROM)


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["approve", "withdraw", "canary", "stop", "publish", "roll_back"])
def test_each_step_says_why(step: str) -> None:
    state = {"approve": "draft", "withdraw": "draft", "stop": "canary", "roll_back": "retired"}.get(step, "approved")
    policy = make_policy(make_queue(), state)
    also = {"share": 0.2} if step == "canary" else {}
    on = {"queue": policy.queue, "to": policy} if step == "roll_back" else {"policy": policy}
    with pytest.raises(Invalid) as caught:
        getattr(publish, step)(**on, **also, by=None, why=" ", at=NOON)
    assert caught.value.faults[0].field == "why"


@pytest.mark.django_db
@pytest.mark.parametrize(("step", "state"), [("publish", "approved"), ("canary", "approved"), ("roll_back", "retired")])
def test_a_queue_whose_owner_left_lets_no_policy_route(step: str, state: str) -> None:
    owner = make_user("manager")
    policy = make_policy(make_queue(owner=owner.email), state)
    people.deactivate(user=owner, by=None, at=NOON)
    with pytest.raises(Conflict, match="no owner"):
        DO[step](policy, None)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["reviewer", "lead", "auditor", "admin"])
@pytest.mark.parametrize("step", list(DO))
def test_only_managers_change_policies(role: str, step: str) -> None:
    queue = make_queue()
    by, policy = make_user(role), make_policy(queue, "retired" if step == "roll_back" else "draft")
    with pytest.raises(Forbidden) as caught:
        DO[step](policy, by)
    rights_of = {"withdraw": "draft_policy", "approve": "approve_policy", "stop": "roll_back_policy"}
    expected = {**rights_of, "roll_back": "roll_back_policy"}.get(step, "publish_policy")
    assert caught.value.right == expected
    with pytest.raises(Forbidden):
        publish.draft(queue=queue, changes={}, by=by, why="x", at=NOON)


@pytest.mark.django_db
def test_who_drafted_a_policy_does_not_approve_it() -> None:
    queue, author = make_queue(), make_user("manager")
    policy = publish.draft(queue=queue, changes={"hard": 0.95}, by=author, why="fewer mistakes", at=NOON)
    with pytest.raises(Forbidden, match="second person") as caught:
        publish.approve(policy=policy, by=author, why="mine", at=NOON)
    assert caught.value.right == "approve_policy"
    second = make_user("manager")
    assert publish.approve(policy=policy, by=second, why="read it", at=NOON).person == second
    assert publish.publish(policy=policy, by=author, why="agreed", at=LATER).person == author


@pytest.mark.django_db
def test_where_the_queue_needs_no_four_eyes_one_person_is_enough() -> None:
    queue, author = make_queue(four_eyes=False), make_user("manager")
    policy = publish.draft(queue=queue, changes={"hard": 0.95}, by=author, why="fewer mistakes", at=NOON)
    assert publish.approve(policy=policy, by=author, why="mine", at=NOON).person == author


@pytest.mark.django_db
def test_no_other_policy_goes_live_while_a_canary_runs() -> None:
    queue = make_queue()
    running, other = make_policy(queue, "canary"), make_policy(queue, hard=0.97)
    for step in ("publish", "canary"):
        with pytest.raises(Conflict, match="Policy 2 is running as a canary"), transaction.atomic():
            DO[step](other, None)
    DO["publish"](running, None)
    assert (running.state, running.canary_share, running.canary_factor) == ("live", 0, 0)
    DO["canary"](other, None)


@pytest.mark.django_db
def test_going_back_stops_the_canary_too() -> None:
    queue, by = make_queue(), make_user("manager")
    make_policy(queue, "live", hard=0.94)
    running = make_policy(queue, "canary")
    publish.roll_back(queue=queue, by=by, why="complaints", at=LATER)
    assert Policy.objects.live().get(queue=queue).no == 1
    assert Policy.objects.get(pk=running.pk).state == "approved"
    told = PolicyChange.objects.filter(queue=queue, at=LATER).order_by("pk").values_list("policy__no", "kind", "why")
    assert list(told) == [(3, "stopped", "complaints"), (1, "rolled_back", "complaints")]


@pytest.mark.django_db
def test_going_back_twice_goes_back_further() -> None:
    queue = make_queue()
    make_policy(queue, "withdrawn")
    for hard in (0.95, 0.97):
        make_policy(queue, "live", hard=hard)
    publish.roll_back(queue=queue, by=None, why="worse", at=LATER)
    assert Policy.objects.live().get(queue=queue).no == 3
    publish.roll_back(queue=queue, by=None, why="worse still", at=LATER)
    assert Policy.objects.live().get(queue=queue).no == 1
    with pytest.raises(Conflict, match="no earlier policy"):
        publish.roll_back(queue=queue, by=None, why="and on", at=LATER)


# share, factor, the fields that are refused
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("share", "factor", "fields"),
    [
        (0.0, 2.0, ["share"]),  # routes nothing
        (1.0, 2.0, ["share"]),  # routes everything: publish it
        (0.1, 1.0, ["factor"]),  # any difference would stop it
        (float("nan"), float("nan"), ["share", "factor"]),
    ],
)
def test_a_canary_has_a_share_and_a_factor(share: float, factor: float, fields: list[str]) -> None:
    policy = make_policy(make_queue())
    with pytest.raises(Invalid) as caught:
        publish.canary(policy=policy, share=share, factor=factor, by=None, why="w", at=NOON)
    assert [fault.field for fault in caught.value.faults] == fields


@pytest.mark.django_db
def test_the_record_says_what_a_canary_was_given() -> None:
    queue = make_queue()
    publish.canary(policy=make_policy(queue), share=0.1, factor=1.5, by=None, why="carefully", at=NOON)
    entry = orjson.loads(last_event(queue).entry)
    assert (entry["no"], entry["share"], entry["factor"]) == (2, 0.1, 1.5)


@pytest.mark.django_db
def test_a_policy_that_moved_since_it_was_seen_is_told() -> None:
    queue = make_queue()
    make_policy(queue, "canary")
    assert publish.numbered(queue, 2, "canary").no == 2
    with pytest.raises(Conflict, match="Reload"):
        publish.numbered(queue, 2, "approved")
    with pytest.raises(NotFound):
        publish.numbered(queue, 9)


@pytest.mark.django_db
def test_terms_that_differ() -> None:
    queue = make_queue()
    first = Policy.objects.get(queue=queue)
    assert terms.differences(first, make_policy(queue, hard=0.97, control_share=0.2)) == [
        Difference("hard", 0.9, 0.97),
        Difference("control_share", 0.1, 0.2),
    ]
    model = ModelVersion.objects.create(queue=queue, name="m2", kind="external", app_version="t", created_at=NOON)
    other = make_policy(queue, hard=0.9, model=model)
    assert terms.differences(first, other) == [Difference("model", "external", "m2")]


@pytest.mark.django_db
def test_a_step_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    make_policy(queue, "live", hard=0.94)
    make_policy(queue, "canary")
    before = list(Policy.objects.filter(queue=queue).order_by("no").values())
    count = PolicyChange.objects.count()

    def killed(kind: Event.Kind, **_said: object) -> None:
        if kind == Event.Kind.POLICY_ROLLED_BACK:
            raise KeyboardInterrupt

    monkeypatch.setattr("decisions.record.log.append", killed)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        publish.roll_back(queue=queue, by=None, why="complaints", at=LATER)
    assert list(Policy.objects.filter(queue=queue).order_by("no").values()) == before
    assert PolicyChange.objects.count() == count


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["hard", "soft", "control_share"])
def test_thresholds_never_change(column: str) -> None:
    policy = draft(make_queue())
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        Policy.objects.filter(pk=policy.pk).update(**{column: 0.5})


def overlapping(first: Callable[[], object], second: Callable[[], object]) -> object:
    """Take two steps at once: the second one waits for the first one's commit."""

    def elsewhere() -> object:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(elsewhere)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        return waiting.result(timeout=5)


def test_of_two_who_publish_at_once_the_second_replaces_the_first(committed_db: Clone) -> None:
    queue = make_queue()
    first, second = make_policy(queue), make_policy(queue, hard=0.97)
    overlapping(lambda: DO["publish"](first, None), lambda: DO["publish"](second, None))
    assert Policy.objects.live().get(queue=queue) == second
    assert PolicyChange.objects.latest("pk").replaced == first


# state, what is done first, what is done meanwhile by somebody who saw the same state, where that ends
@pytest.mark.parametrize(
    ("state", "first", "second", "end"),
    [
        ("draft", "approve", "approve", "approved"),  # two approvals
        ("canary", "stop", "publish", "approved"),  # stopped just before it was to go live
        ("canary", "publish", "stop", "live"),
        ("approved", "withdraw", "canary", "retired"),
        ("approved", "canary", "publish", "canary"),  # what was to go live is being tried
    ],
)
def test_of_two_steps_from_the_same_state_the_second_is_refused(
    committed_db: Clone, state: str, first: str, second: str, end: str
) -> None:
    policy = make_policy(make_queue(), state)
    seen = Policy.objects.get(pk=policy.pk)
    with pytest.raises(Conflict):
        overlapping(lambda: DO[first](policy, None), lambda: DO[second](seen, None))
    assert Policy.objects.get(pk=policy.pk).state == end
