"""The page of the operating point: the sentence, the call's own figures, filters, empty and forbidden."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from decisions.models import Queue
from tests.decisions.measure.measured import yesterday_measured
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return yesterday_measured()


def page(queue: Queue, query: str = "", role: str = "manager") -> Any:
    client = Client()
    client.force_login(make_user(role, queue))
    return client.get(f"/policy/{queue.slug}/operating-point/{query}")


def charts(answer: Any) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', answer.content.decode(), re.DOTALL)
    return {chart["id"]: chart for chart in map(json.loads, found) if "series" in chart}


def test_the_sentence_comes_first_and_is_the_calls(queue: Queue) -> None:
    told = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/").json()
    text = page(queue).content.decode()
    assert told["sentence"] in text
    assert text.index(told["sentence"]) < text.index('class="figures')


def test_the_figures_are_the_calls(queue: Queue) -> None:
    told = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/?window=7d").json()
    point = page(queue, "?window=7d").context["point"]
    assert point.recall.value == told["recall"]["value"]
    assert (point.hard.low, point.hard.high) == (told["precision"]["hard"]["low"], told["precision"]["hard"]["high"])
    assert point.missed.high == told["missed"]["settled"]["high"]
    assert point.labels == told["labels"]["total"]


def test_the_address_holds_the_filter(queue: Queue) -> None:
    answer = page(queue, "?window=7d&segment=north&policy=1&model=external")
    assert answer.context["point"].filters.segment == "north"
    assert answer.context["days"] == 7
    assert '<option value="north" selected>' in answer.content.decode()


@pytest.mark.parametrize("query", ["?window=9999d", "?policy=99", "?model=%00", "?segment=nowhere", "?window="])
def test_what_makes_no_sense_does_not_narrow(queue: Queue, query: str) -> None:
    answer = page(queue, query)
    assert (answer.status_code, answer.context["days"]) == (200, 28)
    assert answer.context["point"].labels == 16


def test_each_chart_has_its_table(queue: Queue) -> None:
    answer = page(queue)
    drawn = charts(answer)
    assert drawn.keys() == {"over-time", "plane", "calibration"}
    assert answer.content.decode().count("The same as a table") == 3
    last = drawn["over-time"]["rows"][-1]
    assert last["values"][2] == answer.context["point"].recall.value
    assert all(len(row["values"]) == len(chart["series"]) for chart in drawn.values() for row in chart["rows"])


def test_the_policy_is_on_the_plane(queue: Queue) -> None:
    plane = charts(page(queue))["plane"]
    hard = [row for row in plane["rows"] if row["values"][3] is not None]
    assert [row["values"][3] for row in hard] == [1.0]
    assert "0.9" in hard[0]["text"]


def test_a_new_queue_says_what_to_do() -> None:
    text = page(make_queue()).content.decode()
    assert "Nothing was counted yet" in text
    assert "<canvas" not in text


def test_it_is_not_for_who_works_the_queue(queue: Queue) -> None:
    assert page(queue, role="reviewer").status_code == 403
    assert page(queue, role="auditor").status_code == 200
    client = Client()
    client.force_login(make_user("manager", make_queue()))
    assert client.get(f"/policy/{queue.slug}/operating-point/").status_code == 404
