"""How a queue keeps its deadlines, and which tasks are late or will be."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions.exceptions import Fault, Invalid
from decisions.measure import deadlines
from decisions.measure.deadlines import By, Kept
from decisions.models import Task
from decisions.record import log
from reviewqueue.api import auth, keyset, shapes_deadlines
from reviewqueue.api.door import Door, answer, queue_named

USUAL, MOST = 50, 500


class Deadlines(Door):
    scopes = frozenset({"read", "manage", "audit"})
    refusals = ("400", "404")

    @extend_schema(
        operation_id="queue_deadlines",
        summary="Deadlines: what was in time, what is late, what will be",
        parameters=[
            OpenApiParameter("by", enum=[str(by) for by in By], default=str(By.DAY), description="Of the history."),
            OpenApiParameter("purpose", enum=[str(one) for one in Task.Purpose], description="Of the history."),
            OpenApiParameter("after", int, description="`next` of the page before."),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
        ],
        responses=shapes_deadlines.Deadlines,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at, query = queue_named(request, queue), log.now(), request.query_params
        limit = keyset.number(query, "limit", USUAL, low=1, high=MOST)
        after = keyset.number(query, "after", 0) if "after" in query else None
        by, purpose = By(_word(request, "by", By, By.DAY)), _word(request, "purpose", Task.Purpose, "")
        pressure = deadlines.pressure(found, at)
        listed = deadlines.listed(found, pressure, at, person=auth.of(request).user, after=after, count=limit)
        return answer(
            {
                "at": at,
                "fresh_at": pressure.fresh_at,
                "late": pressure.late,
                "at_risk": pressure.at_risk,
                "first_breach_by": pressure.first_at,
                "later": pressure.later,
                "hours": [{"by": r.by, "tasks": int(r.tasks), "breaching": r.breaching} for r in pressure.risks],
                "window_days": deadlines.WINDOW.days,
                "kept": {name: _kept(kept) for name, kept in deadlines.shares(found.pk, at).items()},
                "history": [
                    {"at": one.at, **_kept(one.kept)} for one in deadlines.history(found, at, by=by, purpose=purpose)
                ],
                "tasks": [_task(task, at) for task in listed.tasks],
                "hidden": listed.hidden,
                "next": listed.next,
            }
        )


def _word(request: Request, name: str, words: Any, usual: str) -> str:
    given = request.query_params.get(name, usual)
    if given != usual and given not in [str(word) for word in words]:
        wrong = _("This is one of: %(words)s.") % {"words": ", ".join(str(word) for word in words)}
        raise Invalid(faults=[Fault(name, "choice", wrong)])
    return given


def _kept(kept: Kept) -> dict[str, Any]:
    return {
        "met": kept.met,
        "late": kept.late,
        "expired": kept.expired or {},
        "share": kept.share,
        "interval": kept.interval,
    }


def _task(task: Task, at: datetime) -> dict[str, Any]:
    return {
        "task": task.pk,
        "item": task.item_id,
        "external_id": task.item.external_id,
        "purpose": task.purpose,
        "state": task.state,
        "holder": task.holder_id,
        "due_at": task.due_at,
        "is_late": task.due_at < at,
    }
