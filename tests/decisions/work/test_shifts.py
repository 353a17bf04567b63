"""Shifts by name and absences: who may enter them, what is refused, and what they leave in the record."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Absence, Event, Membership, Queue, Shift, User
from decisions.record import log
from decisions.work import handover, shifts, team
from tests.decisions.work.makers import claimed, desk
from tests.factories import NOON, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SPAN: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + 8 * HOUR}


def floor() -> tuple[Queue, User, User]:
    queue, lead = desk("lead")
    return queue, lead, make_user("reviewer", queue)


def entry(queue: Queue, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(Event.objects.filter(chain=queue.pk, kind=kind).latest("seq").entry)
    return found


def test_a_shift_by_name_is_of_one_person_and_leaves_one_event() -> None:
    queue, lead, person = floor()
    made = shifts.enter(queue_id=queue.pk, by=lead, person_id=person.pk, **SPAN)
    assert (made.person, made.people) == (person, 1)
    assert entry(queue, "shift.changed")["person"] == person.pk
    shifts.remove(queue_id=queue.pk, shift_id=made.pk, by=lead)
    assert not Shift.objects.exists()
    assert Event.objects.filter(chain=queue.pk, kind="shift.changed").count() == 2


def test_nobody_is_in_two_places_at_once() -> None:
    queue, lead, person = floor()
    other = make_queue()
    manager = make_user("manager")
    shifts.enter(queue_id=queue.pk, by=lead, person_id=person.pk, **SPAN)
    Membership.objects.create(user=person, queue=other, role="reviewer")
    with pytest.raises(Conflict, match="another shift"):
        shifts.enter(queue_id=other.pk, by=manager, person_id=person.pk, starts_at=NOON + HOUR, ends_at=NOON + 9 * HOUR)
    shifts.enter(queue_id=other.pk, by=manager, person_id=person.pk, starts_at=NOON + 8 * HOUR, ends_at=NOON + 9 * HOUR)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"ends_at": NOON}, "ends_at"), ({"people": 2}, "people"), ({"rate": 0.0}, "rate"), ({"person_id": 0}, "person")],
)
def test_what_is_wrong_with_a_shift_is_named(wrong: dict[str, Any], field: str) -> None:
    queue, lead, person = floor()
    given = {"person_id": person.pk, **SPAN, **wrong}
    with pytest.raises(Invalid) as refused:
        shifts.enter(queue_id=queue.pk, by=lead, **given)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_only_who_can_be_given_work_is_planned_and_only_leads_plan() -> None:
    queue, lead, person = floor()
    with pytest.raises(Invalid):
        shifts.enter(queue_id=queue.pk, by=lead, person_id=make_user("auditor", queue).pk, **SPAN)
    with pytest.raises(Forbidden):
        shifts.enter(queue_id=queue.pk, by=person, person_id=person.pk, **SPAN)


def test_everybody_may_say_that_they_are_away_and_leads_that_others_are() -> None:
    queue, lead, person = floor()
    own = shifts.enter_absence(queue=queue, person_id=person.pk, by=person, **SPAN)
    assert entry(queue, "absence.changed")["person"] == person.pk
    with pytest.raises(Forbidden):
        shifts.enter_absence(queue=queue, person_id=lead.pk, by=person, **SPAN)
    with pytest.raises(NotFound):
        shifts.enter_absence(queue=queue, person_id=make_user().pk, by=lead, **SPAN)
    with pytest.raises(Invalid):
        shifts.enter_absence(queue=queue, person_id=person.pk, by=lead, starts_at=NOON, ends_at=NOON)
    shifts.remove_absence(queue=queue, absence_id=own.pk, by=lead)
    with pytest.raises(NotFound):
        shifts.remove_absence(queue=queue, absence_id=own.pk, by=lead)


def test_who_is_away_is_not_at_work_and_is_assigned_nothing() -> None:
    queue, lead, person = floor()
    for _ in range(2):
        make_task(queue)
    claimed(person, queue)
    at = log.now()
    Absence.objects.create(person=person, made_by=lead, starts_at=at - HOUR, ends_at=at + HOUR)
    (found,) = [member for member in team.of(queue, at) if member.user == person]
    assert (found.is_away, found.is_at_work, len(found.held)) == (True, False, 1)
    task = make_task(queue)
    with pytest.raises(Conflict, match="away"):
        handover.assign(task_id=task.pk, to=person.pk, by=lead, reason="load")


def test_a_plan_has_the_absences_of_the_queues_own_people() -> None:
    queue, lead, person = floor()
    stranger = make_user("reviewer", make_queue())
    for who in (person, stranger):
        Absence.objects.create(person=who, made_by=lead, **SPAN)
    plan = shifts.plan(queue, NOON, NOON + HOUR)
    assert [one.person for one in plan.absences] == [person]
    assert shifts.plan(queue, NOON + 8 * HOUR, NOON + 9 * HOUR).absences == []


def test_a_persons_clock_is_their_own_or_the_queues() -> None:
    queue = make_queue(timezone="Asia/Shanghai")
    person = make_user("reviewer", queue)
    assert shifts.zone_of(person, queue).key == "Asia/Shanghai"
    shifts.set_zone(person=person, zone="Europe/Madrid")
    person.refresh_from_db()
    assert shifts.zone_of(person, queue).key == "Europe/Madrid"
    with pytest.raises(Invalid):
        shifts.set_zone(person=person, zone="Mars/Olympus")
