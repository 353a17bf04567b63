"""Times as people type them, on a clock of their own, as moments."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid


def moment(typed: datetime, zone: ZoneInfo, *, field: str, is_end: bool = False) -> datetime:
    """Return the moment that a local time without a zone means in a zone.

    Refuses one that the clock skips when summer time begins. Of one that it shows twice, a beginning means the first
    and an end the second, so that a span is never shorter than it reads.
    """
    local = typed.replace(tzinfo=zone, fold=int(is_end))
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != typed:
        said = {"time": f"{typed:%Y-%m-%d %H:%M}", "zone": zone.key}
        detail = _("There is no %(time)s in %(zone)s: the clock is put forward then.") % said
        raise Invalid(detail, faults=[Fault(field, "gap", detail)])
    return at
