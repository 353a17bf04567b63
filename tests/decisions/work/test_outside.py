"""Words from outside: what they make hold, what they teach, and what they leave alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from decisions.exceptions import Conflict
from decisions.intake.parse import Bad
from decisions.learning import labels
from decisions.models import Action, Event, Evidence, Item, Label, PendingLabel, Queue, Ruling, Task
from decisions.queues import live
from decisions.record import deep, erase, history, log
from decisions.record.history import What
from decisions.work import outside, rule, said
from decisions.work.answer import Answer
from decisions.work.outside import Told
from tests.decisions.work.makers import HAM, SPAM, answered, decided_item, desk, hard_item, passed_item, rulings
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=3650)


def word(item: Item, **changes: Any) -> dict[str, Any]:
    about = {"queue": item.queue.slug, "external_id": item.external_id}
    return {**about, "outcome": "spam", "source": "crm", "occurred_at": "2026-03-09T12:00:00Z", **changes}


def feedback(item: Item, **changes: Any) -> dict[str, Any]:
    return {"right": False, **word(item, kind="feedback"), **changes, "outcome": None}


def tell(queue: Queue, *words: dict[str, Any]) -> Told:
    """Tell words as the queue's own system does."""
    lines = said.many(b"\n".join(orjson.dumps({k: v for k, v in one.items() if v is not None}) for one in words))
    return outside.tell(queues={queue.slug: live.of(queue.slug)}, lines=lines, by=make_user("manager", queue))


def test_a_truth_replaces_what_held_and_becomes_a_label() -> None:
    queue, _person = desk(undo=timedelta(0))
    item = decided_item(queue, HAM)
    labels.feed_due(LATER)
    (result,) = tell(queue, word(item, note="It was fraud")).results
    assert rulings(item) == [(1, "ham", "decision"), (2, "spam", "outside")]
    ruling = Ruling.objects.get(pk=result["ruling"])
    assert (ruling.was, ruling.person, ruling.is_override, ruling.is_reversal) == ("ham", None, False, True)
    labels.feed_due(LATER)
    first, second = Label.objects.order_by("no")
    assert (second.value, second.provenance, second.propensity, second.replaces) == (1, "outside", None, first)
    assert second.is_correction
    event = Event.objects.get(kind="evidence.told")
    assert event.item == item
    assert orjson.loads(event.entry) | {"rows": []} == {"truths": 1, "feedback": 0, "rulings": 1, "rows": []}
    assert "fraud" not in event.entry
    assert [str(bad) for bad in deep.verify() if bad.table in ("decisions_evidence", "decisions_ruling")] == []


def test_the_same_again_is_a_duplicate_and_another_outcome_a_new_ruling() -> None:
    queue = make_queue()
    item = passed_item(queue)
    (first,) = tell(queue, word(item)).results
    again = tell(queue, word(item), word(item))
    assert [(one["duplicate"], one["id"], one["ruling"]) for one in again.results] == [
        (True, first["id"], first["ruling"])
    ] * 2
    assert again.accepted == 0
    tell(queue, word(item, outcome="ham"))
    tell(queue, word(item, note="with a note"))
    tell(queue, word(item, reference="again"))
    assert [row[1] for row in rulings(item)] == ["spam", "ham", "spam", "spam"]
    assert Event.objects.filter(kind="evidence.told").count() == 4


def test_two_of_one_item_in_one_call_follow_each_other() -> None:
    queue = make_queue()
    item, other = passed_item(queue), passed_item(queue)
    told = tell(queue, word(item), word(other), word(item), word(item, outcome="ham"))
    assert [one["duplicate"] for one in told.results] == [False, False, True, False]
    assert rulings(item) == [(1, "spam", "outside"), (2, "ham", "outside")]
    second = Ruling.objects.get(item=item, no=2)
    assert (second.replaces and second.replaces.no, second.was) == (1, "spam")
    assert PendingLabel.objects.count() == 3


def test_a_value_means_what_the_routes_stand_for() -> None:
    queue = make_queue()
    item, other = passed_item(queue), passed_item(queue)
    tell(queue, word(item, outcome=None, value=1), word(other, outcome=None, value=0))
    assert (rulings(item)[0][1], rulings(other)[0][1]) == ("spam", "ham")


def test_a_truth_of_an_earlier_time_that_comes_later_is_kept_and_changes_nothing() -> None:
    queue = make_queue()
    item = passed_item(queue)
    tell(queue, word(item))
    (late,) = tell(queue, word(item, outcome="ham", occurred_at="2026-03-08T12:00:00Z")).results
    assert late["ruling"] is None
    assert rulings(item) == [(1, "spam", "outside")]
    assert Evidence.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"external_id": "no-such"}, "external_id", "unknown"),
        ({"queue": "no-such"}, "queue", "unknown"),
        ({"outcome": "eggs"}, "outcome", "choice"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at", "future"),
    ],
)
def test_what_cannot_be_is_told_by_line_and_holds_up_nothing(changes: dict[str, Any], field: str, code: str) -> None:
    queue = make_queue()
    item, other = passed_item(queue), passed_item(queue)
    told = tell(queue, word(item), word(item, **changes), word(other))
    assert [(bad.line, bad.faults[0].field, bad.code) for bad in told.bad] == [(2, field, code)]
    assert [one["line"] for one in told.results] == [1, 3]


def test_an_erased_item_takes_nothing_more_and_erasing_takes_the_note() -> None:
    queue = make_queue()
    item = passed_item(queue)
    tell(queue, word(item, note="Mr Smith told us"))
    admin = make_user("admin", queue)
    erase.erase(item_id=item.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=NOON)
    assert Evidence.objects.get().note == ""
    (bad,) = tell(queue, word(item, outcome="ham")).bad
    assert bad.code == "erased"


def test_a_truth_causes_no_action_and_leaves_waiting_work_alone() -> None:
    queue = make_queue()
    item = hard_item(queue)
    planned = Action.objects.create(
        queue=queue, item=item, name="quarantine", due_at=NOON, next_at=NOON, created_at=NOON, body=b"{}"
    )
    task = make_task(queue, make_item(queue))
    tell(queue, word(item, outcome="ham"), word(task.item))
    planned.refresh_from_db()
    task.refresh_from_db()
    assert (planned.state, task.state) == ("pending", "waiting")
    assert Action.objects.count() == 1


def test_where_the_queue_says_so_a_truth_acts_and_closes_what_waits() -> None:
    queue = make_queue(outside_acts=True)
    item = hard_item(queue)
    planned = Action.objects.create(
        queue=queue, item=item, name="quarantine", due_at=NOON, next_at=NOON, created_at=NOON, body=b"{}"
    )
    task = make_task(queue, make_item(queue))
    tell(queue, word(item, outcome="ham"), word(task.item, outcome="spam"))
    planned.refresh_from_db()
    task.refresh_from_db()
    assert (planned.state, task.state) == ("cancelled", "cancelled")
    assert sorted(Action.objects.exclude(pk=planned.pk).values_list("name", flat=True)) == ["deliver", "quarantine"]
    assert Task.objects.get().moves.filter(kind="cancelled", reason="outside").exists()


def test_what_holds_already_is_not_done_again() -> None:
    queue = make_queue(outside_acts=True)
    item = hard_item(queue)
    tell(queue, word(item, outcome="spam"))
    assert not Action.objects.exists()


def test_its_label_comes_after_that_of_an_answer_that_can_still_be_undone() -> None:
    queue, _person = desk(undo=timedelta(hours=1))
    item = decided_item(queue, HAM)
    tell(queue, word(item))
    labels.feed_due(LATER)
    assert list(Label.objects.order_by("no").values_list("provenance", flat=True)) == ["soft", "outside"]


def test_an_answer_given_without_knowing_the_truth_does_not_take_its_place() -> None:
    queue, person = desk(undo=timedelta(0))
    item = make_item(queue)
    make_task(queue, item)
    tell(queue, word(item))
    answered(person, queue, HAM)
    labels.feed_due(LATER)
    assert rulings(item)[-1] == (2, "ham", "decision")
    assert list(Label.objects.values_list("provenance", flat=True)) == ["outside"]


def test_such_an_answer_can_be_undone() -> None:
    queue, person = desk(undo=timedelta(hours=1))
    item = make_item(queue)
    make_task(queue, item)
    tell(queue, word(item))
    decision = answered(person, queue, HAM)
    assert rule.undo(decision_id=decision.pk, person=person).outcome == "spam"


def test_an_override_corrects_a_truth() -> None:
    queue, lead = desk("lead", undo=timedelta(0))
    item = passed_item(queue)
    tell(queue, word(item))
    rule.override(item_id=item.pk, person=lead, answer=Answer("ham", "content"))
    labels.feed_due(LATER)
    last = Label.objects.order_by("-no")[0]
    assert (last.provenance, last.value, last.is_correction) == ("override", 0, True)


def test_what_end_users_say_is_kept_beside_and_rules_nothing() -> None:
    queue, _person = desk(undo=timedelta(0))
    item, done = decided_item(queue, SPAM), hard_item(queue)
    told = tell(queue, feedback(item), feedback(item, right=True, reference="u-2"), feedback(done), feedback(item))
    assert [one["duplicate"] for one in told.results] == [False, False, False, True]
    assert rulings(item) == [(1, "spam", "decision")]
    labels.feed_due(LATER)
    assert Label.objects.count() == 1
    rows = Evidence.objects.order_by("id").values_list("said", "held", "ruling__no")
    assert list(rows) == [("wrong", "spam", 1), ("right", "spam", 1), ("wrong", "spam", None)]


def test_nobody_can_say_whether_nothing_was_right() -> None:
    queue = make_queue()
    (bad,) = tell(queue, feedback(make_item(queue))).bad
    assert bad.code == "undecided"


def test_the_life_of_an_item_tells_of_it() -> None:
    queue = make_queue()
    item = passed_item(queue)
    tell(queue, word(item), feedback(item))
    steps = [step.row.kind for step in history.life(item) if step.what == What.HEARD]
    assert steps == ["truth", "feedback"]


def test_many_words_leave_an_event_for_each_five_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "PIECE", 2)
    queue = make_queue()
    items = [passed_item(queue) for _ in range(3)]
    tell(queue, *(word(item) for item in items))
    entries = [orjson.loads(event.entry) for event in Event.objects.filter(kind="evidence.told").order_by("seq")]
    assert [entry["truths"] for entry in entries] == [2, 1]


def test_somebody_who_rules_at_the_same_time_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    item = passed_item(queue)
    seen = log.now

    def ruled_meanwhile() -> datetime:
        Ruling.objects.create(
            queue=queue, item=item, no=1, outcome="ham", truth="negative", source="override", at=NOON, final_at=NOON
        )
        return seen()

    monkeypatch.setattr(log, "now", ruled_meanwhile)
    with pytest.raises(Conflict, match="same time"):
        tell(queue, word(item))


def test_words_on_other_items_are_taken_though_a_line_is_no_json() -> None:
    queue = make_queue()
    item = passed_item(queue)
    lines = [Bad(1, "", ()), *said.many(orjson.dumps(word(item)))]
    told = outside.tell(queues={queue.slug: live.of(queue.slug)}, lines=lines, by=make_user("manager", queue))
    assert (told.accepted, len(told.bad)) == (1, 1)
    assert Evidence.objects.get().occurred_at == datetime(2026, 3, 9, 12, tzinfo=UTC)
