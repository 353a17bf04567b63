"""The alert inbox and the page of an incident."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from decisions import redact, rights
from decisions.exceptions import Fault, Invalid, NotFound
from decisions.models import Alert, Item, Queue, User
from decisions.record import log
from decisions.rights import Act
from decisions.watch import alerts, behind, look, telling
from reviewqueue.web import queues
from reviewqueue.web.conditional import unchanged_is_304
from reviewqueue.web.people import signed_in

SHOWN = 50
ITEMS = 100
# what an event's reason says, and its icon
STEPS = {
    **{str(kind): (gettext_lazy("Opened"), "warn") for kind in Alert.Kind},
    "worse": (gettext_lazy("Got worse"), "up"),
    "still_off": (gettext_lazy("Still off after it was put off"), "warn"),
    "acknowledged": (gettext_lazy("Acknowledged"), "check"),
    "snoozed": (gettext_lazy("Put off"), "clock"),
    "diagnosed": (gettext_lazy("Cause named"), "search"),
    **{str(end): (end.label, "proof") for end in Alert.End},
}
HOURS = (1, 4, 24, 72, 168)  # for which an alert can be put off


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what is off in the queues that this person watches, and how incidents went."""
    return render(request, "floor/alerts.html", _inbox(request))


@login_required
@require_safe
@unchanged_is_304
def live(request: HttpRequest) -> HttpResponse:
    """Show the moving part of the inbox; polled."""
    return render(request, "floor/alert_list.html", _inbox(request))


@login_required
@require_safe
def show(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Show an incident."""
    person = signed_in(request)
    return render(request, "floor/alert.html", _incident(person, _one(person, alert_id)))


@login_required
@require_safe
def items(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Show the items behind an alert, newest first."""
    person = signed_in(request)
    alert = _one(person, alert_id)
    queues.one(person, alert.queue.slug, Act.READ_RECORD)
    rows = behind.items(alert).select_related("policy", "model").order_by("-arrived_at", "-pk")[:ITEMS]
    context = {
        "alert": alert,
        "what": telling.what(alert),
        "rows": _lines(list(rows), person, alert.queue),
        "shown": ITEMS,
    }
    return render(request, "floor/alert_items.html", context)


@login_required
@require_POST
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Take an alert on."""
    person = signed_in(request)
    alerts.acknowledge(alert_id=_one(person, alert_id).pk, by=person, at=log.now())
    messages.success(request, _("It is yours."))
    return redirect("floor:alert", alert_id)


@login_required
@require_POST
def snooze(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Put an alert off for some hours."""
    person, at = signed_in(request), log.now()
    hours = request.POST.get("hours", "")
    if hours not in map(str, HOURS):
        raise Invalid(faults=[Fault("hours", "choice", _("Choose for how long."))])
    until = at + timedelta(hours=int(hours))
    alerts.snooze(alert_id=_one(person, alert_id).pk, by=person, until=until, at=at)
    messages.success(request, _("It is quiet until then, unless it gets worse."))
    return redirect("floor:alert", alert_id)


@login_required
@require_POST
def diagnose(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Name the cause."""
    person = signed_in(request)
    cause = request.POST.get("cause", "")
    alerts.diagnose(alert_id=_one(person, alert_id).pk, by=person, cause=cause, at=log.now())
    messages.success(request, _("The cause is noted."))
    return redirect("floor:alert", alert_id)


@login_required
@require_POST
def close(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Close an incident with what was learnt."""
    person, sent = signed_in(request), request.POST
    alert = _one(person, alert_id)
    alerts.close(alert_id=alert.pk, by=person, end=sent.get("end", ""), lesson=sent.get("lesson", ""), at=log.now())
    messages.success(request, _("The incident is closed."))
    return redirect("floor:alert", alert_id)


def _one(person: User, alert_id: int) -> Alert:
    """Return an alert that this person may see."""
    alert = Alert.objects.select_related("queue__version", "owner").filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    rights.require(person, Act.SEE_ALERTS, queue_id=alert.queue_id)
    return alert


def _inbox(request: HttpRequest) -> dict[str, Any]:
    at, mine = log.now(), queues.where(signed_in(request), Act.SEE_ALERTS)
    ids = [queue.pk for queue in mine]
    before = request.GET.get("before", "")
    seen = Alert.objects.filter(queue__in=ids).select_related("queue__version", "owner")
    closed = seen.filter(state=Alert.State.CLOSED).order_by("-pk")
    if before.isdecimal() and len(before) < 19:
        closed = closed.filter(pk__lt=int(before))
    page = list(closed[: SHOWN + 1])
    checked = look.checked_at(ids)
    return {
        "queues": mine,
        "open": [_row(alert, checked.get(alert.queue_id)) for alert in seen.open().order_by("-opened_at")[:SHOWN]],
        "closed": [_row(alert, None) for alert in page[:SHOWN]],
        "next": f"?before={page[SHOWN - 1].pk}" if len(page) > SHOWN else "",
        "times": alerts.times(ids, at),
        "checked_at": min(checked.values()) if len(checked) == len(ids) and ids else None,
        "at": at,
        "has_mail": bool(settings.EMAIL_HOST),
    }


def _row(alert: Alert, checked_at: Any) -> dict[str, Any]:
    return {
        "alert": alert,
        "what": telling.what(alert),
        "sentence": telling.sentence(alert),
        "normal_since": alerts.normal_since(alert, checked_at),
    }


def _incident(person: User, alert: Alert) -> dict[str, Any]:
    at = log.now()
    return {
        **_row(alert, look.checked_at([alert.queue_id]).get(alert.queue_id)),
        "queue": alert.queue,
        "compared": telling.compared(alert),
        "steps": [(event, *STEPS[event.reason]) for event in alerts.steps(alert) if event.reason in STEPS],
        "notices": alert.notices.order_by("pk"),
        "has_mail": bool(settings.EMAIL_HOST),
        "list_url": list_url(alert),
        "is_snoozed": alert.snoozed_until is not None and alert.snoozed_until > at,
        "may_handle": queues.may(person, alert.queue, Act.HANDLE_ALERTS),
        "hours": HOURS,
        "ends": Alert.End.choices,
    }


def list_url(alert: Alert) -> str:
    """Return where the list behind an alert is: whom it is about, rulings where people answered, else the items."""
    policy = alert.key.removeprefix("policy:") if alert.key.startswith("policy:") else ""
    since = f"{alert.began_at:%Y-%m-%d}"
    wanted = {
        Alert.Kind.OVERRIDES: {"which": "overrides", "since": since, "policy": policy},
        Alert.Kind.PRECISION: {"which": "all", "purpose": "control", "since": since, "policy": policy},
    }
    if alert.kind == Alert.Kind.PAUSED:
        return reverse("floor:person", args=[alert.queue.slug, alert.key.removeprefix("person:")])
    if alert.kind not in wanted:
        return reverse("floor:alert_items", args=[alert.pk])
    given = {name: value for name, value in wanted[Alert.Kind(alert.kind)].items() if value}
    return f"{reverse('audit:show', args=[alert.queue.slug])}?{urlencode(given)}"


def _lines(rows: Sequence[Item], person: User, queue: Queue) -> list[dict[str, Any]]:
    """Return items as lines; of one to which the person is blind only that there is one."""
    standing = rights.standing(person, queue.pk)
    if standing is None:
        raise NotFound
    sights = redact.for_many([row.pk for row in rows], standing=standing, user=person, spec=queue.spec)
    return [{"item": row, "is_seen": sights[row.pk].machine} for row in rows]
