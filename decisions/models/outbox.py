"""What the outside world is told, and what it says it did."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models.facts import Fact


class Endpoint(models.Model):
    """Where a queue's actions go.

    `secrets` are sealed (Fernet), newest first: each signs, so that a key can be rotated.
    """

    queue = models.OneToOneField("Queue", models.PROTECT, related_name="endpoint")
    url = models.URLField(max_length=500)
    secrets = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(auto_now=True)


class LabelPush(models.Model):
    """How a queue's labels go to its endpoint: all up to `after_no` arrived, those up to `upto_no` are under way."""

    class Mode(models.TextChoices):
        OFF = "off", pgettext_lazy("labels pushed", "Off")
        SINGLE = "single", _("One by one")
        BATCH = "batch", _("In batches")

    queue = models.OneToOneField("Queue", models.PROTECT, related_name="+")
    mode = models.CharField(max_length=6, choices=Mode)
    after_no = models.BigIntegerField()
    upto_no = models.BigIntegerField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(upto_no=None) | Q(upto_no__gt=models.F("after_no")), name="push_forward")
        ]


class ActionQuerySet(models.QuerySet["Action"]):
    def pending(self) -> "ActionQuerySet":
        """Actions that the world was not told yet, and shall be."""
        return self.filter(state=Action.State.PENDING)

    def due(self, at: datetime) -> "ActionQuerySet":
        """Actions whose next attempt is due."""
        return self.pending().filter(next_at__lte=at)

    def told_but_not_done(self) -> "ActionQuerySet":
        """Delivered, and the receiver has not said that it did it."""
        return self.filter(state=Action.State.DELIVERED, appeal=None).exclude(result=Action.Result.DONE)


class Action(models.Model):
    """One thing the outside world is told.

    By the machine at routing (ruling empty) or by a ruling. `body` is sent byte for byte. With an `appeal` it tells how
    that ended, which asks nothing to be done and is not superseded.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Dead letter")
        CANCELLED = "cancelled", _("Cancelled")

    class Result(models.TextChoices):
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="actions", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="actions")
    ruling = models.ForeignKey("Ruling", models.PROTECT, null=True, related_name="actions")
    appeal = models.ForeignKey("Appeal", models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=50)
    body = models.BinaryField(null=True)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=7, choices=Result, blank=True)
    result_detail = models.CharField(max_length=500, blank=True)
    result_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = ActionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["queue", "next_at"], condition=Q(state="pending"), name="action_due"),
            models.Index(fields=["queue", "id"], condition=Q(state="dead"), name="action_dead"),
            models.Index(
                fields=["queue", "delivered_at"],
                condition=Q(state="delivered") & ~Q(result="done"),
                name="action_told",
            ),
        ]


class Delivery(Fact):
    """One attempt to tell: `status` is the HTTP status, empty when no answer came."""

    action = models.ForeignKey(Action, models.PROTECT, related_name="deliveries")
    attempt = models.PositiveSmallIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)
    seconds = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "attempt"], name="delivery_once")]


class Request(models.Model):
    """A changing call that came with an Idempotency-Key, and what it was answered."""

    user = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="request_once")]
