"""What the product is measured on: the demo's queue of real e-mails, its people, and as many waiting tasks as asked."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

import orjson
import psycopg2
from django.db import connection, connections
from django.db.models import Model
from django.utils import timezone
from psycopg2 import extensions

from decisions.intake import parse, submit
from decisions.learning import registry
from decisions.models import Action, Body, Decision, Event, Intake, Item, Move, Policy, Queue, Ruling, Task, User
from decisions.queues import live
from reviewqueue.demo import rows, setup
from reviewqueue.embedded import postgres, servers
from tests.bench import house
from tests.factories import make_token, make_user

SLUG = "emails"
APART = 10_000_000  # between the ids of two tables, so that a number in a statement tells which table it is from
COUNTED = (Intake, Item, Task, Move, Action, Decision, Ruling, Event)
FIRST_SEQ = 1_000_000_000

_names = count(1)


@dataclass(frozen=True)
class Ground:
    """The queue, who sends and who reviews, and real rows with the scores of the queue's own model."""

    queue_id: int
    model: str
    sender: User
    reviewer: User
    send_token: str
    review_token: str
    rows: tuple[tuple[dict[str, object], float], ...]

    def line(self, number: int, *, scored: bool = True) -> bytes:
        """Return an item that was never sent before: the real row of this number, with its score or without."""
        payload, score = self.rows[number % len(self.rows)]
        said = {"score": score, "model": self.model} if scored else {}
        return orjson.dumps({"external_id": f"bench-{next(_names)}", "payload": payload, **said})

    def lines(self, size: int) -> bytes:
        """Return a body of so many items."""
        return b"\n".join(self.line(number) for number in range(size))


def prepare() -> Ground:
    """Make the queue, its model and its people in the database that Django points to."""
    _set_ids_apart()
    queue = setup.queue(SLUG, print)
    setup.model(queue, print)
    model = Policy.objects.live().select_related("model").get(queue=queue).model
    assert model is not None
    payloads = [row.payload for row in rows.live(SLUG)]
    scores = registry.load(model).score(payloads).tolist()
    sender, reviewer = make_user("manager", queue), make_user("reviewer", queue)
    Event.objects.create(
        chain=queue.pk, seq=FIRST_SEQ, kind=Event.Kind.ITEMS_ARRIVED, entry="{}", hash=bytes(32), at=timezone.now()
    )
    return Ground(
        queue_id=queue.pk,
        model=model.name,
        sender=sender,
        reviewer=reviewer,
        send_token=make_token(sender, "intake")[1],
        review_token=make_token(reviewer, "review")[1],
        rows=tuple(zip(payloads, scores, strict=True)),
    )


def _set_ids_apart() -> None:
    with connections["owner"].cursor() as cursor:
        for place, model in enumerate(COUNTED, 1):
            cursor.execute("SELECT setval(%s, %s)", [f"{model._meta.db_table}_id_seq", place * APART])


def table(model: type[Model]) -> str:
    """Return a model's table."""
    return model._meta.db_table


def columns(model: type[Model], **instead: str) -> tuple[str, str]:
    """Return the names of all columns of a table, and the expressions to select for them."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    return ", ".join(names), ", ".join(instead.get(name, f"t.{name}") for name in names)


@contextmanager
def superuser(name: str) -> Iterator[extensions.connection]:
    """Open a database as its superuser, who may fill it without the triggers of foreign keys."""
    cluster = servers.known_cluster(house.FOLDER)
    port = urlsplit(servers.read(house.FOLDER).database_url).port
    assert port is not None
    with closing(cluster.connect(postgres.SUPERUSER, port, name)) as session:
        session.set_isolation_level(extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        yield session


def fill(ground: Ground, waiting: int) -> None:
    """Let so many tasks wait in the database that Django points to, then collect and analyse its tables.

    The real rows arrive through the product; copies of those that wait for people make up the number.
    """
    queue = live.of(SLUG)
    submit.many(queue=queue, lines=parse.many(ground.lines(2000)), sender=ground.sender, at=timezone.now())
    missing = waiting - Task.objects.waiting().count()
    if missing < 0:
        message = f"At least {waiting - missing} tasks have to wait."
        raise ValueError(message)
    with superuser(str(connection.settings_dict["NAME"])) as session, session.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'")
        for statement in _copies(missing):
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _copies(number: int) -> Iterator[str]:
    """Yield the statements that copy waiting items with all their rows, spread over sixteen steps of the deadline."""
    yield """
        CREATE TEMP TABLE seed AS
        SELECT row_number() OVER (ORDER BY id) - 1 AS place, id, item_id FROM decisions_task
    """
    yield f"""
        CREATE TEMP TABLE copies AS SELECT n, seed.id AS task, seed.item_id AS item
        FROM generate_series(1, {number}) n JOIN seed ON seed.place = n % (SELECT count(*) FROM seed)
    """
    starts = {model: f"(SELECT last_value FROM {table(model)}_id_seq)" for model in (Item, Task, Move, Action)}
    sooner = "- make_interval(mins => 15 * (1 + copies.n % 16))"
    item, task = f"{starts[Item]} + copies.n", f"{starts[Task]} + copies.n"
    times = {name: f"t.{name} {sooner}" for name in ("opened_at", "due_at", "due_step")}
    yield _copy(Item, "t.id = copies.item", id=item, external_id="t.external_id || '-' || copies.n")
    yield _copy(Body, "t.item_id = copies.item", item_id=item)
    yield _copy(Task, "t.id = copies.task", id=task, item_id=item, **times)
    yield _copy(Move, "t.task_id = copies.task", id=f"{starts[Move]} + copies.n", task_id=task)
    delivered = {"state": "'delivered'", "delivered_at": "t.created_at"}
    yield _copy(Action, "t.item_id = copies.item", id=f"{starts[Action]} + copies.n", item_id=item, **delivered)
    for model in starts:
        yield f"SELECT setval('{table(model)}_id_seq', (SELECT max(id) FROM {table(model)}))"


def _copy(model: type[Model], pairs: str, **instead: str) -> str:
    names, chosen = columns(model, **instead)
    return f"INSERT INTO {table(model)} ({names}) SELECT {chosen} FROM copies JOIN {table(model)} t ON {pairs}"


def app_session(name: str) -> extensions.connection:
    """Open the database that Django points to as the application's role, without Django."""
    settings = connection.settings_dict
    return psycopg2.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        application_name=name,
    )


def stored(external_id: str) -> Item:
    """Return an item by its external id."""
    return Item.objects.get(queue__slug=SLUG, external_id=external_id)


def queue() -> Queue:
    """Return the queue."""
    return Queue.objects.get(slug=SLUG)
