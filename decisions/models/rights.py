"""Which rights hold: versions of the table, what became of each, and which one is in force."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from decisions.models.facts import Fact


class RightsVersion(Fact):
    """One immutable version of the rights: the site's whole table (queue empty), or what one queue has otherwise.

    `content` is {act: {role: how far, null = not at all}}; a cell that is not in it is that of the table below: a
    queue's that of the site, the site's that in code. `base` is what was in force when it was made (empty = code), and
    `restores` the one whose cells it brings back.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, null=True, related_name="rights_versions", db_index=False)
    no = models.PositiveIntegerField()
    content = models.JSONField()
    base = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    restores = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    author = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    why = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "no"], nulls_distinct=False, name="rights_version_once")
        ]


class RightsStep(Fact):
    """What became of a version, once: it came into force, or it was refused or withdrawn."""

    class Kind(models.TextChoices):
        ENACTED = "enacted", _("In force")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    version = models.OneToOneField(RightsVersion, models.PROTECT, related_name="step")
    kind = models.CharField(max_length=9, choices=Kind)
    person = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    why = models.TextField(blank=True)
    at = models.DateTimeField()


class RightsInForce(models.Model):
    """The version in force on the site (queue empty) or on a queue; none = as in code, as on the site."""

    queue = models.ForeignKey("Queue", models.PROTECT, null=True, related_name="+", db_index=False)
    version = models.ForeignKey(RightsVersion, models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue"], nulls_distinct=False, name="rights_in_force_once")]
