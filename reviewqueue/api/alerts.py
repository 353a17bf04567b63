"""Alerts: what is off, and the steps by which people deal with it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import NotFound
from decisions.models import Alert
from decisions.rights import Act
from decisions.watch import alerts, look, telling
from reviewqueue.api import auth, shapes, shapes_alerts
from reviewqueue.api.door import QUEUE, Door, answer, once, queue_asked, within
from reviewqueue.api.filters import MomentFilter
from reviewqueue.api.lists import OfQueue
from reviewqueue.api.shapes_alerts import MOMENTS

COLUMNS = ("id", "kind", "key", "level", "state", "figures", *MOMENTS, "cause", "lesson", "end")


class Filters(FilterSet):  # type: ignore[misc]  # the library has no types
    """By what alerts can be narrowed down."""

    state = django_filters.ChoiceFilter(choices=Alert.State)
    kind = django_filters.ChoiceFilter(choices=Alert.Kind)
    level = django_filters.ChoiceFilter(choices=Alert.Level)
    since = MomentFilter("opened_at", "gte", help_text="Opened at or after this time.")
    until = MomentFilter("opened_at", "lt", help_text="Opened before this time.")


@extend_schema_view(get=extend_schema(operation_id="list_alerts", summary="What is or was off", parameters=[QUEUE]))
class Alerts(OfQueue):
    filter_backends = [DjangoFilterBackend]
    act = Act.SEE_ALERTS
    serializer_class = shapes_alerts.AlertShape
    filterset_class = Filters
    queryset = Alert.objects.none()

    @cached_property
    def chain(self) -> int:
        return queue_asked(self.request).pk

    @cached_property
    def checked(self) -> Mapping[int, datetime]:
        return look.checked_at([self.chain])

    def key(self) -> tuple[str, ...]:
        return "opened_at", "id"

    def rows(self) -> QuerySet[Alert]:
        return Alert.objects.filter(queue=self.chain).select_related("queue__version", "owner")

    def line(self, row: Alert) -> dict[str, Any]:
        return _shown(row, self.checked)


class One(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(operation_id="get_alert", summary="One alert", responses=shapes_alerts.AlertShape)
    def get(self, request: Request, alert: int) -> HttpResponse:
        within(request, Alert.objects.all(), alert)
        found = Alert.objects.select_related("queue__version", "owner").filter(pk=alert).first()
        if found is None:
            raise NotFound
        rights.require(auth.of(request).user, Act.SEE_ALERTS, queue_id=found.queue_id)
        return answer(_shown(found, look.checked_at([found.queue_id])))


class Step(Door):
    """A step of an incident."""

    scopes = frozenset({"manage"})

    def take(self, request: Request, alert: int, shape: type[shapes.Shape], verb: Callable[..., Alert]) -> HttpResponse:
        """Take the step with what was sent."""
        asked = shapes.read(shape, request)
        within(request, Alert.objects.all(), alert)
        return _changed(verb(alert_id=alert, by=auth.of(request).user, at=timezone.now(), **asked))


class Acknowledge(Step):
    @extend_schema(
        operation_id="acknowledge_alert",
        summary="Take an alert on: it is yours",
        request=shapes.Nothing,
        responses=shapes_alerts.AlertShape,
    )
    @once
    def post(self, request: Request, alert: int) -> HttpResponse:
        return self.take(request, alert, shapes.Nothing, alerts.acknowledge)


class Snooze(Step):
    @extend_schema(
        operation_id="snooze_alert",
        summary="Put an alert off",
        request=shapes_alerts.Snooze,
        responses=shapes_alerts.AlertShape,
    )
    @once
    def post(self, request: Request, alert: int) -> HttpResponse:
        return self.take(request, alert, shapes_alerts.Snooze, alerts.snooze)


class Diagnose(Step):
    @extend_schema(
        operation_id="diagnose_alert",
        summary="Name the cause",
        request=shapes_alerts.Diagnose,
        responses=shapes_alerts.AlertShape,
    )
    @once
    def post(self, request: Request, alert: int) -> HttpResponse:
        return self.take(request, alert, shapes_alerts.Diagnose, alerts.diagnose)


class Close(Step):
    @extend_schema(
        operation_id="close_alert",
        summary="Close an incident with what was learnt",
        request=shapes_alerts.Close,
        responses=shapes_alerts.AlertShape,
    )
    @once
    def post(self, request: Request, alert: int) -> HttpResponse:
        return self.take(request, alert, shapes_alerts.Close, alerts.close)


def _changed(alert: Alert) -> HttpResponse:
    return answer(_shown(alert, look.checked_at([alert.queue_id])))


def _shown(alert: Alert, checked: Mapping[int, datetime]) -> dict[str, Any]:
    return {
        **{name: getattr(alert, name) for name in COLUMNS},
        "queue": alert.queue.slug,
        "what": telling.what(alert),
        "text": telling.sentence(alert),
        "owner": alert.owner_id,
        "owner_name": str(alert.owner) if alert.owner else None,
        "normal_since": alerts.normal_since(alert, checked.get(alert.queue_id)),
    }
