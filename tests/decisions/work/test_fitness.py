"""Skills, exclusions and opt-outs: who may say what of whom, what it leaves in the record, and what it does not."""

from typing import Any

import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Event, Exclusion, Membership, Queue, User
from decisions.queues.spec import Need
from decisions.record import digest, proof
from decisions.work import claim, fitness
from tests.decisions.work.makers import claimed, desk
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
ASKING: dict[str, Any] = {
    "needs": (Need(field="kind"), Need(skill="law")),
    "sensitive": (Need(field="text", values=("war", "gore")),),
}


def floor() -> tuple[Queue, User, User]:
    queue, lead = desk("lead", **ASKING)
    return queue, lead, make_user("reviewer", queue)


def events(queue: Queue) -> list[tuple[str, dict[str, Any]]]:
    found = Event.objects.filter(chain=queue.pk).order_by("seq")
    return [(event.kind, orjson.loads(event.entry)) for event in found]


def test_skills_are_given_and_taken_with_one_event_each() -> None:
    queue, lead, person = floor()
    Membership.objects.filter(user=person).update(skills=["elsewhere"])
    task = make_task(queue, needs="kind=chat\nlaw")
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    given = fitness.set_skills(queue=queue, person_id=person.pk, skills=["law", "kind=chat"], by=lead)
    assert given == {"law", "kind=chat", "elsewhere"}  # what other queues ask for stays
    fitness.set_skills(queue=queue, person_id=person.pk, skills=["law", "kind=chat"], by=lead)  # nothing changes
    assert claimed(person, queue) == task
    fitness.set_skills(queue=queue, person_id=person.pk, skills=[], by=lead)
    has = Membership.objects.get(user=person).skills
    assert has == ["elsewhere"]
    (first, _second) = events(queue)
    assert first == (
        "person.changed",
        {
            "person": person.pk,
            "queue": queue.pk,
            "before": {"skills": ["elsewhere"]},
            "after": {"skills": ["elsewhere", "kind=chat", "law"]},
        },
    )
    assert not proof.verify(queue.pk).bad


def test_a_skill_that_nothing_asks_for_is_refused() -> None:
    queue, lead, person = floor()
    with pytest.raises(Invalid) as refused:
        fitness.set_skills(queue=queue, person_id=person.pk, skills=["magic"], by=lead)
    assert refused.value.faults[0].field == "skills"


def test_skills_are_for_leads_to_give_and_general_ones_for_leads_everywhere() -> None:
    queue, lead, person = floor()
    with pytest.raises(Forbidden):
        fitness.set_skills(queue=queue, person_id=person.pk, skills=["law"], by=person)
    everywhere = make_user("reviewer")
    with pytest.raises(NotFound):  # the lead of one queue is nobody on the site as a whole
        fitness.set_skills(queue=queue, person_id=everywhere.pk, skills=["law"], by=lead)
    fitness.set_skills(queue=queue, person_id=everywhere.pk, skills=["law"], by=make_user("lead"))
    assert Event.objects.filter(chain=Event.SITE, kind="person.changed").count() == 1
    with pytest.raises(NotFound):
        fitness.set_skills(queue=queue, person_id=make_user("reviewer", make_queue()).pk, skills=[], by=lead)


@pytest.mark.parametrize("kind", ["subject", "item"])
def test_everybody_may_say_what_is_their_own_and_nobody_takes_that_back_for_themselves(kind: str) -> None:
    queue, lead, person = floor()
    item = make_item(queue, external_id="Bob", subject=digest.subject_key(queue.pk, "Bob"))
    make_task(queue, item)
    made = fitness.exclude(queue=queue, person_id=person.pk, kind=kind, name=" Bob ", why="own", by=person)
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    with pytest.raises(Conflict):
        fitness.exclude(queue=queue, person_id=person.pk, kind=kind, name="Bob", why="own", by=person)
    with pytest.raises(Forbidden):
        fitness.lift(exclusion_id=made.pk, by=person)
    own = fitness.exclude(queue=queue, person_id=lead.pk, kind=kind, name="Bob", why="own", by=lead)
    with pytest.raises(Forbidden, match="Somebody else"):
        fitness.lift(exclusion_id=own.pk, by=lead)
    fitness.lift(exclusion_id=made.pk, by=lead)
    assert claimed(person, queue).item == item
    kinds = [what for what, _entry in events(queue)]
    assert kinds == ["person.excluded", "person.excluded", "person.readmitted"]
    if kind == "subject":
        assert "Bob" not in str(events(queue))


def test_only_leads_exclude_others() -> None:
    queue, lead, person = floor()
    given = {"kind": "item", "name": "x", "why": "complaint"}
    with pytest.raises(Forbidden):
        fitness.exclude(queue=queue, person_id=lead.pk, by=person, **given)
    fitness.exclude(queue=queue, person_id=person.pk, by=lead, **given)
    assert [row.by for row in fitness.exclusions(queue.pk, person.pk)] == [lead]
    with pytest.raises(NotFound):
        fitness.exclude(queue=queue, person_id=make_user().pk, by=lead, **given)
    with pytest.raises(NotFound):
        fitness.lift(exclusion_id=0, by=lead)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"kind": "house"}, "kind"), ({"why": "mood"}, "why"), ({"name": " "}, "name"), ({"name": "x" * 201}, "name")],
)
def test_what_is_wrong_with_an_exclusion_is_named(wrong: dict[str, str], field: str) -> None:
    queue, lead, person = floor()
    given = {"kind": "item", "name": "x", "why": "own", **wrong}
    with pytest.raises(Invalid) as refused:
        fitness.exclude(queue=queue, person_id=person.pk, by=lead, **given)
    assert [fault.field for fault in refused.value.faults] == [field]
    assert not Exclusion.objects.exists()


def test_an_opt_out_is_obeyed_by_the_claim_and_leaves_no_trace_in_the_record() -> None:
    queue, _lead, person = floor()
    other = make_queue(**ASKING)
    Membership.objects.create(user=person, queue=other, role="reviewer")
    Membership.objects.filter(user=person).update(skills=["law"])
    make_task(queue, needs="!text=war\nlaw")
    fitness.opt_out(queue=other, person=person, tags=["text=gore"])
    fitness.opt_out(queue=queue, person=person, tags=["text=war"])
    assert fitness.opted_out(queue, person) == {"text=war"}
    assert fitness.opted_out(other, person) == {"text=gore"}
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    fitness.opt_out(queue=queue, person=person, tags=[])
    assert claimed(person, queue)
    assert events(queue) == events(other) == []
    assert not Event.objects.filter(chain=Event.SITE).exists()


def test_an_opt_out_of_what_is_not_sensitive_or_where_one_does_not_belong_is_refused() -> None:
    queue, _lead, person = floor()
    with pytest.raises(Invalid):
        fitness.opt_out(queue=queue, person=person, tags=["law"])
    with pytest.raises(NotFound):
        fitness.opt_out(queue=queue, person=make_user(), tags=[])
