"""Role by page by method, from the resolver: every route has its cells, and every cell is what the table says."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from decisions.models import Absence, Action, Event, Exclusion, Handover, Membership, Queue, Shift, Task, User
from decisions.rights import Act, Limit, edit
from decisions.work import decide
from decisions.work.answer import Answer
from reviewqueue.web import urls
from tests.decisions.watch.alerting import make_alert
from tests.decisions.work.makers import gold_item
from tests.factories import (
    NOON,
    make_data_set,
    make_frame,
    make_item,
    make_pending,
    make_policy,
    make_queue,
    make_run,
    make_shadow,
    make_task,
    make_user,
)
from tests.reviewqueue.api.test_quality import paused

pytestmark = pytest.mark.django_db

# `stranger` is a manager of another queue; `nobody` is not signed in.
ROLES = ("nobody", "stranger", "reviewer", "lead", "manager", "auditor", "admin")
LEASE = {"lease": "1"}
SHIFT = {"starts_at": "2026-12-01T08:00", "ends_at": "2026-12-01T12:00", "people": "2"}
DRAFT = {"hard": "0.8", "soft": "0.3", "suggest": "0.5", "control_share": "0.1", "audit_budget": "5"}
DRAFT |= {"objective": "o", "why": "w"}
WHY = {"why": "because"}
RIGHT = {f"{role}-may": "below" for role in Membership.Role.values} | {"auditor-may": "no", "base": "1"}
REASON = {"outcome": "ham", "reason": "content"}

# Each page on a queue the role belongs to, on a task it holds (however it came to it) and, for undo, a decision of its
# own. 302 is the way to sign in for nobody, and for others the page that shows what was done.
TABLE: dict[tuple[str, str], tuple[Any, str]] = {
    #                                                                        nob str rev lea man aud adm
    ("GET", ""): (None,                                                     "302 302 302 302 302 302 302"),
    ("GET", "review/"): (None,                                              "302 200 200 200 200 200 200"),
    ("GET", "review/<slug>/"): (None,                                       "302 404 200 200 200 403 403"),
    ("GET", "review/<slug>/mine/"): (None,                                  "302 404 200 200 200 403 403"),
    ("GET", "review/<slug>/adjudications/"): (None,                         "302 404 200 200 200 403 403"),
    ("GET", "floor/<slug>/quality/"): (None,                                "302 404 403 200 403 403 403"),
    ("POST", "floor/<slug>/quality/<person_id>/lift/"): ({},                "302 404 403 302 403 403 403"),
    ("GET", "review/<slug>/state/"): (None,                                 "302 404 200 200 200 403 403"),
    ("GET", "review/<slug>/held/"): (None,                                  "302 404 200 200 200 403 403"),
    ("POST", "review/<slug>/next/"): ({},                                   "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/leave/"): ({"task": "1:1"},                     "302 404 204 204 204 403 403"),
    ("POST", "review/<slug>/decisions/<decision_id>/undo/"): ({},           "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/decide/"): ({**LEASE, "answer": "spam"},
                                                                            "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/extend/"): (LEASE,              "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/resume/"): (LEASE,              "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/release/"): (LEASE,             "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/skip/"): ({**LEASE, "reason": "unclear"},
                                                                            "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/hold/"): (LEASE,                "302 404 302 302 302 403 403"),
    ("POST", "review/<slug>/tasks/<task_id>/escalate/"): ({**LEASE, "reason": "expert"},
                                                                            "302 404 302 302 302 403 403"),
    ("GET", "floor/"): (None,                                               "302 200 200 200 200 200 200"),
    ("GET", "floor/alerts/"): (None,                                        "302 200 200 200 200 200 200"),
    ("GET", "floor/alerts/live/"): (None,                                   "302 200 200 200 200 200 200"),
    ("GET", "floor/alerts/<alert_id>/"): (None,                             "302 404 403 200 200 200 200"),
    ("GET", "floor/alerts/<alert_id>/items/"): (None,                       "302 404 403 200 200 200 200"),
    ("POST", "floor/alerts/<alert_id>/acknowledge/"): ({},                  "302 404 403 302 302 403 302"),
    ("POST", "floor/alerts/<alert_id>/snooze/"): ({"hours": "24"},          "302 404 403 302 302 403 302"),
    ("POST", "floor/alerts/<alert_id>/diagnose/"): ({"cause": "x"},         "302 404 403 302 302 403 302"),
    ("POST", "floor/alerts/<alert_id>/close/"): ({"end": "false_alarm", "lesson": "x"},
                                                                            "302 404 403 302 302 403 302"),
    ("GET", "floor/<slug>/"): (None,                                        "302 404 200 200 200 200 200"),
    ("GET", "floor/<slug>/live/"): (None,                                   "302 404 200 200 200 200 200"),
    ("POST", "floor/<slug>/overload/"): ({"rule": "stretch", "mode": "on", "why": "peak"},
                                                                            "302 404 403 403 302 403 403"),
    ("GET", "floor/<slug>/deadlines/"): (None,                              "302 404 403 200 200 200 200"),
    ("GET", "floor/<slug>/hours/"): (None,                                  "302 404 200 200 200 200 200"),
    ("GET", "floor/<slug>/ahead/"): (None,                                  "302 404 200 200 200 200 200"),
    ("POST", "floor/<slug>/shifts/"): (SHIFT,                               "302 404 403 302 302 403 403"),
    ("POST", "floor/<slug>/shifts/<shift_id>/remove/"): ({},                "302 404 403 302 302 403 403"),
    ("GET", "floor/<slug>/team/"): (None,                                   "302 404 403 200 200 403 403"),
    ("GET", "floor/<slug>/team/live/"): (None,                              "302 404 403 200 200 403 403"),
    ("GET", "floor/<slug>/team/preview/"): (None,                           "302 404 403 200 200 403 403"),
    ("POST", "floor/<slug>/team/handovers/"): ({"kind": "balance", "digest": "x", "reason": "load"},
                                                                            "302 404 403 409 409 403 403"),
    ("POST", "floor/<slug>/team/handovers/<handover_id>/undo/"): ({},       "302 404 403 302 302 403 403"),
    ("POST", "floor/<slug>/team/tasks/<task_id>/assign/"): ({"person": "0"}, "302 404 403 422 422 403 403"),
    ("POST", "floor/<slug>/team/tasks/<task_id>/give-back/"): ({"reason": "load"},
                                                                            "302 404 403 302 302 403 403"),
    ("GET", "floor/<slug>/people/<person_id>/"): (None,                     "302 404 403 200 200 403 403"),
    ("POST", "floor/<slug>/people/<person_id>/skills/"): ({},               "302 404 403 302 302 403 403"),
    ("POST", "floor/<slug>/people/<person_id>/exclusions/"): ({"kind": "item", "name": "x", "why": "own"},
                                                                            "302 404 403 302 302 403 403"),
    ("POST", "floor/<slug>/people/<person_id>/exclusions/<exclusion_id>/lift/"): ({},
                                                                            "302 404 403 302 302 403 403"),
    ("GET", "me/work/"): (None,                                             "302 200 200 200 200 200 200"),
    ("POST", "me/work/<slug>/opt-outs/"): ({},                              "302 404 302 302 302 403 403"),
    ("POST", "me/work/<slug>/exclusions/"): ({"kind": "item", "name": "x", "why": "own"},
                                                                            "302 404 302 302 302 403 403"),
    ("POST", "me/work/<slug>/absences/"): ({},                              "302 404 422 422 422 403 403"),
    ("POST", "me/work/<slug>/absences/<absence_id>/remove/"): ({},          "302 404 403 302 302 403 403"),
    ("GET", "floor/<slug>/schedule/"): (None,                               "302 404 403 200 200 403 403"),
    ("POST", "floor/<slug>/schedule/shifts/"): ({},                         "302 404 403 422 422 403 403"),
    ("POST", "floor/<slug>/schedule/shifts/<shift_id>/remove/"): ({},       "302 404 403 302 302 403 403"),
    ("POST", "floor/<slug>/schedule/absences/"): ({},                       "302 404 403 422 422 403 403"),
    ("POST", "floor/<slug>/schedule/absences/<absence_id>/remove/"): ({},   "302 404 403 302 302 403 403"),
    ("POST", "me/work/zone/"): ({"timezone": ""},                           "302 302 302 302 302 302 302"),
    ("POST", "floor/<slug>/pause/"): ({"why": "staff"},                     "302 404 403 302 302 403 302"),
    ("GET", "audit/"): (None,                                               "302 200 200 200 200 200 200"),
    ("GET", "audit/<slug>/"): (None,                                        "302 404 403 200 200 200 200"),
    ("POST", "audit/<slug>/export/"): ({"kind": "overrides", "form": "csv"}, "302 404 403 403 200 200 403"),
    ("POST", "audit/<slug>/verify/"): ({},                                  "302 404 403 403 302 302 302"),
    ("GET", "audit/<slug>/items/<item_id>/"): (None,                        "302 404 403 200 200 200 200"),
    ("POST", "audit/<slug>/items/<item_id>/override/"): (REASON,            "302 404 403 302 302 403 403"),
    ("POST", "audit/<slug>/items/<item_id>/gold/"): ({"outcome": "ham", "reason": "clear"},
                                                                            "302 404 403 302 403 403 403"),
    ("POST", "audit/<slug>/items/<item_id>/gold/retire/"): ({"retire-reason": "known"},
                                                                            "302 404 403 302 403 403 403"),
    ("GET", "audit/<slug>/appeals/"): (None,                                "302 404 403 200 200 200 200"),
    ("POST", "audit/<slug>/items/<item_id>/appeal/"): ({"statement": "x"},  "302 404 403 302 302 403 403"),
    ("GET", "audit/<slug>/overrides/"): (None,                              "302 404 403 200 200 200 200"),
    ("POST", "audit/<slug>/overrides/<pending_id>/confirm/"): ({},          "302 404 403 302 302 403 403"),
    ("POST", "audit/<slug>/overrides/<pending_id>/turn-down/"): (WHY,       "302 404 403 302 302 403 403"),
    ("GET", "audit/<slug>/actions/"): (None,                                "302 404 200 200 200 200 200"),
    ("POST", "audit/<slug>/actions/replay/"): ({},                          "302 404 403 403 302 403 302"),
    ("GET", "audit/inventory/"): (None,                                     "302 200 200 200 200 200 200"),
    ("GET", "audit/inventory/csv/"): (None,                                 "302 200 200 200 200 200 200"),
    ("GET", "policy/"): (None,                                              "302 200 200 200 200 200 200"),
    ("GET", "policy/<slug>/"): (None,                                       "302 404 403 403 200 403 403"),
    ("GET", "policy/<slug>/operating-point/"): (None,                       "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/draft/"): (DRAFT,                               "302 404 403 403 302 403 403"),
    ("GET", "policy/<slug>/compare/"): (None,                               "302 404 403 403 200 403 403"),
    ("GET", "policy/<slug>/recalibration/"): (None,                         "302 404 403 403 200 403 403"),
    ("POST", "policy/<slug>/<no>/approve/"): (WHY,                          "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/withdraw/"): (WHY,                         "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/canary/"): ({**WHY, "share": "0.1", "factor": "2"},
                                                                            "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/stop/"): (WHY,                             "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/publish/"): (WHY,                          "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/roll-back/"): (WHY,                        "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/<no>/check/"): ({},                             "302 404 403 403 409 403 403"),
    ("GET", "policy/<slug>/known/"): (None,                                 "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/ladder/filter/"): ({"is_on": "off", "why": "test"},
                                                                            "302 404 403 403 409 403 403"),
    ("GET", "policy/<slug>/ladder/"): (None,                                "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/value/"): (None,                                 "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/report/"): (None,                                "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/trust/"): (None,                                 "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/trust/proposals/"): ({"kind": "threshold", "key": "x", "taken": "yes"},
                                                                            "302 404 403 403 302 403 403"),
    ("GET", "policy/<slug>/drift/"): (None,                                 "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/segments/"): (None,                              "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/fairness/"): (None,                              "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/training/"): (None,                              "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/training/start/"): ({"why": "x"},               "302 404 403 403 422 403 403"),
    ("GET", "policy/<slug>/training/<run_id>/"): (None,                     "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/training/<run_id>/live/"): (None,                "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/training/<run_id>/cancel/"): ({},               "302 404 403 403 302 403 403"),
    ("POST", "policy/<slug>/training/<run_id>/draft/"): ({"why": "x"},      "302 404 403 403 409 403 403"),
    ("GET", "policy/<slug>/frames/"): (None,                                "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/frames/close/"): ({"why": "x"},                 "302 404 403 403 409 403 409"),
    ("GET", "policy/<slug>/frames/<frame_id>/"): (None,                     "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/labels/"): (None,                                "302 404 403 403 200 200 403"),
    ("GET", "policy/<slug>/labels/file/"): (None,                           "302 404 403 403 422 422 403"),
    ("GET", "policy/<slug>/data-sets/"): (None,                             "302 404 403 403 200 200 403"),
    ("POST", "policy/<slug>/data-sets/freeze/"): ({},                       "302 404 403 403 409 403 403"),
    ("GET", "policy/<slug>/data-sets/<data_set>/"): (None,                  "302 404 403 403 200 200 403"),
    ("GET", "policy/<slug>/data-sets/<data_set>/rows/"): (None,             "302 404 403 403 409 403 403"),
    ("GET", "policy/<slug>/what-if/"): (None,                               "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/comparison/"): (None,                            "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/models/"): (None,                                "302 404 403 200 200 200 200"),
    ("GET", "policy/<slug>/models/<name>/"): (None,                         "302 404 403 200 200 200 200"),
    ("POST", "policy/<slug>/models/<name>/shadow/"): ({**WHY, "back_days": "7"},
                                                                            "302 404 403 403 422 403 403"),
    ("POST", "policy/<slug>/shadows/<shadow_id>/stop/"): (WHY,              "302 404 403 403 302 403 403"),
    ("GET", "access/"): (None,                                              "302 200 200 200 200 200 200"),
    ("GET", "access/<slug>/"): (None,                                       "302 404 403 403 403 200 200"),
    ("GET", "access/<slug>/change/<act>/"): (None,                          "302 404 403 403 403 403 200"),
    ("POST", "access/<slug>/change/<act>/propose/"): ({**RIGHT, **WHY},     "302 404 403 403 403 403 302"),
    ("POST", "access/<slug>/roll-back/"): (WHY,                             "302 404 403 403 403 403 302"),
    ("GET", "access/<slug>/versions/<no>/"): (None,                         "302 404 403 403 403 200 200"),
    ("POST", "access/<slug>/versions/<no>/agree/"): (WHY,                   "302 404 403 403 403 403 302"),
    ("POST", "access/<slug>/versions/<no>/turn-down/"): (WHY,               "302 404 403 403 403 403 302"),
    ("GET", "access/<slug>/members/"): (None,                               "302 404 403 403 403 200 200"),
    ("POST", "access/<slug>/members/add/"): ({},                            "302 404 403 403 403 403 422"),
    ("POST", "access/<slug>/members/change/"): ({"email": "member@example.org", "role": "lead"},
                                                                            "302 404 403 403 403 403 302"),
}  # fmt: skip
# Not of one queue: the language, and one's own keys.
ELSEWHERE = {"language/setlang/", "me/keys/"}


def routes(patterns: list[Any] | None = None, before: str = "") -> set[str]:
    """Return the routes of the pages, without converters."""
    found: set[str] = set()
    known: list[Any] = list(urls.urlpatterns) if patterns is None else patterns
    for pattern in known:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, route)
        else:
            found.add("/".join(_plain(part) for part in route.split("/")))
    return found


def _plain(part: str) -> str:
    return "<" + part[1:-1].partition(":")[2] + ">" if part[:1] == "<" else part


def test_every_route_has_its_cells() -> None:
    assert routes() - ELSEWHERE == {route for _method, route in TABLE}


def test_the_site_serves_these_routes() -> None:
    served = [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLResolver)]
    assert urls in [pattern.urlconf_name for pattern in served]


def client_of(person: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if person:
        client.force_login(person)
    return client


def person_in(role: str, queue: Queue) -> User | None:
    if role == "nobody":
        return None
    return make_user("manager", make_queue()) if role == "stranger" else make_user(role, queue)


def held_by(person: User, queue: Queue) -> Task:
    """Give a task to somebody, whether or not they could claim it."""
    until = timezone.now() + timedelta(minutes=5)
    task = make_task(queue, state=Task.State.CLAIMED, holder=person, lease=1, lease_until=until)
    task.moves.create(kind="claimed", person=person, lease=1, at=timezone.now())
    return task


def decided_by(person: User, queue: Queue) -> int:
    """Return a decision of somebody who was a reviewer when they made it."""
    task, before = held_by(person, queue), list(Membership.objects.filter(user=person))
    Membership.objects.filter(user=person).delete()
    Membership.objects.create(user=person, queue=queue, role="reviewer")
    made = decide.decide(task_id=task.pk, lease=1, person=person, answer=Answer("spam")).pk
    Membership.objects.filter(user=person).delete()
    Membership.objects.bulk_create(before)
    return int(made)


def shift_of(who: User, queue: Queue) -> int:
    ends = NOON + timedelta(hours=1)
    return Shift.objects.create(queue=queue, made_by=who, starts_at=NOON, ends_at=ends, people=1).pk


def handed_over(queue: Queue) -> int:
    given = {"kind": "release", "reason": "load", "steps": [], "at": timezone.now()}
    return Handover.objects.create(queue=queue, by=make_user("lead", queue), **given).pk


def away(queue: Queue) -> int:
    who, ends = make_user("reviewer", queue), NOON + timedelta(hours=1)
    return Absence.objects.create(person=who, made_by=who, starts_at=NOON, ends_at=ends).pk


def excluded(queue: Queue) -> int:
    who = make_user("reviewer", queue)
    return Exclusion.objects.create(user=who, queue=queue, kind="item", key="x", why="own", by=who, at=NOON).pk


# What stands in an address: the id of a row that the person has or wants to change.
IDS: dict[str, Callable[[User, Queue], int | str]] = {
    "<data_set>": lambda _who, queue: make_data_set(queue).name,
    "<person_id>": lambda _who, queue: paused(make_user("reviewer", queue), queue).person_id,
    "<decision_id>": decided_by,
    "<task_id>": lambda who, queue: held_by(who, queue).pk,
    "<shift_id>": shift_of,
    "<absence_id>": lambda _who, queue: away(queue),
    "<exclusion_id>": lambda _who, queue: excluded(queue),
    "<handover_id>": lambda _who, queue: handed_over(queue),
    "<alert_id>": lambda _who, queue: make_alert(queue).pk,
    "<item_id>": lambda _who, queue: make_item(queue, route="hard", band="hard").pk,
    "<pending_id>": lambda _who, queue: make_pending(make_item(queue, route="hard", band="hard")).pk,
    "<frame_id>": lambda _who, queue: make_frame(queue).pk,
    "<shadow_id>": lambda _who, queue: make_shadow(queue).pk,
    "<run_id>": lambda _who, queue: make_run(queue).pk,
}


def address(route: str, person: User | None, queue: Queue) -> str:
    """Fill in a route with what the person has or wants to change."""
    who = person or make_user("reviewer", queue)
    if "/gold/" in route:
        route = route.replace("<item_id>", str(gold_item(queue).pk))
    for spot, make in IDS.items():
        if spot in route:
            route = route.replace(spot, str(make(who, queue)))
    route = route.replace("<name>", "external")
    if route.startswith("access/<slug>/"):
        route = place_of_access(route, queue)
    if "<no>" in route:
        route = route.replace("<no>", str(policy_for(route, queue)))
    return "/" + route.replace("<slug>", queue.slug)


def place_of_access(route: str, queue: Queue) -> str:
    """Fill in a route of rights and members; there is somebody to be made a member."""
    if not User.objects.filter(email="member@example.org").exists():
        make_user(email="member@example.org")
    return route.replace("<act>", "export").replace("<no>", str(rights_for(route, queue)))


def rights_for(route: str, queue: Queue) -> int:
    """Return the number of somebody else's version of the rights that waits; another one is in force."""
    author, _second = make_user("admin", queue), make_user("admin", queue)
    edit.propose(queue=queue, cells={Act.VERIFY: {"auditor": None}}, by=author, why="x", at=NOON)
    if not route.endswith(("agree/", "turn-down/")):
        return 1
    return edit.propose(queue=queue, cells={Act.EXPORT: {"lead": Limit()}}, by=author, why="x", at=NOON).no


def policy_for(route: str, queue: Queue) -> int:
    """Return the number of a policy in the state from which the page's step leads on."""
    step = route.removesuffix("/").rpartition("/")[2]
    states = {"publish": "approved", "canary": "approved", "stop": "canary", "roll-back": "retired"}
    return make_policy(queue, states.get(step, "draft")).no


@pytest.mark.parametrize(("method", "route"), TABLE, ids=[f"{method} /{route}" for method, route in TABLE])
def test_cells(method: str, route: str) -> None:
    data, cells = TABLE[method, route]
    answers = []
    for role in ROLES:
        queue = make_queue()
        person = person_in(role, queue)
        path = address(route, person, queue)
        client = client_of(person)
        answer = client.get(path) if method == "GET" else client.post(path, data)
        answers.append(answer.status_code)
        other = client.post(path) if method == "GET" else client.get(path)
        assert other.status_code in ((302,) if role == "nobody" else (405,)) or route == "", f"{role}: other method"
    assert " ".join(map(str, answers)) == cells


def test_a_refused_right_is_named_on_its_page_and_noted() -> None:
    queue = make_queue()
    answer = client_of(make_user("auditor", queue)).get(f"/policy/{queue.slug}/")
    assert "draft_policy" in answer.content.decode()
    assert "Manager" in answer.content.decode()
    assert Event.objects.filter(chain=queue.pk, kind__contains="refused").count() == 1


def test_a_refused_attempt_on_an_item_names_it() -> None:
    queue, other = make_queue(), make_queue()
    item = make_item(queue, route="hard", band="hard")
    client = client_of(make_user("reviewer", queue))
    assert client.get(f"/audit/{queue.slug}/items/{item.pk}/").status_code == 403
    assert client.get(f"/audit/{queue.slug}/items/{make_item(other).pk}/").status_code == 403
    assert client.get(f"/audit/{queue.slug}/items/{10**9}/").status_code == 403
    refused = Event.objects.filter(chain=queue.pk, kind="right.refused").order_by("seq")
    assert [event.item_id for event in refused] == [item.pk, None, None]


def test_a_task_of_another_queue_is_not_found() -> None:
    mine, other = make_queue(), make_queue()
    person = make_user("reviewer", mine)
    task = held_by(make_user("reviewer", other), other)
    answer = client_of(person).post(f"/review/{mine.slug}/tasks/{task.pk}/decide/", {**LEASE, "answer": "spam"})
    assert answer.status_code == 404
    assert not Action.objects.exists()


# what is sent, where, and the answer
@pytest.mark.parametrize(
    ("role", "path", "data", "status", "told"),
    [
        ("manager", "floor/{slug}/shifts/", {**SHIFT, "people": "0"}, 422, "greater than or equal"),
        ("manager", "floor/{slug}/shifts/", {**SHIFT, "starts_at": "soon"}, 422, "valid date"),
        ("manager", "floor/{slug}/pause/", {"why": "mood"}, 422, "Choose one of the reasons"),
        ("manager", "policy/{slug}/draft/", {**DRAFT, "hard": "0.1"}, 422, "errorlist"),
        ("manager", "policy/{slug}/99/publish/", WHY, 404, "Nothing here"),
        ("manager", "policy/{slug}/1/publish/", WHY, 409, ""),
        ("manager", "policy/{slug}/1/roll-back/", {"why": ""}, 422, "Say why"),
        ("auditor", "audit/{slug}/export/", {"kind": "everything", "form": "csv"}, 422, "csv or jsonl"),
        ("auditor", "audit/{slug}/export/", {"kind": "overrides", "form": "csv", "since": "x"}, 422, "since"),
        ("reviewer", "review/{slug}/tasks/{task}/decide/", {"lease": "one", "answer": "spam"}, 422, "whole number"),
        ("reviewer", "review/{slug}/tasks/{task}/decide/", {"lease": "7", "answer": "spam"}, 409, "Your hold"),
        ("reviewer", "review/{slug}/tasks/{task}/decide/", {**LEASE, "answer": "eggs"}, 422, "no such outcome"),
        ("reviewer", "review/{slug}/tasks/{task}/decide/", {**LEASE, "answer": "ham"}, 422, "Say why"),
        ("reviewer", "review/{slug}/tasks/{task}/skip/", {**LEASE, "reason": "mood"}, 422, ""),
    ],
)
def test_what_does_not_fit_is_refused_in_words(role: str, path: str, data: Any, status: int, told: str) -> None:
    queue = make_queue()
    person = make_user(role, queue)
    task = held_by(person, queue) if "{task}" in path else None
    answer = client_of(person).post("/" + path.format(slug=queue.slug, task=task and task.pk), data)
    assert answer.status_code == status
    assert told in answer.content.decode()
    fragment = client_of(person).post(
        "/" + path.format(slug=queue.slug, task=task and task.pk), data, headers={"HX-Request": "true"}
    )
    assert fragment.status_code == status


def test_figures_that_did_not_change_are_not_sent_again() -> None:
    queue = make_queue()
    client = client_of(make_user("manager", queue))
    first = client.get(f"/floor/{queue.slug}/live/")
    assert client.get(f"/floor/{queue.slug}/live/", headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(f"/floor/{queue.slug}/live/", headers={"If-None-Match": '"other"'}).status_code == 200
    assert "no-cache" in first["Cache-Control"]
