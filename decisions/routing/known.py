"""The contract on known data: each policy is checked on a frozen historical set before it may go live."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Refused
from decisions.intake import checks, ladder
from decisions.intake.parse import Row
from decisions.learning import frozen, registry
from decisions.learning.frozen import FEWEST, KnownRow, TruthColumn
from decisions.learning.rows import FileRow, Part
from decisions.measure import intervals
from decisions.models import Event, Item, KnownCheck, KnownSet, ModelVersion, Policy, Queue, QueueVersion, User
from decisions.queues import live
from decisions.queues.live import Live
from decisions.queues.spec import Promise
from decisions.record import log
from decisions.rights import Act
from decisions.routing import policy as policies
from decisions.routing import promises
from decisions.routing.policy import Cuts, Routing

BoolArray = npt.NDArray[np.bool_]

EVERY = Part()
CHUNK = 1000  # rows that a model scores at once
ROUTE, REASON = Item.Route, Item.RouteReason


@dataclass(frozen=True)
class Kept:
    """A share on known rows: `hits` of `of`, its exact 95 % interval, what was promised and whether it is kept.

    `value` None: there were no rows to be a share of. The interval (Clopper and Pearson 1934) says how far the figure
    would carry to other rows of the same kind; whether the promise is kept is a fact about these rows.
    """

    hits: int
    of: int
    value: float | None
    low: float
    high: float
    promised: float | None
    is_kept: bool

    @classmethod
    def count(cls, hits: int, of: int, promised: float | None) -> "Kept":
        """Return the share; without rows nothing can be broken."""
        low, high = intervals.exact(hits, of) if of else (0.0, 1.0)
        value = hits / of if of else None
        return cls(hits, of, value, low, high, promised, promised is None or value is None or value >= promised)


@dataclass(frozen=True)
class Figures:
    """How a policy did on known rows.

    Of `rows`, `learnt` are left out because the model learnt from them (None: nobody knows which), `sent_back` because
    their sender would be asked to mend them. The rest has `positives`, was routed as `routes` counts and holds
    `failed_checks`, rows that a failed check keeps from the model.
    """

    rows: int
    learnt: int | None
    sent_back: int
    positives: int
    negatives: int
    routes: dict[str, int]
    failed_checks: int
    precision: Kept
    recall: Kept

    @property
    def is_enough(self) -> bool:
        """Whether as many rows of each answer remain as a set must have."""
        return min(self.positives, self.negatives) >= FEWEST

    @property
    def is_kept(self) -> bool:
        """Whether every promise holds on these rows."""
        return self.is_enough and self.precision.is_kept and self.recall.is_kept


def figures(
    is_positive: BoolArray, routing: Routing, promise: Promise, *, rows: int, learnt: int | None, sent_back: int
) -> Figures:
    """Return how routed rows did: precision of what the model alone makes HARD, recall of HARD and SOFT together."""
    failed = routing.reason != REASON.SCORE
    acted = (routing.route == ROUTE.HARD) & ~failed
    caught = routing.route != ROUTE.PASS
    positives = int(is_positive.sum())
    return Figures(
        rows=rows,
        learnt=learnt,
        sent_back=sent_back,
        positives=positives,
        negatives=len(is_positive) - positives,
        routes={route.value: int((routing.route == route).sum()) for route in ROUTE},
        failed_checks=int(failed.sum()),
        precision=Kept.count(int(is_positive[acted].sum()), int(acted.sum()), promise.precision),
        recall=Kept.count(int(is_positive[caught].sum()), positives, promise.recall),
    )


@transaction.atomic
def freeze(
    *,
    queue: Queue,
    file: Path,
    at: datetime,
    truth: TruthColumn | None = None,
    wanted: Callable[[FileRow], bool] = EVERY.holds,
    note: str = "",
    by: User | None = None,
) -> KnownSet:
    """Freeze the wanted rows of a CSV file with their truth as the set that policies are checked on from now on.

    `by` None is whoever holds the server's shell. The same rows again are the set that is there, if it is still the
    newest one. Refuses rows that do not fit the queue's fields, naming line and column.
    """
    if by is not None:
        rights.require(by, Act.APPLY_QUEUE, queue_id=queue.pk)
    found = frozen.Reader.of(queue, truth).read(file, wanted)
    place, name = frozen.write(queue, found)
    if (same := KnownSet.objects.filter(queue=queue, name=name).first()) is not None:
        if same != newest(queue.pk):
            raise Conflict(_("These rows were frozen before, and another set has replaced them since."))
        return same
    made = KnownSet.objects.create(
        queue=queue,
        name=name,
        file=place,
        rows=len(found),
        positives=sum(row.is_positive for row in found),
        note=note,
        author=by,
        created_at=at,
    )
    entry = {"known_set": made.pk, "sha256": name, "count": made.rows, "positives": made.positives}
    log.append(Event.Kind.KNOWN_SET_MADE, chain=queue.pk, actor=by, at=at, entry=entry, rows=(made,))
    return made


def newest(queue_id: int) -> KnownSet | None:
    """Return the set that policies of a queue are checked on."""
    return KnownSet.objects.filter(queue=queue_id).order_by("-pk").first()


@transaction.atomic
def check(policy: Policy, at: datetime, *, by: User | None = None) -> KnownCheck:
    """Route the newest known set as this policy would, and record how it did against what the queue promises.

    Refuses without a set, with a file that changed, and where the policy's model gives its rows no scores.
    """
    if by is not None:
        rights.require(by, Act.DRAFT_POLICY, queue_id=policy.queue_id)
    known = newest(policy.queue_id)
    if known is None:
        raise Conflict(_("This queue has no known data yet: manage.py freeze_known_set makes a set of it."))
    version = _version(policy.queue_id)
    found = _measured(policy, version, frozen.load(known))
    told = {**asdict(found), "is_enough": found.is_enough}
    made = KnownCheck.objects.create(
        known_set=known, policy=policy, queue_version=version, figures=told, is_kept=found.is_kept, at=at
    )
    entry = {"policy": policy.pk, "known_set": known.pk, "is_kept": made.is_kept}
    log.append(Event.Kind.KNOWN_SET_CHECKED, chain=policy.queue_id, actor=by, at=at, entry=entry, rows=(made,))
    return made


def check_draft(policy: Policy, at: datetime, *, by: User | None = None) -> KnownCheck | None:
    """Check a draft where that can be done; what hinders it is for `require` to say, when it is to go live."""
    if newest(policy.queue_id) is None:
        return None
    try:
        with transaction.atomic():
            return check(policy, at, by=by)
    except (Refused, OSError):
        return None


def require(policy: Policy, at: datetime) -> None:
    """Refuse a policy that breaks what its queue promises on known data, naming what is missed.

    A policy that was not checked yet on the newest set, under the queue's version in force, is checked now.
    """
    version = _version(policy.queue_id)
    if version.spec.promise == Promise():
        return
    made = of_policies(policy.queue_id, [policy.pk]).get(policy.pk)
    if made is None or made.queue_version_id != version.pk:
        made = check(policy, at)
    if not made.is_kept:
        spec = version.spec
        positive = spec.outcome(spec.routes.positive)
        what = promises.missed(made.figures, positive.label if positive else spec.routes.positive)
        raise Conflict(_("On the known data this policy breaks a promise: %(what)s.") % {"what": what})


def of_policies(queue_id: int, policy_ids: Iterable[int]) -> dict[int, KnownCheck]:
    """Return the latest check of each policy on the queue's newest set."""
    found = KnownCheck.objects.filter(policy__in=list(policy_ids), known_set=newest(queue_id))
    return {made.policy_id: made for made in found.select_related("known_set", "queue_version").order_by("pk")}


def _measured(policy: Policy, version: QueueVersion, found: Sequence[KnownRow]) -> Figures:
    """Return the figures over the rows that the policy's model has not learnt from, routed as intake would."""
    learnt = registry.learnt(policy.model) if policy.model else None
    fresh = [row for row in found if not _is_learnt(row, learnt)]
    spec = version.spec
    inputs = checks.inputs([row.payload for row in fresh], spec.fields)
    places = [i for i in range(len(fresh)) if i not in inputs.faults]
    failures = {k: inputs.failures[i] for k, i in enumerate(places) if i in inputs.failures}
    kept = [fresh[i] for i in places]
    return figures(
        np.array([row.is_positive for row in kept], dtype=np.bool_),
        _routed(policy, version, kept, failures),
        spec.promise,
        rows=len(found),
        learnt=None if learnt is None else len(found) - len(fresh),
        sent_back=len(inputs.faults),
    )


def _is_learnt(row: KnownRow, learnt: frozenset[bytes] | None) -> bool:
    return bool(learnt) and frozen.fingerprint(row.payload, is_positive=row.is_positive) in (learnt or ())


def _routed(policy: Policy, version: QueueVersion, kept: Sequence[KnownRow], failures: dict[int, list[str]]) -> Routing:
    """Return the routes that intake would give, but for the control group."""
    in_force = replace(live.of_id(policy.queue_id), policy=policy, model=policy.model, spec=version.spec)
    climbs = []
    for start in range(0, len(kept), CHUNK):
        chunk = kept[start : start + CHUNK]
        failed = {i: failures[start + i] for i in range(len(chunk)) if start + i in failures}
        climbs.append(_climb(chunk, failed, in_force))
    scores = np.concatenate([climb.scores for climb in climbs] or [np.empty(0)])
    reasons = np.concatenate([climb.reasons for climb in climbs] or [np.empty(0, dtype=object)])
    return policies.route(scores, reasons, np.ones(len(kept)), Cuts.of(policy, version.spec))


def _climb(kept: Sequence[KnownRow], failures: dict[int, list[str]], in_force: Live) -> ladder.Climb:
    """Score rows as intake would; refuses where the model itself is what is missing."""
    model = in_force.model or in_force.external
    is_sent = model.kind == ModelVersion.Kind.EXTERNAL
    rows = [
        Row(row.line, str(row.line), row.payload, b"", row.scores.get(model.name) if is_sent else None, model.name)
        for row in kept
    ]
    climb = ladder.climb(rows, failures, in_force)
    if (climb.reasons == REASON.FALLBACK).any():
        detail = _(
            "The model %(model)s gives the known data no scores: its file is missing or broken or, where its scores"
            " come from elsewhere, the set has no column “score:%(model)s”."
        )
        raise Conflict(detail % {"model": model.name})
    return climb


def _version(queue_id: int) -> QueueVersion:
    version = Queue.objects.select_related("version").get(pk=queue_id).version
    assert version is not None
    return version
