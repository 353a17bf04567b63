"""Short ways to an alert."""

from datetime import datetime, timedelta
from typing import Any

from decisions.models import Alert, Queue, User
from decisions.watch import alerts
from tests.factories import NOON, make_user

FIGURES = {
    "share": 0.31,
    "before": 0.15,
    "p": 1e-9,
    "rows": 300,
    "rows_before": 1000,
    "against": "near",
    "from": "2026-03-02T10:00:00Z",
    "to": "2026-03-02T12:00:00Z",
    "before_from": "2026-03-01T10:00:00Z",
    "before_to": "2026-03-01T12:00:00Z",
}


def off(**changes: Any) -> dict[str, Any]:
    """Return a signal that is off, as `alerts.see` takes it."""
    usual = {"kind": "volume", "key": "route:hard", "level": "warn", "figures": FIGURES}
    return {**usual, "began_at": NOON - timedelta(hours=1), **changes}


def make_alert(queue: Queue, at: datetime = NOON, **changes: Any) -> Alert:
    """Open an alert."""
    alert = alerts.see(queue=queue, at=at, **off(**changes))
    assert alert is not None
    return alert


def make_closed(queue: Queue, at: datetime = NOON, by: User | None = None, **changes: Any) -> Alert:
    """Open an alert and take it to its end: diagnosed after an hour, mended after three."""
    person, end = by or make_user("manager", queue), changes.pop("end", "mended")
    alert = make_alert(queue, at, **changes)
    alerts.diagnose(alert_id=alert.pk, by=person, cause="A new form", at=at + timedelta(hours=1))
    mended = at + timedelta(hours=3)
    return alerts.close(alert_id=alert.pk, by=person, end=end, lesson="Test the form", at=mended)
