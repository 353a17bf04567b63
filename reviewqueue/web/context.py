"""What every page shows around its content: workplaces, queues, who is here."""

import json
from collections import Counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.models import Alert, Membership, Queue, User
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues

Role = Membership.Role

# workplace -> (the right that opens it, icon, key)
WORKPLACES: dict[str, tuple[Act, str, str]] = {
    "review": (Act.CLAIM, "review", "g q"),
    "floor": (Act.MANAGE_SHIFTS, "floor", "g d"),
    "audit": (Act.READ_RECORD, "audit", "g a"),
    "science": (Act.DRAFT_POLICY, "policy", "g p"),
    "access": (Act.SEE_RIGHTS, "key", "g r"),
}


def workplace(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation for the person signed in; next to nothing for everybody else."""
    shown: dict[str, Any] = {"app_version": settings.APP_VERSION}
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return shown
    place = _place(request)
    memberships = list(Membership.objects.of(user).select_related("queue"))
    return {
        **shown,
        "nav": [*_nav(user, place), *_alerts(request, user)],
        "queues": _switcher(request, user, place),
        "person_role": ", ".join(sorted({str(Role(m.role).label) for m in memberships})),
        "keys_json": json.dumps(user.keys),
        "keys_url": reverse("account:keys"),
    }


def _place(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.namespace if match and match.namespace in WORKPLACES else ""


def _alerts(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """Return the way to the alert inbox, with how many are loud, for who may see those of a queue."""
    if not any(queues.may(user, queue, Act.SEE_ALERTS) for queue in Queue.objects.all()):
        return []
    by_queue = Counter(alert.queue for alert in Alert.objects.loud(log.now()).select_related("queue"))
    loud = sum(count for queue, count in by_queue.items() if queues.may(user, queue, Act.SEE_ALERTS))
    badge = {"badge": loud, "badge_label": ngettext("%(n)s alert", "%(n)s alerts", loud) % {"n": loud}} if loud else {}
    return [
        {
            "label": _("Alerts"),
            "url": reverse("floor:alerts"),
            "active": _is_alerts(request),
            "icon": "warn",
            "key": "g w",
            **badge,
        }
    ]


def _is_alerts(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and match.namespace == "floor" and "alert" in (match.url_name or ""))


def _nav(user: User, place: str) -> list[dict[str, Any]]:
    names = {
        "review": _("Review"),
        "floor": _("Floor"),
        "audit": _("Audit"),
        "science": _("Policy"),
        "access": _("Access"),
    }
    every = list(Queue.objects.all())
    return [
        {"label": names[name], "url": reverse(f"{name}:index"), "active": name == place, "icon": icon, "key": key}
        for name, (act, icon, key) in WORKPLACES.items()
        if queues.among(every, user, act)
    ]


def _switcher(request: HttpRequest, user: User, place: str) -> list[dict[str, Any]]:
    """Return the queues of the workplace that is shown, each with its address there."""
    if not place:
        return []
    slug = request.resolver_match.kwargs.get("slug", "") if request.resolver_match else ""
    return [
        {"label": queue.spec.title, "url": reverse(f"{place}:show", args=[queue.slug]), "active": queue.slug == slug}
        for queue in queues.where(user, WORKPLACES[place][0])
    ]
