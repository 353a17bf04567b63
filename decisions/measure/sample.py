"""What the estimates rest on, read from the log: labelled items with their propensities, and recent traffic.

Membership is by design only: the SOFT route, the control group of HARD and the draws of closed frames. An item that a
complaint or an override brought up is in none of them. The label of a member is the truth of the ruling that holds,
whoever made it. Everything is as of a time `at`: what was not final or not drawn by then is not seen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

import numpy as np

from decisions.measure.columns import BoolArray, FloatArray, IntArray, Rows, WordArray, read
from decisions.measure.counts import Which, bands, counted_until, floor_hour
from decisions.models import Frame

__all__ = ["Labelled", "Traffic", "bands", "counted_until", "floor_hour", "frames", "labelled", "traffic"]

CAP = 10_000  # SOFT rows, and control rows, read at most; above it they are thinned by u
TRAFFIC_CAP = 200_000
DAY = timedelta(days=1)


class Purpose(StrEnum):
    """By which design an item is in the sample."""

    SOFT = "soft"
    CONTROL = "control"
    AUDIT = "audit"


class State(StrEnum):
    """What became of the question."""

    ANSWERED = "answered"
    CANT_TELL = "cant_tell"
    OPEN = "open"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Traffic(Rows):
    """Items as they came and were routed, one a row; NaN where a number is missing, 0 where an id is, "" where a word.

    `arrived` is in seconds since 1970, `weight` (>= 1) how many items each row stands for, `propensity` in [0, 1] the
    logged probability that a person sees the item.
    """

    item: IntArray
    arrived: FloatArray
    score: FloatArray
    p: FloatArray
    band: WordArray
    route: WordArray
    reason: WordArray
    segment: WordArray
    source: WordArray
    policy: IntArray
    model: IntArray
    value: FloatArray
    propensity: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Labelled(Traffic):
    """One row a SOFT, control or drawn item, in the order of their arrival.

    `y` is 1 (positive), 0 (negative) or NaN (`state` says why), `pi` in (0, 1] the logged probability that a person was
    asked: c for control, the draw's for an audit, 1 for SOFT, each times the kept share where rows were thinned. `harm`
    is what a miss of the item costs, `q` its size and `v` what that was times for the harm. `frame` is that of a drawn
    item, `first` and `second` the outcomes that its audit and the second opinion concluded, `ruled` the source of the
    ruling that holds. `was_override`: the label differs from what the machine did or suggested. `is_simulated`: a
    simulated reviewer gave it. `is_model`: no check failed and no lower rung scored it, so the model is answerable for
    it.
    """

    pi: FloatArray
    q: FloatArray
    v: FloatArray
    harm: FloatArray
    u: FloatArray
    y: FloatArray
    state: WordArray
    ruled: WordArray
    was_override: BoolArray
    is_simulated: BoolArray
    is_model: BoolArray
    purpose: WordArray
    frame: IntArray
    first: WordArray
    second: WordArray

    @property
    def floored(self) -> FloatArray:
        """The floored probability that each audit's size was made from; of what was not passed the one it has."""
        sizes = np.where(np.isnan(self.v), self.q, self.q / self.v)
        return np.where(np.isnan(sizes), np.nan_to_num(self.p), sizes**2)

    def within(self, start: datetime, end: datetime) -> Self:
        """Return the rows that arrived in [start, end): views, for rows are in the order of their arrival."""
        low, high = np.searchsorted(self.arrived, (start.timestamp(), end.timestamp()))
        return self.part(int(low), int(high))

    def of(self, purpose: Purpose) -> Self:
        """Return the rows of one design that the model is answerable for: no failed checks, no fallback."""
        return self.where((self.purpose == purpose.value) & self.is_model)

    def apart(self) -> Self:
        """Return the rows that failed a check or fell below the model."""
        return self.where(~self.is_model)


# Columns of an item, by the names they have in the arrays.
ITEM = """
    i.id AS item, extract(epoch FROM i.arrived_at)::float8 AS arrived, i.score, i.p, i.band, i.route, i.reason,
    i.segment, i.source, i.policy_id AS policy, coalesce(i.model_id, 0) AS model, i.value, i.propensity"""
RULED = """
    LEFT JOIN LATERAL (
        SELECT r.truth, r.outcome, r.source, r.is_override, r.person_id FROM decisions_ruling r
        WHERE r.item_id = i.id AND r.final_at <= %(at)s ORDER BY r.no DESC LIMIT 1
    ) r ON TRUE LEFT JOIN decisions_user person ON person.id = r.person_id"""
LABEL = """
    i.q, i.v, i.harm, i.u, CASE WHEN r.source = 'expiry' THEN NULL WHEN r.truth = 'positive' THEN 1.0
        WHEN r.truth = 'negative' THEN 0.0 END AS y,
    CASE WHEN r.source = 'expiry' THEN 'expired' WHEN r.truth IN ('positive', 'negative') THEN 'answered'
        WHEN r.outcome <> '' THEN 'cant_tell' WHEN {late} THEN 'expired' ELSE 'open' END AS state,
    coalesce(r.source, '') AS ruled, coalesce(r.is_override, FALSE)::int AS was_override,
    coalesce(person.kind = 'simulated', FALSE)::int AS is_simulated,
    (i.reason IN ('score', 'control', 'overload'))::int AS is_model"""
LATE = "task.due_at <= %(at)s"
# An item whose audit is due is closed by the sweep; a late sweep changes nothing here.
AUDIT = """
    LEFT JOIN LATERAL (
        SELECT t.due_at FROM decisions_task t WHERE t.item_id = i.id AND t.purpose = 'audit' ORDER BY t.id DESC LIMIT 1
    ) task ON TRUE LEFT JOIN LATERAL (
        SELECT (array_agg(d.outcome ORDER BY d.id DESC) FILTER (WHERE d.purpose = 'audit'))[1] AS first,
            (array_agg(d.outcome ORDER BY d.id DESC) FILTER (WHERE d.purpose = 'second'))[1] AS second
        FROM decisions_decision d WHERE d.item_id = i.id AND d.at <= %(at)s
    ) said ON TRUE"""

TO_PEOPLE = """
SELECT {item}, {label}, 0 AS frame, '' AS first, '' AS second, 'soft' AS purpose,
    CASE i.reason WHEN 'imported' THEN i.propensity ELSE 1 END * %(soft_share)s AS pi, 1 / %(soft_share)s AS weight
FROM decisions_item i {ruled}
WHERE i.queue_id = %(queue)s AND i.route = 'soft' AND NOT (i.reason = 'control') AND i.u < %(soft_share)s
    AND (i.reason <> 'imported' OR i.propensity IS NOT NULL)
    AND i.arrived_at >= %(start)s AND i.arrived_at < %(end)s"""
CONTROL = """
SELECT {item}, {label}, 0 AS frame, '' AS first, '' AS second, 'control' AS purpose,
    i.propensity * %(control_share)s AS pi, 1 / %(control_share)s AS weight
FROM decisions_item i {ruled}
WHERE i.queue_id = %(queue)s AND i.reason = 'control' AND i.u < %(control_share)s
    AND i.arrived_at >= %(start)s AND i.arrived_at < %(end)s"""
DRAWN = """
SELECT {item}, {label}, f.id AS frame, coalesce(said.first, '') AS first, coalesce(said.second, '') AS second,
    'audit' AS purpose, d.pi, 1.0 AS weight
FROM decisions_frame f JOIN decisions_draw d ON d.frame_id = f.id JOIN decisions_item i ON i.id = d.item_id
    {ruled} {audit}
WHERE f.queue_id = %(queue)s AND f.starts_at < %(end)s AND f.ends_at > %(start)s AND f.at <= %(at)s
    AND i.arrived_at >= %(start)s AND i.arrived_at < %(end)s"""

PARTS = {"item": ITEM, "ruled": RULED, "audit": AUDIT}
STATEMENTS = (
    TO_PEOPLE.format(label=LABEL.format(late="FALSE"), **PARTS),
    CONTROL.format(label=LABEL.format(late="FALSE"), **PARTS),
    DRAWN.format(label=LABEL.format(late=LATE), **PARTS),
)

ALL_TRAFFIC = """
SELECT {item}, 1.0 AS weight FROM decisions_item i
WHERE i.reason <> 'imported' AND i.queue_id = %(queue)s AND i.arrived_at >= %(start)s AND i.arrived_at < %(end)s"""
# The ids at each hour's beginning tell between which ids the window's items are; of these every `step`-th is read by
# its primary key. OFFSET 0 keeps the planner from reading the whole table for it.
SOME_TRAFFIC = """
WITH marks AS (
    SELECT near.id FROM (
        SELECT generate_series(%(start)s, %(end)s, interval '1 hour') UNION SELECT %(end)s
    ) AS hour(at), LATERAL (
        (SELECT id FROM decisions_item WHERE queue_id = %(queue)s AND arrived_at >= hour.at
            AND arrived_at < %(end)s ORDER BY arrived_at LIMIT 1)
        UNION ALL
        (SELECT id FROM decisions_item WHERE queue_id = %(queue)s AND arrived_at < hour.at
            AND arrived_at >= %(start)s ORDER BY arrived_at DESC LIMIT 1)) near
), span AS (SELECT min(id) AS low, max(id) AS high FROM marks)
SELECT {item}, %(step)s::float8 AS weight
FROM span, LATERAL generate_series(span.low + %(first)s, span.high, %(step)s) AS one(id),
    LATERAL (SELECT * FROM decisions_item WHERE id = one.id OFFSET 0) i
WHERE i.reason <> 'imported' AND i.queue_id = %(queue)s AND i.arrived_at >= %(start)s AND i.arrived_at < %(end)s"""


def frames(queue_id: int, *, start: datetime, end: datetime, at: datetime) -> list[Frame]:
    """Return the frames that were closed by `at` and reach into [start, end), oldest first."""
    found = Frame.objects.filter(queue=queue_id, starts_at__lt=end, ends_at__gt=start, at__lte=at)
    return list(found.order_by("starts_at"))


def labelled(
    queue_id: int,
    *,
    start: datetime,
    end: datetime,
    at: datetime,
    policy_ids: Collection[int] | None = None,
    model_ids: Collection[int] | None = None,
    segment: str | None = None,
    cap: int = CAP,
    core: datetime | None = None,
) -> Labelled:
    """Return the sampled items that arrived in [start, end), with what was known of them at `at`.

    Above `cap` SOFT or control rows those with the smallest u are kept, and `pi` says so; drawn items are all there.
    The cap counts from `core` on, and what arrived before is thinned alike.
    """
    which = _which(policy_ids, model_ids, segment)
    counts = bands(queue_id, core or start, end, which=which)
    control = counts.count(reason="control")
    asked = {
        "queue": queue_id,
        "start": start,
        "end": end,
        "at": at,
        "soft_share": _kept_share(counts.count(route="soft") - control, cap),
        "control_share": _kept_share(control, cap),
        **which.params(),
    }
    parts = [read(statement + which.sql(), asked) for statement in STATEMENTS]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["arrived"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    for name in ("was_override", "is_simulated", "is_model"):
        columns[name] = columns[name].astype(np.bool_)
    return Labelled(**columns)


def traffic(queue_id: int, *, days: int, at: datetime, cap: int = TRAFFIC_CAP) -> Traffic:
    """Return the items of the last days and the begun hour, up to `at`: all, or above `cap` each so-many-th by its id.

    Ids follow arrival, so that the sample is spread over all hours.
    """
    end, start = at, floor_hour(at) - DAY * days
    expected = bands(queue_id, start, end, hourly=False).n.sum()
    step = int(np.ceil(expected / cap)) if expected > cap else 1
    asked = {"queue": queue_id, "start": start, "end": end, "step": step, "first": step // 2}
    return Traffic(**read((ALL_TRAFFIC if step == 1 else SOME_TRAFFIC).format(item=ITEM), asked))


def _which(policies: Collection[int] | None, models: Collection[int] | None, segment: str | None) -> Which:
    return Which(None if policies is None else tuple(policies), None if models is None else tuple(models), segment)


def _kept_share(total: int, cap: int) -> float:
    return min(1.0, cap / total) if total > 0 else 1.0
