"""Standard Webhooks 1.0.0: ids, signatures and the schedule of repeats, all as pure functions."""

import base64
import hmac
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# How long after the attempt before each one is made; the first at once. After the last a letter is dead.
SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
)
JITTER = 0.1  # up to a tenth longer, so that those who failed together do not come back together
LONGEST_RETRY_AFTER = timedelta(hours=24)
GONE = 410


def webhook_id(action_id: int) -> str:
    """Return the id under which an action is told, the same on every repeat."""
    return f"act_{action_id}"


def headers(*, action_id: int, body: bytes, keys: Sequence[bytes], at: datetime) -> dict[str, str]:
    """Return the headers that go with an action's body."""
    return signed(webhook_id(action_id), body, keys, at)


def signed(told: str, body: bytes, keys: Sequence[bytes], at: datetime) -> dict[str, str]:
    """Return the headers of a letter under the id `told`.

    One signature a key, so that a receiver may still hold the one before.
    """
    stamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "ReviewQueue",
        "webhook-id": told,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signature(key, told, stamp, body) for key in keys),
    }


def signature(key: bytes, told: str, stamp: str, body: bytes) -> str:
    """Return `v1,` and the base64 of HMAC-SHA256(key, "id.timestamp.body")."""
    signed = hmac.digest(key, f"{told}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"


def is_delivered(status: int | None) -> bool:
    """Return whether the receiver took it: 2xx only."""
    return status is not None and 200 <= status < 300


def next_at(*, attempt: int, retry_after: str, at: datetime) -> datetime | None:
    """Return when to try again after failed attempt number `attempt` (from 1), None after the last of the schedule.

    Attempts after a replay go through the schedule again. The receiver's Retry-After is obeyed up to a day.
    """
    place = attempt % len(SCHEDULE)
    if place == 0:
        return None
    jitter = 1 + random.uniform(0, JITTER)  # noqa: S311 - spreads load, keeps no secret
    return at + max(SCHEDULE[place] * jitter, asked_delay(retry_after, at))


def asked_delay(retry_after: str, at: datetime) -> timedelta:
    """Return how long a Retry-After (seconds, or a date) asks to wait: 0 to 24 hours, 0 where it cannot be read."""
    return min(max(_delay(retry_after.strip(), at), timedelta(0)), LONGEST_RETRY_AFTER)


def _delay(text: str, at: datetime) -> timedelta:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - at
