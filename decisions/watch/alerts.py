"""The life of an alert: opened once, acknowledged, put off, diagnosed, closed with what was learnt."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.effects import notices
from decisions.effects.notices import Why
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.models import Alert, Event, Queue, User
from decisions.record import digest, log
from decisions.rights import Act

QUIET = timedelta(hours=24)  # after an alert was closed, so long its signal opens no new one
LONGEST_SNOOZE = timedelta(days=7)
LONGEST_TEXT = 2000
MEASURED = timedelta(days=90)  # of incidents, whose times are summed up
MOST = 1000
OURS = frozenset({"route", "field", "policy", "hour", "rule"})  # kinds of keys whose names are ours, not a sender's
# What was stopped and is stopped again is news.
STOPS = frozenset({Alert.Kind.CANARY, Alert.Kind.SHADOW, Alert.Kind.FILTER})
LEVELS = (Alert.Level.WARN, Alert.Level.ACT)


@dataclass(frozen=True)
class Times:
    """The medians over the incidents of the last 90 days that were no false alarms; None where there was none."""

    incidents: int
    false_alarms: int
    to_detect: timedelta | None
    to_diagnose: timedelta | None
    to_mend: timedelta | None


@transaction.atomic
def see(
    *, queue: Queue, kind: str, key: str = "", level: str, figures: Mapping[str, Any], began_at: datetime, at: datetime
) -> Alert | None:
    """Note that a signal is off now: open an alert, or bring the open one up to date; twice is as once.

    The owner is told when it opens, when it gets worse and when it is still off after having been put off. None while
    it is quiet, for a day after such an alert was closed. `figures` holds numbers, times and codes.
    """
    _lock(queue.pk)
    alert = Alert.objects.open().filter(queue=queue, kind=kind, key=key).first()
    if alert is None:
        lately = Alert.objects.filter(queue=queue, kind=kind, key=key, closed_at__gt=at - QUIET)
        if kind not in STOPS and lately.exists():
            return None
        return _open(Alert(queue=queue, kind=kind, key=key, level=level, began_at=began_at), figures, at)
    return _again(alert, level, figures, at)


@transaction.atomic
def acknowledge(*, alert_id: int, by: User, at: datetime) -> Alert:
    """Take an alert on: who does this owns it. Refuses one that somebody has taken on, or that is closed."""
    alert = _mine(alert_id, by)
    if alert.state != Alert.State.OPEN:
        raise Conflict(_("Somebody has acknowledged this already."))
    alert.state, alert.acknowledged_at, alert.owner = Alert.State.ACKNOWLEDGED, at, by
    return _changed(alert, by, at, "acknowledged", {"owner": by.pk})


@transaction.atomic
def snooze(*, alert_id: int, by: User, until: datetime, at: datetime) -> Alert:
    """Put an alert off, for seven days at most; it tells again afterwards where it is still off, at once if worse."""
    alert = _mine(alert_id, by)
    if not at < until <= at + LONGEST_SNOOZE:
        raise Invalid(faults=[Fault("until", "range", _("An alert can be put off for seven days at most."))])
    alert.snoozed_until = until
    return _changed(alert, by, at, "snoozed", {"until": digest.moment(until)})


@transaction.atomic
def diagnose(*, alert_id: int, by: User, cause: str, at: datetime) -> Alert:
    """Say why the signal is off. A later cause replaces it; the time of the first one counts."""
    alert = _mine(alert_id, by)
    alert.cause = _text("cause", cause)
    alert.diagnosed_at = alert.diagnosed_at or at
    if alert.state == Alert.State.OPEN:
        alert.state, alert.acknowledged_at, alert.owner = Alert.State.ACKNOWLEDGED, at, by
    return _changed(alert, by, at, "diagnosed", {"cause": _sealed(alert, alert.cause)})


@transaction.atomic
def close(*, alert_id: int, by: User, end: str, lesson: str, at: datetime) -> Alert:
    """End an incident with what was learnt. Refuses one without a cause, unless it was a false alarm."""
    alert = _mine(alert_id, by)
    if end not in Alert.End:
        raise Invalid(faults=[Fault("end", "choice", _("Say how it ended."))])
    if not alert.cause and end != Alert.End.FALSE_ALARM:
        raise Conflict(_("Name the cause first."))
    alert.lesson = _text("lesson", lesson)
    alert.state, alert.closed_at, alert.end, alert.snoozed_until = Alert.State.CLOSED, at, end, None
    alert.save()
    entry = {"alert": alert.pk, "end": end, "lesson": _sealed(alert, alert.lesson), **_seconds(alert)}
    log.append(Event.Kind.ALERT_CLOSED, chain=alert.queue_id, actor=by, at=at, reason=end, entry=entry)
    return alert


def steps(alert: Alert) -> list[Event]:
    """Return what the record says of an alert, oldest first."""
    kinds = (Event.Kind.ALERT_OPENED, Event.Kind.ALERT_CHANGED, Event.Kind.ALERT_CLOSED)
    mine = Event.objects.filter(chain=alert.queue_id, kind__in=kinds, entry__startswith=f'{{"alert":{alert.pk},')
    return list(mine.select_related("actor").order_by("seq"))


def normal_since(alert: Alert, checked_at: datetime | None) -> datetime | None:
    """Return since when an open alert's signal is not off any more; None while it is, or where nobody can tell.

    A test of precision stays off once it is, what was stopped is not looked at again, what is lost does not come back,
    and whether a rule is still in force its own page says.
    """
    lasting = STOPS | {Alert.Kind.PRECISION, Alert.Kind.ACCOUNTS, Alert.Kind.OVERLOAD}
    is_back = alert.is_open and alert.kind not in lasting and checked_at is not None and checked_at > alert.seen_at
    return alert.seen_at if is_back else None


def times(queue_ids: Sequence[int], at: datetime) -> Times:
    """Return how long incidents took to be detected, diagnosed and mended."""
    closed = Alert.objects.filter(queue__in=queue_ids, closed_at__gt=at - MEASURED)
    found = list(closed.exclude(end=Alert.End.FALSE_ALARM).order_by("-closed_at")[:MOST])
    return Times(
        incidents=len(found),
        false_alarms=closed.filter(end=Alert.End.FALSE_ALARM).count(),
        to_detect=_median([one.to_detect for one in found]),
        to_diagnose=_median([one.to_diagnose for one in found]),
        to_mend=_median([one.to_mend for one in found]),
    )


def _lock(queue_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.ALERTS, queue_id])


def _open(alert: Alert, figures: Mapping[str, Any], at: datetime) -> Alert:
    alert.figures, alert.opened_at, alert.seen_at = dict(figures), at, at
    alert.began_at = min(alert.began_at, at)
    alert.owner = _owner(alert.queue)
    alert.save(force_insert=True)
    notices.write(alert, Why.OPENED, at)
    entry = {**_described(alert), "figures": dict(figures), "began_at": digest.moment(alert.began_at)}
    log.append(Event.Kind.ALERT_OPENED, chain=alert.queue_id, actor=None, at=at, reason=alert.kind, entry=entry)
    return alert


def _again(alert: Alert, level: str, figures: Mapping[str, Any], at: datetime) -> Alert:
    """Bring an open alert up to date; only what people are told of is an event."""
    is_worse = LEVELS.index(Alert.Level(level)) > LEVELS.index(Alert.Level(alert.level))
    is_over = alert.snoozed_until is not None and alert.snoozed_until <= at
    alert.figures, alert.seen_at = dict(figures), at
    if not (is_worse or is_over):
        alert.save(update_fields=["figures", "seen_at"])
        return alert
    why = Why.WORSE if is_worse else Why.STILL_OFF
    alert.level, alert.snoozed_until = (level if is_worse else alert.level), None
    alert.save()
    notices.write(alert, why, at)
    entry = {**_described(alert), "figures": dict(figures)}
    log.append(Event.Kind.ALERT_CHANGED, chain=alert.queue_id, actor=None, at=at, reason=why, entry=entry)
    return alert


def _mine(alert_id: int, by: User) -> Alert:
    """Return an alert that is not closed, locked, that this person may handle."""
    alert = Alert.objects.select_for_update(of=("self",)).select_related("queue__version").filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    rights.require(by, Act.HANDLE_ALERTS, queue_id=alert.queue_id)
    if not alert.is_open:
        raise Conflict(_("This alert is closed."))
    return alert


def _changed(alert: Alert, by: User, at: datetime, what: str, entry: dict[str, Any]) -> Alert:
    alert.save()
    told = {"alert": alert.pk, **entry}
    log.append(Event.Kind.ALERT_CHANGED, chain=alert.queue_id, actor=by, at=at, reason=what, entry=told)
    return alert


def _text(field: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(faults=[Fault(field, "blank", _("must not be empty"))])
    if len(text) > LONGEST_TEXT:
        raise Invalid(faults=[Fault(field, "long", _("At most %(most)s characters.") % {"most": LONGEST_TEXT})])
    return text


def _owner(queue: Queue) -> User | None:
    """Return whom the spec names as the one who watches, where they are here."""
    address = queue.spec.watcher or queue.spec.owner
    return User.objects.filter(email=address.lower(), is_active=True).first()


def _described(alert: Alert) -> dict[str, Any]:
    """Return what the record says of an alert: names that a sender chose, such as segments, as a digest."""
    key = alert.key
    if key and key.partition(":")[0] not in OURS:
        key = _sealed(alert, key)
    return {"alert": alert.pk, "kind": alert.kind, "key": key, "level": alert.level}


def _sealed(alert: Alert, text: str) -> str:
    """Return a digest of a text that may name somebody; without the house's secret it says nothing."""
    return hmac.digest(settings.SUBJECT_SECRET, f"alert|{alert.pk}|{text}".encode(), "sha256").hex()


def _seconds(alert: Alert) -> dict[str, float | None]:
    spans = {"to_detect": alert.to_detect, "to_diagnose": alert.to_diagnose, "to_mend": alert.to_mend}
    return {name: span.total_seconds() if span is not None else None for name, span in spans.items()}


def _median(spans: Sequence[timedelta | None]) -> timedelta | None:
    known = [span.total_seconds() for span in spans if span is not None]
    return timedelta(seconds=median(known)) if known else None
