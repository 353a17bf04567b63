"""Who is at work, who looks on, and what each has."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.models import Event, Membership, Presence
from decisions.record import log
from decisions.work import team
from tests.decisions.work.makers import answered, claimed, desk
from tests.factories import make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def test_who_holds_decided_or_sits_at_the_desk_is_at_work() -> None:
    queue = make_queue()
    holder = make_user("reviewer", queue, name="Holder")
    decider, seated, looking, gone = (make_user("reviewer", queue, name=name) for name in ("De", "Se", "Lo", "Go"))
    for _ in range(2):
        make_task(queue)
    held = claimed(holder, queue)
    answered(decider, queue)
    at = log.now()
    team.note(seated, queue.pk, Presence.Place.DESK, at)
    team.note(looking, queue.pk, Presence.Place.FLOOR, at)
    team.note(gone, queue.pk, Presence.Place.DESK, at - timedelta(minutes=4))
    found = {member.user: member for member in team.of(queue, at)}
    assert [member.user.name for member in team.of(queue, at)] == ["De", "Holder", "Se", "Lo", "Go"]
    assert {user.name for user, member in found.items() if member.is_at_work} == {"Holder", "De", "Se"}
    assert (found[looking].place, found[gone].place) == ("floor", "")
    assert found[holder].held == [held]


def test_only_who_can_be_given_work_is_of_the_team() -> None:
    queue, reviewer = desk()
    crowd = make_user("crowd", queue)
    make_user("auditor", queue)
    make_user("reviewer", make_queue())
    make_user("reviewer", queue, is_active=False)
    general = make_user("manager")
    Membership.objects.filter(user=crowd).update(skills=["law"])
    found = {member.user: member for member in team.of(queue, log.now())}
    assert set(found) == {reviewer, crowd, general}
    assert found[crowd].skills == ("law",)


def test_what_is_for_one_person_alone_is_not_told() -> None:
    queue, person = desk()
    make_task(queue, purpose="gold", only_for=person)
    assert team.had_by(queue.pk, [person.pk]) == []


def test_presence_is_one_row_a_person_written_seldom_and_never_in_the_record() -> None:
    queue, person = desk()
    at = log.now()
    for seconds in (0, 10, 44, 46):
        team.note(person, queue.pk, Presence.Place.DESK, at + timedelta(seconds=seconds))
    team.note(person, queue.pk, Presence.Place.FLOOR, at + timedelta(seconds=50))
    row = Presence.objects.get()
    assert (row.seen_at, row.place) == (at + timedelta(seconds=46), "desk")
    assert not Event.objects.filter(chain=queue.pk).exists()


def test_the_team_costs_the_same_however_many_they_are() -> None:
    queue, _person = desk()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            team.of(queue, log.now())
        counts.append(len(queries))
        for _ in range(5):
            make_user("reviewer", queue)
    assert counts[0] == counts[1]
