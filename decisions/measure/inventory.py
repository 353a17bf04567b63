"""The inventory: every queue, policy and model, who is accountable, who watches, what is measured and what is not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from decisions import rights
from decisions.models import (
    Alert,
    Frame,
    KnownCheck,
    KnownSet,
    ModelVersion,
    Policy,
    PolicyChange,
    Queue,
    QueueVersion,
    Rollup,
    User,
)
from decisions.queues.spec import Promise, Spec
from decisions.rights import Act

DAYS = 28
STALE = timedelta(days=3)  # a last frame older than this says little about today
MODELS_TOLD = 10  # of a queue, the newest; those that a policy uses besides
POLICIES_TOLD = 20  # of a queue that are not retired


@dataclass(frozen=True)
class Person:
    """Somebody named by an address; `is_here`: an active person has it."""

    email: str
    is_here: bool


@dataclass(frozen=True)
class Change:
    """The last change of a queue or of what routes it: who (None: the machine, or the server's shell), when and why."""

    what: str
    person: User | None
    at: datetime
    why: str


@dataclass(frozen=True)
class Note:
    """One thing that is or is not measured: a code for programs, words for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Facts:
    """What the tables hold about one queue; counts are of the last 28 days."""

    policies: Sequence[Policy]
    models: Sequence[ModelVersion]
    models_known: int
    arrived: Mapping[str, int]  # by route
    answers: Mapping[str, int]  # by purpose
    frame: Frame | None
    known_set: KnownSet | None
    checks: Mapping[int, KnownCheck]  # by policy, the latest on the newest set
    alerts: int

    @property
    def live(self) -> Policy | None:
        return next((policy for policy in self.policies if policy.state == Policy.State.LIVE), None)


@dataclass(frozen=True)
class Entry:
    """One queue in the inventory."""

    queue: Queue
    spec: Spec
    owner: Person
    watcher: Person
    facts: Facts
    measured: tuple[Note, ...]
    not_measured: tuple[Note, ...]
    last_change: Change | None

    @property
    def is_sound(self) -> bool:
        """Whether somebody is accountable, and nothing that could be measured is not."""
        return self.owner.is_here and not self.not_measured


def entries(person: User, at: datetime, *, only: Iterable[int] = ()) -> list[Entry]:
    """Return the queues whose record the person may read (of these `only` some, where named), by title.

    One statement a table, whatever the number of queues.
    """
    queues = {queue.pk: queue for queue in readable(person) if not only or queue.pk in only}
    specs = {pk: queue.spec for pk, queue in queues.items()}
    facts = _facts(list(queues), at)
    here = _here(specs.values())
    changes = _changes(queues)
    found = []
    for pk, queue in queues.items():
        spec = specs[pk]
        owner, watcher = (Person(email, email.lower() in here) for email in (spec.owner, spec.watcher or spec.owner))
        measured, missing = _notes(spec, facts[pk], at)
        found.append(Entry(queue, spec, owner, watcher, facts[pk], measured, missing, changes.get(pk)))
    return sorted(found, key=lambda entry: (entry.spec.title, entry.queue.slug))


def readable(person: User) -> list[Queue]:
    """Return the queues with a spec whose record this person may read."""
    held = rights.of(person)
    every = Queue.objects.exclude(version=None).select_related("version__author")
    standings = ((queue, held.on(queue.pk)) for queue in every)
    return [queue for queue, standing in standings if standing and rights.may(standing, Act.READ_RECORD)]


def _facts(ids: list[int], at: datetime) -> dict[int, Facts]:
    policies = _by_queue(_policies(ids))
    pinned = {policy.model_id for some in policies.values() for policy in some if policy.model_id}
    models, totals = _by_queue(_models(ids, pinned)), _totals(ids)
    figures = _figures(ids, at)
    frames, sets = _newest(Frame.objects, ids, "-starts_at"), _newest(KnownSet.objects, ids, "-pk")
    checks = _checks([one.pk for one in sets.values()])
    alerts = dict(Alert.objects.open().filter(queue__in=ids).values_list("queue").annotate(Count("pk")))
    return {
        pk: Facts(
            policies=policies[pk],
            models=models[pk],
            models_known=totals.get(pk, 0),
            arrived=figures[pk, "arrivals"],
            answers=figures[pk, "decisions"],
            frame=frames.get(pk),
            known_set=sets.get(pk),
            checks={policy.pk: checks[policy.pk] for policy in policies[pk] if policy.pk in checks},
            alerts=alerts.get(pk, 0),
        )
        for pk in ids
    }


def _by_queue(rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.queue_id].append(row)
    return found


def _policies(ids: list[int]) -> QuerySet[Policy]:
    """Return what is not retired, newest first; of very many drafts the newest."""
    place = Window(RowNumber(), partition_by=F("queue"), order_by=F("no").desc())
    unretired = Policy.objects.filter(queue__in=ids).exclude(state=Policy.State.RETIRED)
    numbered = unretired.annotate(place=place).select_related("model", "author")
    return numbered.filter(Q(place__lte=POLICIES_TOLD) | Q(state=Policy.State.LIVE)).order_by("queue", "-no")


def _models(ids: list[int], pinned: Iterable[int]) -> QuerySet[ModelVersion]:
    place = Window(RowNumber(), partition_by=F("queue"), order_by=F("pk").desc())
    numbered = ModelVersion.objects.filter(queue__in=ids).annotate(place=place)
    return numbered.filter(Q(place__lte=MODELS_TOLD) | Q(pk__in=list(pinned))).order_by("queue", "-pk")


def _totals(ids: list[int]) -> dict[int, int]:
    return dict(ModelVersion.objects.filter(queue__in=ids).values_list("queue").annotate(Count("pk")))


def _figures(ids: list[int], at: datetime) -> defaultdict[tuple[int, str], dict[str, int]]:
    """Return what arrived by route and was answered by purpose, from the hourly figures."""
    names = ("arrivals", "decisions")
    rows = Rollup.objects.filter(queue__in=ids, figure__in=names, at__gte=at - timedelta(days=DAYS), at__lte=at)
    found: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for queue, figure, key, value in rows.values_list("queue", "figure", "key").annotate(Sum("value")):
        found[queue, figure][key] = int(value)
    return found


def _newest(rows: Any, ids: list[int], order: str) -> dict[int, Any]:
    """Return the newest row of each queue."""
    return {row.queue_id: row for row in rows.filter(queue__in=ids).order_by("queue", order).distinct("queue")}


def _checks(sets: list[int]) -> dict[int, KnownCheck]:
    """Return the latest check of each policy on these sets."""
    found = KnownCheck.objects.filter(known_set__in=sets).order_by("policy", "-pk").distinct("policy")
    return {check.policy_id: check for check in found}


def _here(specs: Iterable[Spec]) -> set[str]:
    named = {email.lower() for spec in specs for email in (spec.owner, spec.watcher) if email}
    return set(User.objects.filter(email__in=named, is_active=True).values_list("email", flat=True))


def _changes(queues: Mapping[int, Queue]) -> dict[int, Change]:
    """Return the last change of each queue: of its file, or of what routes."""
    found = {pk: _of_version(queue.version) for pk, queue in queues.items() if queue.version}
    steps = PolicyChange.objects.filter(queue__in=list(queues)).select_related("policy", "person")
    for step in steps.order_by("queue", "-pk").distinct("queue"):
        if step.at >= found[step.queue_id].at:
            words = {"no": step.policy.no, "what": step.get_kind_display()}
            found[step.queue_id] = Change(_("Policy %(no)s: %(what)s") % words, step.person, step.at, step.why)
    return found


def _of_version(version: QueueVersion) -> Change:
    return Change(_("Queue file, version %(no)s") % {"no": version.no}, version.author, version.created_at, version.why)


def _notes(spec: Spec, facts: Facts, at: datetime) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Return what is measured, and what is not."""
    told: list[tuple[bool, Note]] = [
        *_of_policy(facts),
        *_of_misses(facts, at),
        _of_answers(facts),
        _of_known(spec, facts),
        (bool(spec.groups), Note("fairness", _fairness(spec))),
    ]
    return tuple(note for good, note in told if good), tuple(note for good, note in told if not good)


def _of_policy(facts: Facts) -> list[tuple[bool, Note]]:
    live = facts.live
    if live is None:
        return [(False, Note("policy", _("No policy is live, so nothing is routed.")))]
    if live.hard is None or live.soft is None:
        return [(True, Note("precision", _("Nothing is automatic, so there is no automatic action to be wrong.")))]
    if not live.control_share:
        return [(False, Note("precision", _("How precise automatic actions are: there is no control group.")))]
    words = {"share": f"{live.control_share * 100:g}", "n": facts.answers.get("control", 0)}
    if not words["n"]:
        text = _("How precise automatic actions are: nobody answered an item of the control group in 28 days.")
        return [(False, Note("precision", text))]
    text = _("Precision of automatic actions: %(share)s %% go to people as a control group, %(n)s answers in 28 days.")
    return [(True, Note("precision", text % words))]


def _of_misses(facts: Facts, at: datetime) -> list[tuple[bool, Note]]:
    """Return what is known of misses."""
    live = facts.live
    if live is None:
        return []
    if live.soft is None:
        return [(True, Note("misses", _("People see every item that is not automatic, so nothing passes unseen.")))]
    if not live.audit_budget:
        return [(False, Note("misses", _("What is missed: nothing that passes is audited.")))]
    is_measured, text = _of_audits(facts, at)
    return [(is_measured, Note("misses", text % {"budget": live.audit_budget, "n": facts.answers.get("audit", 0)}))]


def _of_audits(facts: Facts, at: datetime) -> tuple[bool, str]:
    """Return whether audits tell what is missed, and in words."""
    if facts.frame is None:
        return False, _("What is missed: %(budget)s audits a day are planned and no frame has closed yet.")
    if at - facts.frame.ends_at > STALE:
        return False, _("What is missed: the last frame ended more than three days ago.")
    if not facts.answers.get("audit"):
        return False, _("What is missed: nobody answered an audit in 28 days.")
    return True, _("What is missed: %(budget)s audits a day, %(n)s answers in 28 days.")


def _of_answers(facts: Facts) -> tuple[bool, Note]:
    total = sum(facts.answers.values())
    if not total:
        return False, Note("answers", _("What people think: nobody answered anything in 28 days."))
    return True, Note("answers", _("People gave %(n)s answers in 28 days.") % {"n": total})


def _of_known(spec: Spec, facts: Facts) -> tuple[bool, Note]:
    live = facts.live
    check = facts.checks.get(live.pk) if live else None
    if spec.promise == Promise():
        return False, Note("promise", _("Nothing is promised on known data."))
    if facts.known_set is None:
        return False, Note("promise", _("A promise is made, and there is no known data to hold policies to it."))
    if check is None:
        return False, Note("promise", _("The live policy was not checked on the newest known data."))
    if not check.is_kept:
        return False, Note("promise", _("The live policy breaks the promise on the newest known data."))
    text = _("The live policy keeps the promise on %(rows)s rows of known data.")
    return True, Note("promise", text % {"rows": facts.known_set.rows})


def _fairness(spec: Spec) -> str:
    if not spec.groups:
        return _("Fairness: the queue names no groups to compare.")
    fields = [spec.payload_field(group.field) for group in spec.groups]
    return _("Fairness between groups of: %(fields)s.") % {"fields": ", ".join(f.label for f in fields if f)}
