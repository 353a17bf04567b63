"""How far people of a queue lean on suggestions, what they override and why, and what that says is to be mended.

Read from the newest 40,000 decisions of a window: the cost does not follow how many there were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from decisions import rights
from decisions.measure import answers, implicit, proposals, reliance
from decisions.measure.accuracy import Rate, rate
from decisions.measure.answers import Checked
from decisions.measure.columns import BoolArray, FloatArray, WordArray, read
from decisions.measure.dates import DAY
from decisions.measure.implicit import Signals
from decisions.measure.proposals import Overridden, Proposal, Reason
from decisions.measure.reliance import Leaning, Reliance
from decisions.measure.supposed.recent import field_values
from decisions.measure.supposed.worth import Amounts
from decisions.models import Policy, ProposalAnswer, Queue, User
from decisions.queues.spec import Spec
from decisions.rights import Act
from decisions.work import claim

MOST = 40_000  # decisions that are read
MOST_DAYS = 92
WEEK = DAY * 7
DECIDED = """
SELECT d.item_id AS item, d.person_id AS person, extract(epoch FROM d.at)::float8 AS at, i.p, i.score, i.segment,
    i.value, d.purpose, d.outcome, d.suggested, d.was_shown::int, d.active_seconds AS seconds, d.reason,
    (u.kind = 'simulated')::int AS is_simulated
FROM (
    SELECT * FROM decisions_decision WHERE queue_id = %(queue)s AND at >= %(start)s AND at < %(end)s
    ORDER BY at DESC LIMIT %(most)s
) d JOIN decisions_item i ON i.id = d.item_id JOIN decisions_user u ON u.id = d.person_id
WHERE d.suggested <> '' AND i.reason <> 'imported'"""


@dataclass(frozen=True)
class Moment:
    """How often people agreed in one week, with the suggestion shown and hidden."""

    start: datetime
    shown: Rate
    hidden: Rate


@dataclass(frozen=True)
class Person:
    """How one person leans on suggestions, for leads and for themselves."""

    user: User
    reliance: Reliance


@dataclass(frozen=True)
class Told:
    """A proposal, and what somebody said of it (None: nothing yet)."""

    proposal: Proposal
    answer: ProposalAnswer | None


@dataclass(frozen=True)
class Trust:
    """All that a queue's decisions of [start, end) show; `people` is None for who may not see them.

    `start` is where the newest 40,000 decisions begin. `decisions` saw or could have seen a suggestion and answered yes
    or no, `simulated` of them by simulated reviewers. `currency` is "" where overrides have no price.
    """

    start: datetime
    end: datetime
    decisions: int
    simulated: int
    whole: Reliance
    moments: tuple[Moment, ...]
    people: tuple[Person, ...] | None
    reasons: tuple[Reason, ...]
    proposals: tuple[Told, ...]
    signals: Signals
    currency: str
    cut: float | None


def of_queue(queue: Queue, by: User, start: datetime, end: datetime, *, at: datetime) -> Trust:
    """Return it for a queue. Who may not see how often others err gets no line of a person."""
    spec: Spec = queue.spec
    columns, checked = _columns(queue.pk, start, end), answers.checked(queue.pk, spec, start=start, at=at)
    told = _answered(columns, spec)
    rows, against = _leaning(told, spec, checked), _overridden(told, spec)
    policy = _policy(queue)
    stands = rights.standing(by, queue.pk)
    sees = stands is not None and rights.may(stands, Act.SEE_ACCURACY)
    return Trust(
        start=datetime.fromtimestamp(rows.at.min(), UTC) if len(columns["item"]) >= MOST else start,
        end=min(end, at),
        decisions=len(rows),
        simulated=int(rows.is_simulated.sum()),
        whole=reliance.reliance(rows, reliance.usual_seconds(rows)),
        moments=_moments(rows, start, min(end, at)),
        people=_people(rows) if sees else None,
        reasons=tuple(proposals.reasons(against)),
        proposals=_proposals(queue, told, against, checked, policy),
        signals=implicit.read(queue.pk, start, end, people=sees),
        currency=spec.value.currency,
        cut=policy.suggest if policy else None,
    )


def proposed(queue: Queue, start: datetime, end: datetime, *, at: datetime) -> tuple[Told, ...]:
    """Return what the decisions of [start, end) say is to be mended, and what became of it."""
    spec = queue.spec
    told = _answered(_columns(queue.pk, start, end), spec)
    checked = answers.checked(queue.pk, spec, start=start, at=at)
    return _proposals(queue, told, _overridden(told, spec), checked, _policy(queue))


def of_person(queue: Queue, person: User, start: datetime, end: datetime, *, at: datetime) -> Reliance:
    """Return how a person leans on suggestions, for themselves; refuses who does not work there."""
    claim.standing(person, queue.pk)
    spec = queue.spec
    checked = answers.checked(queue.pk, spec, start=start, at=at, person_id=person.pk)
    rows = _leaning(_answered(_columns(queue.pk, start, end), spec), spec, checked)
    return reliance.reliance(rows.where(rows.person == person.pk), reliance.usual_seconds(rows))


def _policy(queue: Queue) -> Policy | None:
    return Policy.objects.live().filter(queue=queue).select_related("model").first()


def _columns(queue_id: int, start: datetime, end: datetime) -> dict[str, Any]:
    return read(DECIDED, {"queue": queue_id, "start": start, "end": end, "most": MOST})


def _answered(columns: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """Return the decisions that said yes or no."""
    truth = {outcome.key: outcome.truth.value for outcome in spec.outcomes}
    y = reliance.truths(columns["outcome"], truth)
    keep = ~np.isnan(y)
    return {**{name: column[keep] for name, column in columns.items()}, "y": y[keep]}


def _leaning(told: Mapping[str, Any], spec: Spec, checked: Checked) -> Leaning:
    suggested = told["suggested"] == spec.routes.positive
    known = {
        (item, person): truth
        for item, person, truth in zip(
            checked.item.tolist(), checked.person.tolist(), checked.truth.tolist(), strict=True
        )
    }
    pairs = zip(told["item"].tolist(), told["person"].tolist(), strict=True)
    truth = np.array([known.get(pair, np.nan) for pair in pairs], dtype=np.float64)
    return Leaning(
        item=told["item"],
        person=told["person"],
        at=told["at"],
        p=told["p"],
        agreed=told["y"] == suggested,
        shown=told["was_shown"].astype(np.bool_),
        wrong=np.where(np.isnan(truth), np.nan, truth != suggested),
        seconds=told["seconds"],
        is_simulated=told["is_simulated"].astype(np.bool_),
    )


def _overridden(told: Mapping[str, Any], spec: Spec) -> Overridden:
    """Return the decisions that saw a suggestion, and what they said against it."""
    seen = told["was_shown"].astype(np.bool_)
    rows = {name: column[seen] for name, column in told.items()}
    positive = rows["suggested"] == spec.routes.positive
    overrode = rows["y"] != positive
    return Overridden(
        overrode=overrode,
        reason=np.where(overrode, rows["reason"], "").astype(object),
        segment=rows["segment"],
        score=rows["score"],
        positive=positive,
        money=_money(rows, positive, overrode, spec),
    )


def _money(rows: Mapping[str, Any], positive: BoolArray, overrode: BoolArray, spec: Spec) -> FloatArray:
    """Return what each override is worth if it is right: what it brings less what the suggestion would have."""
    worth = np.full(len(overrode), np.nan)
    if not spec.value.currency or not overrode.any():
        return worth
    moneys = (spec.value.tp, spec.value.fp, spec.value.tn, spec.value.fn)
    names = {money.field for money in moneys if money.field}
    items, value = rows["item"][overrode], rows["value"][overrode]
    fields = {name: value if name == spec.value_field else field_values(items, name) for name in names}
    amounts = Amounts.of(spec.value, fields, int(overrode.sum()))
    assert amounts is not None
    worth[overrode] = np.where(positive[overrode], amounts.tn - amounts.fp, amounts.tp - amounts.fn)
    return worth


def _moments(rows: Leaning, start: datetime, end: datetime) -> tuple[Moment, ...]:
    found, begins = [], start
    while begins < end:
        stops = min(begins + WEEK, end)
        inside = (rows.at >= begins.timestamp()) & (rows.at < stops.timestamp())
        found.append(Moment(begins, rate(rows.agreed, inside & rows.shown), rate(rows.agreed, inside & ~rows.shown)))
        begins = stops
    return tuple(found)


def _people(rows: Leaning) -> tuple[Person, ...]:
    found = reliance.by_person(rows)
    users = User.objects.in_bulk(list(found))
    named = [Person(users[pk], one) for pk, one in found.items()]
    return tuple(sorted(named, key=lambda one: (str(one.user), one.user.pk)))


def _proposals(
    queue: Queue, told: Mapping[str, Any], against: Overridden, checked: Checked, policy: Policy | None
) -> tuple[Told, ...]:
    found = [*proposals.feature_gaps(against), *proposals.guideline_gaps(*_twice(told, checked))]
    if policy is not None:
        low, high = (policy.model.score_low, policy.model.score_high) if policy.model else (0.0, 1.0)
        found += proposals.threshold_moves(against, policy.suggest, low, high)
    kept = {(one.kind, one.key): one for one in _newest(queue.pk)}
    return tuple(Told(one, kept.get((one.kind.value, one.key))) for one in proposals.ranked(found))


def _twice(told: Mapping[str, Any], checked: Checked) -> tuple[WordArray, BoolArray]:
    """Return, of what was answered twice, the reason of the first answer and whether the second one differed."""
    given = {
        (item, person): reason
        for item, person, purpose, reason in zip(
            told["item"].tolist(), told["person"].tolist(), told["purpose"], told["reason"], strict=True
        )
        if purpose != "second"
    }
    pairs = checked.where(checked.source == "second")
    keys = list(zip(pairs.item.tolist(), pairs.person.tolist(), strict=True))
    keep = np.array([key in given for key in keys], dtype=np.bool_)
    reason = np.array([given[key] for key in keys if key in given], dtype=object)
    return reason, (pairs.outcome != pairs.second)[keep]


def _newest(queue_id: int) -> list[ProposalAnswer]:
    rows = ProposalAnswer.objects.filter(queue=queue_id).select_related("person")
    return list(rows.order_by("kind", "key", "-id").distinct("kind", "key"))
