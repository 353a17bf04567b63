"""What arrives and how the machine routed it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models.facts import Fact


class Intake(Fact):
    """One call that brought items in, and its counts.

    `digests` holds, in the order of external ids, the first 8 bytes of each accepted item's row digest.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    sender = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    app_version = models.CharField(max_length=40)
    accepted = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    counts = models.JSONField(default=dict)
    digests = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["queue", "at"], name="intake_at")]


class Item(Fact):
    """One thing to be decided, as it arrived and as it was routed.

    `score` is raw, in the model's units; `p` recalibrated, in [0, 1]; both empty when nothing could score it. `u`
    is uniform
    on [0, 1) from the audit secret number `u_secret`, `q` the audit size (> 0, PASS only). `p_other` in [0, 1] is the
    mean of what other models' scores, known at routing, say of it; `harm` (>= 0, in the queue's currency) what a miss
    of it costs if it is a positive, where that depends on the item, and `v` (> 0, PASS only) what q was times for it.
    `propensity` is the probability in
    [0, 1] that a person sees the item, empty for PASS until its frame closes. `subject` is a keyed digest: the name
    itself
    is in the Body, which can be erased.
    """

    class Band(models.TextChoices):
        HARD = "hard", _("Hard")
        SOFT = "soft", _("Soft")
        PASS = "pass", _("Pass")
        NONE = "none", _("None")  # nothing scored it

    class Route(models.TextChoices):
        HARD = "hard", _("Hard")
        SOFT = "soft", _("Soft")
        PASS = "pass", _("Pass")

    class RouteReason(models.TextChoices):
        SCORE = "score", _("Score")
        CONTROL = "control", _("Control")
        INPUT_CHECK = "input_check", _("Input Check")
        OUTPUT_CHECK = "output_check", _("Output Check")
        FALLBACK = "fallback", _("Fallback")
        IMPORTED = "imported", _("Imported")  # an earlier tool routed it; nothing of ours did
        FILTER = "filter", pgettext_lazy("model", "Filter")  # the filter foretold that the model errs here
        OVERLOAD = "overload", _("Overload")  # below a soft cut that was raised

    class Rung(models.TextChoices):
        """Which rung of the ladder gave the score."""

        SENT = "sent", _("Sent")
        MODEL = "model", _("Model")
        SIMPLER = "simpler", _("Simpler model")
        HEURISTIC = "heuristic", _("Heuristic")
        PEOPLE = "people", pgettext_lazy("rung", "People")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="items", db_index=False)
    external_id = models.CharField(max_length=200)
    intake = models.ForeignKey(Intake, models.PROTECT, related_name="items")
    queue_version = models.ForeignKey("QueueVersion", models.PROTECT, related_name="+", db_index=False)
    policy = models.ForeignKey("Policy", models.PROTECT, related_name="items", db_index=False)
    model = models.ForeignKey("ModelVersion", models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=50, blank=True)
    subject = models.CharField(max_length=32, blank=True)
    segment = models.CharField(max_length=100, blank=True)
    value = models.FloatField(null=True)
    occurred_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField()
    body_digest = models.BinaryField(max_length=32)
    score = models.FloatField(null=True)
    p = models.FloatField(null=True)
    rung = models.CharField(max_length=9, choices=Rung)
    band = models.CharField(max_length=4, choices=Band)
    route = models.CharField(max_length=4, choices=Route)
    reason = models.CharField(max_length=12, choices=RouteReason)
    failures = ArrayField(models.CharField(max_length=120), default=list)  # "missing:Income", "output:nan"
    propensity = models.FloatField(null=True)
    u = models.FloatField()
    u_secret = models.PositiveSmallIntegerField()
    q = models.FloatField(null=True)
    p_other = models.FloatField(null=True)
    harm = models.FloatField(null=True)
    v = models.FloatField(null=True)
    overload_level = models.PositiveSmallIntegerField(default=0, db_default=0)  # of the soft cut when it was routed

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "external_id"], name="item_once"),
            models.CheckConstraint(condition=Q(p=None) | (Q(p__gte=0) & Q(p__lte=1)), name="item_p"),
            models.CheckConstraint(
                condition=(Q(q=None) | Q(q__gt=0))
                & (Q(p_other=None) | (Q(p_other__gte=0) & Q(p_other__lte=1)))
                & (Q(harm=None) | Q(harm__gte=0))
                & (Q(v=None) | Q(v__gt=0)),
                name="item_size",
            ),
            models.CheckConstraint(
                condition=Q(propensity=None) | (Q(propensity__gte=0) & Q(propensity__lte=1)), name="item_propensity"
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "arrived_at"], name="item_arrived"),
            models.Index(fields=["queue", "arrived_at"], condition=Q(route="pass"), name="item_passed"),
            models.Index(fields=["queue", "subject", "id"], condition=~Q(subject=""), name="item_subject"),
            models.Index(
                fields=["queue", "arrived_at", "u"], condition=Q(route="soft") & ~Q(reason="control"), name="item_soft"
            ),
            models.Index(fields=["queue", "arrived_at", "u"], condition=Q(reason="control"), name="item_control"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Body(models.Model):
    """What was sent, as canonical JSON, and the salt of its commitments; emptied by erasure, else never changed.

    `content` holds exactly what the sender said about the item: payload, and source, subject, segment, value,
    occurred_at
    where given. `Item.body_digest` is HMAC-SHA256(salt, content).
    """

    item = models.OneToOneField(Item, models.PROTECT, primary_key=True, related_name="body")
    content = models.TextField(null=True)  # noqa: DJ001 - NULL says erased
    salt = models.BinaryField(max_length=16, null=True)
    is_held = models.BooleanField(default=False)  # legal hold: may not be erased


class Score(Fact):
    """A score by another model than the one that routed, or one that came late.

    `was_known` when the item was routed: audit sizes are made from it too. `is_backfill`: the item came before the
    model was put in shadow, and was scored because people had looked at it.
    """

    item = models.ForeignKey(Item, models.PROTECT, related_name="scores", db_index=False)
    model = models.ForeignKey("ModelVersion", models.PROTECT, related_name="+", db_index=False)
    score = models.FloatField()
    p = models.FloatField()
    was_known = models.BooleanField(default=False)
    is_backfill = models.BooleanField(default=False, db_default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "model"], name="score_once")]
