"""Puts a queue file in force: first what will change, then, if that still holds, the change."""

import hashlib
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, NotFound
from decisions.models import Event, ModelVersion, Policy, Queue, QueueVersion, User
from decisions.queues import changes, dump
from decisions.queues.changes import Change
from decisions.queues.parse import Document, SpecError
from decisions.queues.spec import PolicySpec, Spec
from decisions.record import digest, log
from decisions.rights import Act
from decisions.routing import publish
from decisions.routing.terms import Changes

ON_THE_WAY = (Policy.State.DRAFT, Policy.State.APPROVED, Policy.State.CANARY)


@dataclass(frozen=True)
class Plan:
    """What applying a file will change, seen from version `version` (0: the queue is new) and live policy `policy`."""

    document: Document
    version: int
    policy: int
    changes: tuple[Change, ...]
    policy_changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.policy_changes


@dataclass(frozen=True)
class Applied:
    """What came of a plan: the version and the policy it made, None where there was nothing to make."""

    queue: Queue
    version: QueueVersion | None
    policy: Policy | None


def preview(document: Document) -> Plan:
    """Return what a file will change; refuses one that was made from a version that is no longer in force."""
    spec = document.spec
    queue = Queue.objects.select_related("version").filter(slug=spec.slug, version__isnull=False).first()
    if queue is None or queue.version is None:
        _require_new(document)
        return Plan(document, 0, 0, changes.of_spec(None, spec), changes.of_policy(None, spec.policy))
    live = Policy.objects.live().filter(queue=queue).first()
    plan = Plan(
        document,
        queue.version.no,
        live.no if live else 0,
        changes.of_spec(queue.version.spec, spec),
        () if _is_drafted(queue, spec) else changes.of_policy(asked(live) if live else None, spec.policy),
    )
    _require_current(plan)
    _require_same_range(queue.version.spec, spec)
    return plan


@transaction.atomic
def apply(plan: Plan, *, by: User | None, why: str, at: datetime) -> Applied:
    """Put a plan in force: a new version, and a changed policy as a draft; a new queue's first policy is live at once.

    `by` None is whoever holds the server's shell. Refuses when the queue moved on since the plan was made.
    """
    spec = plan.document.spec
    publish.lock(Event.SITE)  # one file at a time: a queue that is not there yet has no lock of its own
    queue = Queue.objects.select_related("version").filter(slug=spec.slug).first()
    if by is not None:
        rights.require(by, Act.APPLY_QUEUE, queue_id=queue.pk if queue else None)
    if queue is not None:
        publish.lock(queue.pk)
    if preview(plan.document) != plan:
        raise Conflict(_("The queue has changed since you looked. Look again at what will change."))
    queue = queue or Queue.objects.create(slug=spec.slug)
    model = None if plan.version else _external(queue, spec, at)
    version = _write(queue, plan, by=by, why=why, at=at) if plan.changes else None
    policy = _policy(queue, model, spec.policy, by=by, why=why, at=at) if plan.policy_changes else None
    return Applied(queue, version, policy)


def source(slug: str) -> str:
    """Return the queue in force as a file that applies without any change."""
    queue = Queue.objects.select_related("version").filter(slug=slug, version__isnull=False).first()
    live = Policy.objects.live().filter(queue=queue).first() if queue else None
    if queue is None or queue.version is None or live is None:
        raise NotFound(_("There is no queue “%(slug)s”.") % {"slug": slug})
    return dump.toml(replace(queue.spec, policy=asked(live)), queue.version.no, live.no)


def asked(policy: Policy) -> PolicySpec:
    """Return the part of a policy that a queue file speaks of."""
    return PolicySpec(**{field.name: getattr(policy, field.name) for field in fields(PolicySpec)})


def _is_drafted(queue: Queue, spec: Spec) -> bool:
    """Say whether the newest policy already is what the file asks for, on its way to be live."""
    newest = Policy.objects.filter(queue=queue).order_by("-no").first()
    return newest is not None and newest.state in ON_THE_WAY and asked(newest) == spec.policy


def _require_new(document: Document) -> None:
    if document.version or document.policy:
        detail = _("this file was dumped from a queue “%(slug)s”, and there is none here: leave the versions out")
        raise SpecError([Fault("version", "moved", detail % {"slug": document.spec.slug})])


def _require_current(plan: Plan) -> None:
    """Refuse a file that would take back what was changed since it was dumped. The first version asks for no number."""
    words = {"slug": plan.document.spec.slug, "now": plan.version, "live": plan.policy}
    faults = []
    if plan.changes and (plan.document.version or 1) != plan.version:
        detail = _("the queue is at version %(now)d now: dump it again with `dump_queue %(slug)s`")
        faults.append(Fault("version", "moved", detail % words))
    if plan.policy_changes and plan.document.policy and plan.document.policy != plan.policy:
        detail = _("policy %(live)d is live now: dump the queue again with `dump_queue %(slug)s`")
        faults.append(Fault("policy.version", "moved", detail % words))
    if faults:
        raise SpecError(faults)


def _require_same_range(old: Spec, new: Spec) -> None:
    """Refuse another range of scores: the scores that are stored, and the cuts, are in the old one."""
    moved = [name for name in ("low", "high") if getattr(old.model, name) != getattr(new.model, name)]
    detail = _("cannot change: stored scores are in the old range; make a new queue instead")
    if moved:
        raise SpecError([Fault(f"model.{name}", "fixed", detail) for name in moved])


def _external(queue: Queue, spec: Spec, at: datetime) -> ModelVersion:
    """Store the model that nobody named."""
    return ModelVersion.objects.create(
        queue=queue,
        name="external",
        kind=ModelVersion.Kind.EXTERNAL,
        score_low=spec.model.low,
        score_high=spec.model.high,
        app_version=settings.APP_VERSION,
        created_at=at,
    )


def _write(queue: Queue, plan: Plan, *, by: User | None, why: str, at: datetime) -> QueueVersion:
    """Store the next version, make it the one in force and note which keys changed."""
    before = queue.version
    version = QueueVersion.objects.create(
        queue=queue,
        no=plan.version + 1,
        content=dump.content(plan.document.spec),
        author=by,
        why=why,
        created_at=at,
    )
    queue.version = version
    queue.save(update_fields=["version"])
    entry = {
        "version": version.no,
        "before": _digest(before.content) if before else None,
        "after": _digest(version.content),
        "changed": [change.key for change in plan.changes],
    }
    log.append(Event.Kind.QUEUE_APPLIED, chain=queue.pk, actor=by, at=at, entry=entry, rows=(version,))
    return version


def _policy(
    queue: Queue, model: ModelVersion | None, asked_for: PolicySpec, *, by: User | None, why: str, at: datetime
) -> Policy:
    """Store the policy that the file asks for; the first one of a queue goes live."""
    terms = Changes(
        hard=asked_for.hard,
        soft=asked_for.soft,
        suggest=asked_for.suggest,
        control_share=asked_for.control_share,
        audit_budget=asked_for.audit_budget,
        precision_target=asked_for.precision_target,
        overload_soft=asked_for.overload_soft,
        control_floor=asked_for.control_floor,
        audit_floor=asked_for.audit_floor,
    )
    if model is None:
        return publish.draft(queue=queue, changes=terms, by=by, why=why, objective=asked_for.objective, at=at)
    terms["model"] = model
    return publish.first(queue=queue, changes=terms, by=by, why=why, objective=asked_for.objective, at=at)


def _digest(content: Any) -> str:
    return hashlib.sha256(digest.canonical(digest.steady(content))).hexdigest()
