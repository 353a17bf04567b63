"""The world outside, on loopback: a receiver that answers as told and remembers; and makers of what it is told."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, TypeVar

from django.db import connections
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from decisions.effects import endpoints, outbox
from decisions.models import Action, Item, Queue, Ruling, User
from tests.factories import make_item

LOOPBACK = "127.0.0.1/32"
Answer = TypeVar("Answer")
Reply = tuple[int, dict[str, str]]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Letter:
    """One call as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Ask the reference library."""
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """Answers each call with what `reply` says of it; 200 unless told otherwise.

    Where it has a secret it holds each letter against it as it comes: the library takes no letter of minutes ago.
    """

    url: str = ""
    secret: str = ""
    letters: list[Letter] = field(default_factory=list)
    unsigned: list[Letter] = field(default_factory=list)
    reply: Callable[[Letter], Reply] = lambda _: (200, {})
    lines: set[Any] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    @property
    def ids(self) -> list[str]:
        return [letter.id for letter in self.letters]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver on a free port of loopback."""
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed
                return
            letter = Letter({name.lower(): value for name, value in self.headers.items()}, body)
            with it.lock:
                it.lines.add(self.client_address)
                it.letters.append(letter)
                if it.secret and not letter.is_signed_with(it.secret):
                    it.unsigned.append(letter)
            status, headers = it.reply(letter)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *args: Any) -> None:
            """Say nothing of senders that were killed."""

    server = Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    it.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()


def elsewhere(call: Callable[[], Answer]) -> Answer:
    """Do it as another process would: on a connection of its own, which is closed afterwards. For other threads."""
    try:
        return call()
    finally:
        connections.close_all()


def make_endpoint(queue: Queue, url: str, at: datetime) -> str:
    """Set where a queue's actions go; return the secret."""
    return endpoints.put(queue=queue, url=url, by=None, at=at)


def make_action(queue: Queue, at: datetime, item: Item | None = None, **fields: Any) -> Action:
    """Store an action as the machine makes it at routing, due at once."""
    item = item or make_item(queue)
    (pk,) = outbox.allocate(1)
    body = outbox.body(
        action_id=pk,
        name="quarantine",
        queue=queue.slug,
        item_id=item.pk,
        external_id=item.external_id,
        outcome="spam",
        cause="hard",
        at=at,
    )
    given = {"body": body, "due_at": at, "next_at": at, "created_at": at, **fields}
    return Action.objects.create(id=pk, queue=queue, item=item, name="quarantine", **given)


def make_actions(queue: Queue, at: datetime, count: int) -> list[Action]:
    """Store many actions, each of an item of its own."""
    first = make_action(queue, at)
    items = [copy(first.item) for _ in range(count - 1)]
    for item in items:
        item.pk, item.external_id = None, f"many-{next(_numbers)}"
        item._state.adding = True
    made = []
    for pk, item in zip(outbox.allocate(count - 1), Item.objects.bulk_create(items), strict=True):
        body = bytes(first.body or b"").replace(b'"id":%d' % first.pk, b'"id":%d' % pk)
        made.append(
            Action(id=pk, queue=queue, item=item, name=first.name, body=body, due_at=at, next_at=at, created_at=at)
        )
    return [first, *Action.objects.bulk_create(made)]


def make_ruling(item: Item, at: datetime, person: User | None = None, **fields: Any) -> Ruling:
    """Store a ruling that can be undone for ten seconds."""
    before = Ruling.objects.filter(item=item).order_by("-no").first()
    given = {
        "no": before.no + 1 if before else 1,
        "outcome": "spam",
        "truth": "positive",
        "source": Ruling.Source.DECISION,
        "replaces": before,
        "final_at": at + timedelta(seconds=10),
        **fields,
    }
    return Ruling.objects.create(queue=item.queue, item=item, person=person, at=at, **given)
