"""A queue's month by its own clock: what came and was done, how good it was, what it was worth, and what changed."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.measure import dates, operating, valued
from decisions.measure.counts import floor_hour
from decisions.measure.dates import DAY, Days
from decisions.measure.operating import OperatingPoint
from decisions.measure.valued import Valued
from decisions.models import Alert, Decision, ModelVersion, PolicyChange, Queue, QueueVersion, Rollup, Ruling, User

REASONS_TOLD = 5
ROWS_TOLD = 30
FIGURES = ("arrivals", "decisions", "expired", "answered", "worked")


@dataclass(frozen=True)
class Reason:
    """A reason code that people gave for overrides, and how often."""

    code: str
    n: int


@dataclass(frozen=True)
class Month:
    """One month, as far as it has come. Counts are of the hourly figures, by the words of their keys.

    `met` and `late` are decisions by whether they kept their deadline. Of alerts and changes the newest are listed.
    """

    days: Days
    is_over: bool
    point: OperatingPoint
    worth: Valued | None
    routes: dict[str, int]
    decisions: dict[str, int]
    expired: int
    met: int
    late: int
    hours: float
    people: int
    simulated: int
    overrides: int
    reasons: tuple[Reason, ...]
    alerts: tuple[Alert, ...]
    changes: tuple[PolicyChange, ...]
    models: tuple[ModelVersion, ...]
    versions: tuple[QueueVersion, ...]

    @property
    def items(self) -> int:
        return sum(self.routes.values())

    @property
    def decided(self) -> int:
        return sum(self.decisions.values())


def month(text: str | None, queue: Queue, at: datetime) -> Days:
    """Return the days of a month such as 2026-11, up to today; without one the month that is running.

    Refuses what is no month, and one that has not begun.
    """
    zone = queue.spec.zone
    today = at.astimezone(zone).date()
    if not text:
        return Days(today.replace(day=1), today, zone)
    first = _first(text)
    if first > today:
        raise Invalid(faults=[Fault("month", "range", _("This month has not begun yet."))])
    return Days(first, min(today, after(first) - DAY), zone)


def after(first: date) -> date:
    """Return the first day of the next month."""
    return (first.replace(day=1) + DAY * 32).replace(day=1)


def before(first: date) -> date:
    """Return the first day of the month before."""
    return (first.replace(day=1) - DAY).replace(day=1)


def read(queue: Queue, days: Days, *, at: datetime) -> Month:
    """Return all that a queue's report of a month says, as it is known at `at`."""
    start, end = days.start, min(days.end, at)
    sums = _sums(queue.pk, start, end)
    met = {kind: sum(int(n) for key, n in sums["answered"].items() if key.endswith(kind)) for kind in ("met", "late")}
    people = _people(queue.pk, start, end)
    overrides = Ruling.objects.filter(queue=queue, is_override=True, at__gte=start, at__lt=end)
    made = Q(created_at__gte=start, created_at__lt=end)
    return Month(
        days=days,
        is_over=days.end <= at and after(days.first) == days.last + DAY,
        point=operating.between(queue.pk, start, end, at=at),
        worth=valued.read(queue, start, end, at=at),
        routes={key: int(n) for key, n in sums["arrivals"].items()},
        decisions={key: int(n) for key, n in sums["decisions"].items()},
        expired=int(sum(sums["expired"].values())),
        met=met["met"],
        late=met["late"],
        hours=sum(sums["worked"].values()),
        people=people.exclude(kind=User.Kind.SIMULATED).count(),
        simulated=people.filter(kind=User.Kind.SIMULATED).count(),
        overrides=overrides.count(),
        reasons=_reasons(overrides),
        alerts=tuple(
            Alert.objects.filter(queue=queue, opened_at__gte=start, opened_at__lt=end).order_by("-opened_at")[
                :ROWS_TOLD
            ]
        ),
        changes=tuple(
            PolicyChange.objects.filter(queue=queue, at__gte=start, at__lt=end)
            .select_related("policy__model", "person")
            .order_by("-pk")[:ROWS_TOLD]
        ),
        models=tuple(ModelVersion.objects.filter(made, queue=queue).order_by("-pk")[:ROWS_TOLD]),
        versions=tuple(
            QueueVersion.objects.filter(made, queue=queue).select_related("author").order_by("-pk")[:ROWS_TOLD]
        ),
    )


def _first(text: str) -> date:
    try:
        first = date.fromisoformat(f"{text}-01") if len(text) == len("2026-11") else None
    except ValueError:
        first = None
    if first is None or first < dates.EARLIEST:
        raise Invalid(faults=[Fault("month", "format", _("Write a month as 2026-11."))])
    return first


def _sums(queue_id: int, start: datetime, end: datetime) -> dict[str, dict[str, float]]:
    """Return the hourly figures of a span added up; where a day begins within an hour, that whole hour counts."""
    rows = Rollup.objects.filter(queue=queue_id, figure__in=FIGURES, at__gte=floor_hour(start), at__lt=end)
    sums: dict[str, dict[str, float]] = {figure: {} for figure in FIGURES}
    for figure, key, total in rows.values_list("figure", "key").annotate(Sum("value")):
        sums[figure][key] = total
    return sums


def _people(queue_id: int, start: datetime, end: datetime) -> QuerySet[User]:
    """Return the members who decided something; each is one look into an index, however much they decided."""
    theirs = Decision.objects.filter(person=OuterRef("pk"), queue=queue_id, at__gte=start, at__lt=end)
    members = User.objects.filter(Q(memberships__queue=queue_id) | Q(memberships__queue=None)).distinct()
    return members.filter(Exists(theirs))


def _reasons(overrides: QuerySet[Ruling]) -> tuple[Reason, ...]:
    found = overrides.exclude(reason="").values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")
    return tuple(Reason(code, n) for code, n in found[:REASONS_TOLD])
