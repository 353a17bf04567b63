"""Who works here: people, where they may work, their tokens and their shifts."""

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes people from an e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Store a person; without a password they cannot sign in."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person, or a service that acts under its own name. Deactivated, never deleted."""

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        SERVICE = "service", _("Service")
        SIMULATED = "simulated", _("Simulated")

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PERSON)
    is_active = models.BooleanField(default=True)
    keys = models.JSONField(default=dict, blank=True)
    timezone = models.CharField(max_length=40, blank=True, default="")  # IANA; "" = that of each queue
    opt_outs = ArrayField(models.TextField(), default=list, blank=True)  # `queue id:tag`, theirs alone to know
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_simulated(self) -> bool:
        return self.kind == self.Kind.SIMULATED


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, user: User) -> "MembershipQuerySet":
        """The active memberships of a person."""
        return self.filter(user=user, user__is_active=True)

    def on(self, queue_id: int | None) -> "MembershipQuerySet":
        """Those that count on this queue: its own and those for all queues."""
        return self.filter(Q(queue=queue_id) | Q(queue=None))


class Membership(models.Model):
    """A person's role on one queue, or on all of them (queue empty)."""

    class Role(models.TextChoices):
        CROWD = "crowd", _("Crowd")
        REVIEWER = "reviewer", _("Reviewer")
        EXPERT = "expert", _("Expert")
        LEAD = "lead", _("Lead")
        MANAGER = "manager", _("Manager")
        AUDITOR = "auditor", _("Auditor")
        ADMIN = "admin", _("Admin")

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    queue = models.ForeignKey("Queue", models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    value_limit = models.FloatField(null=True, blank=True)
    skills = ArrayField(models.TextField(), default=list, blank=True)  # tags, see `queues.needs`

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "queue"], nulls_distinct=False, name="membership_once"),
            models.CheckConstraint(condition=Q(value_limit=None) | Q(value_limit__gte=0), name="membership_limit"),
        ]


class Exclusion(models.Model):
    """Whom or what a person does not judge on a queue: their own, or what a lead keeps them from.

    `key` is a subject's keyed digest or an item's external id.
    """

    class Kind(models.TextChoices):
        SUBJECT = "subject", _("Subject")
        ITEM = "item", _("Item")

    class Why(models.TextChoices):
        OWN = "own", _("It is their own")
        RELATED = "related", _("They know who is concerned")
        COMPLAINT = "complaint", _("Somebody complained")
        OTHER = "other", _("Another reason")

    user = models.ForeignKey(User, models.PROTECT, related_name="exclusions", db_index=False)
    queue = models.ForeignKey("Queue", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    key = models.CharField(max_length=200)
    why = models.CharField(max_length=9, choices=Why)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "queue", "kind", "key"], name="exclusion_once")]


class TokenQuerySet(models.QuerySet["Token"]):
    def valid(self, at: datetime) -> "TokenQuerySet":
        """Tokens that open the door at that time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None, user__is_active=True)


class Token(models.Model):
    """A key to the API. Only the SHA-256 of its secret is stored."""

    class Scope(models.TextChoices):
        INTAKE = "intake", _("Intake")
        REVIEW = "review", _("Review")
        READ = "read", _("Read")
        MANAGE = "manage", _("Manage")
        AUDIT = "audit", _("Audit")

    user = models.ForeignKey(User, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope))
    queues = models.ManyToManyField("decisions.Queue", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()


class Shift(models.Model):
    """How many people work on a queue in a span of time, or one of them by name (`person`, who fills one place of it).

    `rate` is decisions per person and hour where that is planned; empty = as measured.
    """

    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="shifts")
    queue = models.ForeignKey("Queue", models.PROTECT, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    people = models.PositiveSmallIntegerField()
    rate = models.FloatField(null=True, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["queue", "starts_at"], name="shift_start")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_span"),
            models.CheckConstraint(condition=Q(rate=None) | Q(rate__gt=0), name="shift_rate"),
            models.CheckConstraint(condition=Q(person=None) | Q(people=1), name="shift_named"),
        ]


class Absence(models.Model):
    """A span in which a person does not work anywhere. Why is nobody's business here."""

    person = models.ForeignKey(User, models.PROTECT, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["person", "ends_at"], name="absence_end")]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_span")]
