"""What came lately and what is known of it, read once for all questions that a person tries out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from django.db import connection

from decisions.measure import sample, sla, window
from decisions.measure.counts import MODEL
from decisions.measure.regions import Band, Labels, World
from decisions.measure.sample import Labelled, Purpose, Traffic
from decisions.measure.supposed import worth
from decisions.measure.supposed.reach import Lateness
from decisions.measure.supposed.worth import Amounts, Prices
from decisions.measure.window import Filters, Window
from decisions.models import Item, Policy, Task
from decisions.queues.live import Live
from decisions.queues.spec import Spec, Truth
from decisions.routing import policy
from decisions.routing.policy import BoolArray, Cuts, FloatArray
from decisions.routing.sampling import IntArray
from decisions.routing.simulate import Stream
from decisions.work import expiry

BY_SCORE = [str(reason) for reason in MODEL]
BECOMES = {Truth.POSITIVE: Band.HARD, Truth.NEGATIVE: Band.PASS, Truth.NONE: Band.NONE}
KEPT = 4  # windows in memory; at 200,000 items one takes about 20 MB
KEPT_FOR = 300  # seconds: so long figures rest on the same reading

AMOUNT = """
SELECT item_id, (content::jsonb #>> ARRAY['payload', %(field)s])::float8 FROM decisions_body
WHERE item_id = ANY(%(items)s) AND jsonb_typeof(content::jsonb #> ARRAY['payload', %(field)s]) = 'number'"""

SCORES = "SELECT item_id, score FROM decisions_score WHERE item_id = ANY(%s) AND model_id = %s"


@dataclass(frozen=True, eq=False)
class Recent:
    """The items of [start, end) that the live policy's model scored, or nothing did, and the labels drawn from them.

    `stream` holds all of them, `world` those routed by their score, `audited` of these the ones that arrived while
    passes were audited (all, if never). `prices` are of `audited`; None: the queue has no value formula. `delays`
    are what an hour of delay costs, of each item of `world`; where that hangs on a field that is known of labels only,
    the mean of those. `lateness` is what the queue does with what nobody decided in time. `elsewhere`
    are items that another model scored: they say nothing about cuts in this one's units. `days` are those that the
    items cover; `found` is the share of audits that found a positive.
    """

    start: datetime
    end: datetime
    days: float
    stream: Stream
    world: World
    audited: World
    prices: Prices | None
    delays: FloatArray
    lateness: Lateness
    elsewhere: float
    found: float
    labels: int


@dataclass(frozen=True, eq=False)
class Beside:
    """The same items as two models saw them: `live` by the scores that routed them, `other` by another model's.

    Only items that both scored, `items` of the `of` that the live one did; each stands for as many more, and each label
    for as many labels, so that volumes are those of all.
    """

    live: Recent
    other: Recent
    items: float
    of: float


def beside(live: Live, other: Live, *, days: int, at: datetime) -> Beside | None:
    """Return the last days as the model of `other` scored them too; None where nothing came or it scored nothing.

    `other` is the queue as it would be under a policy with another model. Kept as `read` keeps.
    """
    since = datetime.fromtimestamp(at.timestamp() // KEPT_FOR * KEPT_FOR, UTC)
    assert other.policy is not None
    key = _Known(live), other.policy.pk, days
    return _beside(*key, since) or _beside.__wrapped__(*key, at)


def read(live: Live, *, days: int, at: datetime) -> Recent | None:
    """Return the last days as the live policy's model saw them; None where nothing came or was counted yet.

    What was read stays for five minutes, so that moving a slider asks the database for nothing.
    """
    since = datetime.fromtimestamp(at.timestamp() // KEPT_FOR * KEPT_FOR, UTC)
    return _read(_Known(live), days, since) or _read.__wrapped__(_Known(live), days, at)  # nothing is not kept


def some(live: Live, *, days: int, at: datetime, cap: int) -> tuple[Stream, float]:
    """Return some of the items that the live policy's model scored in the last days, and the days they cover."""
    seen = sample.traffic(live.queue_id, days=days, at=at, cap=cap)
    shares = dict(Policy.objects.filter(queue=live.queue_id).values_list("pk", "control_share"))
    mine = seen.where(_is_mine(seen, live))
    first = float(mine.arrived.min()) if len(mine) else at.timestamp()
    return _stream(mine, Cuts.of(live.policy, live.spec), shares), max(1 / 24, (at.timestamp() - first) / 86_400)


class _Known:
    """A queue in force as a key: the same one as long as nothing of it moved, in any process (`queues.live`)."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self.live is other.live

    def __hash__(self) -> int:
        return id(self.live)


@lru_cache(maxsize=KEPT)
def _read(known: _Known, days: int, at: datetime) -> Recent | None:
    live = known.live
    seen = window.read(live.queue_id, at, days=days, filters=Filters())
    traffic = sample.traffic(live.queue_id, days=days, at=seen.end)
    return _recent(live, seen, traffic) if len(traffic) else None


def _recent(live: Live, seen: Window, traffic: Traffic) -> Recent:
    mine, rows = _is_mine(traffic, live), seen.sample.all
    found = _of_rows(live, seen, traffic.where(mine), rows.where(_is_mine(rows, live)))
    return replace(found, elsewhere=float(traffic.weight[~mine].sum()))


@lru_cache(maxsize=KEPT)
def _beside(known: _Known, policy_id: int, days: int, at: datetime) -> Beside | None:
    live = known.live
    policy = Policy.objects.select_related("model").get(pk=policy_id)
    other = replace(live, policy=policy, model=policy.model)
    seen = window.read(live.queue_id, at, days=days, filters=Filters())
    traffic, rows = sample.traffic(live.queue_id, days=days, at=seen.end), seen.sample.all
    traffic, rows = traffic.where(_is_mine(traffic, live)), rows.where(_is_mine(rows, live))
    said = scores(np.union1d(traffic.item, rows.item), policy.model_id or 0)
    by_score = np.isin(traffic.reason, BY_SCORE)
    told, labelled = mapped(traffic.item, said), mapped(rows.item, said)
    of, items = (float(traffic.weight[some].sum()) for some in (by_score, by_score & ~np.isnan(told)))
    if not items:
        return None
    both, kept = ~by_score | ~np.isnan(told), ~np.isnan(labelled)
    weight = np.where(by_score, traffic.weight * (of / items), traffic.weight)
    traffic, rows = replace(traffic, weight=weight).where(both), replace(rows, pi=rows.pi * (items / of)).where(kept)
    theirs = replace(traffic, score=np.where(by_score[both], told[both], np.nan))
    return Beside(
        live=_of_rows(live, seen, traffic, rows),
        other=_of_rows(other, seen, theirs, replace(rows, score=labelled[kept])),
        items=items,
        of=of,
    )


def scores(items: IntArray, model_id: int) -> dict[int, float]:
    """Return what another model said of items, by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(SCORES, [items.tolist(), model_id])
        return dict(cursor.fetchall())


def _of_rows(live: Live, seen: Window, traffic: Traffic, rows: Labelled) -> Recent:
    """Return what these items and labels say, all of them scored by the policy's model or by none."""
    cuts = Cuts.of(live.policy, live.spec)
    shares = dict(Policy.objects.filter(queue=live.queue_id).values_list("pk", "control_share"))
    stream = _stream(traffic, cuts, shares)
    world = World.of(stream, _labels(rows, cuts))
    spans = [(start.timestamp(), end.timestamp()) for start, end in seen.measured]
    in_items, in_rows = _inside(world.stream.arrived, spans), _inside(rows.arrived, spans)
    audits = rows.where(in_rows & (rows.purpose == Purpose.AUDIT.value))
    is_audited = bool((~np.isnan(audits.y)).any())
    kept = rows.where(in_rows) if is_audited else rows
    audited = World(world.stream.part(in_items), _labels(kept, cuts)) if is_audited else world
    return Recent(
        start=seen.start,
        end=seen.end,
        days=_covered(traffic, seen),
        stream=stream,
        world=world,
        audited=audited,
        prices=_prices(live.spec, audited, kept),
        delays=_delays(live.spec, world, rows),
        lateness=_lateness(live.spec, seen.end),
        elsewhere=0.0,
        found=float(np.nanmean(audits.y)) if is_audited else 0.0,
        labels=int((~np.isnan(rows.y)).sum()),
    )


def _is_mine(rows: Traffic | Labelled, live: Live) -> BoolArray:
    """Tell which items the live policy's model scored, or would not have scored either."""
    if live.model is None:
        return np.ones(len(rows), dtype=np.bool_)
    return np.asarray(~np.isin(rows.reason, BY_SCORE) | (rows.model == live.model.pk))


def _own_share(traffic: Traffic, shares: Mapping[int, float]) -> FloatArray:
    """Return the control share that each item was routed under: of HARD the logged one, for a rule may lower it."""
    logged = (traffic.band == Item.Band.HARD.value) & ~np.isnan(traffic.propensity)
    return np.where(logged, traffic.propensity, mapped(traffic.policy, shares))


def _stream(traffic: Traffic, cuts: Cuts, shares: Mapping[int, float]) -> Stream:
    return Stream(
        score=traffic.score,
        p=policy.recalibrate(traffic.score, cuts),
        band=traffic.band,
        reason=traffic.reason,
        weight=traffic.weight,
        control_share=_own_share(traffic, shares),
        arrived=traffic.arrived,
        value=traffic.value,
    )


def _labels(rows: Labelled, cuts: Cuts) -> Labels:
    return Labels(
        score=rows.score,
        band=rows.band,
        y=rows.y,
        pi=rows.pi,
        floored=rows.floored,
        p=policy.recalibrate(rows.score, cuts),
        arrived=rows.arrived,
        value=rows.value,
    )


def _covered(traffic: Traffic, seen: Window) -> float:
    """Return the days of the window since the first item came, at least an hour: a young queue is not watered down."""
    first = float(traffic.arrived.min())
    return max(1 / 24, min(seen.end - seen.start, timedelta(seconds=seen.end.timestamp() - first)) / timedelta(days=1))


def _inside(seconds: FloatArray, spans: list[tuple[float, float]]) -> BoolArray:
    mask = np.zeros(len(seconds), dtype=np.bool_)
    for start, end in spans:
        mask |= (seconds >= start) & (seconds < end)
    return mask


def _prices(spec: Spec, world: World, rows: Labelled) -> Prices | None:
    """Return the amounts: of items where they hang on the value at stake or on nothing, of labels always."""
    if not spec.value.currency:
        return None
    value = spec.value
    fields = {money.field for money in (value.tp, value.fp, value.tn, value.fn) if money.field}
    looked_up = {name: field_values(rows.item, name) for name in fields - {spec.value_field}}
    of_items = {spec.value_field: world.stream.value}
    of_labels = {spec.value_field: rows.value, **looked_up}
    labels = Amounts.of(spec.value, of_labels, len(rows))
    assert labels is not None
    return Prices(Amounts.of(spec.value, of_items, len(world.stream)), labels)


def _lateness(spec: Spec, at: datetime) -> Lateness:
    """Return how the queue treats a soft item that nobody decided in time."""
    rule = expiry.rules(spec).get(Task.Purpose.SOFT)
    truth = rule.outcome.truth if rule and rule.outcome else Truth.NONE
    days = (sla.due(spec, spec.sla_of(Task.Purpose.SOFT), at) - at) / timedelta(days=1)
    return Lateness(days, spec.sla_step.total_seconds(), spec.order, BECOMES[truth])


def _delays(spec: Spec, world: World, rows: Labelled) -> FloatArray:
    """Return what an hour of delay costs, of each item of a world."""
    money, value = spec.value.delay_hour, world.stream.value
    if money.field in ("", spec.value_field):
        return worth.amount(money, {spec.value_field: value}, len(value))
    control = rows.of(Purpose.CONTROL)
    seen = worth.amount(money, {money.field: field_values(control.item, money.field)}, len(control))
    return np.full(len(value), np.average(seen, weights=1.0 / control.pi) if len(control) else 0.0)


def field_values(items: IntArray, field: str) -> FloatArray:
    """Return a numeric field of items' payloads; NaN where it is missing, no number or erased."""
    with connection.cursor() as cursor:
        cursor.execute(AMOUNT, {"field": field, "items": items.tolist()})
        return mapped(items, dict(cursor.fetchall()))


def mapped(ids: IntArray, values: Mapping[int, float]) -> FloatArray:
    """Return what each id has, NaN where it has nothing."""
    known, place = np.unique(ids, return_inverse=True)
    return np.array([values.get(int(one), np.nan) for one in known], dtype=np.float64)[place]
