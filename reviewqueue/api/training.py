"""Training runs: asking for one, how it stands, cancelling it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import NotFound
from decisions.learning import graph, runs, told
from decisions.models import Queue, TrainingRun
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_training as shape
from reviewqueue.api.door import Door, answer, once, queue_named
from reviewqueue.api.lists import OfQueue

PLAIN = ("id", "state", "trigger", "why", "step", "progress", "attempt", "error", "is_being_cancelled")
TIMES = ("asked_at", "started_at", "ended_at")


@extend_schema_view(get=extend_schema(operation_id="list_training_runs", summary="What was trained, and what is now"))
class Runs(OfQueue):
    serializer_class = shape.TrainingRunShape
    queryset = TrainingRun.objects.none()

    def key(self) -> tuple[str, ...]:
        return ("id",)

    def rows(self) -> QuerySet[TrainingRun]:
        return TrainingRun.objects.filter(queue=self.chain).select_related("person", "data_set", "model")

    def line(self, row: TrainingRun) -> dict[str, Any]:
        return _shown(row)


class Start(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="start_training_run",
        summary="Train the queue's model on all labels that there are now",
        description="A worker takes it up; one run of a queue is open at a time. What comes out routes nothing yet.",
        request=shape.AskTrainingRun,
        responses={201: shape.TrainingRunShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        why = shapes.read(shape.AskTrainingRun, request)["why"]
        run = runs.start(queue=queue_named(request, queue), by=auth.of(request).user, why=why, at=log.now())
        return answer(_shown(run), 201)


class One(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="get_training_run", summary="A run, its steps and its log", responses=shape.TrainingRunDetail
    )
    def get(self, request: Request, queue: str, run: int) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        one = _one(found, run)
        steps = [
            {"step": node.key, "state": node.mark, **{n: getattr(node, n) for n in ("version", "seconds", "error")}}
            for node in graph.of(one)
        ]
        lines = [
            {"text": told.line(line), **{n: getattr(line, n) for n in ("at", "attempt", "step", "code")}}
            for line in runs.lines(one)
        ]
        weighting = one.model.metrics.get("weighting") if one.model else None
        return answer({**_shown(one), "steps": steps, "log": lines, "weighting": weighting})


class Cancel(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="cancel_training_run",
        summary="Cancel a run",
        description="One that waits ends at once; one at work stops between two parts of a step.",
        request=shapes.Nothing,
        responses=shape.TrainingRunShape,
    )
    @once
    def post(self, request: Request, queue: str, run: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        one = _one(queue_named(request, queue), run)
        return answer(_shown(runs.cancel(run_id=one.pk, by=auth.of(request).user, at=log.now())))


def _one(queue: Queue, pk: int) -> TrainingRun:
    found = TrainingRun.objects.filter(queue=queue, pk=pk).select_related("person", "data_set", "model").first()
    if found is None:
        raise NotFound
    return found


def _shown(run: TrainingRun) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in (*PLAIN, *TIMES)},
        "person": run.person_id,
        "person_name": str(run.person) if run.person else None,
        "alert": run.alert_id,
        "data_set": run.data_set.name if run.data_set else None,
        "model": run.model.name if run.model else None,
    }
