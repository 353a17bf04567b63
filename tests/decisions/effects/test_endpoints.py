"""Endpoints: set, rotated, switched off and on; secrets sealed, every change in the record."""

from datetime import timedelta

import orjson
import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from pytest_django import Settings

from decisions.effects import endpoints
from decisions.effects.outbound import AddressRefused
from decisions.exceptions import Forbidden, NotFound
from decisions.models import Endpoint, Event, Queue
from tests.factories import make_queue, make_user

NOW = timezone.now()
URL = "https://8.8.8.8/hook?token=abc"
pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def events(queue: Queue) -> list[Event]:
    return list(Event.objects.filter(chain=queue.pk, kind=Event.Kind.ENDPOINT_CHANGED).order_by("seq"))


def test_the_first_endpoint_gets_a_secret_which_is_stored_sealed(queue: Queue) -> None:
    secret = endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    (target,) = endpoints.targets(NOW)
    assert (target.queue_id, target.url, target.keys) == (queue.pk, URL, (endpoints.key(secret),))
    assert secret.removeprefix(endpoints.PREFIX) not in str(Endpoint.objects.values_list("secrets").get())


def test_another_address_keeps_the_secret(queue: Queue) -> None:
    secret = endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    assert endpoints.put(queue=queue, url="https://8.8.4.4/", by=None, at=NOW) == ""
    assert endpoints.targets(NOW)[0].keys == (endpoints.key(secret),)


def test_a_rotated_secret_signs_first_and_the_one_before_for_a_day(queue: Queue) -> None:
    first, second, third = (endpoints.put(queue=queue, url=URL, by=None, at=NOW, rotate=True) for _ in range(3))
    assert endpoints.targets(NOW)[0].keys == (endpoints.key(third), endpoints.key(second))
    assert endpoints.targets(NOW + timedelta(hours=24))[0].keys == (endpoints.key(third),)
    assert len({first, second, third}) == 3


def test_secrets_open_with_an_older_box_key(queue: Queue, settings: Settings) -> None:
    secret = endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    settings.SECRET_BOX_KEYS = [Fernet.generate_key().decode(), *settings.SECRET_BOX_KEYS]
    assert endpoints.targets(NOW)[0].keys == (endpoints.key(secret),)


def test_secrets_that_no_box_key_opens_leave_out_their_queue_only(queue: Queue, settings: Settings) -> None:
    endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    settings.SECRET_BOX_KEYS = [Fernet.generate_key().decode()]
    other = make_queue()
    endpoints.put(queue=other, url=URL, by=None, at=NOW)
    assert [target.queue_id for target in endpoints.targets(NOW)] == [other.pk]


def test_each_change_leaves_one_event_without_address_or_secret(queue: Queue) -> None:
    manager = make_user("manager", queue)
    secret = endpoints.put(queue=queue, url=URL, by=manager, at=NOW)
    endpoints.put(queue=queue, url=URL, by=manager, at=NOW, rotate=True)
    endpoints.disable(queue_id=queue.pk, by=manager, at=NOW)
    endpoints.disable(queue_id=queue.pk, by=manager, at=NOW)  # changes nothing
    endpoints.enable(queue_id=queue.pk, by=manager, at=NOW)
    made = events(queue)
    assert [(event.reason, event.actor) for event in made] == [
        ("set", manager),
        ("rotated", manager),
        ("by_hand", manager),
        ("enabled", manager),
    ]
    text = "".join(event.entry for event in made)
    assert "token=abc" not in text
    assert secret not in text
    assert orjson.loads(made[0].entry)["after"]["host"] == "8.8.8.8"


def test_a_disabled_endpoint_is_no_target_and_setting_it_switches_it_on(queue: Queue) -> None:
    endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    endpoints.disable(queue_id=queue.pk, by=None, at=NOW)
    assert endpoints.targets(NOW) == []
    endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    assert len(endpoints.targets(NOW)) == 1


@pytest.mark.parametrize("role", ["reviewer", "lead", "auditor"])
def test_only_those_with_the_right_may(queue: Queue, role: str) -> None:
    person = make_user(role, queue)
    endpoints.put(queue=queue, url=URL, by=None, at=NOW)
    with pytest.raises(Forbidden):
        endpoints.put(queue=queue, url=URL, by=person, at=NOW)
    with pytest.raises(Forbidden):
        endpoints.disable(queue_id=queue.pk, by=person, at=NOW)


def test_who_does_not_belong_there_finds_nothing(queue: Queue) -> None:
    with pytest.raises(NotFound):
        endpoints.put(queue=queue, url=URL, by=make_user("manager", make_queue()), at=NOW)


def test_an_address_that_leads_inside_is_refused_and_nothing_is_stored(queue: Queue) -> None:
    with pytest.raises(AddressRefused):
        endpoints.put(queue=queue, url="https://169.254.169.254/", by=None, at=NOW)
    assert not Endpoint.objects.exists()
    assert events(queue) == []


def test_a_queue_without_an_endpoint_has_none_to_switch(queue: Queue) -> None:
    with pytest.raises(NotFound):
        endpoints.enable(queue_id=queue.pk, by=None, at=NOW)
