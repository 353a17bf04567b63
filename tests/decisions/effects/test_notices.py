"""Notices: written with the alert, sent by mail and webhook, tried again under the same id, given up in the end."""

import smtplib
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core import mail
from django.utils import timezone

from decisions.effects import endpoints, notices, webhooks
from decisions.models import Alert, Notice, Queue
from decisions.record import log
from tests.decisions.effects.conftest import Street
from tests.decisions.watch.alerting import make_alert
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def one(channel: str) -> Notice:
    return Notice.objects.select_related("alert").get(channel=channel)


def test_owner_and_endpoint_are_told_of_an_alert(street: Street) -> None:
    alert = make_alert(street.queue, NOW)
    assert {notice.state for notice in Notice.objects.all()} == {"pending"}
    assert notices.send_due(NOW) == 2
    (letter,) = street.world.letters
    assert letter.is_signed_with(street.secret)
    assert letter.id == f"ntc_{one('webhook').pk}"
    told = orjson.loads(letter.body)
    assert (told["type"], told["data"]["alert"]["id"], told["data"]["why"]) == ("alert.opened", alert.pk, "opened")
    assert told["data"]["alert"]["figures"]["share"] == 0.31
    (message,) = mail.outbox
    assert message.to == ["owner@example.org"]
    assert message.subject == "Messages: the share of hard actions is off"
    assert f"/floor/alerts/{alert.pk}/" in message.body
    assert "31.0 %" in message.body
    assert {notice.state for notice in Notice.objects.all()} == {"sent"}


def test_nothing_is_sent_twice(street: Street) -> None:
    make_alert(street.queue, NOW)
    notices.send_due(NOW)
    assert notices.send_due(NOW + timedelta(days=2)) == 0
    assert (len(mail.outbox), len(street.world.letters)) == (1, 1)


def test_no_message_without_its_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(log, "append", fail)  # the last step of the transaction
    with pytest.raises(ZeroDivisionError):
        make_alert(queue, NOW)
    assert not Notice.objects.exists()
    assert not Alert.objects.exists()


def test_without_an_endpoint_only_the_owner_is_told() -> None:
    make_alert(make_queue(), NOW)
    assert [notice.channel for notice in Notice.objects.all()] == ["mail"]


def test_who_has_left_is_not_written_to() -> None:
    make_user(email="gone@example.org", is_active=False)
    queue = make_queue(owner="here@example.org")
    here = make_user(email="here@example.org")
    alert = make_alert(queue, NOW)
    here.is_active = False
    here.save()
    alert.refresh_from_db()
    assert alert.owner == here
    assert notices.write(alert, notices.Why.WORSE, NOW) == []


def test_a_failed_letter_is_tried_again_under_the_same_id_until_it_arrives(street: Street) -> None:
    make_alert(street.queue, NOW)
    street.world.reply = lambda _: (500, {})
    notices.send_due(NOW)
    first = one("webhook")
    assert (first.state, first.attempts, first.error) == ("pending", 1, "status 500")
    assert first.next_at > NOW + webhooks.SCHEDULE[1] - timedelta(seconds=1)
    street.world.reply = lambda _: (200, {})
    assert notices.send_due(NOW + timedelta(hours=1)) == 1
    assert one("webhook").state == "sent"
    assert len(set(street.world.ids)) == 1
    assert len(street.world.ids) == 2


def test_a_letter_that_never_arrives_is_given_up(street: Street) -> None:
    make_alert(street.queue, NOW)
    street.world.reply = lambda _: (500, {})
    at = NOW
    for _ in range(2 * len(webhooks.SCHEDULE)):
        notices.send_due(at)
        at += timedelta(days=2)
    assert (one("webhook").state, one("webhook").attempts) == ("dead", len(webhooks.SCHEDULE))
    assert len(street.world.letters) == len(webhooks.SCHEDULE)


def test_a_letter_waits_while_the_endpoint_is_off_and_goes_where_it_leads_then(street: Street) -> None:
    make_alert(street.queue, NOW)
    endpoints.disable(queue_id=street.queue.pk, by=None, at=NOW)
    notices.send_due(NOW)
    assert (one("webhook").state, one("webhook").error) == ("pending", "the endpoint is off")
    endpoints.enable(queue_id=street.queue.pk, by=None, at=NOW)
    assert notices.send_due(NOW + timedelta(hours=1)) == 1


@pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected("gone"), ConnectionRefusedError("no")])
def test_a_mail_server_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    make_alert(make_queue(), NOW)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert notices.send_due(NOW) == 0
    assert type(error).__name__ in one("mail").error
    assert notices.send_due(NOW + timedelta(hours=1)) == 1
    assert one("mail").error == ""
    assert mail.outbox[0].extra_headers["Message-ID"] == notices.message_id(one("mail"))


def test_what_somebody_else_has_taken_is_left_alone(street: Street) -> None:
    make_alert(street.queue, NOW)
    taken = notices.take(NOW)
    assert len(taken) == 2
    assert notices.send_due(NOW) == 0
    assert street.world.letters == []
    # Who took it is slow: after the lease it is due again, and what comes of the first try does not count any more.
    again = notices.take(NOW + notices.LEASE)
    assert {notice.attempts for notice in again} == {2}
    for notice in taken:
        assert not notices._send(notice, None, NOW)
    assert {notice.state for notice in Notice.objects.all()} == {"pending"}
    assert {notice.next_at for notice in Notice.objects.all()} == {NOW + 2 * notices.LEASE}


def test_a_name_that_a_sender_chose_cannot_add_a_header() -> None:
    queue: Queue = make_queue()
    make_alert(
        queue, NOW, kind="scores", key="segment:x\nBcc: all@example.org", figures={"psi": 0.3, "p": 1e-9, "rows": 1}
    )
    assert notices.send_due(NOW) == 1
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == ["owner@example.org"]
