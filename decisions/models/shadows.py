"""Models that score live traffic beside the one that routes."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ShadowQuerySet(models.QuerySet["Shadow"]):
    def running(self) -> "ShadowQuerySet":
        """Those that nobody and nothing has stopped."""
        return self.filter(ended_at=None)


class Shadow(models.Model):
    """A model in shadow on a queue: who let it score what arrives, since when and why. It routes nothing.

    `seq` is the entry of the queue's chain up to which arrivals were scored, `reached_at` when those came. `scored` and
    `failed` count live items, `backfilled` labelled items of the `back_days` before the start, scored afterwards
    (`backfilled_at`: when that was done). `strikes` are failures in a row that were the model's as a whole,
    `last_failure` the code of the last one; until `next_at` it is left alone.
    """

    class Ending(models.TextChoices):
        PERSON = "person", _("Stopped by a person")
        FAILURES = "failures", _("Stopped: the model failed again and again")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="shadows", db_index=False)
    model = models.ForeignKey("ModelVersion", models.PROTECT, related_name="shadows", db_index=False)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    why = models.TextField()
    started_at = models.DateTimeField()
    back_days = models.PositiveSmallIntegerField()
    backfilled_at = models.DateTimeField(null=True)
    backfilled = models.PositiveIntegerField(default=0)
    seq = models.BigIntegerField()
    reached_at = models.DateTimeField()
    scored = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    strikes = models.PositiveSmallIntegerField(default=0)
    last_failure = models.CharField(max_length=20, blank=True)
    next_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ender = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    ending = models.CharField(max_length=8, choices=Ending, blank=True)
    end_why = models.TextField(blank=True)

    objects = ShadowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "model"], condition=Q(ended_at=None), name="shadow_one_running"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")), name="shadow_end"
            ),
        ]
        indexes = [models.Index(fields=["queue", "id"], name="shadow_queue")]

    @property
    def is_running(self) -> bool:
        return self.ended_at is None
