"""The demo's receiver: checks signatures with the reference library's, knows repeats, says what it did."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from decisions.effects import endpoints, outbox
from reviewqueue.demo import receiver
from reviewqueue.demo.receiver import Server
from tests.factories import NOON

SECRET = endpoints.new_secret()
TOKEN = "rq_only_for_tests"


def body(action: int = 7, queue: str = "emails") -> bytes:
    return outbox.body(
        action_id=action,
        name="quarantine",
        queue=queue,
        item_id=3,
        external_id="<b>mail-1</b>",
        outcome="spam",
        cause="hard",
        at=NOON,
    )


def headers(content: bytes, told: str = "act_7", secret: str = SECRET) -> dict[str, str]:
    """Sign as the reference library does."""
    at = timezone.now()
    return {
        "webhook-id": told,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(told, at, content.decode()),
    }


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Server]:
    with receiver.make(port=0, secrets={"emails": SECRET}, folder=folder, **options) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def call(server: Server, method: str, path: str, *args: Any) -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        line.request(method, path, *args)
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    finally:
        line.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, refusals=0.0) as it:
        yield it


def test_a_signed_letter_is_taken_shown_and_kept(server: Server, tmp_path: Path) -> None:
    assert call(server, "POST", "/", body(), headers(body()))[0] == 204
    (line,) = (tmp_path / receiver.FILE).read_text().splitlines()
    kept = json.loads(line)
    assert (kept["id"], kept["queue"], kept["name"], kept["is_signed"]) == ("act_7", "emails", "quarantine", True)
    assert kept["result"] == "done"
    page = call(server, "GET", "/")[1]
    assert "&lt;b&gt;mail-1&lt;/b&gt;" in page
    assert "<b>mail-1" not in page
    assert json.loads(call(server, "GET", "/letters.json")[1]) == [kept]


def test_a_letter_about_an_alert_is_taken_and_asks_for_no_result(server: Server, tmp_path: Path) -> None:
    content = b'{"data":{"alert":{"id":4,"kind":"volume"},"queue":"emails"},"type":"alert.opened"}'
    assert call(server, "POST", "/", content, headers(content, "ntc_9"))[0] == 204
    kept = json.loads((tmp_path / receiver.FILE).read_text())
    assert (kept["id"], kept["name"], kept["result"], kept["is_signed"]) == ("ntc_9", "alert", "", True)


def test_the_page_has_no_inline_style_or_script(server: Server) -> None:
    page = call(server, "GET", "/")[1]
    assert "<script" not in page
    assert "<style" not in page
    assert "style=" not in page
    assert call(server, "GET", "/style.css")[0] == 200
    assert call(server, "GET", "/other")[0] == 404


def test_a_repeat_is_answered_and_not_done_again_also_after_a_restart(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        assert call(server, "POST", "/", body(), headers(body()))[0] == 204
    with running(tmp_path) as again:
        assert call(again, "POST", "/", body(), headers(body()))[0] == 204
        latest = list(again.inbox.latest)
    assert [letter.is_repeat for letter in latest] == [True, True, False]
    assert [letter.result for letter in latest] == ["", "", "done"]


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,AAAA"},  # another signature
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-timestamp": "1"},  # long ago
        {"webhook-timestamp": "soon"},
        {"webhook-id": "act_8"},  # of another letter
    ],
)
def test_a_forged_letter_is_refused_and_shown_as_such(server: Server, changed: dict[str, str]) -> None:
    sent = {name: value.encode() for name, value in {**headers(body()), **changed}.items()}
    assert call(server, "POST", "/", body(), sent)[0] == 401
    assert "NOT VALID" in call(server, "GET", "/")[1]
    assert server.inbox.seen == set()


def test_one_of_several_signatures_is_enough(server: Server) -> None:
    other = headers(body(), secret=endpoints.new_secret())
    mine = headers(body())
    mine["webhook-signature"] = f"v2,x {other['webhook-signature']} {mine['webhook-signature']}"
    assert call(server, "POST", "/", body(), mine)[0] == 204


def test_a_queue_we_have_no_secret_of_cannot_be_checked(server: Server) -> None:
    assert call(server, "POST", "/", body(queue="other"), headers(body(queue="other")))[0] == 401


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"data": 3}', b"\xff", b'{"data": {"action": 1}}'])
def test_what_is_no_letter_is_a_bad_request(server: Server, content: bytes) -> None:
    assert call(server, "POST", "/", content, headers(body()))[0] == 400


def test_a_letter_that_is_too_big_is_refused(server: Server) -> None:
    assert call(server, "POST", "/", b"", {"Content-Length": str(2**30)})[0] == 413


def test_faults_are_answered_with_500_and_nothing_is_kept(tmp_path: Path) -> None:
    with running(tmp_path, faults=1.0) as server:
        assert call(server, "POST", "/", body(), headers(body()))[0] == 500
        assert not server.inbox.latest


def test_a_small_share_of_actions_is_refused_always_the_same_ones(tmp_path: Path) -> None:
    inbox = receiver.Inbox({}, tmp_path / "lines", refusals=0.1)
    got = [inbox._result(f"act_{number}") for number in range(1000)]
    assert 50 < got.count("refused") < 150
    assert got == [inbox._result(f"act_{number}") for number in range(1000)]


@contextmanager
def site(statuses: list[int]) -> Iterator[tuple[str, list[tuple[str, str, dict[str, Any]]]]]:
    """Stand for our API, which answers with these statuses in turn and then with 200; yields what it was told."""
    told: list[tuple[str, str, dict[str, Any]]] = []

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.path, self.headers["Authorization"], said))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", told
        finally:
            server.shutdown()


def test_results_are_said_to_the_api_and_said_again_while_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "PAUSE", 0.01)
    with site([500, 429]) as (api, told), running(tmp_path, api=api, token=TOKEN, refusals=0.0) as server:
        call(server, "POST", "/", body(), headers(body()))
        call(server, "POST", "/", body(), headers(body()))  # a repeat says nothing
        call(server, "POST", "/", body(9), headers(body(9), "act_9"))
        end = time.monotonic() + 10
        while len(told) < 4 and time.monotonic() < end:
            time.sleep(0.01)
    path, key, said = told[0]
    assert (path, key, said["result"]) == ("/api/v1/actions/7/result/", f"Bearer {TOKEN}", "done")
    assert [path for path, _, _ in told] == ["/api/v1/actions/7/result/"] * 3 + ["/api/v1/actions/9/result/"]
