"""Deliveries: takes due actions, tells the world, and stores what came of it.

An action is taken by counting up its attempts and moving its next attempt past the longest call, in a transaction of
its own; none is open during a call. Who is killed in between leaves an action that is due again when that lease has
passed, under the same webhook id. What came of a call counts only where the attempt is still the one that was taken.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from decisions.effects import endpoints, outbound, webhooks
from decisions.effects.endpoints import Target
from decisions.effects.outbound import Answer
from decisions.models import Action, Delivery, Event
from decisions.record import log

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=45)  # longer than any call: resolving the name, and then outbound.TOTAL_SECONDS
THREADS = 32
TICK = 0.05  # seconds after which what has come back is stored
RUN_SECONDS = 20.0  # after which nothing new is taken; the next run goes on

TAKE = """
    WITH due AS (
        SELECT one.id
        FROM unnest(%s::bigint[], %s::int[]) AS target (queue_id, room)
        CROSS JOIN LATERAL (
            SELECT id FROM decisions_action
            WHERE queue_id = target.queue_id AND state = 'pending' AND next_at <= %s AND body IS NOT NULL
            ORDER BY next_at LIMIT target.room
            FOR UPDATE SKIP LOCKED
        ) AS one
    )
    UPDATE decisions_action AS action SET attempts = action.attempts + 1, next_at = %s
    FROM due WHERE action.id = due.id
    RETURNING action.id, action.queue_id, action.item_id, action.attempts, action.body
"""
# One that was cancelled while its call was under way was told nevertheless, and says so.
SETTLE = """
    UPDATE decisions_action AS action
    SET state = CASE WHEN action.state = 'cancelled' AND now_.state <> 'delivered' THEN 'cancelled' ELSE now_.state END,
        next_at = coalesce(now_.next_at, action.next_at), delivered_at = now_.delivered_at
    FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS now_ (id, attempts, state, next_at, delivered_at)
    WHERE action.id = now_.id AND action.attempts = now_.attempts AND action.state IN ('pending', 'cancelled')
    RETURNING action.id
"""
# What was not told yet of an item, and is older than what was, would take the world back to what no longer holds.
SUPERSEDE = """
    UPDATE decisions_action SET state = 'cancelled' WHERE id IN (
        SELECT older.id
        FROM decisions_action AS older
        JOIN unnest(%s::bigint[], %s::bigint[]) AS told (id, item_id)
            ON older.item_id = told.item_id AND older.id < told.id
        JOIN decisions_action AS newer ON newer.id = told.id
        WHERE older.state = 'pending' AND older.appeal_id IS NULL AND newer.appeal_id IS NULL
        FOR UPDATE OF older SKIP LOCKED
    )
    RETURNING id
"""


@dataclass(frozen=True)
class Taken:
    """An action that this process, and no other, may tell the world now."""

    id: int
    queue_id: int
    item_id: int
    attempt: int
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of a call, and what becomes of the action: `next_at` is set where it is tried again."""

    taken: Taken
    answer: Answer
    at: datetime
    state: Action.State
    next_at: datetime | None

    @classmethod
    def of(cls, taken: Taken, answer: Answer, at: datetime) -> "Outcome":
        if webhooks.is_delivered(answer.status):
            return cls(taken, answer, at, Action.State.DELIVERED, None)
        again = webhooks.next_at(attempt=taken.attempt, retry_after=answer.retry_after, at=at)
        return cls(taken, answer, at, Action.State.PENDING if again else Action.State.DEAD, again)

    @property
    def row(self) -> Delivery:
        return Delivery(
            action_id=self.taken.id,
            attempt=self.taken.attempt,
            status=self.answer.status,
            error=self.answer.error,
            seconds=self.answer.seconds,
            at=self.at,
        )


@dataclass
class Run:
    """One run: a clock that goes on from the time it was given, and the calls under way."""

    at: datetime
    began: float = field(default_factory=time.monotonic)
    calls: dict[Future[Answer], Taken] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def clock(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)


def deliver_due(at: datetime) -> int:
    """Tell the world what is due, until nothing is or the run's time is over; return how many were delivered."""
    run, delivered = Run(at), 0
    with ThreadPoolExecutor(THREADS) as pool:
        while _fill(run, pool) or run.calls:
            done, _ = wait(run.calls, timeout=TICK)
            outcomes = [Outcome.of(run.calls.pop(call), _answer(call), run.clock) for call in done]
            delivered += store(outcomes)
    return delivered


def take(room: dict[int, int], at: datetime) -> list[Taken]:
    """Take due actions, at most so many for each queue, and keep others off them for a lease."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [list(room), list(room.values()), at, at + LEASE])
        return [
            Taken(id=pk, queue_id=queue_id, item_id=item_id, attempt=attempt, body=bytes(body))
            for pk, queue_id, item_id, attempt, body in cursor.fetchall()
        ]


def store(outcomes: Sequence[Outcome]) -> int:
    """Store what came of calls, in a transaction and with one event for each queue; return how many arrived."""
    by_queue: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_queue[outcome.taken.queue_id].append(outcome)
    return sum(_store(queue_id, group) for queue_id, group in sorted(by_queue.items()))


def _fill(run: Run, pool: ThreadPoolExecutor) -> bool:
    """Put as many calls under way as there is room for; a slow receiver takes up its own queue's share only."""
    targets = {} if run.seconds > RUN_SECONDS else {target.queue_id: target for target in endpoints.targets(run.clock)}
    busy = Counter(taken.queue_id for taken in run.calls.values())
    share = max(1, THREADS // len(targets)) if targets else 0
    room = {queue_id: share - busy[queue_id] for queue_id in targets if share > busy[queue_id]}
    taken = take(room, run.clock) if room else []
    for one in taken:
        run.calls[pool.submit(_tell, targets[one.queue_id], one)] = one
    return bool(taken)


def _tell(target: Target, taken: Taken) -> Answer:
    """Make the call. It is stamped with this machine's own clock, which receivers hold against theirs."""
    headers = webhooks.headers(action_id=taken.id, body=taken.body, keys=target.keys, at=timezone.now())
    return outbound.post(target.url, taken.body, headers)


def _answer(call: Future[Answer]) -> Answer:
    """Return what came of a call; one that broke in an unforeseen way is a failed attempt and holds up no other."""
    error = call.exception()
    if error is None:
        return call.result()
    logger.error("call_broke", exc_info=error)
    return Answer(None, error=outbound.why(error))


@transaction.atomic
def _store(queue_id: int, outcomes: Sequence[Outcome]) -> int:
    at = max(outcome.at for outcome in outcomes)
    rows = {row.action_id: row for row in Delivery.objects.bulk_create([outcome.row for outcome in outcomes])}
    by_state = defaultdict(list)
    for outcome in _settle(outcomes):
        by_state[outcome.state].append(outcome.taken)
    told, dead = by_state[Action.State.DELIVERED], by_state[Action.State.DEAD]
    if told:
        entry = {"actions": [one.id for one in told], "superseded": _supersede(told)}
        spoken = [rows[one.id] for one in told]
        log.append(Event.Kind.ACTION_DELIVERED, chain=queue_id, actor=None, at=at, entry=entry, rows=spoken)
    if dead:
        entry, spoken = {"actions": [one.id for one in dead]}, [rows[one.id] for one in dead]
        log.append(Event.Kind.ACTION_DIED, chain=queue_id, actor=None, at=at, entry=entry, rows=spoken)
    if any(outcome.answer.status == webhooks.GONE for outcome in outcomes):
        endpoints.disable(queue_id=queue_id, by=None, at=at, reason="gone")
    return len(told)


def _settle(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write what becomes of the actions; return those whose attempt still was the one that was taken."""
    rows = [
        (o.taken.id, o.taken.attempt, o.state, o.next_at, o.at if o.state == Action.State.DELIVERED else None)
        for o in outcomes
    ]
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [list(column) for column in zip(*rows, strict=True)])
        settled = {row[0] for row in cursor.fetchall()}
    return [outcome for outcome in outcomes if outcome.taken.id in settled]


def _supersede(told: Sequence[Taken]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDE, [[one.id for one in told], [one.item_id for one in told]])
        return sorted(row[0] for row in cursor.fetchall())
