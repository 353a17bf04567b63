"""The charts of a what-if as data: scores with the cuts on them, days, hours of the week, and the backlog."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from decisions.measure.supposed.terms import score_range
from decisions.measure.what_if import Answer
from decisions.queues.live import Live
from decisions.routing.policy import FloatArray
from decisions.routing.simulate import PEOPLE, Buckets, Kind
from reviewqueue.web import series

APART = 0.15  # of the range of scores: so wide is a name on the chart


def charts(answer: Answer, live: Live) -> list[dict[str, Any]]:
    """Return scores with the cuts on them, volumes by day, people's items by hour of the week, and the backlog."""
    return [
        _scores(answer, live),
        _by_day(answer.buckets[1]),
        _by_hour(*answer.buckets),
        _backlog(answer, live.spec.zone),
    ]


def _scores(answer: Answer, live: Live) -> dict[str, Any]:
    edges, counts = answer.histogram
    low, high = score_range(live)
    return {
        "id": "scores",
        "title": _("Scores, and where they are cut"),
        "note": _("items a day in each of 40 steps"),
        "x": {"kind": "number", "label": _("Score, %(low)s to %(high)s") % {"low": f"{low:g}", "high": f"{high:g}"}},
        "y": {"label": _("items a day"), "min": 0},
        "series": [{"label": _("Items"), "hue": "accent", "style": "bar"}],
        "marks": _marks(answer, (high - low) * APART),
        "rows": [
            {
                "at": float((start + end) / 2),
                "text": f"{start:.4g} – {end:.4g}",
                "values": [round(float(count) / answer.recent.days, 2)],
            }
            for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
    }


def _marks(answer: Answer, apart: float) -> list[dict[str, Any]]:
    """Return a line for each cut; one of the live policy is only named where the name doesn't cover the new one's."""
    new = [(answer.new.soft, _("soft"), "soft"), (answer.new.hard, _("hard"), "hard")]
    live = [(answer.live.soft, _("soft now"), "plain"), (answer.live.hard, _("hard now"), "plain")]
    marks: list[dict[str, Any]] = [{"x": cut, "label": label, "hue": hue} for cut, label, hue in new if cut is not None]
    taken = [cut for cut, _label, _hue in new if cut is not None]
    for cut, label, hue in live:
        if cut is not None and cut not in taken:
            is_near = any(abs(cut - other) < apart for other in taken)
            marks.append({"x": cut, "label": "" if is_near else label, "hue": hue})
    return marks


def _by_day(new: Buckets) -> dict[str, Any]:
    values = zip(new.by_day[Kind.HARD], _people(new.by_day), new.by_day[Kind.PASS], strict=True)
    return {
        "id": "by-day",
        "title": _("What it would have done, by day"),
        "note": _("the first and the last day may be parts"),
        "stacked": True,
        "x": {"kind": "category", "label": pgettext("of a month", "Day")},
        "y": {"label": _("items"), "min": 0},
        "series": [
            {"label": _("Hard"), "hue": "hard", "style": "bar"},
            {"label": _("People"), "hue": "soft", "style": "bar"},
            {"label": _("Pass"), "hue": "pass", "style": "bar"},
        ],
        "rows": [
            {
                "at": place,
                "text": formats.date_format(day, "j M"),
                "values": [round(float(value)) for value in row],
            }
            for place, (day, row) in enumerate(zip(new.days, values, strict=True))
        ],
    }


def _by_hour(live: Buckets, new: Buckets) -> dict[str, Any]:
    was, becomes = _people(live.by_hour), _people(new.by_hour)
    names = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    return {
        "id": "by-hour",
        "title": _("Items to people, by hour of the week"),
        "note": _("mean of the weeks looked at"),
        "x": {"kind": "number", "label": _("Hour of the week, Monday 0 h first")},
        "y": {"label": _("items an hour"), "min": 0},
        "series": [
            {"label": _("What if"), "hue": "soft", "style": "area"},
            {"label": _("Live"), "hue": "plain", "style": "line", "dash": True},
        ],
        "rows": [
            {
                "at": hour,
                "text": f"{names[hour // 24]} {hour % 24:02}:00",
                "values": [round(float(becomes[hour]), 2), round(float(was[hour]), 2)],
            }
            for hour in range(len(names) * 24)
        ],
    }


def _backlog(answer: Answer, zone: ZoneInfo) -> dict[str, Any]:
    live, new = answer.fans
    columns = (new.middle, new.low, new.high, live.middle)
    rows = [(answer.now.edges[0], (answer.backlog,) * 4)]
    rows += zip(answer.now.edges[1:], zip(*(column.tolist() for column in columns), strict=True), strict=True)
    return {
        "id": "backlog",
        "title": _("Backlog over the next week"),
        "note": _("nine futures of ten lie within the band"),
        "x": {"kind": "time", "label": _("Hour"), "zone": zone.key},
        "y": {"label": _("tasks"), "min": 0},
        "series": [
            {"label": _("What if"), "hue": "accent", "style": "line"},
            {"label": _("at least"), "hue": "accent", "style": "line", "quiet": True},
            {"label": _("at most"), "hue": "accent", "style": "band"},
            {"label": _("Live"), "hue": "plain", "style": "line", "dash": True},
        ],
        "rows": [series.row(at, zone, values) for at, values in rows],
    }


def _people(volumes: Mapping[Kind, FloatArray]) -> FloatArray:
    return np.asarray(sum((volumes[kind] for kind in PEOPLE), np.zeros_like(volumes[Kind.PASS])))
