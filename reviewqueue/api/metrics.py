"""The figures of the caller's queues in the text format of Prometheus, read afresh with each scrape."""

from collections import Counter
from collections.abc import Iterator, Mapping

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.request import Request

from decisions.measure import floor, ladder
from decisions.models import Action, Alert, PendingLabel, Queue
from reviewqueue.api import auth, queues
from reviewqueue.api.door import Door

TEXT = "text/plain"
CONTENT_TYPE = f"{TEXT}; version=0.0.4; charset=utf-8"


class Metrics(Door):
    scopes = frozenset({"manage", "audit"})

    @extend_schema(
        operation_id="metrics",
        summary="Figures for Prometheus",
        responses={(200, TEXT): OpenApiResponse(OpenApiTypes.STR)},
    )
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures([queue for queue, _role in queues.mine(auth.of(request))]))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


class Figures(Collector):
    """All processes of the site would answer the same: the figures come from the database."""

    def __init__(self, shown: list[Queue]) -> None:
        self.queues = shown

    def collect(self) -> Iterator[GaugeMetricFamily]:
        at = timezone.now()
        status = {queue.slug: floor.status(queue.pk, at) for queue in self.queues}
        yield _by(
            "rq_backlog_tasks", "Open tasks.", "purpose", {q: s["backlog"]["by_purpose"] for q, s in status.items()}
        )
        yield _by("rq_arrivals_per_hour", "Items.", "route", {q: s["arrivals_per_hour"] for q, s in status.items()})
        rungs = {queue.slug: ladder.last_hour(queue.pk, at) for queue in self.queues}
        yield _by("rq_items_by_rung", "Items of this hour and the one before, by what scored them.", "rung", rungs)
        for name, words, key in FIGURES:
            yield _one(name, words, {queue: figures[key] for queue, figures in status.items()})
        yield _one("rq_overdue_tasks", "Past their deadline.", {q: s["backlog"]["overdue"] for q, s in status.items()})
        open_ = Alert.objects.open()
        by_level = {q.slug: Counter(open_.filter(queue=q).values_list("level", flat=True)) for q in self.queues}
        yield _by("rq_alerts_open", "Signals that are off, until somebody closes them.", "level", by_level)
        accounts = {queue: figures["accounts"] or {} for queue, figures in status.items()}
        missing = {queue: found.get("missing") for queue, found in accounts.items()}
        yield _one("rq_unaccounted_items", "Accepted in 24 checked hours, and in no state.", missing)
        yield from self._outbox()

    def _outbox(self) -> Iterator[GaugeMetricFamily]:
        at = timezone.now()
        of = {queue.slug: Action.objects.filter(queue=queue) for queue in self.queues}
        yield _one("rq_actions_due", "To be told now.", {q: rows.due(at).count() for q, rows in of.items()})
        dead = {q: rows.filter(state=Action.State.DEAD).count() for q, rows in of.items()}
        yield _one("rq_actions_dead", "Given up: they wait for somebody to replay them.", dead)
        due = {q.slug: PendingLabel.objects.filter(ruling__queue=q, due_at__lte=at).count() for q in self.queues}
        yield _one("rq_labels_due", "Rulings that should be labels by now.", due)


FIGURES = (
    ("rq_decisions_per_hour", "Decisions of people, over the last 24 hours.", "decisions_per_hour"),
    ("rq_utilisation", "Work that arrives, per capacity.", "utilisation"),
    ("rq_time_to_empty_seconds", "Until nothing waits.", "time_to_empty"),
    ("rq_mean_age_seconds", "Of what waits.", "mean_age"),
    ("rq_p90_age_seconds", "Nine in ten that wait are younger.", "p90_age"),
)


def _one(name: str, words: str, values: Mapping[str, float | None]) -> GaugeMetricFamily:
    """Return a figure of each queue; what is unknown is left out."""
    family = GaugeMetricFamily(name, words, labels=["queue"])
    for queue, value in values.items():
        if value is not None:
            family.add_metric([queue], value)
    return family


def _by(name: str, words: str, label: str, values: Mapping[str, Mapping[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=["queue", label])
    for queue, parts in values.items():
        for part, value in parts.items():
            family.add_metric([queue, part], value)
    return family
