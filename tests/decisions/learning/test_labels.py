"""Labels: each ruling of people becomes one when its window ends, numbered without gaps by one writer at a time."""

from datetime import timedelta

import orjson
import pytest

from decisions.learning import labels
from decisions.models import Event, Item, Label, PendingLabel, Ruling, User
from decisions.work import decide, rule
from decisions.work.answer import Answer
from tests.decisions.effects.world import make_ruling
from tests.decisions.work.makers import HAM, SPAM, answered, control_task, desk, hard_item, passed_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

SECOND = timedelta(seconds=1)
LATER = timedelta(days=365)
pytestmark = pytest.mark.django_db


def final(ruling: Ruling) -> Ruling:
    """Let a ruling wait to become a label."""
    assert labels.plan(ruling)
    return ruling


def fed() -> list[Label]:
    """Feed all that waits; return all labels by number."""
    labels.feed_due(NOON + LATER)
    return list(Label.objects.order_by("no"))


def test_a_ruling_becomes_a_label_when_its_window_ends_and_not_before() -> None:
    ruling = final(make_ruling(make_item(make_queue()), NOON))
    assert labels.feed_due(ruling.final_at - SECOND) == 0
    assert labels.feed_due(ruling.final_at) == 1
    label = Label.objects.get()
    assert (label.no, label.ruling_id, label.outcome, label.ruled_at) == (1, ruling.pk, "spam", NOON)
    assert label.at == ruling.final_at
    assert labels.feed_due(ruling.final_at) == 0
    assert not PendingLabel.objects.exists()


@pytest.mark.parametrize(("truth", "value"), [("positive", 1), ("negative", 0), ("none", None)])
def test_the_value_follows_from_the_truth_of_the_outcome(truth: str, value: int | None) -> None:
    final(make_ruling(make_item(make_queue()), NOON, truth=truth))
    assert fed()[0].value == value


def test_numbers_have_no_gaps_over_batches_and_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "BATCH", 3)
    queues = [make_queue(), make_queue()]
    for number in range(10):
        final(make_ruling(make_item(queues[number % 2]), NOON + number * SECOND))
    made = fed()
    assert [label.no for label in made] == list(range(1, 11))
    assert [label.ruled_at for label in made] == [NOON + number * SECOND for number in range(10)]


def test_a_batch_leaves_one_event_a_queue_that_speaks_of_its_labels() -> None:
    queues = [make_queue(), make_queue()]
    for number in range(6):
        final(make_ruling(make_item(queues[number % 2]), NOON))
    made = fed()
    for queue in queues:
        event = Event.objects.get(chain=queue.pk, kind=Event.Kind.LABELS_FED)
        mine = [label for label in made if label.queue_id == queue.pk]
        entry = orjson.loads(event.entry)
        assert (entry["first"], entry["last"], entry["count"]) == (mine[0].no, mine[-1].no, 3)
        assert [pk for _, pk, _ in entry["rows"]] == [label.pk for label in mine]


def test_a_later_ruling_before_the_first_is_final_makes_both_labels_and_the_later_replaces_the_first() -> None:
    item = make_item(make_queue())
    final(make_ruling(item, NOON))
    final(make_ruling(item, NOON + SECOND, truth="negative", outcome="ham", source=Ruling.Source.OVERRIDE))
    first, second = fed()
    assert (first.value, second.value) == (1, 0)
    assert (first.replaces_id, second.replaces_id) == (None, first.pk)


def test_a_label_replaces_the_latest_one_of_its_item_also_over_batches() -> None:
    item = make_item(make_queue())
    for number in range(3):
        final(make_ruling(item, NOON + number * SECOND))
        fed()
    made = fed()
    assert [label.replaces_id for label in made] == [None, made[0].pk, made[1].pk]


def test_an_undone_ruling_never_becomes_a_label_and_a_fed_one_cannot_be_withdrawn() -> None:
    undone, kept = (final(make_ruling(make_item(make_queue()), NOON)) for _ in range(2))
    assert labels.withdraw(undone)
    assert [label.ruling_id for label in fed()] == [kept.pk]
    assert not labels.withdraw(kept)
    assert labels.withdraw(undone)  # nothing is left that could become one


def test_neither_an_undo_nor_the_expiry_rule_teaches_anything() -> None:
    item = make_item(make_queue())
    assert labels.plan(make_ruling(item, NOON, source=Ruling.Source.EXPIRY)) is None
    assert labels.plan(make_ruling(item, NOON, source=Ruling.Source.UNDO, outcome="", truth="none")) is None


def test_decisions_of_people_become_labels_with_purpose_and_propensity() -> None:
    queue, person = desk()
    make_task(queue)
    answered(person, queue, SPAM)
    control_task(queue)
    answered(person, queue, HAM)
    labels.feed_due(NOON + LATER * 2)
    got = Label.objects.order_by("no").values_list("provenance", "propensity", "value")
    assert list(got) == [("soft", 1.0, 1), ("control", 0.1, 0)]


def test_what_a_simulated_person_decides_says_so() -> None:
    queue, _ = desk()
    robot = make_user("reviewer", queue, kind=User.Kind.SIMULATED)
    make_task(queue, make_item(queue, source="demo"))
    answered(robot, queue)
    labels.feed_due(NOON + LATER * 2)
    assert Label.objects.get().provenance == "simulated"


def test_an_override_of_what_no_draw_showed_has_no_propensity() -> None:
    queue, lead = desk("lead")
    for item in (hard_item(queue), passed_item(queue)):
        outcome = "ham" if item.route == "hard" else "spam"
        rule.override(item_id=item.pk, person=lead, answer=Answer(outcome, "content"))
    labels.feed_due(NOON + LATER * 2)
    assert list(Label.objects.values_list("provenance", "propensity")) == [("override", None)] * 2


def test_an_override_of_a_decision_keeps_the_propensity_with_which_people_saw_the_item() -> None:
    queue, lead = desk("lead")
    task = control_task(queue)
    answered(make_user("reviewer", queue), queue, SPAM)
    rule.override(item_id=task.item_id, person=lead, answer=HAM)
    labels.feed_due(NOON + LATER * 2)
    got = Label.objects.order_by("no").values_list("provenance", "propensity", "value")
    assert list(got) == [("control", 0.1, 1), ("override", 0.1, 0)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"route": "soft"}, "soft"),  # an escalation has the last word on what came because of its score
        ({"route": "soft", "band": "hard", "reason": "control"}, "control"),
        ({"route": "pass", "band": "pass"}, "audit"),
        ({"route": "hard", "band": "hard"}, "override"),
    ],
)
def test_an_escalation_s_label_says_why_the_item_had_come_before_people(fields: dict[str, str], expected: str) -> None:
    item = Item(**fields)
    assert labels._of_route(item) == expected


def test_an_undone_decision_leaves_no_label_and_the_next_one_does() -> None:
    queue, person = desk()
    make_task(queue)
    first = answered(person, queue, SPAM)
    rule.undo(decision_id=first.pk, person=person)
    task = first.task
    task.refresh_from_db()
    decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=HAM)
    labels.feed_due(NOON + LATER * 2)
    assert [label.value for label in Label.objects.all()] == [0]
