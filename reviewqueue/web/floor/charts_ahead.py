"""Charts of what is to come, and of who was planned and who came."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from decisions.measure.floor import Hour
from decisions.measure.outlook import HOUR, Outlook
from decisions.measure.staff import Presence
from reviewqueue.web import series


def forecast(found: Outlook, hours: Sequence[Hour], zone: ZoneInfo) -> dict[str, Any]:
    """What came for people in the last day, and what will in the next seven, with its band."""
    told = found.arrivals.forecast
    start = found.edges[1] - HOUR
    rows = [series.row(hour.at, zone, [hour.arrived, None, None, None]) for hour in hours[:-1]]
    ahead = zip(told.low.tolist(), told.high.tolist(), told.middle.tolist(), strict=True)
    for place, (low, high, middle) in enumerate(ahead):
        rows.append(series.row(start + HOUR * place, zone, [None, low, high, middle]))
    return {
        "id": "forecast",
        "title": _("Arrivals to come"),
        "note": _("tasks an hour; eight hours of ten lie within the band"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("tasks an hour"), "min": 0},
        "series": [
            {"label": _("Came"), "hue": "soft", "style": "bar"},
            {"label": _("at least"), "hue": "accent", "style": "line", "quiet": True},
            {"label": _("at most"), "hue": "accent", "style": "band"},
            {"label": _("Forecast"), "hue": "accent", "style": "line"},
        ],
        "rows": rows,
        "marks": [{"x": found.at.isoformat(), "label": _("now"), "hue": "plain"}],
    }


def fan(found: Outlook, zone: ZoneInfo) -> dict[str, Any]:
    """Where the backlog goes along the planned shifts."""
    rows = []
    if found.fan:
        bands = (found.fan.low.tolist(), found.fan.high.tolist(), found.fan.middle.tolist())
        rows = [series.row(found.at, zone, [found.backlog] * 3)]
        rows += [series.row(at, zone, list(values)) for at, *values in zip(found.edges[1:], *bands, strict=True)]
    marks = []
    if found.breach_at:
        marks.append({"x": found.breach_at.isoformat(), "label": _("deadline breaks"), "hue": "bad"})
    return {
        "id": "fan",
        "title": _("Backlog to come"),
        "note": _("nine futures of ten lie within the band"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("tasks"), "min": 0},
        "series": [
            {"label": _("at least"), "hue": "accent", "style": "line", "quiet": True},
            {"label": _("at most"), "hue": "accent", "style": "band"},
            {"label": _("Backlog"), "hue": "accent", "style": "line"},
        ],
        "rows": rows,
        "marks": marks,
    }


def presence(hours: Sequence[Presence], zone: ZoneInfo) -> dict[str, Any]:
    """Hours of work that were planned, against those that came."""
    return {
        "id": "presence",
        "title": _("Planned against came"),
        "note": _("hours of work in each hour of the last seven days; who decided in five minutes worked them"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("hours of work"), "min": 0},
        "series": [
            {"label": _("Planned"), "hue": "plain", "style": "line", "dash": True},
            {"label": _("Came"), "hue": "soft", "style": "bar"},
        ],
        "rows": [series.row(one.at, zone, [one.planned, one.came], places=1) for one in hours],
    }
