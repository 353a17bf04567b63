"""Which task is next for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from decisions import people
from decisions.exceptions import Forbidden
from decisions.models import Exclusion, Item, Membership, Move, Queue, Task, User
from decisions.queues import live
from decisions.queues.spec import Crowd, Need
from decisions.record import log
from decisions.work import audits, claim, decide, mine, pick, sweep
from decisions.work.audits import Drawn
from tests.decisions.work.makers import HAM, answered, claimed, desk, moves
from tests.factories import NOON, make_item, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SUBJECT = "5" * 32


def skilled(queue: Queue, *skills: str) -> User:
    person = make_user("reviewer", queue)
    Membership.objects.filter(user=person).update(skills=list(skills))
    return person


def later(hours: float) -> dict[str, Any]:
    """Return the deadline of a task that is not urgent."""
    due = log.now() + timedelta(hours=hours)
    return {"due_at": due, "due_step": due}


def test_only_who_has_the_skills_is_given_an_item() -> None:
    queue, person = desk()
    french = skilled(queue, "language=fr", "law")
    both = make_task(queue, needs="language=fr\nlaw")
    plain = make_task(queue, due_step=NOON + 9 * HOUR)
    assert claimed(person, queue) == plain
    assert not mine.waits(person, queue)
    assert mine.waits(french, queue)
    assert claimed(french, queue) == both


def test_of_several_pools_the_most_urgent_head_comes_first() -> None:
    queue, lead = desk("lead")
    Membership.objects.filter(user=lead).update(skills=["a", "b"])
    order = [make_task(queue, due_step=NOON + n * HOUR, needs="ab"[n % 2], rank=(0, 1, 3)[n % 3]) for n in range(5)]
    assert claim.next_tasks(queue_id=queue.pk, person=lead, count=5) == order


def test_the_crowd_takes_what_the_spec_leaves_to_it() -> None:
    queue, helper = desk("crowd")
    make_task(queue)
    left = make_task(queue, rank=Task.Rank.CROWD, due_step=NOON + 30 * HOUR)
    assert claimed(helper, queue) == left
    assert not mine.waits(helper, queue)


def test_who_opted_out_is_not_given_it_and_others_are() -> None:
    queue, person = desk()
    person.opt_outs = [f"{queue.pk}:topic=gore"]
    person.save()
    task = make_task(queue, needs="!topic=gore")
    assert not mine.waits(person, queue)
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    assert claimed(make_user("reviewer", queue), queue) == task


@pytest.mark.parametrize(("kind", "key"), [("subject", SUBJECT), ("item", "theirs")])
def test_nobody_judges_what_they_are_excluded_from(kind: str, key: str) -> None:
    queue, person = desk()
    task = make_task(queue, make_item(queue, subject=SUBJECT, external_id="theirs"))
    Exclusion.objects.create(user=person, queue=queue, kind=kind, key=key, why="own", by=person, at=NOON)
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    other = make_user("reviewer", queue)
    held = claimed(other, queue)
    Exclusion.objects.create(user=other, queue=queue, kind=kind, key=key, why="own", by=person, at=NOON)
    with pytest.raises(Forbidden) as refused:
        decide.decide(task_id=held.pk, lease=held.lease, person=other, answer=HAM)
    assert (held, refused.value.item_id) == (task, task.item_id)


def same_subject(queue: Queue) -> Item:
    return make_item(queue, subject=SUBJECT)


def test_more_of_the_subject_just_decided_comes_next() -> None:
    queue, person = desk()
    make_task(queue, same_subject(queue))
    answered(person, queue)
    other, same = make_task(queue, **later(5)), make_task(queue, same_subject(queue), **later(9))
    assert claimed(make_user("reviewer", queue), queue) == other  # who did not decide it keeps the order
    assert claimed(person, queue) == same


def test_what_is_due_soon_goes_before_the_same_subject() -> None:
    queue, person = desk()
    make_task(queue, same_subject(queue))
    answered(person, queue)
    make_task(queue, same_subject(queue), **later(9))
    urgent = make_task(queue, **later(0.1))
    assert claimed(person, queue) == urgent


def test_a_subject_decided_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, person = desk()
    make_task(queue, same_subject(queue))
    answered(person, queue)
    monkeypatch.setattr(pick, "FRESH", timedelta(0))
    make_task(queue, same_subject(queue), **later(9))
    other = make_task(queue, **later(5))
    assert claimed(person, queue) == other


def test_the_same_subject_is_still_a_matter_of_reach() -> None:
    queue, person = desk()
    make_task(queue, same_subject(queue))
    answered(person, queue)
    make_task(queue, same_subject(queue), needs="law", **later(1))
    other = make_task(queue, **later(5))
    assert claimed(person, queue) == other


def test_what_is_assigned_comes_first_and_what_is_only_theirs_in_its_place() -> None:
    queue, person = desk()
    bound = make_task(queue, purpose="gold", only_for=person, **later(7))
    first = make_task(queue, **later(6))
    assigned = make_task(queue, only_for=person, only_until=log.now() + HOUR, **later(9))
    last = make_task(queue, **later(8))
    assert claim.next_tasks(queue_id=queue.pk, person=person, count=4) == [assigned, first, bound, last]


def test_what_nobody_took_in_time_is_everybodys_again() -> None:
    queue, person = desk()
    other = make_user("reviewer", queue)
    at = log.now()
    over = make_task(queue, only_for=person, only_until=at - HOUR)
    kept = make_task(queue, only_for=person, only_until=at + HOUR)
    bound = make_task(queue, only_for=person)
    assert claim.next_tasks(queue_id=queue.pk, person=other) == []
    assert sweep.free(at) == 1
    assert claimed(other, queue) == over
    assert moves(over) == ["opened", "returned", "claimed"]
    assert Move.objects.get(kind="returned").person == person
    assert set(Task.objects.filter(only_for=person)) == {kept, bound}


def test_the_functions_in_the_database_are_those_in_code() -> None:
    """A change of the rule needs a migration that calls `pick.make`."""
    with connection.cursor() as cursor:
        for name, text in (("decisions_claim", pick.CLAIMING), ("decisions_waits", pick.WAITING)):
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name])
            assert cursor.fetchall() == [(text.split("$$")[1],)]


def test_audits_second_opinions_and_escalations_ask_for_the_same_as_their_item() -> None:
    queue, person = desk(needs=(Need(field="kind"),), crowd=Crowd(("audit",)))
    item = make_item(queue, {"kind": "chat"}, band="pass", route="pass", propensity=None, q=0.5, score=0.1)
    drawn = Drawn(item.pk, item.external_id, "", None, 1, 0.5)
    audits.open_for([drawn], live.of(queue.slug), NOON)
    asked = Task.objects.get()
    assert (asked.purpose, asked.needs, asked.rank) == ("audit", "kind=chat", Task.Rank.CROWD)
    first, other = skilled(queue, "kind=chat"), skilled(queue, "kind=chat")
    answered(first, queue)
    second = claimed(other, queue)
    assert (second.purpose, second.needs, second.rank) == ("second", "kind=chat", Task.Rank.REVIEWER)
    escalated = claim.escalate(task_id=second.pk, lease=second.lease, person=other, reason="expert")
    assert escalated.needs == "kind=chat"
    assert not mine.waits(person, queue)


def test_who_leaves_gives_back_what_was_assigned_to_them() -> None:
    queue, person = desk()
    task = make_task(queue, only_for=person, only_until=log.now() + HOUR)
    people.deactivate(user=person, by=None, at=log.now())
    task.refresh_from_db()
    assert (task.only_for, task.only_until, moves(task)) == (None, None, ["opened", "returned"])
