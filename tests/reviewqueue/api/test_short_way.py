"""Calls of the API pass by what only pages need, and keep what they need."""

import pytest
from django.test import Client
from django.utils import translation

from tests.factories import make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


def test_calls_have_what_they_need_and_no_more() -> None:
    answer = caller("reviewer", make_queue()).get("queues/")
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in answer
    assert not answer.cookies
    assert not hasattr(answer.wsgi_request, "session")


def test_lists_are_rendered_on_the_way() -> None:
    queue = make_queue()
    answer = caller("auditor", queue).get(f"decisions/?queue={queue.slug}")
    assert answer.json() == {"results": [], "next": None}
    assert answer["Content-Length"] == str(len(answer.content))


def test_pages_take_the_long_way() -> None:
    answer = Client().get("/accounts/login/")
    assert "Content-Security-Policy" in answer


def test_a_host_that_is_not_ours_is_refused() -> None:
    assert Client().get("/api/v1/queues/", headers={"Host": "evil.example"}).status_code == 400


def test_refusals_speak_the_language_that_was_asked_for() -> None:
    client = Client()
    chinese = client.get("/api/v1/queues/", headers={"Accept-Language": "zh-hans"})
    assert translation.get_language() == "en"
    english = client.get("/api/v1/queues/")
    assert (chinese.status_code, english.status_code) == (401, 401)
    assert chinese.json()["detail"] != english.json()["detail"]


def test_a_reader_of_labels_gets_a_stream() -> None:
    queue = make_queue()
    answer = caller("manager", queue).get(f"labels/?queue={queue.slug}")
    assert answer.streaming
    assert b"".join(answer.streaming_content) == b""
