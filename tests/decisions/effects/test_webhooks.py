"""Ids, signatures and the schedule."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from decisions.effects import endpoints, outbound, outbox, webhooks
from tests.factories import NOON


def test_reference_library_verifies_each_signature_of_a_rotation() -> None:
    old, new, other = (endpoints.new_secret() for _ in range(3))
    keys = [endpoints.key(new), endpoints.key(old)]
    headers = webhooks.headers(action_id=7, body=b'{"a": "\xc3\xa9"}', keys=keys, at=timezone.now())
    assert headers["webhook-id"] == "act_7"
    for secret in (old, new):
        assert Webhook(secret).verify(b'{"a": "\xc3\xa9"}', headers) == {"a": "é"}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(b'{"a": "\xc3\xa9"}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(b'{"a": "e"}', headers)


def test_the_reference_library_signs_as_we_do() -> None:
    secret, at = endpoints.new_secret(), timezone.now()
    ours = webhooks.signature(endpoints.key(secret), "act_1", str(int(at.timestamp())), b"{}")
    assert ours == Webhook(secret).sign("act_1", at, "{}")


def test_a_secret_has_between_24_and_64_random_bytes_behind_its_prefix() -> None:
    secret = endpoints.new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(endpoints.key(secret)) <= 64
    assert secret != endpoints.new_secret()


def test_the_schedule_is_the_one_of_standard_webhooks() -> None:
    minutes = [one.total_seconds() / 60 for one in webhooks.SCHEDULE]
    assert minutes == [0, 5 / 60, 5, 30, *(60 * hours for hours in (2, 5, 10, 14, 20, 24))]


@pytest.mark.parametrize("attempt", range(1, 10))
def test_a_failed_attempt_is_repeated_after_its_delay_and_up_to_a_tenth_more(attempt: int) -> None:
    delays = {(webhooks.next_at(attempt=attempt, retry_after="", at=NOON) or NOON) - NOON for _ in range(50)}
    assert min(delays) >= webhooks.SCHEDULE[attempt]
    assert max(delays) <= webhooks.SCHEDULE[attempt] * 1.1
    assert len(delays) > 1


def test_the_last_attempt_is_not_repeated_and_a_replay_begins_the_schedule_again() -> None:
    assert webhooks.next_at(attempt=10, retry_after="60", at=NOON) is None
    again = webhooks.next_at(attempt=11, retry_after="", at=NOON)
    assert again is not None
    assert again - NOON < timedelta(seconds=6)
    assert webhooks.next_at(attempt=20, retry_after="", at=NOON) is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),  # seconds
        (" 120 ", 120),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120),  # a date
        ("Mon, 02 Mar 2026 13:02:00 +0100", 120),  # with its zone
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),  # in the past
        ("999999999999999999999999", 86400),  # longer than we wait
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("-5", 0),  # nonsense from here on
        ("soon", 0),
        ("", 0),
        ("١٢", 0),
        ("Mon, 99 Foo 2026", 0),
    ],
)
def test_retry_after_is_read_and_bounded(asked: str, seconds: float) -> None:
    assert webhooks.asked_delay(asked, NOON).total_seconds() == seconds


def test_retry_after_only_makes_it_later() -> None:
    short = webhooks.next_at(attempt=2, retry_after="1", at=NOON)
    long = webhooks.next_at(attempt=1, retry_after="600", at=NOON)
    assert short is not None
    assert short - NOON >= timedelta(minutes=5)
    assert long == NOON + timedelta(seconds=600)


@pytest.mark.parametrize(
    ("status", "is_delivered"),
    [(200, True), (204, True), (299, True), (199, False), (300, False), (410, False), (500, False), (None, False)],
)
def test_only_2xx_counts(status: int | None, is_delivered: bool) -> None:
    assert webhooks.is_delivered(status) is is_delivered


def test_the_page_for_receivers_shows_a_letter_as_it_is_sent_and_the_schedule() -> None:
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    shown = page[page.index('    {"data"') : page.index("- **cause**")].replace("\n     ", "").strip()
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    told: dict[str, Any] = {
        "queue": "emails",
        "item_id": 42,
        "external_id": "mail-17",
        "outcome": "spam",
        "cause": "hard",
    }
    assert outbox.body(action_id=4711, name="quarantine", at=at, **told).decode() == shown
    sent = webhooks.headers(action_id=4711, body=b"", keys=[b"k"], at=at)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert name in sent
        assert f"    {name}: " in page
    words = "at once, then after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours"
    assert words in " ".join(page.split())
    assert "Answer with 2xx** within 15 seconds" in page
    assert outbound.TOTAL_SECONDS == 15
