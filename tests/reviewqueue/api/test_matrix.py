"""Role by call by method, from the resolver: every route has its cells, and every cell is what the table says."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from decisions import rights
from decisions.models import (
    Absence,
    Action,
    Exclusion,
    Handover,
    Item,
    Membership,
    Policy,
    Queue,
    Shift,
    Task,
    TrainingRun,
    User,
)
from decisions.rights import Act, Limit, edit
from decisions.routing import publish
from decisions.work import decide
from decisions.work.answer import Answer
from reviewqueue.api import urls
from reviewqueue.api.door import Door
from tests.decisions.watch.alerting import make_alert
from tests.decisions.work.makers import gold_item
from tests.factories import (
    NOON,
    make_data_set,
    make_item,
    make_pending,
    make_policy,
    make_queue,
    make_run,
    make_shadow,
    make_task,
    make_user,
)
from tests.reviewqueue.api.caller import SCOPES, Caller, caller
from tests.reviewqueue.api.test_quality import paused

pytestmark = pytest.mark.django_db

# `stranger` is a manager of another queue, `service` a system that belongs to this one as a reviewer.
ROLES = ("nobody", "stranger", "reviewer", "lead", "manager", "auditor", "admin", "service")
ITEM = {"external_id": "m-1", "payload": {"text": "hello"}, "score": 0.6}
LEASE = {"lease": 1}
TRUTH = {"outcome": "spam", "source": "crm", "occurred_at": "2026-03-02T12:00:00Z"}
SPAN = {"starts_at": "2026-12-01T08:00:00Z", "ends_at": "2026-12-01T12:00:00Z"}
LESS = {"export": {"manager": None}}
SNOOZE = {"until": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}

# Each call with all scopes, on a queue the role belongs to, on a task it holds (however it came to it) and, for undo, a
# decision of its own. 404 for who does not belong there, 403 for who lacks the right.
TABLE: dict[tuple[str, str], tuple[Any, str]] = {
    #                                                                     nob str rev lead man aud adm ser
    ("GET", "queues/"): (None,                                           "401 200 200 200 200 200 200 200"),
    ("POST", "queues/<queue>/items/"): (ITEM,                            "401 404 403 403 201 403 403 201"),
    ("POST", "queues/<queue>/items/batch/"): (ITEM,                      "401 404 403 403 200 403 403 200"),
    ("POST", "queues/<queue>/claim/"): ({},                              "401 404 200 200 200 403 403 200"),
    ("POST", "queues/<queue>/what-if/"): ({},                            "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/advice/"): (None,                            "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/status/"): (None,                            "401 404 200 200 200 200 200 200"),
    ("GET", "queues/<queue>/deadlines/"): (None,                         "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/hours/"): (None,                             "401 404 200 200 200 200 200 200"),
    ("GET", "queues/<queue>/forecast/"): (None,                          "401 404 200 200 200 200 200 200"),
    ("GET", "queues/<queue>/overload/"): (None,                          "401 404 200 200 200 200 200 200"),
    ("POST", "queues/<queue>/overload/switch/"): ({"rule": "stretch", "mode": "on", "why": "peak"},
                                                                         "401 404 403 403 200 403 403 403"),
    ("GET", "queues/<queue>/operating-point/"): (None,                   "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/comparison/"): (None,                        "401 404 403 409 409 409 409 403"),
    ("GET", "queues/<queue>/models/"): (None,                            "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/shadows/"): (None,                           "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/shadows/start/"): ({"model": "external", "why": "x"},
                                                                         "401 404 403 403 400 403 403 403"),
    ("POST", "queues/<queue>/shadows/<shadow>/stop/"): ({"why": "x"},    "401 404 403 403 200 403 403 403"),
    ("GET", "queues/<queue>/policies/"): (None,                          "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/policies/drafts/"): ({"why": "x"},          "401 404 403 403 201 403 403 403"),
    ("POST", "queues/<queue>/policies/<no>/approve/"): ({"why": "x"},    "401 404 403 403 200 403 403 403"),
    ("POST", "queues/<queue>/policies/<no>/withdraw/"): ({"why": "x"},   "401 404 403 403 200 403 403 403"),
    ("POST", "queues/<queue>/policies/<no>/canary/"): ({"why": "x", "share": 0.1},
                                                                         "401 404 403 403 200 403 403 403"),
    ("POST", "queues/<queue>/policies/<no>/stop/"): ({"why": "x"},       "401 404 403 403 200 403 403 403"),
    ("POST", "queues/<queue>/policies/<no>/publish/"): ({"why": "x"},    "401 404 403 403 200 403 403 403"),
    ("POST", "queues/<queue>/policies/roll-back/"): ({"why": "x"},       "401 404 403 403 200 403 403 403"),
    ("GET", "queues/<queue>/canary/"): (None,                            "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/known/"): (None,                             "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/ladder/filter/"): ({"is_on": False, "why": "test"},
                                                                         "401 404 403 403 409 403 403 403"),
    ("GET", "queues/<queue>/ladder/"): (None,                            "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/value/"): (None,                             "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/trust/"): (None,                             "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/trust/mine/"): (None,                        "401 404 200 200 200 403 403 200"),
    ("POST", "queues/<queue>/trust/proposals/"): ({"kind": "threshold", "key": "x", "is_taken": True},
                                                                         "401 404 403 403 409 403 403 403"),
    ("GET", "queues/<queue>/drift/"): (None,                             "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/segments/"): (None,                          "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/fairness/"): (None,                          "401 404 403 200 200 200 200 403"),
    ("GET", "queues/<queue>/data-sets/"): (None,                         "401 404 403 403 200 200 403 200"),
    ("POST", "queues/<queue>/data-sets/"): ({},                          "401 404 403 403 409 403 403 403"),
    ("GET", "data-sets/<data_set>/"): (None,                             "401 404 403 403 200 200 403 200"),
    ("GET", "data-sets/<data_set>/rows/"): (None,                        "401 404 403 403 409 403 403 403"),
    ("GET", "queues/<queue>/frames/"): (None,                            "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/frames/close/"): ({},                       "401 404 403 403 409 403 409 403"),
    ("GET", "queues/<queue>/training-runs/"): (None,                     "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/training-runs/start/"): ({},                "401 404 403 403 400 403 403 403"),
    ("GET", "queues/<queue>/training-runs/<run>/"): (None,               "401 404 403 200 200 200 200 403"),
    ("POST", "queues/<queue>/training-runs/<run>/cancel/"): ({},         "401 404 403 403 200 403 403 403"),
    ("GET", "rights/<queue>/"): (None,                                   "401 404 403 403 403 200 200 403"),
    ("GET", "rights/<queue>/versions/"): (None,                          "401 404 403 403 403 200 200 403"),
    ("POST", "rights/<queue>/preview/"): ({"content": {}},               "401 404 403 403 403 403 200 403"),
    ("POST", "rights/<queue>/propose/"): ({"content": LESS, "why": "x"}, "401 404 403 403 403 403 201 403"),
    ("POST", "rights/<queue>/roll-back/"): ({"why": "x"},                "401 404 403 403 403 403 201 403"),
    ("POST", "rights/<queue>/versions/<no>/agree/"): ({"why": "x"},      "401 404 403 403 403 403 200 403"),
    ("POST", "rights/<queue>/versions/<no>/turn-down/"): ({"why": "x"},  "401 404 403 403 403 403 200 403"),
    ("GET", "members/<queue>/"): (None,                                  "401 404 403 403 403 200 200 403"),
    ("POST", "members/<queue>/change/"): ({"email": "member@example.org", "role": "lead"},
                                                                         "401 404 403 403 403 403 200 403"),
    ("GET", "queues/<queue>/gold/"): (None,                              "401 404 403 200 403 403 403 403"),
    ("GET", "queues/<queue>/quality/"): (None,                           "401 404 403 200 403 403 403 403"),
    ("GET", "queues/<queue>/quality/mine/"): (None,                      "401 404 200 200 200 403 403 200"),
    ("POST", "queues/<queue>/quality/<person>/lift/"): ({},              "401 404 403 200 403 403 403 403"),
    ("GET", "queues/<queue>/adjudications/"): (None,                     "401 404 200 200 200 403 403 200"),
    ("POST", "items/<item>/gold/"): ({"outcome": "ham", "reason": "clear"},
                                                                         "401 404 403 201 403 403 403 403"),
    ("POST", "items/<item>/gold/retire/"): ({"reason": "known"},         "401 404 403 201 403 403 403 403"),
    ("GET", "inventory/"): (None,                                        "401 200 200 200 200 200 200 200"),
    ("GET", "items/<item>/"): (None,                                     "401 404 200 200 200 200 200 200"),
    ("POST", "items/<item>/override/"): ({"outcome": "ham", "reason": "content"},
                                                                         "401 404 403 201 201 403 403 403"),
    ("POST", "tasks/<task>/decide/"): ({**LEASE, "outcome": "spam"},     "401 404 201 201 201 403 403 201"),
    ("POST", "tasks/<task>/release/"): (LEASE,                           "401 200 200 200 200 200 200 200"),
    ("POST", "tasks/<task>/skip/"): ({**LEASE, "reason": "unclear"},     "401 200 200 200 200 200 200 200"),
    ("POST", "tasks/<task>/extend/"): (LEASE,                            "401 200 200 200 200 200 200 200"),
    ("POST", "tasks/<task>/escalate/"): ({**LEASE, "reason": "expert"},  "401 404 200 200 200 403 403 200"),
    ("POST", "tasks/<task>/hold/"): (LEASE,                              "401 404 200 200 200 403 403 200"),
    ("POST", "tasks/<task>/assign/"): ({"person": 1, "reason": "load"},  "401 404 403 400 400 403 403 403"),
    ("POST", "tasks/<task>/give-back/"): ({"reason": "load"},            "401 404 403 200 200 403 403 403"),
    ("GET", "queues/<queue>/team/"): (None,                              "401 404 403 200 200 403 403 403"),
    ("GET", "queues/<queue>/team/<person>/"): (None,                     "401 404 200 200 200 200 200 200"),
    ("POST", "queues/<queue>/team/<person>/skills/"): ({"skills": []},   "401 404 403 200 200 403 403 403"),
    ("POST", "queues/<queue>/team/<person>/exclusions/"): ({"kind": "item", "name": "x", "why": "own"},
                                                                         "401 404 201 201 201 201 201 201"),
    ("POST", "exclusions/<exclusion>/lift/"): ({},                       "401 404 403 204 204 403 403 403"),
    ("GET", "queues/<queue>/schedule/"): (None,                          "401 404 403 200 200 403 403 403"),
    ("POST", "queues/<queue>/shifts/"): (SPAN,                           "401 404 403 201 201 403 403 403"),
    ("POST", "queues/<queue>/shifts/<shift>/remove/"): ({},              "401 404 403 204 204 403 403 403"),
    ("POST", "queues/<queue>/absences/"): ({**SPAN, "person": 1},        "401 404 403 404 404 403 403 403"),
    ("POST", "queues/<queue>/absences/<absence>/remove/"): ({},          "401 404 403 204 204 403 403 403"),
    ("POST", "me/timezone/"): ({"timezone": "Asia/Tokyo"},               "401 200 200 200 200 200 200 200"),
    ("GET", "queues/<queue>/me/"): (None,                                "401 404 200 200 200 200 200 200"),
    ("POST", "queues/<queue>/me/opt-outs/"): ({"categories": []},        "401 404 200 200 200 200 200 200"),
    ("POST", "queues/<queue>/handovers/preview/"): ({"kind": "balance"}, "401 404 403 200 200 403 403 403"),
    ("POST", "queues/<queue>/handovers/"): ({"kind": "balance", "digest": "x", "reason": "load"},
                                                                         "401 404 403 409 409 403 403 403"),
    ("POST", "handovers/<handover_id>/undo/"): ({},                      "401 404 403 200 200 403 403 403"),
    ("GET", "decisions/"): (None,                                        "401 404 200 200 200 200 200 200"),
    ("POST", "decisions/<decision>/undo/"): ({},                         "401 404 200 200 200 403 403 200"),
    ("POST", "items/<item>/appeal/"): ({"statement": "It was an invoice"},
                                                                         "401 404 403 201 201 403 403 201"),
    ("GET", "appeals/"): (None,                                          "401 404 200 200 200 200 200 200"),
    ("GET", "overrides/"): (None,                                        "401 404 200 200 200 200 200 200"),
    ("POST", "overrides/<pending>/confirm/"): ({},                       "401 404 403 201 201 403 403 403"),
    ("POST", "overrides/<pending>/turn-down/"): ({"why": "x"},           "401 404 403 200 200 403 403 403"),
    ("GET", "rulings/"): (None,                                          "401 404 200 200 200 200 200 200"),
    ("GET", "events/"): (None,                                           "401 404 200 200 200 200 200 200"),
    ("GET", "labels/"): (None,                                           "401 404 403 403 200 200 403 200"),
    ("POST", "labels/"): (TRUTH,                                         "401 404 403 403 201 403 403 201"),
    ("GET", "actions/"): (None,                                          "401 404 403 200 200 200 200 200"),
    ("POST", "actions/<action>/result/"): ({"result": "done"},           "401 404 403 403 200 403 403 200"),
    ("GET", "alerts/"): (None,                                           "401 404 403 200 200 200 200 403"),
    ("GET", "alerts/<alert>/"): (None,                                   "401 404 403 200 200 200 200 403"),
    ("POST", "alerts/<alert>/acknowledge/"): ({},                        "401 404 403 200 200 403 200 403"),
    ("POST", "alerts/<alert>/snooze/"): (SNOOZE,                         "401 404 403 200 200 403 200 403"),
    ("POST", "alerts/<alert>/diagnose/"): ({"cause": "x"},               "401 404 403 200 200 403 200 403"),
    ("POST", "alerts/<alert>/close/"): ({"end": "false_alarm", "lesson": "x"},
                                                                         "401 404 403 200 200 403 200 403"),
    ("GET", "/api/schema/"): (None,                                      "401 200 200 200 200 200 200 200"),
    ("GET", "/api/docs/"): (None,                                        "401 200 200 200 200 200 200 200"),
    ("GET", "/livez"): (None,                                            "200 200 200 200 200 200 200 200"),
    ("GET", "/readyz"): (None,                                           "200 200 200 200 200 200 200 200"),
    ("GET", "/metrics"): (None,                                          "401 200 200 200 200 200 200 200"),
}  # fmt: skip
BY_QUEUE = ("decisions/", "appeals/", "overrides/", "rulings/", "events/", "labels/", "actions/", "alerts/")
NOWHERE = "/^api/"  # every other address under /api/


def routes(patterns: list[Any] | None = None, before: str = "/") -> dict[str, Any]:
    """Return the view behind each route of the API and of operation, by its route without converters."""
    found: dict[str, Any] = {}
    known: list[Any] = list(urls.urlpatterns) if patterns is None else patterns
    for pattern in known:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, route)
        else:
            found[_plain(route)] = pattern.callback
    return found


def _plain(route: str) -> str:
    parts = route.removeprefix("/api/v1/").split("/")
    return "/".join("<" + part[1:-1].partition(":")[2] + ">" if part[:1] == "<" else part for part in parts)


def methods(view: Any) -> set[str]:
    """Return the methods a view has code for, the framework's OPTIONS apart."""
    return {name.upper() for name in view.cls.http_method_names if name != "options" and hasattr(view.cls, name)}


def test_every_route_has_its_cells() -> None:
    found = {(method, route) for route, view in routes().items() if route != NOWHERE for method in methods(view)}
    assert {cell for cell in found if cell[0] != "HEAD"} == TABLE.keys()


def test_the_site_serves_these_routes() -> None:
    served = [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLResolver)]
    assert urls in [pattern.urlconf_name for pattern in served]


def test_every_door_names_its_scopes() -> None:
    doors = [view.cls for view in routes().values() if hasattr(view, "cls") and issubclass(view.cls, Door)]
    assert len(doors) > 20
    for door in doors:
        assert door.scopes | door.changing <= set(SCOPES)
        assert door.scopes or not door.authentication_classes


def person_in(role: str, queue: Queue) -> Caller:
    if role == "stranger":
        return caller("manager", make_queue())
    if role == "service":
        return caller("reviewer", queue, kind=User.Kind.SERVICE)
    person = caller("" if role == "nobody" else role, queue)
    if role == "nobody":
        person.secret = ""
    return person


def held_by(person: Caller, queue: Queue) -> Task:
    """Give a task to somebody, whether or not they could claim it."""
    until = timezone.now() + timedelta(minutes=5)
    task = make_task(queue, state=Task.State.CLAIMED, holder=person.user, lease=1, lease_until=until)
    task.moves.create(kind="claimed", person=person.user, lease=1, at=timezone.now())
    return task


def decided_by(person: Caller, queue: Queue) -> int:
    """Return a decision of somebody who was a reviewer when they made it."""
    task = held_by(person, queue)
    Membership.objects.filter(user=person.user).delete()
    Membership.objects.create(user=person.user, queue=queue, role="reviewer")
    return decide.decide(task_id=task.pk, lease=1, person=person.user, answer=Answer("spam")).pk


def decision_of(person: Caller, queue: Queue) -> int:
    before = list(Membership.objects.filter(user=person.user))
    decision = decided_by(person, queue)
    Membership.objects.filter(user=person.user).delete()
    Membership.objects.bulk_create(before)
    return decision


def address(route: str, person: Caller, queue: Queue) -> str:
    """Return the route with ids of rows that are there."""
    item = item_for(route, person, queue)
    makers: dict[str, Callable[[], object]] = {
        "<queue>": lambda: queue.slug,
        "<data_set>": lambda: make_data_set(queue).name,
        "<item>": lambda: item.pk,
        "<task>": lambda: held_by(person, queue).pk,
        "<decision>": lambda: decision_of(person, queue),
        "<no>": lambda: policy_for(route, queue),
        "<pending>": lambda: make_pending(item).pk,
        "<action>": lambda: told(item).pk,
        "<handover_id>": lambda: handed_over(queue).pk,
        "<alert>": lambda: make_alert(queue).pk,
        "<shadow>": lambda: make_shadow(queue).pk,
        "<person>": lambda: paused_in(queue) if "/quality/" in route else person.user.pk,
        "<exclusion>": lambda: excluded(queue).pk,
        "<shift>": lambda: planned(queue).pk,
        "<absence>": lambda: away(queue).pk,
        "<run>": lambda: waiting_run(queue).pk,
    }
    if route.endswith("policies/roll-back/"):
        policy_for(route, queue)
    if route.startswith("rights"):
        no = rights_for(route, queue)
        makers["<no>"] = lambda: no
    if route.startswith("members") and not User.objects.filter(email="member@example.org").exists():
        make_user(email="member@example.org")
    path = route
    for name, make in makers.items():
        path = path.replace(name, str(make())) if name in path else path
    return f"{path}?queue={queue.slug}" if route in BY_QUEUE else path


def paused_in(queue: Queue) -> int:
    return paused(make_user("reviewer", queue), queue).person_id


def item_for(route: str, person: Caller, queue: Queue) -> Item:
    if route == "items/<item>/":
        return held_by(person, queue).item
    if route.startswith("items/<item>/gold/"):
        return gold_item(queue)
    return make_item(queue, score=0.95, band=Item.Band.HARD, route=Item.Route.HARD)


def policy_for(route: str, queue: Queue) -> int:
    """Return the number of a policy in the state from which the call is a step; no other canary is in its way."""
    for running in Policy.objects.canary().filter(queue=queue):
        publish.stop(policy=running, by=None, why="another", at=NOON)
    step = route.removesuffix("/").rpartition("/")[2]
    states = {"approve": "draft", "withdraw": "draft", "canary": "approved", "stop": "canary", "roll-back": "live"}
    return make_policy(queue, states.get(step, "approved")).no


def rights_for(route: str, queue: Queue) -> int:
    """Return the number of somebody else's version of the queue's rights that waits; one is in force to go back from.

    The first of them gives less and holds at once, each later one gives more.
    """
    author, _second = make_user("admin", queue), make_user("admin", queue)
    if edit.in_force(queue) is None:
        edit.propose(queue=queue, cells={Act.VERIFY: {"auditor": None}}, by=author, why="x", at=NOON)
    waits = edit.waiting(queue)
    if waits or not route.endswith(("agree/", "turn-down/")):
        return waits.no if waits else 1
    table = rights.table(queue.pk)
    act = next(act for act in (Act.EXPORT, Act.ERASE, Act.INTAKE) if table.limit(act, "lead") is None)
    return edit.propose(queue=queue, cells={act: {"lead": Limit()}}, by=author, why="x", at=NOON).no


def about(said: Any, queue: Queue) -> Any:
    """Return what is sent, of this queue and an item of it where a word from outside names them itself."""
    return {**said, "queue": queue.slug, "external_id": make_item(queue).external_id} if said is TRUTH else said


def waiting_run(queue: Queue) -> TrainingRun:
    return TrainingRun.objects.open().filter(queue=queue).first() or make_run(queue)


def planned(queue: Queue) -> Shift:
    ends = NOON + timedelta(hours=1)
    lead = make_user("lead", queue)
    return Shift.objects.create(queue=queue, made_by=lead, starts_at=NOON, ends_at=ends, people=1)


def away(queue: Queue) -> Absence:
    who = make_user("reviewer", queue)
    return Absence.objects.create(person=who, made_by=who, starts_at=NOON, ends_at=NOON + timedelta(hours=1))


def excluded(queue: Queue) -> Exclusion:
    who = make_user("reviewer", queue)
    return Exclusion.objects.create(user=who, queue=queue, kind="item", key="x", why="own", by=who, at=NOON)


def handed_over(queue: Queue) -> Handover:
    lead = make_user("lead", queue)
    return Handover.objects.create(queue=queue, by=lead, kind="release", reason="load", steps=[], at=timezone.now())


def told(item: Item) -> Action:
    times = {"due_at": NOON, "next_at": NOON, "created_at": NOON, "delivered_at": NOON}
    return Action.objects.create(
        queue=item.queue, item=item, name="quarantine", body=b"{}", state="delivered", attempts=1, **times
    )


CELLS = [
    (method, route, role, int(status))
    for (method, route), (_said, row) in TABLE.items()
    for role, status in zip(ROLES, row.split(), strict=True)
]


@pytest.mark.parametrize(("method", "route", "role", "status"), CELLS)
def test_cell(method: str, route: str, role: str, status: int) -> None:
    queue = make_queue()
    make_task(queue)
    person = person_in(role, queue)
    said = about(TABLE[method, route][0], queue)
    path = address(route, person, queue)
    if method == "GET":
        answer = person.get(path)
    elif "batch" in route:
        answer = person.lines(path, said)
    else:
        answer = person.post(path, said)
    assert answer.status_code == status, answer.content


@pytest.mark.parametrize("route", sorted({route for _method, route in TABLE}))
def test_other_methods_are_not_there(route: str) -> None:
    queue = make_queue()
    person = caller("manager", queue)
    path = address(route, person, queue)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - {had for had, r in TABLE if r == route}:
        answer = person.send(method, path, b"{}")
        assert (method, answer.status_code) == (method, 405)


@pytest.mark.parametrize("scope", [*SCOPES, ""])
def test_each_scope_opens_its_doors_only(scope: str) -> None:
    queue = make_queue()
    person = caller("manager", queue)
    person.token.scopes = [scope] if scope else []
    person.token.save()
    views = routes()
    for (method, route), (said, _row) in TABLE.items():
        door = views[route].cls
        scopes = door.scopes_of(method) if issubclass(door, Door) else frozenset()
        if not scopes:
            continue
        path = address(route, person, queue)
        answer = person.get(path) if method == "GET" else person.post(path, said)
        is_shut = answer.status_code == 403 and answer.json()["code"] == "wrong_scope"
        assert (method, route, is_shut) == (method, route, scope not in scopes)


BOUND = sorted((method, route) for method, route in TABLE if "<" in route or route in BY_QUEUE)


@pytest.mark.parametrize(("method", "route"), BOUND)
def test_a_token_limited_to_another_queue_finds_nothing_here(method: str, route: str) -> None:
    queue, person = make_queue(), caller("manager")
    make_task(queue)
    path = address(route, person, queue)
    person.token.queues.add(make_queue())
    said = about(TABLE[method, route][0], queue)
    if method == "GET":
        answer = person.get(path)
    else:
        answer = person.lines(path, said) if "batch" in route else person.post(path, said)
    assert answer.status_code == 404
