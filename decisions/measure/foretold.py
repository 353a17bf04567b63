"""What is to come, in a sentence that a manager can act on; times are the queue's own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure import outlook, remedies, staff, waits
from decisions.measure.outlook import Outlook
from decisions.measure.remedies import Remedies
from decisions.measure.waits import Waits
from decisions.models import Queue
from decisions.queues.spec import Spec


@dataclass(frozen=True)
class Told:
    """What is to come for a queue, what would keep its deadlines, and what waits would be where nothing piles up.

    `people` are at work now; `waits` holds for some numbers of people in the busiest hour of the next 24, which begins
    at `busiest_at`; empty where handling times are not known.
    """

    outlook: Outlook
    remedies: Remedies
    sentence: str
    people: int
    busiest_at: datetime | None
    waits: tuple[Waits, ...]


def of(queue: Queue, at: datetime) -> Told:
    """Return what is to come for a queue, in figures and in a sentence."""
    found = outlook.of(queue, at)
    cure = remedies.of(queue, found)
    people = sum(span.people for span in found.plan.spans if span.starts_at <= at < span.ends_at)
    busiest_at, long = _waits(queue, found, people, at)
    return Told(found, cure, sentence(found, cure, queue.spec), people, busiest_at, long)


def _waits(queue: Queue, found: Outlook, people: int, at: datetime) -> tuple[datetime | None, tuple[Waits, ...]]:
    handling, told = staff.handling(queue.pk, at), found.arrivals.forecast
    if not handling or found.arrivals.since is None:
        return None, ()
    busiest = int(told.middle[:24].argmax())
    start = datetime.fromtimestamp(told.start[busiest], UTC)
    return start, tuple(waits.table(people, arrivals=float(told.middle[busiest]), handling=handling))


def sentence(found: Outlook, cure: Remedies, spec: Spec) -> str:
    """Return whether and when the backlog breaks its deadline, and what would keep it."""
    if found.arrivals.since is None:
        return _("Nothing can be told ahead yet: it takes one whole hour of arrivals.")
    if found.fan is None:
        return _("Nothing can be told ahead yet: nobody has decided here, so nobody knows how fast people are.")
    at = found.breach_at
    if at is None:
        return _kept(found, spec)
    when, unless = _when(at, found.at, spec), _unless(cure)
    if found.fan.risk >= 0.5:
        certain = _("Breaches its deadline on %(when)s unless %(remedies)s.")
        helpless = _("Breaches its deadline on %(when)s, and neither more people nor a threshold would keep it.")
        return (certain if unless else helpless) % {"when": when, "remedies": unless}
    some = _("In %(n)s futures of ten it breaches its deadline, the first on %(when)s, unless %(remedies)s.")
    lost = _("In %(n)s futures of ten it breaches its deadline, the first on %(when)s.")
    n = max(1, round(10 * found.fan.risk))
    return (some if unless else lost) % {"n": n, "when": when, "remedies": unless}


def plan_note(found: Outlook, spec: Spec) -> str:
    """Return how far the plan of people goes, or what stands for it."""
    if found.plan.until is None:
        people = found.plan.spans[0].people if found.plan.spans else 0
        if not people:
            return _(
                "No shift is planned and nobody was seen at work in the last hour, so nothing is taken to be done."
            )
        return ngettext(
            "No shift is planned: as if the %(n)s person of the last hour stayed day and night.",
            "No shift is planned: as if the %(n)s people of the last hour stayed day and night.",
            people,
        ) % {"n": people}
    if found.plan.until < found.at + timedelta(days=7):
        return _("Shifts are planned until %(when)s; past that nothing is told.") % {
            "when": _when(found.plan.until, found.at, spec)
        }
    return ""


def basis(found: Outlook) -> str:
    """Return what the forecast rests on, honest about short histories."""
    if found.arrivals.since is None:
        return ""
    weeks = (found.at - found.arrivals.since) / timedelta(weeks=1)
    if weeks < 1:
        days = max(1, round(weeks * 7))
        return ngettext(
            "Rests on less than a week: the same hours of %(n)s day, whatever day of the week it was.",
            "Rests on less than a week: the same hours of %(n)s days, whatever day of the week it was.",
            days,
        ) % {"n": days}
    n = min(8, int(weeks))
    return ngettext(
        "Rests on the same weekday and hour of %(n)s week.",
        "Rests on the same weekday and hour of %(n)s weeks.",
        n,
    ) % {"n": n}


def held(found: Outlook) -> str:
    """Return how often past forecasts held."""
    cover = found.arrivals.coverage
    if cover.share is None:
        return _("How often such forecasts hold is not known yet: it takes two whole weeks.")
    return ngettext(
        "Over the last %(weeks)s week, %(inside)s of %(hours)s hours came within the band that was told before "
        "(%(share)s %%); %(above)s came above it.",
        "Over the last %(weeks)s weeks, %(inside)s of %(hours)s hours came within the band that was told before "
        "(%(share)s %%); %(above)s came above it.",
        cover.weeks,
    ) % {
        "weeks": cover.weeks,
        "inside": formats.number_format(cover.inside, force_grouping=True),
        "hours": formats.number_format(cover.hours, force_grouping=True),
        "share": formats.number_format(100 * cover.share, 0),
        "above": formats.number_format(cover.above, force_grouping=True),
    }


def _kept(found: Outlook, spec: Spec) -> str:
    when = _when(found.edges[-1], found.at, spec)
    if found.overdue >= 1:
        return ngettext(
            "%(n)s task is past its deadline already; no other will be until %(when)s, in nine futures of ten.",
            "%(n)s tasks are past their deadline already; no other will be until %(when)s, in nine futures of ten.",
            int(found.overdue),
        ) % {"n": formats.number_format(int(found.overdue), force_grouping=True), "when": when}
    return _("Keeps its deadlines until %(when)s, in nine futures of ten.") % {"when": when}


def _unless(cure: Remedies) -> str:
    people = ngettext("%(n)s more person", "%(n)s more people", cure.people) % {"n": cure.people} if cure.people else ""
    cut = ""
    if cure.threshold is not None:
        cut = _("threshold %(cut)s") % {"cut": formats.number_format(round(cure.threshold, 4))}
    if people and cut:
        return _("%(people)s or %(cut)s") % {"people": people, "cut": cut}
    return people or cut


def _when(at: datetime, now: datetime, spec: Spec) -> str:
    """Return a time of the queue's clock: its weekday within six days, its date beyond."""
    local = localtime(at, spec.zone)
    day = "l" if at - now < timedelta(days=6) else "l j M"
    return f"{formats.date_format(local, day)} {local:%H:%M}"
