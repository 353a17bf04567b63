"""Refusals have one shape, and the page about them is complete."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError
from rest_framework.exceptions import APIException

from decisions.effects.outbound import AddressRefused
from decisions.exceptions import Forbidden, Refused
from decisions.intake import submit
from decisions.queues.parse import SpecError
from decisions.record import log
from reviewqueue.api import problems
from tests.factories import make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
ELSEWHERE = {SpecError, AddressRefused}  # of commands and of pages: no call of the API comes near them
ROW = re.compile(r"^\| (`.*`) \| (\d{3}) \|", re.MULTILINE)
FRAMEWORK = {  # what the framework refuses by itself, under its own codes
    "authentication_failed": 401,
    "not_authenticated": 401,
    "method_not_allowed": 405,
    "unsupported_media_type": 415,
    "throttled": 429,
}
ITEM = {"external_id": "m-1", "payload": {}, "score": 0.5}


def refusals(kind: type[Refused] = Refused) -> Iterator[type[Refused]]:
    """Yield the refusals that have a code of their own."""
    for below in kind.__subclasses__():
        if below.__module__.startswith(("decisions", "reviewqueue")) and "code" in vars(below):
            yield below
        yield from refusals(below)


def test_the_page_lists_every_code_with_its_status() -> None:
    listed = {
        code.strip("` "): int(status)
        for codes, status in ROW.findall((settings.BASE_DIR / "docs" / "api.md").read_text())
        for code in codes.split(",")
    }
    ours = {kind.code: int(problems.status_of(kind)) for kind in set(refusals()) - ELSEWHERE}
    assert listed == ours | FRAMEWORK


def test_codes_are_told_apart() -> None:
    codes = [kind.code for kind in refusals()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), IntegrityError("x"), ZeroDivisionError("secret"), DatabaseError()]
)
def test_what_breaks_is_not_explained(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_asked: object) -> None:
        raise error

    queue = make_queue()
    monkeypatch.setattr(submit, "one", broken)
    answer = caller("manager", queue).client.post(
        f"/api/v1/queues/{queue.slug}/items/",
        ITEM,
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller('manager', queue).secret}"},
    )
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == []
    assert "secret" not in answer.content.decode()
    if isinstance(error, OperationalError):
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "5")
    else:
        assert (answer.status_code, answer.json()["code"]) == (500, "broken")


def test_a_refusal_stands_even_if_it_cannot_be_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise DatabaseError

    queue = make_queue()
    monkeypatch.setattr(log, "refuse", broken)
    answer = caller("auditor", queue).post(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.json()["code"]) == (403, Forbidden.code)


def test_an_error_of_the_framework_without_a_shape_of_its_own() -> None:
    answer = problems.handle(APIException("odd"), {})
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
