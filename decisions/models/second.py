"""What waits for a second person: overrides that the queue's spec wants confirmed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PendingOverride(models.Model):
    """An override that holds once somebody else confirms it. `ruling_no` is the ruling that held then, 0 = none.

    `held` is the outcome in force then. Only how it ends changes: `closer` and `reply` say who ended it and why.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for a second person")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")
        OVERTAKEN = "overtaken", _("Overtaken")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="pending_overrides")
    act = models.CharField(max_length=20)  # the right under which it is made
    held = models.CharField(max_length=50, blank=True)
    ruling_no = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=50)
    reason = models.CharField(max_length=50, blank=True)
    note = models.TextField(blank=True)
    note_digest = models.BinaryField(max_length=32, null=True)
    person = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    closer = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True)
    reply = models.CharField(max_length=500, blank=True)
    ruling = models.ForeignKey("Ruling", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(state="waiting"), name="pending_override_once"),
            models.CheckConstraint(
                condition=Q(closer=None) | ~Q(closer=models.F("person")) | Q(state="withdrawn"),
                name="pending_override_four_eyes",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "id"], name="pending_override_queue"),
            models.Index(fields=["expires_at"], condition=Q(state="waiting"), name="pending_override_due"),
        ]
