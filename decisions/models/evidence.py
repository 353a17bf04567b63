"""What somebody outside says of an item, later: how it turned out, and whether what was done was right."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from decisions.models.facts import Fact


class Evidence(Fact):
    """One word from outside about an item, as it was told; ids come in the order in which they were committed.

    A truth (`said` is the key of its outcome) makes a `ruling`, unless a truth of a later time was here already. A
    feedback (`said` is right or wrong) is an end user's word on what `held`, weak evidence which rules nothing; its
    `ruling` is the one it is about, empty where that was the machine. `source` and `reference` are the sender's names
    for where it comes from and for this word. Only its note can go, by erasure; `note_digest` commits to it under the
    body's salt.
    """

    class Kind(models.TextChoices):
        TRUTH = "truth", _("Outside truth")
        FEEDBACK = "feedback", _("Feedback")

    RIGHT, WRONG = "right", "wrong"

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="evidence", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    said = models.CharField(max_length=50)
    held = models.CharField(max_length=50, blank=True)
    ruling = models.ForeignKey("Ruling", models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=50)
    reference = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    note_digest = models.BinaryField(max_length=32, null=True)
    told_by = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    occurred_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "kind", "source", "occurred_at", "reference", "said", "note_digest"],
                nulls_distinct=False,
                name="evidence_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="truth") | Q(kind="feedback", said__in=["right", "wrong"]), name="evidence_said"
            ),
        ]
        indexes = [models.Index(fields=["queue", "id"], condition=Q(kind="feedback"), name="evidence_weak")]
