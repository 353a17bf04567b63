"""Frames: closed spans of passes, each drawn from with its share of the day's audit budget.

A frame is [starts_at, ends_at) by arrival, starts where the one before it ended (the first one with the day of the
first pass) and ends within the day of its first pass. It holds exactly what will ever have arrived in it: who brings
items in shares a lock on the queue's frames from before its items are stored to its commit, and looks up the newest
frame under it; what turns out to have come before that frame's end is taken to arrive at the end. Whoever closes has
the lock alone, so all that was on its way is committed and seen, and what comes after belongs to the next frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.exceptions import Conflict
from decisions.measure import segmented
from decisions.models import Draw, Event, Frame, Policy, Queue, User
from decisions.queues import live
from decisions.queues.live import Live
from decisions.record import digest, draws, log
from decisions.rights import Act
from decisions.routing import budget, sampling
from decisions.routing.budget import Day
from decisions.work import audits
from decisions.work.audits import Drawn

SCALE = 2**32  # mean(p) is summed in whole parts of this, so that it does not depend on the order of the rows
EVER = datetime(1970, 1, 1, tzinfo=UTC)

PATIENCE = "SET LOCAL lock_timeout = '120s'; SET LOCAL statement_timeout = '120s'"
ALONE = "SELECT pg_advisory_xact_lock(%s, %s)"
FIRST = """SELECT arrived_at FROM decisions_item
WHERE queue_id = %s AND route = 'pass' AND reason <> 'imported' AND arrived_at >= %s
ORDER BY arrived_at LIMIT 1"""
PASSED = """SELECT {what} FROM decisions_item
WHERE queue_id = %(queue)s AND route = 'pass' AND reason <> 'imported'
    AND arrived_at >= %(start)s AND arrived_at < %(end)s"""
COUNT = PASSED.format(what="count(*)")
# numeric adds up exactly; a float becomes one by its first 15 digits (`recount.mean_square` does the same).
SUMS = PASSED.format(
    what=f"""count(*), count(*) FILTER (WHERE segment = ANY(%(blind)s)),
    coalesce(sum((coalesce((p + p_other) / 2, p) * {SCALE})::bigint), 0), count(harm), sum((harm * harm)::numeric)"""
)
# The n + 1 smallest keys by a heap of that size: the memory does not grow with the passes.
KEPT = (
    PASSED.format(what="id, external_id, source, value, u_secret, q, u / q") + " AND {} ORDER BY u / q, id LIMIT %(n)s"
)
LEAST = [KEPT.format(part) for part in ("segment <> ALL(%(blind)s)", "segment = ANY(%(blind)s)")]
FOUND = """SELECT count(*) FROM (
    SELECT FROM decisions_frame f JOIN decisions_draw d ON d.frame_id = f.id
    JOIN LATERAL (SELECT truth FROM decisions_ruling r WHERE r.item_id = d.item_id ORDER BY r.no DESC LIMIT 1) r
        ON r.truth = 'positive'
    WHERE f.queue_id = %s LIMIT %s
) positives"""


@dataclass(frozen=True)
class Wish:
    """Which queue's frames to close and why; `end`: no later than this.

    `blind` are the segments that are not measured; None: those that are not by now.
    """

    queue_id: int
    at: datetime
    end: datetime
    blind: tuple[str, ...] | None = None
    person: User | None = None
    why: str = ""


@dataclass(frozen=True)
class Span:
    """What the next frame covers, and its budget."""

    start: datetime
    end: datetime
    budget: int


@dataclass(frozen=True)
class Found:
    """What a span holds: the sum of p in parts of SCALE, the mean square of the harm, the strata and what was drawn."""

    span: Span
    passes: int
    sum_p: int
    harm_square: float | None
    strata: list[dict[str, Any]]
    drawn: list[Drawn]


def close(
    queue_id: int,
    at: datetime,
    *,
    person: User | None = None,
    why: str = "",
    until: datetime | None = None,
    blind: Sequence[str] | None = None,
) -> Frame:
    """Close a frame in mid-day, at `until` (not after `at`), and open its audits; days that are over get theirs first.

    `blind` names the segments that are not measured, None for those that are not now: a tenth of the budget goes there
    besides their share. Refuses with Conflict where nothing was passed since the last frame, or its share of the budget
    is no whole audit yet.
    """
    if person is not None:
        rights.require(person, Act.CLOSE_FRAME, queue_id=queue_id)
    wish = Wish(queue_id, at, min(until or at, at), None if blind is None else tuple(blind), person, why)
    whole = _days(wish)
    frame = _close(wish, in_mid_day=True) or (whole[-1] if whole else None)
    if frame is None:
        raise Conflict(_("Nothing was passed since the last frame ended."))
    return frame


def preview(queue_id: int, at: datetime) -> Span | None:
    """Return the span of the frame that `close` would make first, and its budget; None where it would refuse."""
    with connection.cursor() as cursor:
        try:
            return _next(cursor, live.of_id(queue_id), at, in_mid_day=True)
        except Conflict:
            return None


def close_due(at: datetime) -> int:
    """Close the frames of all days that are over; return how many. A queue without a live policy is passed over."""
    closed = 0
    for queue_id in Queue.objects.filter(policies__state=Policy.State.LIVE).order_by("pk").values_list("pk", flat=True):
        closed += len(_days(Wish(queue_id, at, at)))
    return closed


def _days(wish: Wish) -> list[Frame]:
    """Close the frame of each day that is over, each in a transaction of its own."""
    closed = []
    while frame := _close(wish, in_mid_day=False):
        closed.append(frame)
    return closed


@transaction.atomic
def _close(wish: Wish, *, in_mid_day: bool) -> Frame | None:
    """Close the next frame, None where there is none: its draws, their tasks and one entry of the record."""
    queue = live.of_id(wish.queue_id)
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        # The work is done before anybody has to wait. Items are never changed nor removed: where none was added
        # meanwhile, what was found holds.
        span = _next(cursor, queue, wish.end, in_mid_day=in_mid_day)
        wish = _steered(wish, span)
        early = _look(cursor, span, wish)
        if early is None:
            return None
        cursor.execute(ALONE, [locks.FRAMES, wish.queue_id])
        span = _next(cursor, queue, wish.end, in_mid_day=in_mid_day)
        found = (
            early if span == early.span and _count(cursor, span, wish) == early.passes else _look(cursor, span, wish)
        )
    return _store(queue, found, wish) if found else None


def _steered(wish: Wish, span: Span | None) -> Wish:
    """Return the wish with the segments that are not measured, if it was not said which they are."""
    if wish.blind is not None or span is None:
        return wish
    return replace(wish, blind=segmented.blind_spots(wish.queue_id, wish.at, span.budget))


def _next(cursor: CursorWrapper, queue: Live, end: datetime, *, in_mid_day: bool) -> Span | None:
    """Return the next span: to the end of the day of its first pass, or to `end` within that day, if that is asked."""
    newest = Frame.objects.filter(queue=queue.queue_id).order_by("-starts_at").first()
    cursor.execute(FIRST, [queue.queue_id, newest.ends_at if newest else EVER])
    first = cursor.fetchone()
    if first is None or first[0] >= end:
        return None
    day = Day.of(first[0], queue.spec.zone)
    start = newest.ends_at if newest else day.start
    if day.end > end and not in_mid_day:
        return None
    ends_at = min(day.end, end)
    share = day.share(_daily(queue), max(start, day.start), ends_at)
    if not share and ends_at < day.end:
        raise Conflict(_("The share of the daily audit budget that falls to this time is no whole audit yet."))
    return Span(start, ends_at, share)


def _daily(queue: Live) -> int:
    """Return the audits of a day; overload lowers them no further than the policy allows."""
    floor = queue.policy.audit_floor if queue.relief.audit else None
    return queue.policy.audit_budget if floor is None else floor


def _count(cursor: CursorWrapper, span: Span, wish: Wish) -> int:
    cursor.execute(COUNT, {"queue": wish.queue_id, "start": span.start, "end": span.end})
    passes: int = cursor.fetchone()[0]
    return passes


def _look(cursor: CursorWrapper, span: Span | None, wish: Wish) -> Found | None:
    """Count the passes of a span and draw from each stratum."""
    if span is None:
        return None
    known: dict[str, Any] = {
        "queue": wish.queue_id,
        "start": span.start,
        "end": span.end,
        "blind": list(wish.blind or ()),
    }
    cursor.execute(SUMS, known)
    passes, in_blind, sum_p, known_harm, squares = cursor.fetchone()
    sizes = [passes - in_blind, in_blind]
    if not all(sizes) or span.budget < budget.BLIND_TENTH:
        sizes, known["blind"] = [passes], []
    strata, drawn = [], list[Drawn]()
    for place, (size, n) in enumerate(zip(sizes, budget.split(span.budget, sizes), strict=True)):
        cursor.execute(LEAST[place], {**known, "n": n + 1})
        kept, tau = _kept(cursor.fetchall(), n)
        drawn += kept
        segments = sorted(wish.blind or ()) if place else None
        strata.append({"segments": segments, "passes": size, "budget": n, "drawn": len(kept), "tau": exact(tau)})
    return Found(span, passes, int(sum_p), mean_square(squares, known_harm), strata, drawn)


def mean_square(squares: Decimal | None, count: int) -> float | None:
    """Return the mean of so many squares; None where there are none, or all are 0: nothing to weigh by."""
    return float(squares) / count if squares else None


def _kept(rows: list[tuple[Any, ...]], n: int) -> tuple[list[Drawn], float]:
    """Return the first n of rows in the order of their keys, with their probabilities, and tau (see sampling.draw)."""
    tau = rows[n][-1] if len(rows) > n else inf
    if not n:
        return [], 0.0
    pi = sampling.inclusion(np.array([row[-2] for row in rows[:n]]), tau)
    return [Drawn(*(*row[:5], p)) for row, p in zip(rows, pi.tolist(), strict=False)], tau


def exact(tau: float) -> str | None:
    """Return tau as it is stored: to the last bit, None where all were kept."""
    return None if tau == inf else tau.hex()


def _store(queue: Live, found: Found, wish: Wish) -> Frame:
    """Store a frame, its draws and their audits, and note it."""
    tau = found.strata[0]["tau"]
    frame = Frame.objects.create(
        queue_id=wish.queue_id,
        starts_at=found.span.start,
        ends_at=found.span.end,
        budget=found.span.budget,
        passes=found.passes,
        drawn=len(found.drawn),
        tau=tau and float.fromhex(tau),
        mean_p=found.sum_p / (SCALE * found.passes),
        beta=_beta(wish.queue_id),
        harm_square=found.harm_square,
        strata=found.strata,
        person=wish.person,
        why=wish.why,
        at=wish.at,
    )
    Draw.objects.bulk_create(Draw(frame=frame, item_id=one.item_id, pi=one.pi) for one in found.drawn)
    tasks = audits.open_for(found.drawn, queue, wish.at)
    log.append(
        Event.Kind.FRAME_CLOSED,
        chain=wish.queue_id,
        actor=wish.person,
        at=wish.at,
        entry=_entry(frame, found, tasks),
        rows=(frame,),
    )
    return frame


def _entry(frame: Frame, found: Found, tasks: int) -> dict[str, object]:
    return {
        "starts_at": digest.moment(frame.starts_at),
        "ends_at": digest.moment(frame.ends_at),
        "passes": frame.passes,
        "budget": frame.budget,
        "drawn": frame.drawn,
        "tasks": tasks,
        "mean_p": frame.mean_p.hex(),
        "beta": frame.beta,
        **({} if frame.harm_square is None else {"harm_square": frame.harm_square.hex()}),
        "strata": frame.strata,
        "u_secrets": sorted({one.u_secret for one in found.drawn}),
        "draws": draws.of((one.item_id, one.pi) for one in found.drawn),
    }


def _beta(queue_id: int) -> float:
    """Return the floor for the sizes to come: a low one once enough audits were answered positive, for good."""
    if Frame.objects.filter(queue=queue_id, beta=sampling.LATE_BETA).exists():
        return sampling.LATE_BETA
    with connection.cursor() as cursor:
        cursor.execute(FOUND, [queue_id, sampling.ENOUGH_POSITIVES])
        enough = cursor.fetchone()[0] >= sampling.ENOUGH_POSITIVES
    return sampling.LATE_BETA if enough else sampling.BETA
