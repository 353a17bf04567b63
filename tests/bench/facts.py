"""What the bare site is told: rows that the product stored, and the statements that it ran, their ids left open."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from django.test import Client

from decisions.intake import parse, submit
from decisions.models import Action, Body, Event, Intake, Item, Move, Task
from decisions.queues import live
from decisions.record import log
from decisions.routing import policy
from tests.bench import ground
from tests.bench.ground import SLUG, Ground

Step = dict[str, Any]
# What an answer of the database tells, by a sign in its statement: names with the column and what is to be added to it.
GIVES: tuple[tuple[str, dict[str, tuple[str, int]]], ...] = (
    (r"FROM decisions_claim", {"task": ("id", 0), "item": ("item_id", 0)}),
    (r'INSERT INTO "decisions_decision".* RETURNING', {"decision": ("id", 0)}),
    (r'INSERT INTO "decisions_ruling".* RETURNING', {"ruling": ("id", 0)}),
    (r"nextval", {"action": ("nextval", 0)}),
)
DOOR = "decisions_caller"  # who looks for a token; the bare site knows nobody
CHAIN = 2_000_000_000  # of the bare site's own events


def rows_of(ground_: Ground) -> dict[str, Any]:
    """Return, by route, the statements that insert what an item of that route left, and the cuts between routes."""
    queue, found = live.of(SLUG), dict[str, Any]()
    for number in range(len(ground_.rows)):
        row = parse.one(ground_.line(number))
        result = submit.one(queue=queue, row=row, sender=ground_.sender, at=log.now())
        if result["reason"] == "score" and result["route"] not in found:
            found[result["route"]] = list(_inserts(ground.stored(row.external_id)))
        if len(found) == len(Item.Route):
            break
    cuts = policy.Cuts.of(queue.policy, queue.spec)
    return {"cuts": [("hard", cuts.hard), ("soft", cuts.soft), ("pass", -1.0)], "rows": found}


def _inserts(item: Item) -> Any:
    """Yield name, statement and values of each row that an item left, in an order that foreign keys allow."""
    yield "intake", *_insert(Intake, "t.id = %s", item.intake_id)
    yield "item", *_insert(Item, "t.id = %s", item.pk, intake_id="intake", external_id="external_id", score="score")
    yield "body", *_insert(Body, "t.item_id = %s", item.pk, item_id="item", content="content")
    for task in Task.objects.filter(item=item):
        yield "task", *_insert(Task, "t.id = %s", task.pk, item_id="item")
        yield "move", *_insert(Move, "t.task_id = %s", task.pk, task_id="task")
    for action in Action.objects.filter(item=item):
        yield "action", *_insert(Action, "t.id = %s", action.pk, item_id="item")
    event = Event.objects.filter(chain=item.queue_id).latest("seq")
    next_seq = f"(SELECT coalesce(max(seq), 0) + 1 FROM decisions_event WHERE chain = {CHAIN})"
    statement, values = _insert(Event, "t.id = %s", event.pk)
    yield "event", statement.replace("%(seq)s", next_seq), {**values, "chain": CHAIN}


def _insert(model: type[Model], where: str, key: int, **ids: str) -> tuple[str, dict[str, Any]]:
    """Return the statement that inserts a row like a stored one, and its values as text; `ids` are left open."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f't.{name}::text' for name in names)} FROM {table} t WHERE {where}", [key])
        values = dict(zip(names, cursor.fetchone(), strict=True))
    own = [name for name in names if name != "id"]
    given = ", ".join(f"%({ids.get(name, name)})s" for name in own)
    returning = " RETURNING id" if "id" in names else ""
    text = f"INSERT INTO {table} ({', '.join(own)}) VALUES ({given}){returning}"
    return text, {name: values[name] for name in own if name not in ids}


def statements_of(ground_: Ground) -> dict[str, list[Step]]:
    """Return the statements of a claim and of a decision, as the product runs them when it is warm.

    All of them, those that only read too, but for the look-up of the token.
    """
    for _ in range(3):
        (claimed, claim), (decided, decide) = _work(ground_)
    task = claimed["tasks"][0]
    ids = {
        task["id"]: "task",
        task["item"]["id"]: "item",
        decided["decision"]["id"]: "decision",
        decided["ruling"]["id"]: "ruling",
    }
    for action in Action.objects.filter(ruling=decided["ruling"]["id"]):
        ids[action.pk] = "action"
    return {"claim": _opened(claim, ids), "decide": _opened(decide, ids)}


def _work(ground_: Ground) -> list[tuple[Any, list[str]]]:
    """Claim and decide once in this process; return for both what was answered and which statements ran."""
    claimed = _recorded(lambda: _post(ground_, f"/api/v1/queues/{SLUG}/claim/", {}))
    task = claimed[0]["tasks"][0]
    return [claimed, _recorded(lambda: _post(ground_, f"/api/v1/tasks/{task['id']}/decide/", answer(task["lease"])))]


def answer(lease: int) -> dict[str, Any]:
    """Return what the reviewer says to every task."""
    return {"lease": lease, "outcome": "ham", "reason": "wanted", "active_seconds": 4.5}


def _post(ground_: Ground, path: str, said: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {ground_.review_token}", "Host": "127.0.0.1"}
    response = Client(headers=headers).post(path, json.dumps(said), content_type="application/json")
    if response.status_code not in (200, 201):
        message = f"{path}: {response.status_code} {response.content[:300]!r}"
        raise RuntimeError(message)
    return response.json()


def _recorded(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what a call returns, and the text of each statement that it ran."""
    texts: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        texts.append(context["cursor"].mogrify(sql, params).decode())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        return call(), texts


def _opened(texts: Sequence[str], ids: dict[int, str]) -> list[Step]:
    """Return statements with a place for each id, and what their answers give."""
    pattern = re.compile(r"\b(" + "|".join(map(str, ids)) + r")\b")
    steps = []
    for text in texts:
        if DOOR not in text:
            open_ = pattern.sub(lambda found: f"%({ids[int(found[1])]})s", text.replace("%", "%%"))
            steps.append({"text": open_, "gives": _gives(text)})
    return steps


def _gives(text: str) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for sign, names in GIVES:
        if re.search(sign, text, re.DOTALL):
            found |= names
    return found
