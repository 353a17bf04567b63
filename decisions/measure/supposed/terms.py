"""What a person tries out: the terms of a policy, and who is there to do the work it makes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.measure import floor, staff
from decisions.measure.supposed.staffing import Staff
from decisions.models import Policy, Rollup
from decisions.queues import checks
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.routing.policy import Cuts

SHIFT = 8.0  # hours that a person works in a day, if nothing else is said
HANDLING = 60.0  # seconds a decision, as long as none was timed
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
MOST_PEOPLE, MOST_SECONDS, MOST_HOURS = 100_000.0, 86_400.0, 8_760.0
WINDOWS = (1, 7, 28)  # days


@dataclass(frozen=True)
class Terms:
    """Cuts in score units, shares in [0, 1], audits a day; people, hours a day of each, seconds a decision takes.

    `delay_hours` is how long a right hard action waits for a person, as in the control group.
    """

    hard: float | None
    soft: float | None
    suggest: float
    control_share: float
    audit_budget: int
    people: float
    hours: float
    handling_seconds: float
    delay_hours: float = 0.0

    @property
    def staff(self) -> Staff:
        return Staff(self.people, self.hours, self.handling_seconds)

    def cuts(self, live: Live) -> Cuts:
        """Return the live policy's cuts with these in their place."""
        cuts = Cuts.of(live.policy, live.spec)
        return replace(cuts, hard=self.hard, soft=self.soft, control_share=self.control_share)

    def under(self, policy: Policy) -> "Terms":
        """Return the terms of a policy with the same people."""
        return replace(
            self,
            hard=policy.hard,
            soft=policy.soft,
            suggest=policy.suggest,
            control_share=policy.control_share,
            audit_budget=policy.audit_budget,
        )


def standing(live: Live, at: datetime) -> Terms:
    """Return how it is: the live policy, the people planned or seen, the seconds that a decision took last."""
    hours_a_day = _person_hours(live.queue_id, at)
    people = max(1, round(hours_a_day / SHIFT))
    return Terms(
        hard=live.policy.hard,
        soft=live.policy.soft,
        suggest=live.policy.suggest,
        control_share=live.policy.control_share,
        audit_budget=live.policy.audit_budget,
        people=float(people),
        hours=round(min(24.0, hours_a_day / people), 1) or SHIFT,
        handling_seconds=round(staff.handling(live.queue_id, at) or HANDLING, 1),
        delay_hours=round(_control_wait(live, at), 2),
    )


def check(terms: Terms, live: Live) -> None:
    """Refuse cuts out of the model's range or order, shares that are none, and numbers nobody could mean."""
    low, high = score_range(live)
    faults = list(checks.cuts({"soft": terms.soft, "suggest": terms.suggest, "hard": terms.hard}, low, high))
    faults += checks.aims(terms.audit_budget, None)
    limits = {
        "control_share": (0.0, 1.0),
        "people": (0.0, MOST_PEOPLE),
        "hours": (0.0, 24.0),
        "handling_seconds": (0.1, MOST_SECONDS),
        "delay_hours": (0.0, MOST_HOURS),
    }
    for name, (least, most) in limits.items():
        if not least <= getattr(terms, name) <= most:
            words = {"least": least, "most": most}
            faults.append(Fault(name, "range", _("must be from %(least)g to %(most)g") % words))
    if faults:
        raise Invalid(faults=faults)


def score_range(live: Live) -> tuple[float, float]:
    """Return between what the scores of the live policy's model lie."""
    spec: Spec = live.spec
    return (live.model.score_low, live.model.score_high) if live.model else (spec.model.low, spec.model.high)


def _person_hours(queue_id: int, at: datetime) -> float:
    """Return the hours of work a day: planned by shifts for the next 24 h, else worked in the last week."""
    capacity = floor.status(queue_id, at)["capacity"]
    if capacity["source"] == "shifts" and capacity["pace"]:
        return float(capacity["next_24_hours"] / capacity["pace"])
    return _sum(queue_id, "worked", at) / (WEEK / timedelta(days=1))


def _control_wait(live: Live, at: datetime) -> float:
    """Return the hours that an item of the control group waits: what waited over what was decided an hour.

    Little's law (1961) over the last week, from hourly figures; where none was decided it is the time that the queue
    gives for it.
    """
    figures = Rollup.objects.filter(queue=live.queue_id, at__gt=at - WEEK, at__lte=at)
    looks = figures.filter(figure="counted").aggregate(n=Count("pk"), first=Min("at"))
    decided = _sum(live.queue_id, "decisions", at, key="control")
    if not looks["n"] or not decided:
        return live.spec.sla_of("control") / HOUR
    waiting = sum(figures.filter(figure="backlog", key__startswith="control:").values_list("value", flat=True))
    hours: float = max(1.0, (at - looks["first"]) / HOUR)
    return waiting / int(looks["n"]) * hours / decided


def _sum(queue_id: int, figure: str, at: datetime, **key: str) -> float:
    rows = Rollup.objects.filter(queue=queue_id, figure=figure, at__gt=at - WEEK, at__lte=at, **key)
    return sum(rows.values_list("value", flat=True))
