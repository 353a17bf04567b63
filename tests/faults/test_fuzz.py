"""Every call of the API in every role with made-up input: no server error, and no answer that the schema leaves out.

Each body is made from the schema that the call documents, right in shape or wrong in one place; paths name what is
there or what is not; queries are the documented ones with right and wrong values.
"""

import random
from collections import Counter
from typing import Any

import pytest

from decisions.models import Membership, Queue, Task
from decisions.work import claim
from tests.factories import make_item, make_queue, make_task
from tests.reviewqueue.api import contract
from tests.reviewqueue.api.caller import Caller, caller
from tests.reviewqueue.api.test_hostile import VALUES

pytestmark = [pytest.mark.django_db, pytest.mark.proof]
TIMES = 8  # each call in each role
ROLES = [*Membership.Role.values, ""]
WORDS = ("spam", "ham", "content", "unclear", "expert", "load", "soft", "x", "2026-03-02T12:00:00Z", "P1D", "")
PLAIN: dict[str, list[Any]] = {
    "string": [*WORDS],
    "integer": [0, 1, 2, 50, -1, 2**31, 2**63],
    "number": [0.0, 0.5, 0.95, 1.0, -0.1, 7.25, 1e300],
    "boolean": [True, False],
    "null": [None],
}
SHAPES = contract.schema()["components"]["schemas"]


class Maker:
    """Makes values by a schema, from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def value(self, shape: dict[str, Any], depth: int = 0) -> Any:
        """Return a value of this shape; mostly one that fits."""
        if self.chance.random() < 0.05:
            return self.chance.choice(VALUES)
        shape = self.one_of(shape)
        if "enum" in shape:
            return self.chance.choice(shape["enum"])
        kinds = shape.get("type", "string")
        kind = self.chance.choice(kinds) if isinstance(kinds, list) else kinds
        if kind == "object":
            return self.of_object(shape, depth)
        if kind == "array":
            return [self.value(shape.get("items", {}), depth + 1) for _ in range(self.chance.randrange(4))]
        return self.chance.choice(PLAIN[kind])

    def one_of(self, shape: dict[str, Any]) -> dict[str, Any]:
        """Return the shape that is meant by a reference, or one of several."""
        if "$ref" in shape:
            return self.one_of(SHAPES[shape["$ref"].rpartition("/")[2]])
        several = [one for name in ("oneOf", "anyOf", "allOf") for one in shape.get(name, ())]
        return self.one_of(self.chance.choice(several)) if several else shape

    def of_object(self, shape: dict[str, Any], depth: int) -> dict[str, Any]:
        names = shape.get("properties", {})
        wanted = [n for n in names if n in shape.get("required", ()) or self.chance.random() < 0.6]
        made = {name: self.value(names[name], depth + 1) for name in wanted}
        if not names and depth < 4:
            made = {self.chance.choice(WORDS): self.anything() for _ in range(self.chance.randrange(3))}
        return made

    def anything(self) -> Any:
        return self.chance.choice([*WORDS, 0, -9, 7.5, None, True, {}, []])


class World:
    """A queue with tasks of which the caller may hold one, and ids of what is there."""

    def __init__(self, role: str, maker: Maker) -> None:
        self.queue: Queue = make_queue()
        self.person: Caller = caller(role, self.queue) if role else caller()
        self.maker = maker
        for _ in range(3):
            make_task(self.queue)
        self.item = make_item(self.queue, route="hard", band="hard", score=0.95, p=0.95)
        if role in ("crowd", "reviewer", "expert", "lead", "manager"):
            claim.next_tasks(queue_id=self.queue.pk, person=self.person.user)
        self.task = Task.objects.filter(queue=self.queue).order_by("-lease", "pk")[0]

    def path(self, template: str, operation: dict[str, Any]) -> str:
        near = self.maker.chance.random() < 0.8
        ids: dict[str, object] = {"queue": self.queue.slug if near else "no-such", "task": self.task.pk}
        ids["item"] = self.item.pk if near else 10**17
        names = {one["name"]: one for one in operation.get("parameters", ())}
        inside = {name: ids.get(name, 1) for name, one in names.items() if one["in"] == "path"}
        asked = [name for name, one in names.items() if one["in"] == "query" and self.maker.chance.random() < 0.4]
        query = "&".join(f"{name}={self.word(name, names[name])}" for name in asked)
        return template.format(**inside) + (f"?{query}" if query else "")

    def word(self, name: str, one: dict[str, Any]) -> object:
        if name == "queue" and self.maker.chance.random() < 0.8:
            return self.queue.slug
        said = self.maker.value(one.get("schema", {}))
        return str(said)[:200].replace("&", "%26").replace("#", "%23").replace("\0", "%00").replace("\n", "%0A")

    def call(self, operation: str) -> Any:
        method, template, described = contract.operations()[operation]
        path = self.path(template, described)
        if method == "GET":
            return self.person.get(path)
        content = described.get("requestBody", {}).get("content", {"application/json": {"schema": {"type": "object"}}})
        kind, shape = next(iter(content.items()))
        body = self.maker.value(shape["schema"])
        if kind == "application/x-ndjson":
            return self.person.lines(path, body, *(self.maker.anything() for _ in range(3)))
        if isinstance(body, dict) and "lease" in body and self.maker.chance.random() < 0.7:
            body["lease"] = self.task.lease
        return self.person.post(path, body)


@pytest.mark.parametrize("role", ROLES)
def test_made_up_calls_break_nothing_and_are_answered_as_documented(role: str) -> None:
    seen: Counter[int] = Counter()
    for time in range(TIMES):
        maker = Maker(seed=time)
        world = World(role, maker)
        for operation in sorted(contract.operations()):
            answer = world.call(operation)  # the caller holds it against the schema
            assert answer.status_code < 500, (operation, answer.getvalue()[:300])
            seen[answer.status_code] += 1
    assert {400, 404} <= set(seen)
    assert seen[200] + seen[201] + seen[204] > TIMES
