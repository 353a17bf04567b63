"""Tells people and receivers of alerts, by mail and by webhook: written with the alert, sent later, tried again.

A notice is taken like an action (see deliver.py): its attempt is counted and its next one moved past the longest call
before anything leaves. What is sent twice goes under the same id.
"""

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from decisions import hints
from decisions.effects import endpoints, outbound, webhooks
from decisions.effects.endpoints import Target
from decisions.models import Alert, Endpoint, Notice
from decisions.record import digest
from decisions.watch import telling

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # longer than any call, and than the mail server's time limit
AT_ONCE = 20
LONGEST_ERROR = 200


class Why(StrEnum):
    """Why somebody is told."""

    OPENED = "opened"
    WORSE = "worse"
    STILL_OFF = "still_off"  # after it was put off


def write(alert: Alert, why: Why, at: datetime) -> list[Notice]:
    """Store what will be sent: a mail to who owns the alert, and a letter to the queue's endpoint where there is one.

    In the alert's own transaction; who has left is not written to.
    """
    made = []
    if address := _address(alert):
        made.append(Notice(channel=Notice.Channel.MAIL, address=address, body=_mail(alert, why)))
    if endpoint := Endpoint.objects.filter(queue=alert.queue_id, is_active=True).first():
        body = _letter(alert, why, at)
        made.append(Notice(channel=Notice.Channel.WEBHOOK, address=endpoint.url, body=body))
    for notice in made:
        notice.alert, notice.next_at = alert, at
    hints.on_commit("send_notices")
    return Notice.objects.bulk_create(made)


def send_due(at: datetime) -> int:
    """Send what is due; return how many arrived."""
    targets = {target.queue_id: target for target in endpoints.targets(at)}
    return sum(_send(notice, targets.get(notice.alert.queue_id), at) for notice in take(at))


@transaction.atomic
def take(at: datetime) -> list[Notice]:
    """Take due notices and keep others off them for a lease."""
    due = Notice.objects.select_for_update(skip_locked=True, of=("self",)).select_related("alert")
    found = list(due.filter(state=Notice.State.PENDING, next_at__lte=at).order_by("next_at")[:AT_ONCE])
    for notice in found:
        notice.attempts += 1
        notice.next_at = at + LEASE
    Notice.objects.bulk_update(found, ["attempts", "next_at"])
    return found


def _send(notice: Notice, target: Target | None, at: datetime) -> bool:
    """Send one and store what came of it, if its attempt is still the one that was taken."""
    error, retry_after = _mailed(notice) if notice.channel == Notice.Channel.MAIL else _posted(notice, target)
    change: dict[str, object] = {"state": Notice.State.SENT, "sent_at": at, "error": ""}
    if error:
        again = webhooks.next_at(attempt=notice.attempts, retry_after=retry_after, at=at)
        state = Notice.State.PENDING if again else Notice.State.DEAD
        change = {"state": state, "error": error[:LONGEST_ERROR], "next_at": again or notice.next_at}
    taken = Notice.objects.filter(pk=notice.pk, attempts=notice.attempts, state=Notice.State.PENDING)
    return bool(taken.update(**change)) and not error


def _mailed(notice: Notice) -> tuple[str, str]:
    """Send a mail; return what went wrong."""
    subject, _blank, text = notice.body.partition("\n\n")
    message = EmailMessage(subject, text, to=[notice.address], headers={"Message-ID": message_id(notice)})
    return _tried(message.send), ""


def _posted(notice: Notice, target: Target | None) -> tuple[str, str]:
    """Post a letter to where the queue's actions go now; return what went wrong, and how long to wait."""
    if target is None:
        return "the endpoint is off", ""
    body = notice.body.encode()
    answer = outbound.post(target.url, body, webhooks.signed(webhook_id(notice.pk), body, target.keys, timezone.now()))
    if webhooks.is_delivered(answer.status):
        return "", ""
    return answer.error or f"status {answer.status}", answer.retry_after


def webhook_id(notice_id: int) -> str:
    """Return the id of a notice's letter, the same on every repeat."""
    return f"ntc_{notice_id}"


def message_id(notice: Notice) -> str:
    """Return the id of a notice's mail, the same on every repeat, so that readers show it once."""
    return f"<notice-{notice.pk}.{notice.alert.opened_at:%Y%m%d%H%M%S}@{settings.EMAIL_DOMAIN}>"


def _tried(send: Callable[[], object]) -> str:
    try:
        send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: an address no header can hold
        return outbound.why(error)
    return ""


def _address(alert: Alert) -> str:
    spec = alert.queue.spec
    if alert.owner is not None:
        return alert.owner.email if alert.owner.is_active else ""
    return spec.watcher or spec.owner


def _mail(alert: Alert, why: Why) -> str:
    """Return subject, an empty line and the text."""
    title = alert.queue.spec.title
    subjects = {
        Why.OPENED: _("%(queue)s: %(what)s is off"),
        Why.WORSE: _("%(queue)s: %(what)s got worse"),
        Why.STILL_OFF: _("%(queue)s: %(what)s is still off"),
    }
    # One line: what a sender chose, such as a segment, can hold a line break.
    subject = " ".join((subjects[why] % {"queue": title, "what": telling.what(alert)}).split())
    return f"{subject}\n\n{telling.sentence(alert)}\n\n{settings.ALERT_PAGE % alert.pk}\n"


def _letter(alert: Alert, why: Why, at: datetime) -> str:
    data = {
        "queue": alert.queue.slug,
        "alert": {
            "id": alert.pk,
            **{name: getattr(alert, name) for name in ("kind", "key", "level", "figures", "began_at", "opened_at")},
        },
        "why": why,
        "text": telling.sentence(alert),
        "page": settings.ALERT_PAGE % alert.pk,
    }
    return digest.canonical({"type": "alert.opened", "timestamp": at, "data": data}).decode()
