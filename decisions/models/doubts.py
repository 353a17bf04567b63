"""What the filter kept from the machine, or let through by lot."""

from django.db import models
from django.db.models import Q

from decisions.models.facts import Fact


class Doubt(Fact):
    """An item on which the machine would have acted and that the filter flagged, once it was routed.

    `doubt` in [0, 1] is the probability of an error by the filter `model`, at or above `cut`. With
    probability `let_through` the item went on as the model says; else it was blocked, which sent it to people.
    """

    item = models.OneToOneField("Item", models.PROTECT, related_name="filtered")
    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    model = models.ForeignKey("ModelVersion", models.PROTECT, related_name="+", db_index=False)
    doubt = models.FloatField()
    cut = models.FloatField()
    let_through = models.FloatField()
    is_blocked = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(doubt__gte=models.F("cut"), doubt__lte=1)
                & Q(cut__gt=0, cut__lt=1)
                & Q(let_through__gt=0, let_through__lt=1),
                name="doubt_shares",
            )
        ]
        indexes = [models.Index(fields=["queue", "model", "at"], name="doubt_at")]
