"""How passes were sampled, what was promised on known data, and what is out of order."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from decisions.models.facts import Fact


class Frame(Fact):
    """A closed span of passes, [starts_at, ends_at) by arrival, with its own audit budget.

    `tau` is the threshold of u / q below which an item was drawn, empty where all `passes` were. `mean_p` in [0, 1] is
    the mean probability of its passes, `beta` in (0, 1] the floor and `harm_square` (> 0) the mean square of what a
    miss of one costs, empty where no such amounts are known: they make the sizes q of what arrives from then on.
    `strata` are the parts it was drawn from, each with its own budget and tau: the segments that were not measured
    where there were any, and the rest, whose tau is the frame's. `person` closed it in mid-day;
    empty: the end of the day did.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="frames", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    budget = models.PositiveIntegerField()
    passes = models.PositiveIntegerField()
    drawn = models.PositiveIntegerField()
    tau = models.FloatField(null=True)
    mean_p = models.FloatField()
    beta = models.FloatField()
    harm_square = models.FloatField(null=True)
    strata = models.JSONField(default=list)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    why = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "starts_at"], name="frame_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="frame_span"),
        ]


class Draw(Fact):
    """One pass that was drawn for an audit, with its inclusion probability `pi` in (0, 1]; never computed again."""

    frame = models.ForeignKey(Frame, models.PROTECT, related_name="draws")
    item = models.OneToOneField("Item", models.PROTECT, related_name="draw")
    pi = models.FloatField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pi__gt=0) & Q(pi__lte=1), name="draw_pi")]


class KnownSet(Fact):
    """A queue's frozen historical rows with their truth, named by the hash of the file that holds them.

    A policy is checked against the newest one before it may go live.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="known_sets", db_index=False)
    name = models.CharField(max_length=64)  # SHA-256 of the file
    file = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()
    positives = models.PositiveIntegerField()
    note = models.TextField(blank=True)  # where the rows come from
    author = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "name"], name="known_set_once")]


class KnownCheck(Fact):
    """How a policy did on a known set: `figures` by name, and whether each promise of the queue's spec was kept."""

    known_set = models.ForeignKey(KnownSet, models.PROTECT, related_name="checks", db_index=False)
    policy = models.ForeignKey("Policy", models.PROTECT, related_name="known_checks")
    queue_version = models.ForeignKey("QueueVersion", models.PROTECT, related_name="+", db_index=False)
    figures = models.JSONField()
    is_kept = models.BooleanField()
    at = models.DateTimeField()


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        """Alerts that are not over."""
        return self.exclude(state=Alert.State.CLOSED)

    def loud(self, at: datetime) -> "AlertQuerySet":
        """Open alerts that nobody put off."""
        return self.open().exclude(snoozed_until__gt=at)


class Alert(models.Model):
    """A signal that is off, and the incident it becomes.

    `kind` and `key` (a segment, a field, a policy) say what; `figures` what was measured against what. `began_at` is
    when the trouble started as far as is known, `opened_at` when it was detected, `diagnosed_at` when a cause was
    named, `closed_at` when it was mended; `end` says how it ended.
    """

    class Kind(models.TextChoices):
        PRECISION = "precision", _("Precision of hard actions")
        VOLUME = "volume", _("Volume of a route")
        SCORES = "scores", _("Mix of scores")
        MISSING = "missing", _("Missing values")
        UNSEEN = "unseen", _("Unseen categories")
        OVERRIDES = "overrides", _("Override rate")
        CANARY = "canary", _("Canary rolled back")
        ACCOUNTS = "accounts", _("Accounts that do not add up")
        OVERLOAD = "overload", _("Overload rule in force")
        BACKLOG = "backlog", _("Backlog that will miss deadlines")
        PAUSED = "paused", _("Person paused")
        SHADOW = "shadow", _("Shadow stopped")
        FILTER = "filter", _("Filter turned off")

    class Level(models.TextChoices):
        WARN = "warn", _("Warning")
        ACT = "act", _("Act now")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        CLOSED = "closed", _("Closed")

    class End(models.TextChoices):
        MENDED = "mended", _("Mended")
        NEW_NORMAL = "new_normal", _("This is how it is from now on")
        FALSE_ALARM = "false_alarm", _("False alarm")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="alerts", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind)
    key = models.CharField(max_length=200, blank=True)
    level = models.CharField(max_length=4, choices=Level)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    figures = models.JSONField(default=dict)
    owner = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    began_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # when the signal was last off
    acknowledged_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    diagnosed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    cause = models.TextField(blank=True)
    lesson = models.TextField(blank=True)
    end = models.CharField(max_length=11, choices=End, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "kind", "key"], condition=~Q(state="closed"), name="alert_one_open"
            )
        ]
        indexes = [models.Index(fields=["queue", "-opened_at"], name="alert_queue")]

    @property
    def is_open(self) -> bool:
        return self.state != self.State.CLOSED

    @property
    def to_detect(self) -> timedelta:
        return self.opened_at - self.began_at

    @property
    def to_diagnose(self) -> timedelta | None:
        return self.diagnosed_at - self.opened_at if self.diagnosed_at else None

    @property
    def to_mend(self) -> timedelta | None:
        return self.closed_at - self.opened_at if self.closed_at else None


class Notice(models.Model):
    """A message about an alert on its way to somebody: tried until it is sent or given up."""

    class Channel(models.TextChoices):
        MAIL = "mail", _("Mail")
        WEBHOOK = "webhook", _("Webhook")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Given up")

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="notices")
    channel = models.CharField(max_length=7, choices=Channel)
    address = models.CharField(max_length=500)
    body = models.TextField()
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(state="pending"), name="notice_due")]
