"""Days and months by a queue's own clock, as people ask for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid

DAY = timedelta(days=1)
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Days:
    """Whole days from `first` to `last`, both of them in it, in a time zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The midnight after the last day."""
        return midnight(self.last + DAY, self.zone)

    @property
    def count(self) -> int:
        return (self.last - self.first) // DAY + 1


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def days(first: str | None, last: str | None, zone: ZoneInfo, at: datetime, *, usual: int, most: int) -> Days:
    """Return the days from one date to another (2026-11-30); without them the `usual` last ones up to today.

    Refuses what is no date, an end before its beginning, days that have not come and more than `most` of them.
    """
    today = at.astimezone(zone).date()
    faults: list[Fault] = []
    end = _date("to", last, faults) or today
    start = _date("from", first, faults) or end - DAY * (usual - 1)
    if not faults:
        faults += _misfits(start, end, today, most)
    if faults:
        raise Invalid(faults=faults)
    return Days(start, min(end, today), zone)


def _date(name: str, text: str | None, faults: list[Fault]) -> date | None:
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or found < EARLIEST:
        faults.append(Fault(name, "format", _("Write a day as 2026-11-30.")))
    return found


def _misfits(start: date, end: date, today: date, most: int) -> list[Fault]:
    if start > today:
        return [Fault("from", "range", _("This day has not come yet."))]
    if start > end:
        return [Fault("from", "range", _("The first day is after the last one."))]
    if (end - start) // DAY + 1 > most:
        return [Fault("from", "range", _("At most %(most)d days at a time.") % {"most": most})]
    return []
