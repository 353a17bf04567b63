"""What a queue's routes, policies and models were worth in a window: read from labels and hourly figures.

Rows are the sample of `measure.sample` (at most 10,000 soft and as many control items, and the draws), counts come from
the hourly figures: the cost does not follow how many items came.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise

import numpy as np
from django.db import connection
from django.db.models import Sum

from decisions.measure import gold, operating, reviewers, value, window
from decisions.measure.columns import BoolArray, FloatArray, WordArray
from decisions.measure.counts import Bands, floor_hour
from decisions.measure.regions import Labels
from decisions.measure.sample import Labelled, State
from decisions.measure.supposed import worth
from decisions.measure.supposed.prospects import Figure
from decisions.measure.supposed.recent import field_values
from decisions.measure.supposed.worth import Amounts
from decisions.measure.value import Money, People, Route, Taken
from decisions.measure.window import DAY, Filters, Window
from decisions.models import ModelVersion, Policy, Queue, Rollup
from decisions.queues.spec import Spec, ValueFormula

MOST_DAYS = 92
POINTS = 14  # of the chart over time, at most
WEEK = DAY * 7
MINUTE, HOUR = 60.0, 3600.0
CHECKS = ("audit", "second", "gold")  # what people do to know how good it is
DECIDED = """
SELECT item_id, extract(epoch FROM min(at))::float8 FROM decisions_decision
WHERE item_id = ANY(%s) AND purpose = 'control' GROUP BY item_id"""


@dataclass(frozen=True)
class Version:
    """What the items of one policy or model were worth, all routes together and each alone."""

    name: str
    routes: dict[Route, Money]
    total: Money


@dataclass(frozen=True)
class Moment:
    """What the items of one part of the window were worth."""

    start: datetime
    end: datetime
    total: Money


@dataclass(frozen=True)
class Left:
    """What is in none of the amounts: soft items that wait, expired or of which nobody could tell, and items apart.

    `apart` failed a check or had no model's score; `imported` came with their history from an earlier tool.
    """

    waiting: int
    expired: int
    cant_tell: int
    apart: int
    imported: int


@dataclass(frozen=True)
class Valued:
    """What was won and lost in [start, end) against passing everything, and against people deciding everything.

    `seconds` is what a decision took (None: nobody's time was measured), `checks` what audits, second opinions and gold
    items cost, which is in no other amount. `labels` of which `simulated` are by simulated reviewers.
    """

    at: datetime
    fresh_at: datetime | None
    start: datetime
    end: datetime
    currency: str
    routes: dict[Route, Money]
    total: Money
    checks: Figure
    people: People
    seconds: float | None
    policies: tuple[Version, ...]
    models: tuple[Version, ...]
    moments: tuple[Moment, ...]
    left: Left
    labels: int
    simulated: int


@dataclass(frozen=True, eq=False)
class Priced:
    """Labelled rows with the money of each."""

    rows: Labelled
    amounts: Amounts
    delay: FloatArray = field(repr=False)

    @cached_property
    def labels(self) -> Labels:
        rows = self.rows
        return Labels(
            rows.score, rows.band, rows.y, rows.pi, rows.floored, rows.p, arrived=rows.arrived, value=rows.value
        )

    def where(self, keep: BoolArray) -> "Priced":
        return Priced(self.rows.where(keep), self.amounts.at(keep), self.delay[keep])


@dataclass(frozen=True, eq=False)
class Prices:
    """All labels of a window by the route they speak of."""

    soft: Priced
    control: Priced
    audits: Priced

    def where(self, **equal: int) -> "Prices":
        """Return those of one policy or model."""
        ((name, number),) = equal.items()
        return Prices(*(one.where(getattr(one.rows, name) == number) for one in self._all))

    def within(self, start: datetime, end: datetime) -> "Prices":
        """Return those of items that arrived in [start, end)."""
        low, high = start.timestamp(), end.timestamp()
        return Prices(*(one.where((one.rows.arrived >= low) & (one.rows.arrived < high)) for one in self._all))

    @property
    def _all(self) -> tuple[Priced, Priced, Priced]:
        return self.soft, self.control, self.audits


def read(queue: Queue, start: datetime, end: datetime, *, at: datetime) -> Valued | None:
    """Return what was won and lost by what arrived in [start, end); None where the queue has no value formula."""
    spec: Spec = queue.spec
    if not spec.value.currency:
        return None
    seen = window.between(queue.pk, start, end, at=at, filters=Filters())
    seconds = handling(queue.pk, seen.start, seen.end)
    people, prices = _people(queue.pk, seen, spec, seconds), _prices(seen, spec)
    taken = _taken(seen, prices, seen.counts)
    rows = seen.sample.all
    return Valued(
        at=seen.at,
        fresh_at=seen.fresh_at,
        start=seen.start,
        end=seen.end,
        currency=spec.value.currency,
        routes=value.by_route(taken, people),
        total=value.total(taken, people),
        checks=value.cost_of_knowing(_checks(queue.pk, seen.start, seen.end), people),
        people=people,
        seconds=seconds,
        policies=_policies(queue.pk, seen, prices, people),
        models=_models(queue.pk, seen, prices, people),
        moments=_moments(seen, prices, people),
        left=_left(seen),
        labels=int((~np.isnan(rows.y)).sum()),
        simulated=int((rows.is_simulated & ~np.isnan(rows.y)).sum()),
    )


def handling(queue_id: int, start: datetime, end: datetime) -> float | None:
    """Return the mean active seconds of a decision in these hours; None where none was timed."""
    sums = dict(
        Rollup.objects.filter(queue=queue_id, figure__in=("handling", "timed"), at__gte=floor_hour(start), at__lt=end)
        .values_list("figure")
        .annotate(Sum("value"))
    )
    return float(sums["handling"] / sums["timed"]) if sums.get("timed") else None


def _checks(queue_id: int, start: datetime, end: datetime) -> float:
    rows = Rollup.objects.filter(queue=queue_id, figure="decisions", key__in=CHECKS, at__gte=floor_hour(start))
    return float(rows.filter(at__lt=end).aggregate(n=Sum("value"))["n"] or 0.0)


def _people(queue_id: int, seen: Window, spec: Spec, seconds: float | None) -> People:
    """Return what a decision of theirs costs and how they err: by second opinions on audits, and by gold items."""
    inner, counts = seen.in_measured()
    passes = counts.count(is_model=True, route="pass")
    known = gold.answers(queue_id, start=seen.start, end=seen.end, at=seen.at)
    errors = reviewers.errors(inner.audits, operating.truths(spec), passes=passes, gold=known)
    price = spec.value.review_minute
    cost = None if seconds is None and price else (seconds or 0.0) / MINUTE * price
    return People(cost, errors.sensitivity, errors.false_positives)


def _prices(seen: Window, spec: Spec) -> Prices:
    """Return the money of each label: of soft ones that were answered, of the control group, of measured audits."""
    soft, control = seen.sample.soft, seen.sample.control
    return Prices(
        _priced(soft.where(~np.isnan(soft.y)), spec),
        _priced(control, spec, _delays(control, spec)),
        _priced(seen.in_measured()[0].audits, spec),
    )


def _priced(rows: Labelled, spec: Spec, delay: FloatArray | None = None) -> Priced:
    formula: ValueFormula = spec.value
    names = {money.field for money in (formula.tp, formula.fp, formula.tn, formula.fn) if money.field}
    fields = {name: _values(rows, name, spec) for name in names}
    amounts = Amounts.of(formula, fields, len(rows))
    assert amounts is not None
    return Priced(rows, amounts, np.zeros(len(rows)) if delay is None else delay)


def _values(rows: Labelled, name: str, spec: Spec) -> FloatArray:
    return rows.value if name == spec.value_field else field_values(rows.item, name)


def _delays(control: Labelled, spec: Spec) -> FloatArray:
    """Return what it cost that each control item waited for a person, were it right; unanswered: as long as others."""
    money = spec.value.delay_hour
    if not (money.base or money.factor) or not len(control):
        return np.zeros(len(control))
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [control.item.tolist()])
        decided = dict(cursor.fetchall())
    hours = (np.array([decided.get(int(item), np.nan) for item in control.item]) - control.arrived) / HOUR
    hours = np.where(np.isnan(hours), np.nanmean(hours) if (~np.isnan(hours)).any() else 0.0, hours)
    fields = {money.field: _values(control, money.field, spec)} if money.field else {}
    return np.asarray(hours * worth.amount(money, fields, len(control)))


def _taken(seen: Window, prices: Prices, counts: Bands) -> list[Taken]:
    """Return what took each route. A control item took the soft one, and speaks for the hard one."""
    control = prices.control
    decided = control.where(~np.isnan(control.rows.y))
    soft = _joined(prices.soft, decided)
    answered = float((1.0 / prices.soft.rows.pi).sum() + decided.rows.weight.sum())
    acted = float(counts.count(is_model=True, route=Route.HARD))
    passes = float(counts.count(is_model=True, route=Route.PASS))
    scope = float(_inside(seen, counts).count(is_model=True, route=Route.PASS))
    audits = prices.audits
    return [
        Taken(Route.HARD, acted, acted, control.labels, control.amounts, control.delay),
        Taken(Route.SOFT, answered, answered, soft.labels, soft.amounts, soft.delay),
        Taken(Route.PASS, passes, scope, audits.labels, audits.amounts, audits.delay),
    ]


def _joined(one: Priced, other: Priced) -> Priced:
    """Return what people decided: soft items, and control items, each of which stands only for itself here."""
    control = other.rows
    rows = one.rows.joined(_alone(control))
    names = Amounts.__dataclass_fields__
    joined = {name: np.concatenate([getattr(one.amounts, name), getattr(other.amounts, name)]) for name in names}
    return Priced(rows, Amounts(**joined), np.concatenate([one.delay, other.delay]))


def _alone(control: Labelled) -> Labelled:
    """Return control items with the chance that one of them was read: all were asked."""
    return replace(control, pi=1.0 / control.weight)


def _inside(seen: Window, counts: Bands) -> Bands:
    """Return the counts of the spans that have recall."""
    keep = np.zeros(len(counts), dtype=np.bool_)
    for start, end in seen.measured:
        keep |= (counts.at >= start.timestamp()) & (counts.at < end.timestamp())
    return counts.where(keep)


def _policies(queue_id: int, seen: Window, prices: Prices, people: People) -> tuple[Version, ...]:
    found = Policy.objects.filter(queue=queue_id, pk__in=np.unique(seen.counts.policy).tolist()).order_by("-no")
    return tuple(
        _version(str(no), seen, prices.where(policy=pk), seen.counts.where(seen.counts.policy == pk), people)
        for pk, no in found.values_list("pk", "no")
    )


def _models(queue_id: int, seen: Window, prices: Prices, people: People) -> tuple[Version, ...]:
    found = ModelVersion.objects.filter(queue=queue_id, pk__in=np.unique(seen.counts.model).tolist()).order_by("-pk")
    return tuple(
        _version(name, seen, prices.where(model=pk), seen.counts.where(seen.counts.model == pk), people)
        for pk, name in found.values_list("pk", "name")
    )


def _version(name: str, seen: Window, prices: Prices, counts: Bands, people: People) -> Version:
    taken = _taken(seen, prices, counts)
    return Version(name, value.by_route(taken, people), value.total(taken, people))


def _moments(seen: Window, prices: Prices, people: People) -> tuple[Moment, ...]:
    """Return the window in parts of whole days, a week or more each where it is long; oldest first."""
    days = max(1, -(-(seen.end - seen.start) // DAY))
    step = DAY if days <= POINTS else WEEK
    edges = [floor_hour(seen.start)]
    while edges[-1] < seen.end:
        edges.append(min(edges[-1] + step, seen.end))
    found = []
    for start, end in pairwise(edges):
        part = seen.narrowed(start, end)
        found.append(Moment(start, end, value.total(_taken(part, prices.within(start, end), part.counts), people)))
    return tuple(found)


def _left(seen: Window) -> Left:
    soft, apart = seen.sample.soft, seen.sample.apart

    def of(rows: Labelled, words: WordArray, word: str) -> int:
        return round(float(rows.weight[words == word].sum()))

    waiting, expired, cant_tell = (
        of(soft, soft.state, one.value) for one in (State.OPEN, State.EXPIRED, State.CANT_TELL)
    )
    imported = of(apart, apart.reason, "imported")
    return Left(waiting, expired, cant_tell, seen.counts.count(is_model=False), imported)
