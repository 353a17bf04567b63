"""The page of a queue's deadlines: what was in time, what is late, what will be."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions.measure import deadlines, foretold
from decisions.measure.deadlines import By, Kept, Listed, Period, Pressure
from decisions.models import Queue, Task
from decisions.record import log
from decisions.rights import Act
from decisions.work.why import Expiry
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

HOURS_SHOWN = 24


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how a queue keeps its deadlines; an unknown choice in the address reads as none."""
    person, at = signed_in(request), log.now()
    queue = queues.one(person, slug, Act.READ_RECORD)
    by = By(request.GET["by"]) if request.GET.get("by") in list(By) else By.DAY
    purpose = request.GET.get("purpose", "") if request.GET.get("purpose") in Task.Purpose else ""
    after = request.GET.get("after", "")
    pressure = deadlines.pressure(queue, at)
    listed = deadlines.listed(queue, pressure, at, person=person, after=int(after) if _is_id(after) else None)
    kept = deadlines.shares(queue.pk, at)
    periods = deadlines.history(queue, at, by=by, purpose=purpose)
    told = foretold.of(queue, at)
    return render(
        request,
        "floor/deadlines.html",
        {
            "queue": queue,
            "zone": queue.spec.zone,
            "at": at,
            "pressure": pressure,
            "told": told,
            "basis": foretold.basis(told.outlook),
            "breaching": pressure.breaching[:HOURS_SHOWN],
            "all": kept.get("", Kept()),
            "purposes": _purposes(kept, pressure),
            "days": deadlines.WINDOW.days,
            "chart": _chart(periods, queue, by),
            "choices": _choices(by, purpose),
            **_tasks(listed, at),
        },
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _purposes(kept: dict[str, Kept], pressure: Pressure) -> list[dict[str, Any]]:
    """Return a line for each purpose that has had or has a deadline."""
    words = {expiry.value: expiry.label for expiry in Expiry}
    names = [purpose for purpose in Task.Purpose if purpose in kept or purpose in pressure.by_purpose]
    return [
        {
            "name": purpose.label,
            "kept": kept.get(purpose, Kept()),
            "late": pressure.by_purpose.get(purpose, 0),
            "expired": [(words.get(word, word), n) for word, n in (kept.get(purpose, Kept()).expired or {}).items()],
        }
        for purpose in names
    ]


def _tasks(listed: Listed, at: datetime) -> dict[str, Any]:
    rows = [
        {"task": task, "purpose": Task.Purpose(task.purpose).label, "is_late": task.due_at < at}
        for task in listed.tasks
    ]
    following = f"?{urlencode({'after': listed.next})}#tasks-title" if listed.next else ""
    return {"rows": rows, "hidden": listed.hidden, "next": following}


def _chart(periods: list[Period], queue: Queue, by: By) -> dict[str, Any]:
    """Breaches by hour or day: what was in time, what was late, what nobody decided."""
    return {
        "id": "deadlines-kept",
        "title": _("Deadlines by day") if by is By.DAY else _("Deadlines by hour"),
        "note": _("tasks by when they ended; the last one is not over yet"),
        "x": {"kind": "time", "label": _("Day") if by is By.DAY else _("Hour"), "zone": queue.spec.timezone},
        "y": {"label": _("tasks"), "min": 0},
        "stacked": True,
        "series": [
            {"label": _("In time"), "hue": "accent", "style": "bar"},
            {"label": _("Late"), "hue": "hard", "style": "bar"},
            {"label": _("Ended by the rule"), "hue": "bad", "style": "bar"},
        ],
        "rows": [
            {
                "at": one.at.isoformat(),
                "text": _when(one.at, queue, by),
                "values": [one.kept.met, one.kept.late, one.kept.ended],
            }
            for one in periods
        ],
    }


def _when(at: datetime, queue: Queue, by: By) -> str:
    local = localtime(at, queue.spec.zone)
    day = formats.date_format(local, "SHORT_DATE_FORMAT")
    return day if by is By.DAY else f"{day} {local:%H:%M}"


def _choices(by: By, purpose: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return each filter with the address, the words and whether it is chosen, of each choice."""
    spans = [(By.DAY, _("by day")), (By.HOUR, _("by hour"))]
    purposes = [("", _("all purposes")), *((one.value, str(one.label)) for one in Task.Purpose)]
    return [
        (_("Span"), [(_address(one, purpose), label, one is by) for one, label in spans]),
        (_("Purpose"), [(_address(by, one), label, one == purpose) for one, label in purposes]),
    ]


def _address(by: By, purpose: str) -> str:
    return f"?{urlencode({'by': by, 'purpose': purpose})}"
