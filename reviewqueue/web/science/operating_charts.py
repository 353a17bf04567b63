"""The charts of an operating point as data: each is drawn by one script and read in its table."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from decisions.measure.curves import Bin, Point
from decisions.measure.estimates import Estimate
from decisions.measure.operating import Moment, Plane

Chart = dict[str, Any]


def over_time(moments: Sequence[Moment], zone: ZoneInfo) -> Chart:
    """Recall and precision of HARD, each with its band, and of SOFT; every point pools the week before it."""
    return {
        "id": "over-time",
        "title": _("Over time"),
        "note": _("each point pools the seven days before it"),
        "x": {"kind": "time", "label": _("Up to"), "zone": zone.key},
        "y": {"min": 0, "max": 1, "percent": True},
        "series": [
            *_band(_("Recall"), "good"),
            *_band(_("Precision of hard"), "hard"),
            {"label": _("Precision of soft"), "hue": "soft", "style": "line", "dash": True},
        ],
        "rows": [
            {
                "at": one.at.isoformat(),
                "text": formats.date_format(localtime(one.at, zone), "SHORT_DATETIME_FORMAT"),
                "values": [*_values(one.recall), *_values(one.hard), one.soft.value],
            }
            for one in moments
        ],
    }


def plane(found: Plane) -> Chart:
    """Precision against recall, one point a threshold; where the policy's thresholds are has points of its own."""
    points = sorted(found.points, key=_across)
    rows = [(_across(point), [*_values(point.precision), None, None], point) for point in points]
    for place, point in ((3, found.hard), (4, found.soft)):
        if point is not None and point.precision.value is not None:
            values: list[float | None] = [*_values(point.precision), None, None]
            values[place] = point.precision.value
            rows.append((_across(point), values, point))
    return {
        "id": "plane",
        "title": _("Precision and recall by threshold"),
        "note": found.model.name if found.model else "",
        "x": {"kind": "number", "label": _("Recall (where no miss was found: at least)")},
        "y": {"label": _("Precision"), "min": 0, "max": 1, "percent": True},
        "series": [
            *_band(_("Precision"), "accent"),
            {"label": _("The policy's hard threshold"), "hue": "hard", "style": "line"},
            {"label": _("The policy's soft threshold"), "hue": "soft", "style": "line"},
        ],
        "rows": [
            {"at": at, "text": _text(point), "values": values}
            for at, values, point in sorted(rows, key=lambda row: row[0])
        ],
    }


def calibration(bins: Sequence[Bin], calibrators: Sequence[str]) -> Chart:
    """What probabilities foretold against what was found; on the dashed line they mean what they say.

    `calibrators` made them ("": scores as they came).
    """
    named = pgettext("between names", ", ").join(one or _("none, scores as they came") for one in calibrators)
    weighted = _("weighted, so that it is of all items and not of those that were looked at")
    return {
        "id": "calibration",
        "title": _("Calibration"),
        "note": _("calibrator: %(names)s; %(weighted)s") % {"names": named, "weighted": weighted}
        if named
        else weighted,
        "x": {"kind": "number", "label": _("Foretold probability")},
        "y": {"label": _("Share found"), "min": 0, "max": 1, "percent": True},
        "series": [
            *_band(_("Found"), "accent"),
            {"label": _("If it meant what it says"), "hue": "plain", "style": "line", "dash": True},
        ],
        "rows": [
            {
                "at": one.foretold,
                "text": formats.number_format(round(one.foretold, 4), use_l10n=True),
                "values": [*_values(one.share), one.foretold],
            }
            for one in bins
        ],
    }


def _band(label: str, hue: str) -> list[dict[str, Any]]:
    """Return the three series of a figure: its least (unseen, it bounds the band), its most, and itself."""
    named = {"label": label}
    return [
        {"label": _("%(label)s, at least") % named, "hue": hue, "style": "line", "quiet": True},
        {"label": _("%(label)s, at most") % named, "hue": hue, "style": "band", "quiet": True},
        {"label": label, "hue": hue, "style": "line"},
    ]


def _values(one: Estimate) -> list[float | None]:
    return [one.low, one.high, one.value]


def _across(point: Point) -> float:
    """Return where a point lies: at its recall, or at the least that it is."""
    return point.recall.value if point.recall.value is not None else point.recall.low or 0.0


def _text(point: Point) -> str:
    told = {
        "recall": formats.number_format(round(_across(point) * 100, 1), use_l10n=True),
        "threshold": formats.number_format(round(point.threshold, 4), use_l10n=True),
    }
    return _("%(recall)s %%, from score %(threshold)s") % told
