"""The rights are changed: at once where nobody gains, by two persons where somebody does, and back with one click."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from decisions import rights
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Event, Queue, RightsStep, RightsVersion, User
from decisions.rights import Act, Limit, edit, stored
from decisions.rights.words import Cells, Role
from tests.factories import NOON, make_queue, make_user

YES = Limit()
MORE: Cells = {Act.EXPORT: {"lead": YES}}
LESS: Cells = {Act.EXPORT: {"manager": None}}

pytestmark = pytest.mark.django_db


def propose(by: User, cells: Cells, queue: Queue | None = None, base: int | None = None) -> RightsVersion:
    return edit.propose(queue=queue, cells=cells, by=by, why="for a trial", at=NOON, base=base)


def may(role: str, act: Act = Act.EXPORT, queue: Queue | None = None) -> bool:
    return rights.may(rights.Standing(role, table=rights.table(queue.pk if queue else None)), act)


def kinds(chain: int = Event.SITE) -> list[str]:
    return list(Event.objects.filter(chain=chain).order_by("seq").values_list("kind", flat=True))


def test_what_gives_nobody_more_holds_at_once() -> None:
    by, _other = make_user("admin"), make_user("admin")
    version = propose(by, LESS)
    assert not may("manager")
    assert may("auditor")
    assert version.step.kind == "enacted"
    assert kinds() == ["rights.changed"]
    entry = orjson.loads(Event.objects.get().entry)
    assert (entry["no"], entry["alone"], len(entry["cells"])) == (1, False, 1)
    assert entry["cells"][0]["after"] is None


def test_what_gives_more_waits_for_somebody_else() -> None:
    by, other = make_user("admin"), make_user("admin")
    version = propose(by, MORE)
    assert not may("lead")
    with pytest.raises(Forbidden):
        edit.agree(version=version, by=by, why="mine", at=NOON)
    assert edit.waiting(None) == version
    edit.agree(version=version, by=other, why="read", at=NOON)
    assert may("lead")
    assert edit.waiting(None) is None
    assert kinds() == ["rights.proposed", "rights.changed"]
    with pytest.raises(Conflict):
        edit.agree(version=version, by=other, why="again", at=NOON)


def test_a_lone_administrator_changes_rights_alone_and_the_record_says_so() -> None:
    by = make_user("admin")
    make_user("admin", is_active=False)
    make_user("admin", kind=User.Kind.SERVICE)  # no person
    propose(by, MORE)
    assert may("lead")
    assert orjson.loads(Event.objects.get().entry)["alone"] is True


def test_a_version_is_turned_down_or_withdrawn_once() -> None:
    by, other = make_user("admin"), make_user("admin")
    first = propose(by, MORE)
    with pytest.raises(Conflict, match="waits for a second person"):
        propose(other, {Act.VERIFY: {"lead": YES}})
    with pytest.raises(Invalid):
        edit.turn_down(version=first, by=other, why=" ", at=NOON)
    edit.turn_down(version=first, by=other, why="not now", at=NOON)
    second = propose(by, MORE)
    edit.turn_down(version=second, by=by, why="a slip", at=NOON)
    assert [version.step.kind for version in edit.versions(None)] == ["withdrawn", "refused"]
    assert not may("lead")
    with pytest.raises(Conflict):
        edit.turn_down(version=second, by=other, why="late", at=NOON)


def test_a_version_made_on_others_than_are_in_force_is_overtaken() -> None:
    by, other = make_user("admin"), make_user("admin")
    waits = propose(by, MORE)
    propose(other, LESS)
    assert edit.waiting(None) is None
    with pytest.raises(Conflict, match="made anew"):
        edit.agree(version=waits, by=other, why="late", at=NOON)
    with pytest.raises(Conflict, match="changed since"):
        propose(by, MORE, base=0)
    assert propose(by, MORE, base=2).no == 3


def test_one_click_goes_back() -> None:
    by, other = make_user("admin"), make_user("admin")
    with pytest.raises(Conflict, match="nothing to go back"):
        edit.roll_back(queue=None, by=by, why="x", at=NOON)
    propose(by, LESS)
    back = edit.roll_back(queue=None, by=by, why="too early", at=NOON + timedelta(hours=1))
    assert (back.no, back.step.kind) == (2, "enacted")  # one's own change, within a day
    assert may("manager")
    propose(by, LESS)
    waits = edit.roll_back(queue=None, by=other, why="I want it", at=NOON + timedelta(hours=1))
    assert not RightsStep.objects.filter(version=waits).exists()  # somebody else had taken it
    assert not may("manager")
    edit.turn_down(version=waits, by=by, why="no", at=NOON)
    late = edit.roll_back(queue=None, by=by, why="late", at=NOON + timedelta(hours=25))
    assert not RightsStep.objects.filter(version=late).exists()  # nor alone after a day


def test_a_queue_has_cells_of_its_own_and_its_own_administrators() -> None:
    queue = make_queue()
    by, site = make_user("admin", queue), make_user("admin")
    version = propose(by, MORE, queue)
    assert edit.preview(queue=queue, cells=MORE, by=by).seconds == [site]
    edit.agree(version=version, by=site, why="read", at=NOON)
    assert may("lead", queue=queue)
    assert not may("lead")
    assert kinds(queue.pk) == ["rights.proposed", "rights.changed"]
    assert edit.numbered(queue, 1).content == {"export": {"lead": stored.limit_to(YES)}}
    with pytest.raises(NotFound):
        propose(by, LESS)  # they do not belong to the site as a whole
    with pytest.raises(NotFound):
        edit.numbered(None, 1)


def test_a_stored_table_of_the_site_states_every_cell() -> None:
    version = propose(make_user("admin"), LESS)
    assert set(version.content) == set(Act)
    assert all(set(row) == set(Role.values) for row in version.content.values())


@pytest.mark.parametrize("role", ["reviewer", "lead", "manager", "auditor"])
def test_only_administrators_change_rights(role: str) -> None:
    by, admin = make_user(role), make_user("admin")
    make_user("admin")
    version = propose(admin, MORE)
    said: dict[str, Any] = {"by": by, "why": "x", "at": NOON}
    refused: list[Callable[[], RightsVersion]] = [
        partial(propose, by, MORE),
        partial(edit.roll_back, queue=None, **said),
        partial(edit.agree, version=version, **said),
        partial(edit.turn_down, version=version, **said),
    ]
    for step in refused:
        with pytest.raises(Forbidden, match="manage_rights"):
            step()


@pytest.mark.parametrize("kind", [User.Kind.SERVICE, User.Kind.SIMULATED])
def test_no_machine_changes_rights(kind: User.Kind) -> None:
    with pytest.raises(Forbidden):
        propose(make_user("admin", kind=kind), LESS)


def test_what_cannot_stand_and_what_changes_nothing_is_refused() -> None:
    by = make_user("admin")
    with pytest.raises(Invalid) as caught:
        propose(by, {Act.MANAGE_RIGHTS: {"admin": None}, Act.UNDO: {"lead": YES}})
    assert [fault.field for fault in caught.value.faults] == ["manage_rights.admin", "undo.lead.own"]
    with pytest.raises(Conflict, match="nothing"):
        propose(by, {Act.EXPORT: {"manager": YES}})
    with pytest.raises(Invalid):
        edit.propose(queue=None, cells=MORE, by=by, why="", at=NOON)
    assert not RightsVersion.objects.exists()
