"""Queues, the versions of their spec, the policies that route and the models that score."""

from functools import cached_property
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models.facts import Fact

if TYPE_CHECKING:
    from decisions.queues.spec import Spec


class Queue(models.Model):
    """One kind of decision. `version` is the spec in force."""

    slug = models.SlugField(max_length=50, unique=True)
    version = models.ForeignKey("QueueVersion", models.PROTECT, null=True, related_name="+")
    is_paused = models.BooleanField(default=False)
    overload = models.JSONField(default=dict)  # what its overload rules do, by rule: `watch.overload` writes it
    is_filter_off = models.BooleanField(default=False, db_default=False)  # `watch.filters` writes it
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug

    @property
    def spec(self) -> "Spec":
        """The spec in force; every queue that `apply_queue` made has one."""
        if self.version is None:
            raise QueueVersion.DoesNotExist
        return self.version.spec


class QueueVersion(Fact):
    """One immutable version of a queue's spec: the parsed content of its file."""

    queue = models.ForeignKey(Queue, models.PROTECT, related_name="versions", db_index=False)
    no = models.PositiveIntegerField()
    content = models.JSONField()
    author = models.ForeignKey("User", models.PROTECT, null=True, related_name="+")
    why = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "no"], name="queue_version_once")]

    @cached_property
    def spec(self) -> "Spec":
        from decisions.queues import parse  # noqa: PLC0415 - parse needs the models' words, not the reverse

        return parse.stored(self.content)


class ModelVersion(Fact):
    """The exact model, data set and app version behind a score.

    `name` is the id a sender quotes; `external` is the model nobody named.
    """

    class Kind(models.TextChoices):
        EXTERNAL = "external", _("External")
        PIPELINE = "pipeline", _("Pipeline")
        SIMPLER = (
            "simpler",
            _("Simpler model"),
        )  # trained along with a pipeline, for when that breaks; no policy pins it
        # Trained along with a pipeline, foretells its errors; no policy pins it.
        FILTER = "filter", pgettext_lazy("model", "Filter")

    queue = models.ForeignKey(Queue, models.PROTECT, related_name="models", db_index=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind)
    score_low = models.FloatField(default=0.0)
    score_high = models.FloatField(default=1.0)
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    data_set = models.CharField(max_length=64, blank=True)
    file = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    app_version = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "name"], name="model_once"),
            models.CheckConstraint(condition=Q(score_high__gt=models.F("score_low")), name="model_range"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def figures(self) -> dict[str, float]:
        """The metrics that are numbers."""
        return {name: value for name, value in self.metrics.items() if isinstance(value, int | float)}

    @cached_property
    def training_run_id(self) -> int | None:
        """The first run that came to it; None where it was trained from a file or came from outside."""
        return self.training_runs.order_by("pk").values_list("pk", flat=True).first()


class PolicyQuerySet(models.QuerySet["Policy"]):
    def live(self) -> "PolicyQuerySet":
        """The one that routes."""
        return self.filter(state=Policy.State.LIVE)

    def canary(self) -> "PolicyQuerySet":
        """The one that is tried on a share of the traffic."""
        return self.filter(state=Policy.State.CANARY)


class Policy(models.Model):
    """One version of how scores become routes. All but its state is immutable, held by a trigger.

    `hard`, `soft` and `suggest` are cuts in the model's own score units: at or above. hard None = nothing is automatic,
    soft None = every item goes to people. `calibration` is {id, slope, intercept} of Platt scaling on the log odds.
    `mean_p` is the mean recalibrated probability in [0, 1] from which audit sizes q are made until a frame has closed.
    `overload_soft`, `control_floor` and `audit_floor` are how far overload rules may move `soft`, `control_share` and
    `audit_budget`, empty = not at all.
    `audit_budget` is how many passes a day go to people, `precision_target` what HARD shall reach (0, 1], or empty.
    A canary routes `canary_share` of the traffic, in (0, 1); its share of HARD may be at most `canary_factor` times the
    live policy's, above 1, and at least that part of it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        CANARY = "canary", _("Canary")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    queue = models.ForeignKey(Queue, models.PROTECT, related_name="policies", db_index=False)
    no = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    model = models.ForeignKey(ModelVersion, models.PROTECT, null=True, blank=True, related_name="policies")
    hard = models.FloatField(null=True, blank=True)
    soft = models.FloatField(null=True, blank=True)
    suggest = models.FloatField()
    control_share = models.FloatField(default=0.0)
    audit_budget = models.PositiveIntegerField(default=0)
    precision_target = models.FloatField(null=True, blank=True)
    overload_soft = models.FloatField(null=True, blank=True)
    control_floor = models.FloatField(null=True, blank=True)
    audit_floor = models.PositiveIntegerField(null=True, blank=True)
    calibration = models.JSONField(default=dict)
    mean_p = models.FloatField(default=0.0)
    objective = models.TextField()
    why = models.TextField()
    author = models.ForeignKey("User", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    canary_share = models.FloatField(default=0.0)
    canary_factor = models.FloatField(default=0.0)
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "no"], name="policy_once"),
            models.UniqueConstraint(fields=["queue"], condition=Q(state="live"), name="policy_one_live"),
            models.UniqueConstraint(fields=["queue"], condition=Q(state="canary"), name="policy_one_canary"),
            models.CheckConstraint(
                condition=Q(state="canary", canary_share__gt=0, canary_share__lt=1, canary_factor__gt=1)
                | (~Q(state="canary") & Q(canary_share=0, canary_factor=0)),
                name="policy_canary",
            ),
            models.CheckConstraint(
                condition=Q(precision_target=None) | (Q(precision_target__gt=0) & Q(precision_target__lte=1)),
                name="policy_target",
            ),
            models.CheckConstraint(condition=Q(control_share__gte=0) & Q(control_share__lte=1), name="policy_control"),
            models.CheckConstraint(
                condition=Q(overload_soft=None)
                | (Q(soft__isnull=False, overload_soft__gte=models.F("soft")))
                & (Q(hard=None) | Q(hard__gte=models.F("overload_soft"))),
                name="policy_overload",
            ),
            models.CheckConstraint(
                condition=(
                    Q(control_floor=None) | Q(control_floor__gte=0, control_floor__lte=models.F("control_share"))
                )
                & (Q(audit_floor=None) | Q(audit_floor__lte=models.F("audit_budget"))),
                name="policy_floors",
            ),
            models.CheckConstraint(
                condition=Q(hard=None) | Q(soft=None) | Q(hard__gte=models.F("soft")), name="policy_cuts"
            ),
        ]


class PolicyChange(Fact):
    """One step in a policy's life: who did it (empty: the machine, or the server's shell) and why.

    `replaced` is the one that was live before, where the step made another one live.
    """

    class Kind(models.TextChoices):
        APPROVED = "approved", _("Approved")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        CANARY = "canary", _("Canary started")
        STOPPED = "stopped", _("Canary stopped")
        PUBLISHED = "published", _("Published")
        ROLLED_BACK = "rolled_back", _("Rolled back")

    queue = models.ForeignKey(Queue, models.PROTECT, related_name="policy_changes", db_index=False)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="changes")
    replaced = models.ForeignKey(Policy, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=11, choices=Kind)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    why = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["queue", "id"], name="policy_change_queue")]
