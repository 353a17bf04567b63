"""Who is here and who was given what: presence, and tasks that were handed over."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Presence(models.Model):
    """When a person last had a queue before them, on which kind of page. Overwritten, part of no record."""

    class Place(models.TextChoices):
        DESK = "desk", _("At the review desk")
        FLOOR = "floor", _("Looking at the floor")

    user = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    place = models.CharField(max_length=5, choices=Place)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="presence_once")]


class Handover(models.Model):
    """Tasks that somebody gave to other people, or back to all, in one act; it can be taken back for a while.

    `steps` is a list of {task, lease, holder, kept, until, to, after}: who had it or for whom it was kept, until when,
    whom it is kept for now (null: for nobody), and its lease since then.
    """

    class Kind(models.TextChoices):
        ASSIGN = "assign", _("Assigned")
        RELEASE = "release", _("Given back")
        MOVE = "move", _("Handed on")
        BALANCE = "balance", _("Balanced")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    by = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    reason = models.CharField(max_length=50)
    steps = models.JSONField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["queue", "at"], name="handover_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(undone_at__gte=models.F("at")), name="handover_undone"
            )
        ]
