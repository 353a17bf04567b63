"""What is to come for a queue: arrivals, backlog, the first broken deadline and what would keep it."""

import math
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import foretold, staff
from decisions.measure.foretold import Told
from decisions.measure.outlook import HOUR, Outlook
from decisions.models import Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes_forecast
from reviewqueue.api.door import Door, answer, queue_named

LONG_WAIT = timedelta(minutes=15)


class Forecast(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(
        operation_id="forecast",
        summary="What will arrive, where the backlog goes, when a deadline breaks and what would keep it",
        responses=shapes_forecast.ForecastShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at = queue_named(request, queue), log.now()
        rights.require(auth.of(request).user, Act.READ_QUEUE, queue_id=found.pk)
        return answer(shown(found, foretold.of(found, at)))


def short(told: Told) -> dict[str, Any]:
    """Return what is to come in a few words."""
    return {
        "sentence": told.sentence,
        "breach_at": told.outlook.breach_at,
        "risk": told.outlook.fan.risk if told.outlook.fan else None,
        "people_needed": told.remedies.people,
        "threshold_needed": told.remedies.threshold,
    }


def shown(queue: Queue, told: Told) -> dict[str, Any]:
    """Return all that is told."""
    found, spec = told.outlook, queue.spec
    cover = found.arrivals.coverage
    return {
        **short(told),
        "at": found.at,
        "timezone": spec.timezone,
        "since": found.arrivals.since,
        "basis": foretold.basis(found),
        "plan_note": foretold.plan_note(found, spec),
        "plan": {
            "source": found.plan.source,
            "people": told.people,
            "pace": found.plan.pace,
            "until": found.plan.until,
        },
        "backlog": found.backlog,
        "overdue": found.overdue,
        "held": {
            **{name: getattr(cover, name) for name in ("weeks", "hours", "inside", "above")},
            "share": cover.share,
        },
        "hours": _hours(found),
        "steps": _steps(found),
        "presence": [
            {"at": one.at, "planned": one.planned, "came": one.came} for one in staff.presence(queue.pk, found.at)
        ],
        "busiest_at": told.busiest_at,
        "waits": [
            {
                "people": one.people,
                "busy": one.busy,
                "waits": one.share,
                "mean_seconds": one.mean,
                "over_15_minutes": one.longer_than(LONG_WAIT.total_seconds()),
            }
            for one in told.waits
        ],
    }


def _hours(found: Outlook) -> list[dict[str, Any]]:
    one = found.arrivals.forecast
    start = found.edges[1] - HOUR
    rows = zip(one.low.tolist(), one.middle.tolist(), one.high.tolist(), one.n.tolist(), one.basis, strict=True)
    return [
        {
            "at": start + HOUR * place,
            **{name: None if math.isnan(n) else n for name, n in (("low", low), ("middle", middle), ("high", high))},
            "rests_on": n,
            "basis": basis.value,
        }
        for place, (low, middle, high, n, basis) in enumerate(rows)
    ]


def _steps(found: Outlook) -> list[dict[str, Any]]:
    if found.fan is None:
        return []
    one = found.fan
    columns = {
        "at": list(found.edges[1:]),
        **{name: getattr(one, name).tolist() for name in ("low", "middle", "high", "broken")},
        "capacity": found.work.capacity.tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
