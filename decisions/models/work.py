"""Human work: tasks, their moves, decisions and what then holds."""

from datetime import datetime

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models.facts import Fact


class TaskQuerySet(models.QuerySet["Task"]):
    def waiting(self) -> "TaskQuerySet":
        """Tasks that nobody holds."""
        return self.filter(state=Task.State.WAITING)

    def open(self) -> "TaskQuerySet":
        """Tasks that are not closed."""
        return self.filter(state__in=Task.OPEN)

    def lapsed(self, at: datetime) -> "TaskQuerySet":
        """Claimed or held tasks whose time is over."""
        return self.filter(state__in=(Task.State.CLAIMED, Task.State.HELD), lease_until__lte=at)


class Task(models.Model):
    """One unit of human work on an item. The hot table: narrow, and changed only with a move.

    `due_step` is the deadline rounded up to the queue's step (first key of the claim), `priority` orders within a step,
    smallest first. `lease` is the fencing token: it grows with every claim and expiry. `round` grows when a
    decision is undone. `only_for` is the one person who may take it; empty: whoever has the right. With
    `only_until` it was assigned to them and is everybody's again from then on. `needs`: see `queues.needs`.
    """

    class Purpose(models.TextChoices):
        SOFT = "soft", _("Soft")
        CONTROL = "control", _("Control")
        AUDIT = "audit", pgettext_lazy("purpose", "Audit")
        SECOND = "second", _("Second opinion")
        GOLD = "gold", _("Gold")
        APPEAL = "appeal", _("Appeal")
        ESCALATION = "escalation", _("Escalation")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CLAIMED = "claimed", _("Claimed")
        HELD = "held", _("On hold")
        DECIDED = "decided", _("Decided")
        ESCALATED = "escalated", _("Escalated")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")

    class Rank(models.IntegerChoices):
        """Who may take it, at least."""

        CROWD = 0, _("Crowd")
        REVIEWER = 1, _("Reviewer")
        EXPERT = 2, _("Expert")
        LEAD = 3, _("Lead")

    OPEN = (State.WAITING, State.CLAIMED, State.HELD)

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="tasks", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="tasks")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    purpose = models.CharField(max_length=10, choices=Purpose)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    rank = models.PositiveSmallIntegerField(choices=Rank, default=Rank.REVIEWER)
    needs = models.CharField(max_length=500, blank=True, default="", db_default="", db_collation="C")
    only_for = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    only_until = models.DateTimeField(null=True)
    round = models.PositiveSmallIntegerField(default=1)
    value = models.FloatField(null=True)
    is_demo = models.BooleanField(default=False)  # source `demo`: simulated reviewers may take only these
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    due_step = models.DateTimeField()
    priority = models.FloatField(default=0.0)
    skips = models.PositiveSmallIntegerField(default=0)
    holder = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    lease = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "purpose"],
                condition=Q(state__in=["waiting", "claimed", "held"]) & ~Q(purpose="gold"),
                name="task_one_open",
            ),
            # Each person answers a gold item for themselves, and one at a time.
            models.UniqueConstraint(
                fields=["only_for", "queue"],
                condition=Q(state__in=["waiting", "claimed", "held"], purpose="gold"),
                name="task_one_gold",
            ),
            models.CheckConstraint(condition=Q(only_until=None) | Q(only_for__isnull=False), name="task_kept_for"),
            models.CheckConstraint(
                condition=Q(state__in=["claimed", "held"], holder__isnull=False, lease_until__isnull=False)
                | (~Q(state__in=["claimed", "held"]) & Q(holder=None) & Q(lease_until=None)),
                name="task_holder",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "rank", "needs", "due_step", "priority", "id"],
                condition=Q(state="waiting", only_for=None),
                name="task_claim",
            ),
            models.Index(
                fields=["only_for", "queue"], condition=Q(state="waiting", only_for__isnull=False), name="task_own"
            ),
            models.Index(
                fields=["only_until"], condition=Q(state="waiting", only_until__isnull=False), name="task_kept"
            ),
            models.Index(fields=["holder"], condition=Q(state__in=["claimed", "held"]), name="task_held"),
            models.Index(fields=["lease_until"], condition=Q(state__in=["claimed", "held"]), name="task_lapse"),
            models.Index(
                fields=["queue", "due_at"], condition=Q(state__in=["waiting", "claimed", "held"]), name="task_due"
            ),
            models.Index(
                fields=["queue", "due_at"],
                condition=Q(state__in=["waiting", "claimed", "held"], purpose__in=["audit", "second", "gold"]),
                name="task_due_measuring",
            ),
        ]


class Move(Fact):
    """A step of a task."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("Opened")
        ASSIGNED = "assigned", _("Assigned")
        RETURNED = "returned", _("Everybody's again")
        CLAIMED = "claimed", _("Claimed")
        EXTENDED = "extended", _("Extended")
        RELEASED = "released", _("Released")
        SKIPPED = "skipped", _("Skipped")
        HELD = "held", _("Put on hold")
        RESUMED = "resumed", _("Resumed")
        LAPSED = "lapsed", _("Lease ran out")
        ESCALATED = "escalated", _("Escalated")
        EXPIRED = "expired", _("Expired")
        DECIDED = "decided", _("Decided")
        REOPENED = "reopened", _("Reopened")
        CANCELLED = "cancelled", _("Cancelled")

    task = models.ForeignKey(Task, models.PROTECT, related_name="moves")
    kind = models.CharField(max_length=9, choices=Kind)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    lease = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=50, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            BrinIndex(fields=["at"], autosummarize=True, pages_per_range=32, name="move_at"),
            models.Index(fields=["at"], condition=Q(kind="expired"), name="move_expired"),
        ]


class Decision(Fact):
    """One person's answer to a task round.

    Only its note can go, by erasure; `note_digest` commits to it under the body's salt.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="decisions", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="decisions")
    task = models.ForeignKey(Task, models.PROTECT, related_name="decisions", db_index=False)
    round = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=10, choices=Task.Purpose)
    queue_version = models.ForeignKey("QueueVersion", models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey("User", models.PROTECT, related_name="decisions", db_index=False)
    outcome = models.CharField(max_length=50)
    reason = models.CharField(max_length=50, blank=True)
    note = models.TextField(blank=True)
    note_digest = models.BinaryField(max_length=32, null=True)
    suggested = models.CharField(max_length=50, blank=True)  # the outcome the policy suggested
    was_shown = models.BooleanField(default=False)  # whether the person saw that suggestion
    active_seconds = models.FloatField(null=True)
    claimed_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "round"], name="decision_once")]
        indexes = [
            models.Index(fields=["queue", "at"], name="decision_at"),
            models.Index(fields=["person", "at"], name="decision_person"),
            models.Index(fields=["queue", "at"], condition=Q(purpose__in=["gold", "second"]), name="decision_checked"),
        ]


class Ruling(Fact):
    """What now holds for an item.

    `replaces` is the ruling that held before; outcome "" = nothing holds any more (undone).
    """

    class Source(models.TextChoices):
        DECISION = "decision", _("Decision")
        OVERRIDE = "override", _("Override")
        ADJUDICATION = "adjudication", _("Adjudication")
        EXPIRY = "expiry", _("Expiry rule")
        APPEAL = "appeal", _("Appeal")
        OUTSIDE = "outside", _("Outside truth")
        UNDO = "undo", _("Undo")
        IMPORTED = "imported", _("Imported")  # what an earlier tool held

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="rulings", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="rulings", db_index=False)
    no = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=50, blank=True)
    truth = models.CharField(max_length=8)
    source = models.CharField(max_length=12, choices=Source)
    decision = models.ForeignKey(Decision, models.PROTECT, null=True, related_name="rulings")
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=50, blank=True)
    note = models.TextField(blank=True)
    note_digest = models.BinaryField(max_length=32, null=True)
    was = models.CharField(max_length=50, blank=True)  # the outcome that held, or that the policy suggested or did
    is_override = models.BooleanField(default=False)
    is_reversal = models.BooleanField(default=False)
    at = models.DateTimeField()
    final_at = models.DateTimeField()  # the end of its undo window: actions and labels are due then

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "no"], name="ruling_once")]
        indexes = [
            models.Index(fields=["queue", "at"], name="ruling_at"),
            models.Index(fields=["queue", "at"], condition=Q(is_override=True), name="ruling_override"),
        ]
