"""How far the people of a queue lean on suggestions, read from what is stored."""

from typing import Any

import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid
from decisions.measure import trust
from decisions.measure.proposals import Kind
from decisions.models import Decision, Event, Item, Move, ProposalAnswer, Queue, Ruling, Task, User
from decisions.work import gold, proposed
from tests.decisions.measure.measured import DAY, HOUR, NEGATIVE, POSITIVE
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db

START = NOON - DAY * 10


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON)


def decided(
    queue: Queue, outcome: str, person: User, *, purpose: str = "soft", item: Item | None = None, **fields: Any
) -> Decision:
    """Store a closed task and its decision; the suggestion was positive and shown unless said otherwise."""
    score = fields.pop("score", 0.6)
    item = item or make_item(
        queue,
        arrived_at=NOON - DAY,
        score=score,
        p=score,
        segment=fields.pop("segment", ""),
        value=fields.pop("value", None),
    )
    task = make_task(queue, item, purpose=purpose, state=Task.State.DECIDED, parent=fields.pop("parent", None))
    given = {"suggested": POSITIVE, "was_shown": purpose == "soft", "active_seconds": 30.0, "at": NOON - HOUR, **fields}
    return Decision.objects.create(
        queue=queue,
        item=item,
        task=task,
        round=1,
        purpose=purpose,
        queue_version=item.queue_version,
        person=person,
        outcome=outcome,
        claimed_at=NOON - HOUR,
        **given,
    )


def of_queue(queue: Queue, role: str = "lead") -> trust.Trust:
    return trust.of_queue(queue, make_user(role, queue), START, NOON, at=NOON)


def test_agreement_is_told_shown_and_hidden_and_of_what_is_known_wrong() -> None:
    queue, ann, ben = make_queue(), make_user(name="Ann"), make_user(name="Ben")
    for k in range(6):
        first = decided(queue, POSITIVE, ann)
        decided(queue, POSITIVE if k < 4 else NEGATIVE, ben, purpose="second", item=first.item, parent=first.task)
        if k >= 4:
            Ruling.objects.create(
                queue=queue,
                item=first.item,
                no=1,
                outcome=NEGATIVE,
                truth="negative",
                source="adjudication",
                at=NOON - HOUR,
                final_at=NOON - HOUR,
            )
    decided(queue, "unclear", ann)
    found = of_queue(queue)
    assert (found.whole.shown.hits, found.whole.shown.n) == (6, 6)
    assert (found.whole.hidden.hits, found.whole.hidden.n) == (4, 6)
    assert (found.whole.followed_shown.hits, found.whole.followed_shown.n) == (2, 2)
    assert (found.whole.followed_hidden.hits, found.whole.followed_hidden.n) == (0, 2)
    assert (found.whole.errors.hits, found.whole.errors.n) == (4, 12)
    assert found.whole.warnings == ()
    assert found.people is not None
    assert [(str(one.user), one.reliance.shown.n) for one in found.people] == [("Ann", 6), ("Ben", 0)]
    assert sum(one.shown.n + one.hidden.n for one in found.moments) == found.decisions == 12


def test_lines_of_people_are_for_leads_and_for_themselves() -> None:
    queue = make_queue()
    ann = make_user("reviewer", queue)
    decided(queue, POSITIVE, ann), decided(queue, NEGATIVE, make_user())
    assert of_queue(queue, "manager").people is None
    assert of_queue(queue, "manager").signals.people is None
    assert trust.of_person(queue, ann, START, NOON, at=NOON).shown.n == 1
    with pytest.raises(Forbidden):
        trust.of_person(queue, make_user("auditor", queue), START, NOON, at=NOON)


def test_reasons_carry_the_money_of_the_value_formula() -> None:
    queue = make_queue()
    decided(queue, NEGATIVE, make_user(), reason="content", value=50.0, segment="north")
    (one,) = of_queue(queue).reasons
    assert (one.code, one.n, one.segment) == ("content", 1, "north")
    assert one.money == pytest.approx(0.0)  # a false positive costs nothing here
    decided(queue, POSITIVE, make_user(), reason="other", suggested=NEGATIVE, score=0.4, value=50.0)
    other = next(one for one in of_queue(queue).reasons if one.code == "other")
    assert other.money == pytest.approx(1 + 2 + 0.1 * 50)


def overrides_above_the_threshold(queue: Queue) -> str:
    person = make_user()
    for k in range(40):
        decided(queue, NEGATIVE if k < 36 else POSITIVE, person, reason="content", score=0.52)
    (told,) = of_queue(queue).proposals
    assert told.proposal.kind == Kind.THRESHOLD
    return told.proposal.key


def test_a_proposal_is_taken_up_or_dismissed_and_the_record_says_so() -> None:
    queue = make_queue()
    key = overrides_above_the_threshold(queue)
    manager = make_user("manager", queue)
    within = (START, NOON)
    asked: dict[str, Any] = {"queue": queue, "kind": "threshold", "key": key, "by": manager, "within": within}
    told = proposed.answer(is_taken=False, why="The threshold is set by law.", **asked)
    (one,) = of_queue(queue).proposals
    assert one.answer == told
    assert Event.objects.get(kind=Event.Kind.PROPOSAL_ANSWERED).actor == manager
    proposed.answer(is_taken=True, why="", **asked)
    assert of_queue(queue).proposals[0].answer == ProposalAnswer.objects.latest("pk")


def test_what_does_not_stand_or_lacks_a_reason_is_refused() -> None:
    queue = make_queue()
    key = overrides_above_the_threshold(queue)
    manager, lead = make_user("manager", queue), make_user("lead", queue)
    asked: dict[str, Any] = {"queue": queue, "kind": "threshold", "within": (START, NOON)}
    with pytest.raises(Invalid):
        proposed.answer(key=key, is_taken=False, why=" ", by=manager, **asked)
    with pytest.raises(Invalid):
        proposed.answer(key=key, is_taken=True, why="x" * 501, by=manager, **asked)
    with pytest.raises(Conflict):
        proposed.answer(key="0.5|0.9", is_taken=True, why="", by=manager, **asked)
    with pytest.raises(Forbidden):
        proposed.answer(key=key, is_taken=True, why="", by=lead, **asked)
    assert not ProposalAnswer.objects.exists()


def test_signals_are_counted_by_item_and_person_and_never_of_what_is_open() -> None:
    queue, ann = make_queue(), make_user(name="Ann")
    one = decided(queue, POSITIVE, ann, note="odd")
    Move.objects.create(task=one.task, kind=Move.Kind.SKIPPED, person=ann, at=NOON - HOUR)
    Move.objects.create(task=one.task, kind=Move.Kind.HELD, person=ann, at=NOON - HOUR)
    still = decided(queue, POSITIVE, ann, note="odd too")
    make_task(queue, still.item, purpose="audit")
    decided(queue, POSITIVE, ann)
    found = of_queue(queue).signals
    assert found.of == 2
    (item,) = found.items
    assert (item.pk, item.skips, item.holds, item.notes, item.seconds) == (one.item_id, 1, 1, 1, 30.0)
    assert found.people is not None
    (person,) = found.people
    assert (person.user, person.decisions, person.skips, person.holds, person.notes) == (ann, 3, 1, 1, 2)


def test_gold_answers_tell_of_suggestions_that_were_not_shown() -> None:
    queue = make_queue()
    lead, ann = make_user("lead", queue), make_user()
    item = decided(queue, NEGATIVE, make_user()).item
    Ruling.objects.create(
        queue=queue,
        item=item,
        no=1,
        outcome=NEGATIVE,
        truth="negative",
        source="decision",
        at=NOON - HOUR,
        final_at=NOON - HOUR,
    )
    gold.mark(item_id=item.pk, outcome=NEGATIVE, reason="clear", person=lead)
    decided(queue, POSITIVE, ann, purpose="gold", item=item)
    found = of_queue(queue).whole
    assert (found.followed_hidden.hits, found.followed_hidden.n) == (1, 1)


def test_only_the_newest_decisions_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "MOST", 2)
    queue, ann = make_queue(), make_user()
    for k in range(3):
        decided(queue, POSITIVE, ann, at=NOON - HOUR * (k + 1))
    found = of_queue(queue)
    assert (found.decisions, found.start) == (2, NOON - HOUR * 2)


def test_a_queue_without_decisions_has_nothing_to_say() -> None:
    found = of_queue(make_queue())
    assert (found.decisions, found.reasons, found.proposals, found.people) == (0, (), (), ())
