"""The floor's charts as data: each is drawn by one script and read in its table."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from decisions.measure.floor import BANDS, Hour
from decisions.models import Task
from reviewqueue.web import series

HUES = {"soft": "soft", "control": "hard", "audit": "pass", "escalation": "bad"}


def band_names() -> dict[str, str]:
    """Return the words for the age bands."""
    return {
        "1h": _("under 1 h"),
        "4h": _("1 to 4 h"),
        "1d": _("4 to 24 h"),
        "3d": _("1 to 3 days"),
        "older": _("over 3 days"),
    }


def flow(hours: list[Hour], zone: ZoneInfo) -> dict[str, Any]:
    """Arrivals for people against decisions, by hour."""
    return {
        "id": "flow",
        "title": _("Arrivals against decisions"),
        "note": _("by hour, the last one not over yet"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("items an hour")},
        "series": [
            {"label": _("Arrived for people"), "hue": "soft", "style": "bar"},
            {"label": _("Decided"), "hue": "accent", "style": "line"},
        ],
        "rows": [series.row(hour.at, zone, [hour.arrived, hour.decided], day="SHORT_DATE_FORMAT") for hour in hours],
    }


def waiting(hours: list[Hour], zone: ZoneInfo) -> dict[str, Any]:
    """The backlog at the end of each hour."""
    return {
        "id": "waiting",
        "title": _("Backlog"),
        "note": _("tasks not closed, at the end of each hour"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("tasks"), "min": 0},
        "series": [{"label": _("Backlog"), "hue": "accent", "style": "area"}],
        "rows": [series.row(hour.at, zone, [hour.waiting], day="SHORT_DATE_FORMAT") for hour in hours],
    }


def ages(by_age: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The backlog by age band, stacked by purpose."""
    purposes = sorted({purpose for counts in by_age.values() for purpose in counts}) or ["soft"]
    names = band_names()
    return {
        "id": "ages",
        "title": _("Backlog by age and purpose"),
        "x": {"kind": "category", "label": _("Age")},
        "y": {"label": _("tasks"), "min": 0},
        "stacked": True,
        "series": [
            {"label": str(Task.Purpose(purpose).label), "hue": HUES.get(purpose, "accent"), "style": "bar"}
            for purpose in purposes
        ],
        "rows": [
            {
                "at": number,
                "text": names[band],
                "values": [int(by_age.get(band, {}).get(purpose, 0)) for purpose in purposes],
            }
            for number, band in enumerate(BANDS)
        ],
    }
