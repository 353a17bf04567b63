"""What training gets back, and the figures that pages read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models.facts import Fact


class PendingLabel(models.Model):
    """A ruling that becomes a label when its undo window ends; gone when fed, or when undone before."""

    ruling = models.OneToOneField("Ruling", models.PROTECT, primary_key=True, related_name="+")
    due_at = models.DateTimeField(db_index=True)


class Label(Fact):
    """What training gets from a ruling. `no` is gap-free and given by a single writer: feeds run on it.

    `value` is 1 positive, 0 negative, empty for "can't tell"; `propensity` in (0, 1] or empty where none was logged.
    """

    class Provenance(models.TextChoices):
        SOFT = "soft", _("Soft")
        CONTROL = "control", _("Control")
        AUDIT = "audit", pgettext_lazy("purpose", "Audit")
        OVERRIDE = "override", _("Override")
        GOLD = "gold", _("Gold")
        OUTSIDE = "outside", _("Outside truth")
        IMPORTED = "imported", _("Imported")
        SIMULATED = "simulated", _("Simulated")

    no = models.BigIntegerField(unique=True)
    queue = models.ForeignKey("Queue", models.PROTECT, related_name="labels", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="labels")
    ruling = models.OneToOneField("Ruling", models.PROTECT, related_name="label")
    value = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=50)
    propensity = models.FloatField(null=True)
    provenance = models.CharField(max_length=9, choices=Provenance)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    ruled_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["queue", "no"], name="label_queue")]

    @property
    def is_correction(self) -> bool:
        """Whether the item's label before this one said otherwise."""
        return self.replaces is not None and self.replaces.outcome != self.outcome


class DataSet(Fact):
    """A frozen set of labelled rows on disk, named by the hash of its content."""

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="data_sets", db_index=False)
    name = models.CharField(max_length=64)  # SHA-256 of the manifest
    manifest = models.JSONField()
    directory = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "name"], name="data_set_once")]


class Rollup(models.Model):
    """A figure of a queue for a span that starts at `at`.

    Pages read these, so that their cost does not grow with history.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    figure = models.CharField(max_length=20)
    key = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    value = models.FloatField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "figure", "at", "key"], name="rollup_once"),
            models.CheckConstraint(condition=~Q(figure=""), name="rollup_figure"),
        ]
