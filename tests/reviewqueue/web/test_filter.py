"""The filter on the ladder's page, and the calls beside it."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from decisions.models import Event, Queue
from tests.decisions.intake.test_doubts import guarded
from tests.decisions.measure.test_filtered import AT, told_of_forty
from tests.factories import make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("decisions.record.log.now", lambda: AT)
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)


def measured() -> Queue:
    return told_of_forty(guarded())


def signed_in(role: str, queue: Queue) -> Client:
    client = Client()
    client.force_login(make_user(role, queue))
    return client


def page(queue: Queue, role: str = "manager") -> str:
    answer = signed_in(role, queue).get(f"/policy/{queue.slug}/ladder/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_says_the_costs_the_break_even_and_b_with_its_limits() -> None:
    shown = page(measured())
    assert "Break-even, f/i</dt><dd>10 %" in shown
    assert "40 of 40 items since" in shown
    assert 'Precision of blocks, b</dt><dd>75 % <span class="quiet small">59 % to' in shown
    assert "Blocks pay" in shown
    assert "Turn the filter off" in shown


def test_who_may_not_switch_sees_no_button() -> None:
    assert "Turn the filter" not in page(measured(), "lead")


def test_a_person_turns_it_off_and_on_and_the_page_says_who() -> None:
    queue = measured()
    client = signed_in("manager", queue)
    for word in ("off", "on"):
        answer = client.post(f"/policy/{queue.slug}/ladder/filter/", {"is_on": word, "why": "risk"})
        assert answer.status_code == 302
        shown = " ".join(client.get(f"/policy/{queue.slug}/ladder/").content.decode().split())
        assert ("turned off" in shown) == (word == "off")
        assert "It blocks too much, or the wrong items" in shown
    assert Event.objects.filter(chain=queue.pk, kind="filter.switched").count() == 2
    assert client.post(f"/policy/{queue.slug}/ladder/filter/", {"is_on": "on", "why": "risk"}).status_code == 409
    assert client.post(f"/policy/{queue.slug}/ladder/filter/", {"is_on": "off", "why": "mood"}).status_code == 422


def test_the_calls_say_and_do_the_same() -> None:
    queue = measured()
    person = caller("manager", queue)
    told = person.get(f"queues/{queue.slug}/ladder/").json()["filter"]
    assert (told["model"], told["is_on"], told["even"], told["blocks"]["verdict"]) == ("filter-1", True, 0.1, "pays")
    assert (told["blocks"]["blocked"], told["blocks"]["precision"]["value"]) == (40, 0.75)
    assert told["blocks"]["let_on_errors"]["value"] is None
    answer = person.post(f"queues/{queue.slug}/ladder/filter/", {"is_on": False, "why": "risk"})
    assert answer.status_code == 200
    assert (answer.json()["is_on"], answer.json()["person"], answer.json()["why"]) == (False, person.user.pk, "risk")


@pytest.mark.parametrize(
    ("said", "status"), [({"why": "mood"}, 400), ({"is_on": "perhaps"}, 400), ({"is_on": True}, 409), ({"x": 1}, 400)]
)
def test_a_call_that_cannot_be_is_refused(said: dict[str, object], status: int) -> None:
    queue = measured()
    answer = caller("manager", queue).post(
        f"queues/{queue.slug}/ladder/filter/", {"is_on": False, "why": "risk", **said}
    )
    assert answer.status_code == status
