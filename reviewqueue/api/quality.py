"""How good people's answers are: of all for leads, of oneself for everybody; pauses; what waits to be settled."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions.measure import answering
from decisions.measure.accuracy import Rate
from decisions.measure.answering import Own, Report
from decisions.record import log
from decisions.work import claim, disputes, grading
from reviewqueue.api import auth, shapes, shapes_quality
from reviewqueue.api.door import Door, answer, once, queue_named

SHOWN = 200


class Quality(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="queue_quality",
        summary="How good a queue's answers are",
        description="For leads: people by name, with exact limits; agreement; gold; what waits to be settled.",
        responses=shapes_quality.Quality,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        return answer(_report(answering.of_queue(found, auth.of(request).user, log.now())))


class Mine(Door):
    scopes = frozenset({"review"})

    @extend_schema(
        operation_id="my_quality",
        summary="How good your own answers are",
        description="Nobody else's figures. Not measured under 30 answers; the limits are told from the first one on.",
        responses=shapes_quality.Own,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        return answer(_own(answering.of_person(found, auth.of(request).user, log.now())))


class LiftPause(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="lift_pause",
        summary="Let somebody work again whom their errors paused",
        description="From now on only what they answer next counts. Not one's own.",
        request=shapes.Nothing,
        responses=shapes_quality.Lifted,
    )
    @once
    def post(self, request: Request, queue: str, person: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        found = queue_named(request, queue)
        grade = grading.lift(queue_id=found.pk, person_id=person, by=auth.of(request).user)
        return answer({"person": grade.person_id, "is_paused": grade.is_paused, "since": grade.since, "at": grade.at})


class Adjudications(Door):
    scopes = frozenset({"review"})

    @extend_schema(
        operation_id="adjudications",
        summary="Disagreements that wait for you",
        description="Without the answers: whoever settles one should know neither. Claim brings them.",
        responses=shapes_quality.Adjudications,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, person = queue_named(request, queue), auth.of(request).user
        stands = claim.standing(person, found.pk)
        rows = list(disputes.waiting_for(found.pk, stands, person)[: SHOWN + 1])
        tasks = [
            {
                "task": row.pk,
                "item": row.item_id,
                "external_id": row.item.external_id,
                "opened_at": row.opened_at,
                "due_at": row.due_at,
                "rank": row.rank,
            }
            for row in rows[:SHOWN]
        ]
        return answer({"tasks": tasks, "has_more": len(rows) > SHOWN})


def _report(report: Report) -> dict[str, Any]:
    alpha = report.alpha
    return {
        "since": report.since,
        "alpha": {"value": alpha.value, "low": alpha.low, "high": alpha.high, "items": alpha.units},
        "people": [
            {
                "person": row.user.pk,
                "person_name": str(row.user),
                "sensitivity": row.sensitivity,
                "specificity": row.specificity,
                "gold_share": row.grade.gold_share if row.grade else None,
                "second_share": row.grade.second_share if row.grade else None,
                **_own(row),
            }
            for row in report.people
        ],
        "pairs": [
            {"one": pair.one.pk, "other": pair.other.pk, "items": pair.units, "kappa": pair.kappa}
            for pair in report.pairs
        ],
        "disagreements_waiting": report.waiting,
        "settled": [
            {
                "item": one.item.pk,
                "external_id": one.item.external_id,
                "first": {"person": one.first.person_id, "outcome": one.first.outcome},
                "second": {"person": one.second.person_id, "outcome": one.second.outcome},
                "ruling": {"person": one.ruling.person_id, "outcome": one.ruling.outcome},
                "at": one.ruling.at,
            }
            for one in report.settled
        ],
        "gold": report.gold,
    }


def _own(own: Own) -> dict[str, Any]:
    names = ("gold", "second", "agreed", "right")
    return {**{name: _rate(getattr(own, name)) for name in names}, "is_paused": own.is_paused}


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high, "hits": rate.hits, "answers": rate.n}
