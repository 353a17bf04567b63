"""Training runs: what is being trained, how far it is, and what it said on the way."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from decisions.models.facts import Fact


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def open(self) -> "TrainingRunQuerySet":
        """Runs that are not over."""
        return self.filter(state__in=TrainingRun.OPEN)


class TrainingRun(models.Model):
    """One way from labels to a model; a queue has one open run at most.

    `attempt` counts who took it up and is the fence: who holds an earlier one writes nothing more. `recipe` is what
    the model follows from besides the data set, `last_no` the queue's last label when the run was asked for, `steps`
    each step's state, version and seconds, `progress` in [0, 100]. `error` says in words why it failed.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waits for a worker")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Trigger(models.TextChoices):
        HAND = "hand", _("By hand")
        LABELS = "labels", _("By new labels")
        SCHEDULE = "schedule", _("By schedule")
        DRIFT = "drift", _("By an alert")

    class Step(models.TextChoices):
        DATA_SET = "data_set", _("Data set")
        CHECKS = "checks", _("Checks")
        SPLIT = "split", _("Split")
        FEATURES = "features", _("Features")
        CANDIDATES = "candidates", _("Weightings")
        FIT = "fit", _("Fit")
        CALIBRATE = "calibrate", _("Calibration")
        EVALUATE = "evaluate", _("Evaluation")
        FILE = "file", _("File")
        MODEL = "model", _("Model")

    OPEN = (State.QUEUED, State.RUNNING)

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="training_runs", db_index=False)
    trigger = models.CharField(max_length=8, choices=Trigger)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    alert = models.ForeignKey("Alert", models.PROTECT, null=True, related_name="+")
    why = models.CharField(max_length=500, blank=True)
    last_no = models.BigIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=10, choices=Step, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    steps = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict)
    data_set = models.ForeignKey("DataSet", models.PROTECT, null=True, related_name="training_runs", db_index=False)
    model = models.ForeignKey("ModelVersion", models.PROTECT, null=True, related_name="training_runs")
    error = models.TextField(blank=True)
    cancelled_by = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue"], condition=Q(state__in=["queued", "running"]), name="training_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], ended_at=None)
                | (~Q(state__in=["queued", "running"]) & Q(ended_at__isnull=False)),
                name="training_end",
            ),
            models.CheckConstraint(condition=~Q(state="done") | Q(model__isnull=False), name="training_model"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="training_progress"),
        ]
        indexes = [models.Index(fields=["queue", "-id"], name="training_queue")]

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_being_cancelled(self) -> bool:
        return self.is_open and self.cancelled_by_id is not None


class TrainingLine(Fact):
    """One line of a run's log: a code and its figures, said in words where it is read."""

    run = models.ForeignKey(TrainingRun, models.PROTECT, related_name="lines", db_index=False)
    attempt = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=10, choices=TrainingRun.Step, blank=True)
    code = models.CharField(max_length=30)
    figures = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="training_line")]
