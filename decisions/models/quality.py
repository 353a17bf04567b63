"""How people's answers are checked: what items are known to be, and by which lot a check was opened."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from decisions.models.facts import Fact


class Gold(Fact):
    """What an item is known to be; the newest row of an item is what counts.

    `outcome` is what a person should answer, "" where the item is no longer given out. `truth` is what answers are held
    against, earlier ones too: `none` where what was known turned out wrong. `reason` is a code of `work.why`; `person`
    is empty where the server's shell said so.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="gold", db_index=False)
    item = models.ForeignKey("Item", models.PROTECT, related_name="gold", db_index=False)
    no = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=50, blank=True)
    truth = models.CharField(max_length=8)
    reason = models.CharField(max_length=50)
    person = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "no"], name="gold_once"),
            models.CheckConstraint(condition=Q(outcome="") | ~Q(truth="none"), name="gold_truth"),
        ]
        indexes = [models.Index(fields=["queue", "item", "-no"], name="gold_newest")]


class Grade(Fact):
    """How much of a person's work on a queue is checked, and whether they may take more; the newest row counts.

    Of `n` checked answers since `since` so many were `wrong`. `gold_share` and `second_share` in [0, 1] follow the
    interval of that error rate. `person` is who is graded, `by` the lead who lifted a pause, empty for the machine.
    """

    class Why(models.TextChoices):
        COUNTED = "counted", _("Counted anew")
        ERRORS = "errors", _("Too many errors")
        LIFTED = "lifted", _("Lifted by a lead")
        PASSED = "passed", _("Onboarding passed")
        FAILED = "failed", _("Onboarding failed")

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="grades", db_index=False)
    person = models.ForeignKey("User", models.PROTECT, related_name="grades", db_index=False)
    no = models.PositiveIntegerField()
    n = models.PositiveIntegerField()
    wrong = models.PositiveIntegerField()
    gold_share = models.FloatField()
    second_share = models.FloatField()
    is_paused = models.BooleanField(default=False)
    why = models.CharField(max_length=7, choices=Why)
    by = models.ForeignKey("User", models.PROTECT, null=True, related_name="+", db_index=False)
    since = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "person", "no"], name="grade_once"),
            models.CheckConstraint(condition=Q(wrong__lte=models.F("n")), name="grade_wrong"),
        ]


class Lot(Fact):
    """The probability in (0, 1] with which a task that checks a person was opened; never computed again.

    It was opened because `u`, uniform on [0, 1) from the audit secret number `u_secret`, is below `pi`.
    """

    task = models.OneToOneField("Task", models.PROTECT, related_name="lot")
    pi = models.FloatField()
    u = models.FloatField()
    u_secret = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pi__lte=1, u__gte=0, u__lt=models.F("pi")), name="lot_pi")]


class ProposalAnswer(Fact):
    """What somebody said of something that overrides show is to be mended; the newest row of a proposal counts.

    `kind` and `key` name the proposal (`measure.proposals`); `why` is only empty where it was taken up.
    """

    queue = models.ForeignKey("Queue", models.PROTECT, related_name="proposal_answers", db_index=False)
    kind = models.CharField(max_length=9)
    key = models.CharField(max_length=200)
    is_taken = models.BooleanField()
    why = models.CharField(max_length=500, blank=True)
    person = models.ForeignKey("User", models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(is_taken=True) | ~Q(why=""), name="proposal_why")]
        indexes = [models.Index(fields=["queue", "kind", "key", "-id"], name="proposal_newest")]
