"""Every cell of the table of rights, and that the table in SQL is the same table."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions import rights
from decisions.exceptions import Forbidden, NotFound
from decisions.models import (
    Event,
    Membership,
    Queue,
    RightsInForce,
    RightsVersion,
    User,
)
from decisions.record import log
from decisions.rights import DEFAULT, Act, Case, Limit, Own, Standing, stored
from decisions.work import rule
from decisions.work.answer import Answer
from tests.factories import NOON, make_item, make_queue, make_user

ROLES = ("crowd", "reviewer", "expert", "lead", "manager", "auditor", "admin")

# act: one letter a role, in the order above. `-` no, `y` yes, `c` the ordinary tasks of the crowd within the value
# limit, `1` those of a reviewer, `x` up to an expert's, `2` every task within it, `e` what can be passed on, `s` the
# same for an expert, `k` up to an expert's tasks, `h` up to a lead's, `o` one's own, `v` within the value limit, `p`
# passes and `d` hard actions within it, `r` one's own rulings within it.
CELLS = """
claim            c 1 x 2 2 - -
decide           c 1 x 2 2 - -
escalate         e e s e e - -
hold             y y k h h - -
undo             o o o o o - -
take_over        - - - v v - -
override_pass    - - - p p - -
reverse_hard     - - - d d - -
reverse_ruling   - r r v v - -
see_score        y y y y y y -
see_personal     - y y y y - -
read_queue       y y y y y y y
read_record      o o o y y y y
export           - - - - y y -
verify           - - - - y y y
erase            - - - - - - y
legal_hold       - - - - - y y
draft_policy     - - - - y - -
approve_policy   - - - - y - -
publish_policy   - - - - y - -
roll_back_policy - - - - y - -
run_shadow       - - - - y - -
train            - - - - y - -
close_frame      - - - - y - y
apply_queue      - - - - y - y
pause_queue      - - - y y - y
relieve          - - - - y - -
assign           - - - y y - -
see_team         - - - y y - -
manage_team      - - - y y - -
manage_people    - - - - - - y
see_rights       - - - - - y y
manage_rights    - - - - - - y
manage_shifts    - - - y y - -
manage_endpoint  - - - - y - y
replay_delivery  - - - - y - y
intake           - - - - y - -
file_appeal      - - - y y - -
record_result    - - - - y - -
tell_truth       - - - - y - -
freeze_data_set  - - - - y - -
feed_labels      - - - - y y -
see_alerts       - - - y y y y
handle_alerts    - - - y y - y
mark_gold        - - y y - - -
see_accuracy     - - - y - - -
lift_pause       - - - y - - -
"""
ORDINARY = frozenset({"soft", "control", "audit", "second", "gold"})
MEANING = {
    "-": None,
    "y": Limit(),
    "c": Limit(is_valued=True, rank=0, purposes=ORDINARY, own=Own.INDEPENDENT),
    "1": Limit(is_valued=True, rank=1, purposes=ORDINARY, own=Own.INDEPENDENT),
    "x": Limit(is_valued=True, rank=2, purposes=ORDINARY | {"escalation"}, own=Own.INDEPENDENT),
    "2": Limit(is_valued=True, rank=3, own=Own.INDEPENDENT),
    "e": Limit(rank=3, purposes=ORDINARY),
    "s": Limit(rank=2, purposes=ORDINARY | {"escalation"}),
    "k": Limit(rank=2),
    "h": Limit(rank=3),
    "o": Limit(own=Own.ONLY),
    "v": Limit(is_valued=True),
    "p": Limit(is_valued=True, routes=frozenset({"pass"})),
    "d": Limit(is_valued=True, routes=frozenset({"hard"})),
    "r": Limit(is_valued=True, own=Own.ONLY),
}
TABLE = {line.split()[0]: dict(zip(ROLES, line.split()[1:], strict=True)) for line in CELLS.strip().splitlines()}


def test_the_table_here_states_every_act_and_role() -> None:
    assert set(TABLE) == set(Act)
    assert set(ROLES) == set(Membership.Role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", list(Act))
def test_every_cell_is_as_stated(act: Act, role: str) -> None:
    assert rights.limit(Standing(role), act) == MEANING[TABLE[act][role]]


@pytest.mark.parametrize(
    ("act", "role", "limit", "case", "allowed"),
    [
        ("decide", "reviewer", 100.0, Case("soft", value=100.0), True),  # up to and with the limit
        ("decide", "reviewer", 100.0, Case("soft", value=100.1), False),  # above it
        ("decide", "reviewer", 100.0, Case("soft", value=None), False),  # an unknown value is above every limit
        ("decide", "reviewer", 100.0, Case("soft", value=float("nan")), False),  # and so is one that is no number
        ("decide", "reviewer", None, Case("soft", value=None), True),  # nobody limited this person
        ("decide", "reviewer", None, Case("escalation", rank=3), False),  # that is for leads
        ("decide", "reviewer", None, Case("soft", rank=3), False),  # whatever its purpose
        ("decide", "reviewer", None, Case("appeal"), False),  # appeals are never a reviewer's
        ("decide", "reviewer", None, Case("second", own=True), False),  # a second opinion on one's own
        ("decide", "reviewer", None, Case("gold", own=True), False),  # who knows the item is not measured by it
        ("decide", "reviewer", None, Case("soft", is_others=True), False),  # it is for somebody else alone
        ("decide", "reviewer", None, Case("soft", own=True), True),  # a soft task is no second look
        ("decide", "lead", None, Case("escalation", rank=3), True),
        ("decide", "lead", None, Case("escalation", rank=3, own=True), False),  # who passed it on
        ("decide", "lead", None, Case("appeal", own=True), False),  # an appeal against oneself
        ("decide", "crowd", None, Case("soft", rank=1), False),  # the spec keeps it from the crowd
        ("decide", "crowd", None, Case("soft", rank=0), True),
        ("decide", "reviewer", None, Case("soft", rank=0), True),  # what the crowd may take all may
        ("decide", "expert", None, Case("escalation", rank=2), True),  # experts settle before leads
        ("decide", "expert", None, Case("escalation", rank=2, own=True), False),  # a dispute of their own
        ("decide", "expert", None, Case("escalation", rank=3), False),  # what an expert passed on
        ("decide", "lead", None, Case("escalation", rank=2), True),
        ("escalate", "expert", None, Case("escalation", rank=2), True),
        ("escalate", "reviewer", 1.0, Case("soft", value=9.0), True),  # too much at stake is a reason to escalate
        ("escalate", "lead", None, Case("escalation", rank=3), False),  # not passed on under a new name
        ("undo", "lead", None, Case(own=False), False),  # nobody undoes another's decision
        ("undo", "reviewer", None, Case(own=True), True),
        ("reverse_ruling", "reviewer", None, Case(own=False), False),  # another's ruling
        ("reverse_ruling", "reviewer", 5.0, Case(own=True, value=6.0), False),  # one's own, beyond one's limit
        ("reverse_ruling", "reviewer", 5.0, Case(own=True, value=5.0), True),
        ("override_pass", "lead", None, Case(route="hard"), False),  # the wrong right for a hard action
        ("reverse_hard", "lead", None, Case(route="hard"), True),
        ("reverse_hard", "lead", 10.0, Case(route="hard", value=11.0), False),
        ("read_record", "reviewer", None, Case(), False),  # others' decisions
        ("read_record", "auditor", None, Case(), True),
    ],
)
def test_limits_bind(act: str, role: str, limit: float | None, case: Case, allowed: bool) -> None:
    assert rights.may(Standing(role, limit), Act(act), case) is allowed


@pytest.mark.parametrize("act", list(Act))
def test_a_simulated_person_does_casework_on_demo_items_only(act: Act) -> None:
    stands = Standing("reviewer", kind=User.Kind.SIMULATED)
    case = Case("soft", own=True, is_demo=True)
    assert rights.may(stands, act, case) is (act in {"claim", "decide", "escalate", "hold", "undo"})
    assert not rights.may(stands, act, replace(case, is_demo=False))


@pytest.mark.parametrize("act", list(Act))
def test_a_service_has_its_own_rights_besides_its_role(act: Act) -> None:
    service, person = Standing("reviewer", kind=User.Kind.SERVICE), Standing("reviewer")
    also = act in {"intake", "file_appeal", "record_result", "tell_truth", "feed_labels", "read_queue"}
    assert rights.may(service, act, Case("soft")) is (also or rights.may(person, act, Case("soft")))


def test_who_holds_names_the_roles() -> None:
    assert rights.who_holds(Act.ERASE) == ["admin"]
    assert rights.who_holds(Act.DECIDE, Case("escalation", rank=3, own=True)) == ["lead", "manager"]
    assert rights.who_holds(Act.UNDO, Case(own=False)) == []


@pytest.mark.django_db
def test_the_membership_on_the_queue_goes_before_the_general_one() -> None:
    queue, other = make_queue(), make_queue()
    person = make_user("manager")
    Membership.objects.create(user=person, queue=queue, role="reviewer", value_limit=50.0)
    assert rights.standing(person, queue.pk) == Standing("reviewer", 50.0)
    assert rights.standing(person, other.pk) == Standing("manager")
    assert rights.standing(person, None) == Standing("manager")


@pytest.mark.django_db
def test_who_left_or_never_came_stands_nowhere() -> None:
    queue = make_queue()
    gone = make_user("lead", queue, is_active=False)
    assert rights.standing(gone, queue.pk) is None
    with pytest.raises(NotFound):
        rights.require(gone, Act.READ_QUEUE, queue_id=queue.pk)
    with pytest.raises(NotFound):
        rights.require(make_user("lead", make_queue()), Act.READ_QUEUE, queue_id=queue.pk)


@pytest.mark.django_db
def test_a_refusal_names_the_right_and_who_has_it() -> None:
    queue = make_queue()
    with pytest.raises(Forbidden) as refused:
        rights.require(make_user("auditor", queue), Act.REVERSE_HARD, queue_id=queue.pk, case=Case(route="hard"))
    assert (refused.value.right, refused.value.queue_id) == ("reverse_hard", queue.pk)
    assert "reverse_hard" in refused.value.detail
    assert "Lead, Manager" in refused.value.detail


def in_force(queue: Queue | None, content: dict[str, Any], no: int = 1) -> RightsVersion:
    """Store a version of the rights, in force at once."""
    version = RightsVersion.objects.create(
        queue=queue, no=no, content=content, author=make_user(), why="a trial", created_at=NOON
    )
    RightsInForce.objects.update_or_create({"version": version, "since": NOON}, queue=queue)
    return version


@pytest.mark.django_db
def test_a_queue_has_its_own_rights_over_those_of_the_site() -> None:
    queue, other = make_queue(), make_queue()
    person = make_user("lead")
    in_force(None, {"export": {"lead": {}}, "verify": {"lead": {}}})
    in_force(queue, {"export": {"lead": None}, "reverse_hard": {"lead": {"routes": ["hard"], "up_to": 50.0}}})
    here, there = rights.standing(person, queue.pk), rights.standing(person, other.pk)
    assert here
    assert there
    assert [rights.may(here, act) for act in (Act.EXPORT, Act.VERIFY)] == [False, True]
    assert [rights.may(there, act) for act in (Act.EXPORT, Act.VERIFY)] == [True, True]
    assert rights.limit(here, Act.DECIDE) == rights.limit(Standing("lead"), Act.DECIDE)
    assert rights.may(here, Act.REVERSE_HARD, Case(route="hard", value=50.0))
    assert not rights.may(here, Act.REVERSE_HARD, Case(route="hard", value=50.1))
    assert rights.may(there, Act.REVERSE_HARD, Case(route="hard", value=50.1))
    held = rights.of(person)
    assert (held.on(queue.pk), held.on(other.pk), held.on(None)) == (here, there, rights.standing(person, None))
    assert rights.table(queue.pk) == here.table


@pytest.mark.django_db
def test_rights_in_force_cost_no_query_of_their_own() -> None:
    queue = make_queue()
    person = make_user("lead")
    in_force(None, {"export": {"lead": {}}})
    in_force(queue, {"verify": {"lead": {}}})
    rights.standing(person, queue.pk)  # read once in a process
    with CaptureQueriesContext(connection) as queries:
        stands = rights.require(person, Act.VERIFY, queue_id=queue.pk)
        assert rights.may(stands, Act.EXPORT)
    assert len(queries) == 1


@pytest.mark.django_db
def test_a_new_version_holds_at_the_next_call() -> None:
    person = make_user("lead")
    in_force(None, {"export": {"lead": {}}})
    rights.require(person, Act.EXPORT, queue_id=None)
    in_force(None, {}, no=2)
    with pytest.raises(Forbidden):
        rights.require(person, Act.EXPORT, queue_id=None)


@pytest.mark.django_db
def test_a_refusal_names_people_to_who_may_read_the_record_only() -> None:
    queue = make_queue()
    make_user("admin", queue, name="Ada Admin")
    make_user("admin", make_queue(), name="Eve Elsewhere")
    make_user("admin", queue, name="Gone Admin", is_active=False)
    with pytest.raises(Forbidden) as to_lead:
        rights.require(make_user("lead", queue), Act.ERASE, queue_id=queue.pk)
    with pytest.raises(Forbidden) as to_reviewer:
        rights.require(make_user("reviewer", queue), Act.ERASE, queue_id=queue.pk)
    assert "Admin. They are: Ada Admin." in to_lead.value.detail
    assert "Eve" not in to_lead.value.detail
    assert "Ada" not in to_reviewer.value.detail


@pytest.mark.django_db
def test_a_refused_attempt_names_the_item() -> None:
    queue = make_queue()
    item, person = make_item(queue, route="hard", band="hard"), make_user("auditor", queue)
    with pytest.raises(Forbidden) as refused:
        rule.override(item_id=item.pk, person=person, answer=Answer("ham", "content"))
    log.refuse(person, refused.value, NOON)
    event = Event.objects.get(kind="right.refused")
    assert (event.item_id, event.chain, event.reason) == (item.pk, queue.pk, "reverse_hard")


def test_stored_cells_come_back_as_they_were() -> None:
    cells = {**DEFAULT.cells, Act.EXPORT: {"lead": None, "manager": Limit(up_to=3.5)}}
    assert stored.load(orjson.loads(orjson.dumps(stored.dump(cells)))) == cells
    assert stored.load({"of_another_day": {"lead": {}}, "export": {"of_another_day": {}}}) == {Act.EXPORT: {}}
