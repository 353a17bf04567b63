"""Thousands of hostile calls: each is refused or taken as data, none breaks the server or its schema."""

import gzip
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from decisions.models import Queue, Task
from tests.decisions.watch.alerting import make_alert
from tests.factories import make_item, make_pending, make_queue, make_task
from tests.reviewqueue.api import contract
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db

TEXTS = [
    "'; DROP TABLE decisions_item; --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "../../../etc/passwd",
    "%00%0d%0aSet-Cookie: x=1",
    "\u202e\u200b\ufeff\U0001f600",
    "a" * 70_000,
    "=cmd|'/c calc'!A0",
    "\r\nX: y",
]
VALUES: list[Any] = [None, True, -1, 2**63 - 1, 1e308, -0.0, "", [], {}, [[]], {"$ne": 1}, ["a"] * 2000, *TEXTS]
BODIES = [
    b"",
    b"null",
    b"true",
    b'"text"',
    b"1e999",
    b"-",
    b"[" * 100_000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'{"lease": NaN}',
    b'{"external_id": "\\ud800", "payload": {}}',
    b'{"external_id": "a\\u0000b", "payload": {"a": "\\u0000"}}',
    b'{"external_id": "x", "payload": {"n": ' + b"9" * 5000 + b"}}",
    b'{"external_id": "x", "payload": {}, "payload": []}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"\x00" * 1000,
    gzip.compress(b"{}"),
    b"lease=1&outcome=spam",
    b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
]
KINDS = [
    "application/json",
    "application/x-ndjson",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
]
KINDS += ["application/json; charset=utf-16", "text/html", "", "a" * 300]
HEADERS = [
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "gzip, gzip"},
    {"Idempotency-Key": "k\x7f"},
    {"Accept": "text/html"},
    {"Accept": "*/*;q=x"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Accept-Language": "zh-hans"},
    {"Authorization": "Bearer \udcff".encode("utf-8", "replace").decode()},
]
QUERIES = [
    "queue=%00",
    "queue=a%00b",
    "after=%00",
    "limit=1e3",
    "outcome=%00",
    "item=0x10",
    "since=0000-00-00",
    "kind=%FF",
]
QUERIES += [
    "since=9999-12-31T23:59:59-23:59",
    "until=0001-01-01T00:00:00%2B14:00",
    "person=NaN",
    "limit=&after=",
    "queue[]=x",
]
QUERIES += [
    "order=newest&order=x",
    "results=%00",
    "is_override=maybe",
    "item=Infinity",
    "after=" + "0" * 50,
    "lang=%00",
]
SLUGS = ["%00", "%ff", "..%2f", "a" * 3000, "-1", "९", "%F0%9F%98%80"]


class Target:
    """A queue with a task that the caller holds."""

    def __init__(self) -> None:
        self.queue: Queue = make_queue()
        self.person: Caller = caller("manager", self.queue)
        make_task(self.queue)
        self.task = Task.objects.get(pk=self.person.post(f"queues/{self.queue.slug}/claim/").json()["tasks"][0]["id"])
        self.item = make_item(self.queue, route="pass", band="pass", score=0.1, propensity=None)
        self.alert = make_alert(self.queue)
        self.pending = make_pending(make_item(self.queue, route="hard", band="hard", score=0.95))

    def path(self, template: str) -> str:
        ids = {"queue": self.queue.slug, "task": self.task.pk, "item": self.item.pk, "alert": self.alert.pk}
        ids |= {"person": self.person.user.pk, "pending": self.pending.pk}
        return template.format_map(defaultdict(lambda: 1, ids))


POSTS = sorted(path for method, path, _operation in contract.operations().values() if method == "POST")
GETS = sorted(path for method, path, _operation in contract.operations().values() if method == "GET")


def assert_no_harm(answer: Any) -> None:
    content = answer.getvalue()
    assert answer.status_code < 500, content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
    assert "text/html" not in answer["Content-Type"] if content else True
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("path", POSTS)
def test_bodies(path: str) -> None:
    target = Target()
    for number, body in enumerate(BODIES):
        answer = target.person.send("POST", target.path(path), body, content_type=KINDS[number % 2])
        assert_no_harm(answer)


@pytest.mark.parametrize("path", POSTS)
def test_kinds_and_headers(path: str) -> None:
    target = Target()
    for kind in KINDS:
        assert_no_harm(target.person.send("POST", target.path(path), b'{"lease": 1}', content_type=kind))
    for headers in HEADERS:
        assert_no_harm(target.person.post(target.path(path), {"lease": 1}, **headers))


@pytest.mark.slow
@pytest.mark.parametrize("path", POSTS)
def test_values(path: str) -> None:
    target = Target()
    for said in _wrong(path):
        assert_no_harm(target.person.post(target.path(path), said))


def _wrong(path: str) -> Iterator[dict[str, Any]]:
    """Yield bodies that are right but for one value."""
    content = _operation(path).get("requestBody", {"content": {}})["content"]
    shape = next((described["schema"] for described in content.values()), {"$ref": "Nothing"})
    properties = (
        contract.schema()["components"]["schemas"]
        .get(shape["$ref"].rpartition("/")[2], {})
        .get("properties", {"x": {}})
    )
    right = {"lease": 1, "outcome": "ham", "reason": "content", "external_id": "m-1", "payload": {}, "why": "x"}
    usual = {name: value for name, value in right.items() if name in properties}
    for name in properties:
        for value in VALUES:
            yield {**usual, name: value}
            yield {**usual, name: {name: value}}


def test_there_are_five_thousand_of_them_and_more() -> None:
    shapes = sum(len(list(_wrong(path))) for path in POSTS)
    calls = len(POSTS) * (len(BODIES) + len(KINDS) + len(HEADERS)) + len(GETS) * len(QUERIES) + shapes
    assert calls >= 5000


def _operation(path: str) -> dict[str, Any]:
    described: dict[str, Any] = contract.schema()["paths"][path]["post"]
    return described


@pytest.mark.parametrize("path", GETS)
def test_queries(path: str) -> None:
    target = Target()
    for query in QUERIES:
        named = "" if "queue" in query else f"queue={target.queue.slug}&"
        assert_no_harm(target.person.get(f"{target.path(path)}?{named}{query}"))


@pytest.mark.parametrize("slug", SLUGS)
def test_names_in_the_path(slug: str) -> None:
    target = Target()
    for template in ("queues/{}/items/", "queues/{}/claim/", "tasks/{}/decide/", "items/{}/override/"):
        assert_no_harm(target.person.post(template.format(slug), {"lease": 1}))
    for template in ("queues/{}/status/", "items/{}/", "{}"):
        answer = target.person.get(template.format(slug))
        assert answer.status_code == 404


def test_lines_of_noise() -> None:
    """Right lines and noise in one batch: the right ones are kept, the others named."""
    target, noise = Target(), random.Random(7)
    lines = [orjson.dumps({"external_id": f"m-{n}", "payload": {"text": "x"}, "score": 0.5}) for n in range(200)]
    for place in range(1, 200, 2):
        line = bytearray(lines[place])
        for _ in range(noise.randrange(1, 6)):
            line[noise.randrange(len(line))] = noise.randrange(32, 256)
        lines[place] = bytes(line).replace(b"\n", b"")
    answer = target.person.send(
        "POST", f"queues/{target.queue.slug}/items/batch/", b"\n".join(lines), content_type="application/x-ndjson"
    )
    assert_no_harm(answer)
    said = answer.json()
    assert said["accepted"] >= 100
    assert said["accepted"] + said["duplicates"] + said["rejected"] == 200
