"""Sends the rows that no model was trained on, over HTTP, as live traffic."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import chain, zip_longest
from typing import Any
from urllib.parse import urlsplit

from decisions.models import Item
from reviewqueue.demo import rows
from reviewqueue.demo.rows import DemoRow

FIRST = 120  # rows of each queue that are sent at once, so that there is something to see
SAID_EVERY = 60.0
PATIENCE = 2.0
SOURCE = "demo"


@dataclass
class Sender:
    """Speaks to the API under the demo's own token; waits while the site is not there."""

    url: str
    token: str
    say: Callable[[str], None]

    def send(self, path: str, body: bytes, media_type: str) -> tuple[int, dict[str, Any]]:
        """Post and return status and answer; try again until the site answers without a fault of its own."""
        tries = 0
        while True:
            try:
                status, answer = self._post(path, body, media_type)
            except (OSError, HTTPException):
                status, answer = HTTPStatus.SERVICE_UNAVAILABLE, {}
            if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
                return status, answer
            tries += 1
            if tries == 2:
                self.say(f"{self.url} does not answer as it should ({int(status)}); trying on.")
            time.sleep(PATIENCE)

    def _post(self, path: str, body: bytes, media_type: str) -> tuple[int, dict[str, Any]]:
        place = urlsplit(self.url)
        connection = HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media_type}
            connection.request("POST", f"/api/v1{path}", body=body, headers=headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()


def run(sender: Sender, *, rate: float) -> None:
    """Send what is not there yet: some at once, the rest at `rate` items per second over all queues, to the end."""
    waiting = {slug: left(slug) for slug in rows.DEMOS}
    sent: Counter[str] = Counter()
    for slug, found in waiting.items():
        if Item.objects.filter(queue__slug=slug, source=SOURCE).exists():  # imported history is no arrival
            continue
        first, waiting[slug] = found[:FIRST], found[FIRST:]
        _, answer = sender.send(f"/queues/{slug}/items/batch/?results=none", lines(first), "application/x-ndjson")
        sent["accepted"] += answer.get("accepted", 0)
        sent["refused"] += answer.get("rejected", 0)
    for row in paced(mixed(list(waiting.values())), rate, lambda: sender.say(told(sent))):
        status, _ = sender.send(f"/queues/{row.queue}/items/", line(row), "application/json")
        sent["accepted" if status in (HTTPStatus.OK, HTTPStatus.CREATED) else "refused"] += 1
    sender.say(f"{told(sent)} Every row has been sent.")


def told(sent: Counter[str]) -> str:
    """Return the counts in words."""
    return f"{sent['accepted']} items accepted, {sent['refused']} sent back to be mended."


def left(slug: str) -> list[DemoRow]:
    """Return the rows for live traffic that have not arrived, in their order."""
    here = set(Item.objects.filter(queue__slug=slug).values_list("external_id", flat=True))
    return [row for row in rows.live(slug) if row.external_id not in here]


def mixed(streams: Sequence[Sequence[DemoRow]]) -> Iterator[DemoRow]:
    """Take one row of each queue in turn."""
    return (row for row in chain.from_iterable(zip_longest(*streams)) if row is not None)


def paced(found: Iterator[DemoRow], rate: float, said: Callable[[], None]) -> Iterator[DemoRow]:
    """Give out rows no faster than `rate` per second."""
    began = spoke = time.monotonic()
    for number, row in enumerate(found):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        if time.monotonic() - spoke > SAID_EVERY:
            spoke = time.monotonic()
            said()
        yield row


def lines(found: Sequence[DemoRow]) -> bytes:
    """Return rows as NDJSON."""
    return b"\n".join(line(row) for row in found)


def line(row: DemoRow) -> bytes:
    """Return a row as the API takes it: without the truth, and without a score, so that the queue's model scores it."""
    item = {"external_id": row.external_id, "payload": row.payload, "source": SOURCE}
    return json.dumps(item | ({"occurred_at": row.occurred_at} if row.occurred_at else {})).encode()
