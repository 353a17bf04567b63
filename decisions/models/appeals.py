"""Appeals: what somebody outside asks to be looked at again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Appeal(models.Model):
    """An objection to what held for an item; `held` is that outcome, `ruling` the one behind it (empty: the machine).

    `reference` is the sender's own name for it, which makes sending it twice the same appeal; `statement` are the words
    of who appeals. How it ended: `decision` says who concluded what and why.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("What held was upheld")
        OVERTURNED = "overturned", _("What held was overturned")
        ENDED = "ended", _("Ended without an answer")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="appeals")
    task = models.OneToOneField("Task", models.PROTECT, related_name="appeal")
    held = models.CharField(max_length=50)
    ruling = models.ForeignKey("Ruling", models.PROTECT, null=True, related_name="+", db_index=False)
    reference = models.CharField(max_length=200, blank=True)
    statement = models.TextField()
    statement_digest = models.BinaryField(max_length=32)
    filed_by = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decision = models.ForeignKey("Decision", models.PROTECT, null=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(state="open"), name="appeal_one_open"),
            models.UniqueConstraint(fields=["queue", "reference"], condition=~Q(reference=""), name="appeal_once"),
            models.CheckConstraint(
                condition=Q(state__in=["upheld", "overturned"], decision__isnull=False, closed_at__isnull=False)
                | Q(state="open", decision=None, closed_at=None)
                | Q(state="ended", closed_at__isnull=False),
                name="appeal_end",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "id"], name="appeal_queue"),
            models.Index(fields=["queue", "due_at"], condition=Q(state="open"), name="appeal_due"),
        ]
