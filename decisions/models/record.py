"""The record: one hash chain per queue and one for the site."""

from django.db import models

from decisions.models.facts import Fact


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of events; as a function, so that a new one needs no migration."""
    return Event.Kind.choices


class Event(Fact):
    """One line of the record. `chain` is the queue's id, 0 for the site.

    `entry` is the canonical JSON of what happened (before, after, codes, digests of rows; never personal text);
    `hash` = SHA-256(version byte + previous hash + canonical JSON of all the other columns).
    """

    class Kind(models.TextChoices):
        ITEMS_ARRIVED = "items.arrived"
        ITEMS_IMPORTED = "items.imported"
        ITEM_ESCALATED = "item.escalated"
        ITEM_OVERRIDDEN = "item.overridden"
        OVERRIDE_ASKED = "override.asked"
        OVERRIDE_CLOSED = "override.closed"
        APPEAL_FILED = "appeal.filed"
        EVIDENCE_TOLD = "evidence.told"
        ITEM_ERASED = "item.erased"
        ITEM_HELD = "item.legal_hold"
        GOLD_MARKED = "gold.marked"
        GOLD_RETIRED = "gold.retired"
        PERSON_GRADED = "person.graded"
        PERSON_PAUSED = "person.paused"
        PERSON_RESUMED = "person.resumed"
        ITEM_DISPUTED = "item.disputed"
        TASK_EXPIRED = "task.expired"
        DECISION_MADE = "decision.made"
        DECISION_UNDONE = "decision.undone"
        ACTION_DELIVERED = "action.delivered"
        ACTION_DIED = "action.dead"
        ACTION_REPLAYED = "action.replayed"
        ACTION_CANCELLED = "action.cancelled"
        ACTION_RESULT = "action.result"
        LABELS_FED = "labels.fed"
        LABELS_PUSHED = "labels.pushed"
        DATASET_MADE = "dataset.made"
        QUEUE_APPLIED = "queue.applied"
        QUEUE_PAUSED = "queue.paused"
        QUEUE_RESUMED = "queue.resumed"
        MODEL_TRAINED = "model.trained"
        MODEL_IMPORTED = "model.imported"
        SHADOW_STARTED = "shadow.started"
        SHADOW_STOPPED = "shadow.stopped"
        TRAINING_ASKED = "training.asked"
        TRAINING_STARTED = "training.started"
        TRAINING_INTERRUPTED = "training.interrupted"
        TRAINING_DONE = "training.done"
        TRAINING_FAILED = "training.failed"
        TRAINING_CANCELLED = "training.cancelled"
        POLICY_DRAFTED = "policy.drafted"
        POLICY_APPROVED = "policy.approved"
        POLICY_WITHDRAWN = "policy.withdrawn"
        POLICY_CANARY = "policy.canary"
        POLICY_STOPPED = "policy.stopped"
        POLICY_PUBLISHED = "policy.published"
        POLICY_ROLLED_BACK = "policy.rolled_back"
        PROPOSAL_ANSWERED = "proposal.answered"
        FRAME_CLOSED = "frame.closed"
        KNOWN_SET_MADE = "known_set.made"
        KNOWN_SET_CHECKED = "known_set.checked"
        ALERT_OPENED = "alert.opened"
        ALERT_CHANGED = "alert.changed"
        ALERT_CLOSED = "alert.closed"
        ENDPOINT_CHANGED = "endpoint.changed"
        PERSON_MADE = "person.made"
        PERSON_CHANGED = "person.changed"
        PERSON_LEFT = "person.left"
        PERSON_EXCLUDED = "person.excluded"
        PERSON_READMITTED = "person.readmitted"
        TOKEN_MADE = "token.made"  # noqa: S105 - the kind of an event, not a secret
        TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the same
        SHIFT_CHANGED = "shift.changed"
        ABSENCE_CHANGED = "absence.changed"
        TASKS_HANDED_OVER = "tasks.handed_over"
        HANDOVER_UNDONE = "tasks.handover_undone"
        OVERLOAD_TAKEN = "overload.taken"
        OVERLOAD_RELEASED = "overload.released"
        OVERLOAD_SWITCHED = "overload.switched"
        FILTER_STOPPED = "filter.stopped"
        FILTER_SWITCHED = "filter.switched"
        RIGHT_REFUSED = "right.refused"
        RIGHTS_PROPOSED = "rights.proposed"
        RIGHTS_CHANGED = "rights.changed"
        RIGHTS_TURNED_DOWN = "rights.turned_down"
        RECORD_EXPORTED = "record.exported"

    SITE = 0

    chain = models.BigIntegerField()
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=30, choices=kinds)
    actor = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, null=True, related_name="events")
    reason = models.CharField(max_length=50, blank=True)
    entry = models.TextField()
    version = models.PositiveSmallIntegerField(default=1)
    hash = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="event_once")]
        indexes = [
            models.Index(fields=["chain", "kind", "seq"], name="event_kind"),
            models.Index(fields=["actor", "at"], name="event_actor"),
        ]
