"""Readable makers of what tests need; each returns the stored row."""

import hashlib
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.utils import timezone

from decisions.models import (
    Body,
    DataSet,
    Frame,
    Intake,
    Item,
    Membership,
    ModelVersion,
    Move,
    PendingOverride,
    Policy,
    Queue,
    QueueVersion,
    Shadow,
    Task,
    Token,
    TrainingRun,
    User,
)
from decisions.queues import dump
from decisions.queues.spec import (
    FieldType,
    Money,
    Outcome,
    PayloadField,
    PolicySpec,
    Quality,
    Reason,
    Routes,
    Spec,
    Truth,
    ValueFormula,
)
from decisions.record import digest
from decisions.routing import publish
from decisions.routing.terms import Changes

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"  # of people in tests only

_numbers = itertools.count(1)


def make_spec(**changes: Any) -> Spec:
    """Return the spec of a small spam queue, changed where named."""
    reasons = (Reason("content", "The content says so"), Reason("other", "Something else", needs_note=True))
    spec = Spec(
        slug=f"queue-{next(_numbers)}",
        title="Messages",
        question="Is this message spam?",
        guideline="Spam is what nobody asked for.",
        owner="owner@example.org",
        bears_cost="The people who wait for their mail",
        outcomes=(
            Outcome("spam", "Spam", "1", Truth.POSITIVE, "quarantine", reasons),
            Outcome("ham", "Not spam", "2", Truth.NEGATIVE, "deliver", reasons),
            Outcome("unclear", "Can't tell", "3", Truth.NONE, "", reasons),
        ),
        routes=Routes("spam", "ham", hard_action="quarantine", soft_action="flag", pass_action=""),
        fields=(
            PayloadField("text", FieldType.TEXT, "Text"),
            PayloadField("words", FieldType.INTEGER, "Words", low=0, high=100_000),
            PayloadField("amount", FieldType.MONEY, "Amount", unit="EUR", low=0),
            PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat")),
        ),
        policy=PolicySpec(hard=0.9, soft=0.3, suggest=0.5, control_share=0.1, objective="Keep the mail box clean"),
        value=ValueFormula(currency="EUR", tp=Money(1.0), fn=Money(-2.0, -0.1, "amount"), review_minute=0.5),
        value_field="amount",
        quality=Quality(gold_share=0.0),
        sla=timedelta(hours=24),
    )
    return replace(spec, **changes)


def make_user(role: str = "", queue: Queue | None = None, **fields: Any) -> User:
    """Store a person; with a role also a membership (queue None = all queues). `value_limit` goes to the membership."""
    limit = fields.pop("value_limit", None)
    fields.setdefault("email", f"person{next(_numbers)}@example.org")
    user = User.objects.create_user(password=fields.pop("password", None), **fields)
    if role:
        Membership.objects.create(user=user, queue=queue, role=role, value_limit=limit)
    return user


def make_queue(**changes: Any) -> Queue:
    """Store a queue with its spec, the external model and a live policy that pins it."""
    spec = make_spec(**changes)
    queue = Queue.objects.create(slug=spec.slug)
    queue.version = QueueVersion.objects.create(queue=queue, no=1, content=dump.content(spec), created_at=NOON)
    queue.save(update_fields=["version"])
    model = ModelVersion.objects.create(
        queue=queue,
        name="external",
        kind=ModelVersion.Kind.EXTERNAL,
        score_low=spec.model.low,
        score_high=spec.model.high,
        app_version="test",
        created_at=NOON,
    )
    Policy.objects.create(
        queue=queue,
        no=1,
        state=Policy.State.LIVE,
        model=model,
        hard=spec.policy.hard,
        soft=spec.policy.soft,
        suggest=spec.policy.suggest,
        control_share=spec.policy.control_share,
        audit_budget=spec.policy.audit_budget,
        overload_soft=spec.policy.overload_soft,
        control_floor=spec.policy.control_floor,
        audit_floor=spec.policy.audit_floor,
        objective=spec.policy.objective,
        why="first",
        created_at=NOON,
        live_at=NOON,
    )
    return queue


def make_policy(queue: Queue, state: str = "approved", *, share: float = 0.5, **changes: Any) -> Policy:
    """Draft a policy as the server's shell does and take it to a state; `share` is that of a canary."""
    terms = cast("Changes", {"hard": 0.95, **changes})
    policy = publish.draft(queue=queue, changes=terms, by=None, why="stricter", at=NOON)
    if state == "withdrawn":
        publish.withdraw(policy=policy, by=None, why="no need", at=NOON)
    if state in ("approved", "canary", "live", "retired"):
        publish.approve(policy=policy, by=None, why="read", at=NOON)
    if state == "canary":
        publish.canary(policy=policy, share=share, by=None, why="carefully", at=NOON)
    if state in ("live", "retired"):
        publish.publish(policy=policy, by=None, why="ready", at=NOON)
    if state == "retired":
        publish.roll_back(queue=queue, by=None, why="worse", at=NOON)
        policy.refresh_from_db()
    return policy


def make_item(queue: Queue, payload: dict[str, Any] | None = None, **fields: Any) -> Item:
    """Store an item with its body as if it had been routed; SOFT with score 0.6 unless said otherwise."""
    assert queue.version is not None
    policy = Policy.objects.live().get(queue=queue)
    sender = fields.pop("sender", None) or make_user()
    at = fields.get("arrived_at", NOON)
    intake = fields.pop("intake", None) or Intake.objects.create(
        queue=queue, sender=sender, app_version="test", accepted=1, duplicates=0, rejected=0, digests=b"", at=at
    )
    content = digest.canonical({"payload": payload or {"text": "hello", "words": 1}})
    salt = b"0123456789abcdef"
    given = {
        "external_id": f"item-{next(_numbers)}",
        "arrived_at": at,
        "score": 0.6,
        "p": fields.get("score", 0.6),
        "rung": Item.Rung.SENT,
        "band": Item.Band.SOFT,
        "route": Item.Route.SOFT,
        "reason": Item.RouteReason.SCORE,
        "propensity": 1.0,
        "u": 0.5,
        "u_secret": 1,
        **fields,
    }
    item = Item.objects.create(
        queue=queue,
        intake=intake,
        queue_version=queue.version,
        policy=policy,
        model=policy.model,
        body_digest=digest.commitment(salt, content),
        **given,
    )
    Body.objects.create(item=item, content=content.decode(), salt=salt)
    return item


def make_data_set(queue: Queue, **fields: Any) -> DataSet:
    """Store a data set of three rows; its file is not there."""
    name = hashlib.sha256(f"data set {next(_numbers)}".encode()).hexdigest()
    manifest = {
        "format": 3,
        "query": {"last_no": 3, "last_word": 0},
        "fields": [["words", "integer"]],
        "classes": {"positive": 1, "negative": 2},
        "provenance": {"soft": 3},
        "segments": {"": 3},
        "answers": {"soft": {"positive": 1, "negative": 2}},
        "weights": {"soft": {"rows": 3, "sum": 2.43, "min": 0.81, "max": 0.81, "effective": 3.0}},
        "times": {"items": [], "labels": []},
        "leaks": {
            "after_fields": [],
            "telling_fields": [{"field": "words", "auc": 1.0}],
            "label_before_item": 0,
            "known_rows": 0,
            "contradicting": {"payloads": 0, "rows": 0},
            "split": {},
        },
        "file": {"rows": 3, "bytes": 9},
    }
    given = {
        "name": name,
        "manifest": manifest,
        "directory": f"data_sets/{name}",
        "rows": 3,
        "created_at": NOON,
        **fields,
    }
    return DataSet.objects.create(queue=queue, **given)


def make_frame(queue: Queue, **fields: Any) -> Frame:
    """Store a frame of an hour from which two of nine passes were drawn."""
    given = {
        "starts_at": NOON,
        "ends_at": NOON + timedelta(hours=1),
        "budget": 2,
        "passes": 9,
        "drawn": 2,
        "tau": 0.25,
        "mean_p": 0.01,
        "beta": 0.25,
        "strata": [{"segments": None, "passes": 9, "budget": 2, "drawn": 2, "tau": (0.25).hex()}],
        "at": NOON + timedelta(hours=1),
        **fields,
    }
    return Frame.objects.create(queue=queue, **given)


def make_shadow(queue: Queue, **fields: Any) -> Shadow:
    """Store a model in shadow, without a file."""
    model = fields.pop("model", None) or ModelVersion.objects.create(
        queue=queue,
        name=f"model-{next(_numbers)}",
        kind=ModelVersion.Kind.PIPELINE,
        app_version="test",
        created_at=NOON,
    )
    given = {"why": "to compare", "started_at": NOON, "reached_at": NOON, "back_days": 28, "seq": 0, **fields}
    return Shadow.objects.create(queue=queue, model=model, **given)


def make_run(queue: Queue, **fields: Any) -> TrainingRun:
    """Store a training run that waits for a worker."""
    given = {"trigger": TrainingRun.Trigger.HAND, "last_no": 1, "asked_at": NOON, **fields}
    return TrainingRun.objects.create(queue=queue, **given)


def make_task(queue: Queue, item: Item | None = None, **fields: Any) -> Task:
    """Store a waiting task with its opening move; purpose soft unless said otherwise."""
    item = item or make_item(queue)
    due = item.arrived_at + queue.spec.sla
    given = {
        "purpose": Task.Purpose.SOFT,
        "value": item.value,
        "is_demo": item.source == "demo",
        "opened_at": item.arrived_at,
        "due_at": due,
        "due_step": due,
        **fields,
    }
    task = Task.objects.create(queue=queue, item=item, **given)
    Move.objects.create(task=task, kind=Move.Kind.OPENED, at=item.arrived_at)
    return task


def make_pending(item: Item, **fields: Any) -> PendingOverride:
    """Store an override that a lead asked for and that waits for a second person."""
    at = timezone.now()
    given = {
        "person": fields.pop("person", None) or make_user("lead", item.queue),
        "act": "reverse_hard",
        "held": "spam",
        "ruling_no": 0,
        "outcome": "ham",
        "reason": "content",
        "asked_at": at,
        "expires_at": at + timedelta(hours=72),
        **fields,
    }
    return PendingOverride.objects.create(queue=item.queue, item=item, **given)


def make_token(user: User, *scopes: str, **fields: Any) -> tuple[Token, str]:
    """Store a token; return it with its secret text."""
    text = f"rq_{next(_numbers):06d}_{'s' * 43}"
    digest_ = hashlib.sha256(text.encode()).digest()
    token = Token.objects.create(user=user, name="test", prefix=text[:9], digest=digest_, scopes=list(scopes), **fields)
    return token, text
