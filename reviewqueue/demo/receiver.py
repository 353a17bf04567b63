"""A stand-in for the outside world on loopback: takes webhooks, checks their signatures, says what it did.

It shares no code with the sender: this is what whoever receives our webhooks has to do.
"""

import argparse
import base64
import hashlib
import hmac
import html
import json
import queue
import random
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

LOOPBACK = "127.0.0.1"
TOLERANCE = 300  # seconds that a letter's stamp may be off
BIGGEST = 1024 * 1024  # bytes of a letter
SHOWN = 100
FILE = "received.jsonl"
ANSWER_SECONDS = 10
PAUSE = 2.0  # seconds before a result that nobody took is said again

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; }
:root { color-scheme: light dark; }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>What arrived</title><link rel="stylesheet" href="/style.css"></head>
<body><h1>What arrived</h1>
<p>This page stands for the systems that carry out what the review queue decides. {count} actions arrived,
{repeats} letters were repeats, {forged} had no valid signature. Newest first.</p>
<table><thead><tr><th>Time (UTC)</th><th>Queue</th><th>Action</th><th>Item</th><th>Because of</th><th>Signature</th>
<th>Answer</th></tr></thead><tbody>{rows}</tbody></table></body></html>
"""


@dataclass(frozen=True)
class Letter:
    """One webhook as it came in. `result` is what we say that we did, "" for a repeat or a forgery."""

    at: str
    id: str
    queue: str
    action: int
    name: str
    item: str
    cause: str
    is_signed: bool
    is_repeat: bool
    result: str


@dataclass
class Inbox:
    """What arrived, in memory and in a file of lines, so that a repeat is known after a restart too."""

    secrets: Mapping[str, str]
    file: Path
    refusals: float = 0.0
    seen: set[str] = field(default_factory=set)
    latest: deque[Letter] = field(default_factory=lambda: deque(maxlen=SHOWN))
    repeats: int = 0
    forged: int = 0
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for letter in read(self.file):
            self._count(letter)

    def take(self, headers: Mapping[str, str], body: bytes) -> Letter:
        """Store a letter, whose headers have lower-case names; one that came before is known by its id."""
        data = parse(body)
        told = headers.get("webhook-id", "")
        is_signed = is_genuine(self.secrets.get(str(data.get("queue")), ""), headers, body)
        with self.lock:
            is_repeat = is_signed and told in self.seen
            letter = Letter(
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                id=told,
                queue=str(data.get("queue", "")),
                action=int(data.get("action", {}).get("id", 0)),
                name=str(data["action"]["name"] if "action" in data else "alert"),
                item=str(data.get("item", {}).get("external_id", "")),
                cause=str(data.get("cause", "")),
                is_signed=is_signed,
                is_repeat=is_repeat,
                result=self._result(told) if is_signed and not is_repeat and "action" in data else "",
            )
            self._count(letter)
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(letter)) + "\n")
        return letter

    def _count(self, letter: Letter) -> None:
        self.latest.appendleft(letter)
        self.repeats += letter.is_repeat
        self.forged += not letter.is_signed
        if letter.is_signed:
            self.seen.add(letter.id)

    def _result(self, told: str) -> str:
        """Say `done`, or of a small share, always the same, that it was refused: told is not done."""
        share = int.from_bytes(hashlib.sha256(told.encode()).digest()[:4]) / 2**32
        return "refused" if share < self.refusals else "done"


class Answers(Thread):
    """Says what was done, one result after the other; while nobody listens it tries again."""

    def __init__(self, api: str, token: str) -> None:
        super().__init__(name="results", daemon=True)
        self._api, self._token = api.rstrip("/"), token
        self._waiting: queue.SimpleQueue[Letter] = queue.SimpleQueue()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def put(self, letter: Letter) -> None:
        self._waiting.put(letter)

    def run(self) -> None:
        while True:
            letter = self._waiting.get()
            while not self.say(letter):
                time.sleep(PAUSE)

    def say(self, letter: Letter) -> bool:
        """Post a result; False where it may be taken later."""
        call = urllib.request.Request(  # noqa: S310 - the address comes from who starts us
            f"{self._api}/api/v1/actions/{letter.action}/result/",
            data=json.dumps({"result": letter.result, "detail": f"{letter.name}, by the demo's receiver"}).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(call, timeout=ANSWER_SECONDS):
                return True
        except urllib.error.HTTPError as error:
            with error:
                return error.code < 500 and error.code != 429
        except OSError:
            return False


class Server(ThreadingHTTPServer):
    """The receiver: `faults` is the share of letters that it pretends to be too broken to take."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, inbox: Inbox, answers: Answers | None, faults: float) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.inbox, self.answers, self.faults = inbox, answers, faults


class Handler(BaseHTTPRequestHandler):
    """POST takes a letter, GET shows what came."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BIGGEST:
            self.close_connection = True
            return self.send(413)
        body = self.rfile.read(int(length))
        if random.random() < self.server.faults:  # noqa: S311 - a simulated fault
            return self.send(500)
        try:
            letter = self.server.inbox.take({name.lower(): value for name, value in self.headers.items()}, body)
        except (ValueError, TypeError, LookupError, AttributeError):
            return self.send(400)
        if letter.result and self.server.answers:
            self.server.answers.put(letter)
        return self.send(204 if letter.is_signed else 401)

    def do_GET(self) -> None:
        inbox = self.server.inbox
        if self.path == "/style.css":
            return self.send(200, "text/css", STYLE)
        if self.path == "/letters.json":
            return self.send(200, "application/json", json.dumps([asdict(one) for one in list(inbox.latest)]))
        return self.send(200, "text/html; charset=utf-8", page(inbox)) if self.path == "/" else self.send(404)

    def send(self, status: int, kind: str = "text/plain", text: str = "") -> None:
        """Answer with a text."""
        body = text.encode()
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            if status != 204 or not name.startswith("Content-"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet: what came is in the file."""


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether one of a letter's signatures is made with our secret, not long ago."""
    told, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not secret or not told or not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, f"{told}.{stamp}.".encode() + body, "sha256"))
    signatures = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one[:3] == "v1,"]
    return any(hmac.compare_digest(expected, one.encode()) for one in signatures)


def parse(body: bytes) -> dict[str, Any]:
    """Return the data of a letter."""
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def read(file: Path) -> Iterator[Letter]:
    """Yield the letters of a file; a last line that was cut off is passed over."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            yield Letter(**json.loads(line))
        except ValueError:
            continue


def page(inbox: Inbox) -> str:
    """Return the page that shows what arrived."""
    with inbox.lock:
        latest = list(inbox.latest)
        counts = {"count": len(inbox.seen), "repeats": inbox.repeats, "forged": inbox.forged}
    return PAGE.format(rows="".join(map(row, latest)), **counts)


def row(letter: Letter) -> str:
    """Return a line of the table."""
    signature = "valid" if letter.is_signed else "NOT VALID"
    answer = "repeat, nothing to do" if letter.is_repeat else letter.result or "not taken"
    cells = (letter.at[:19], letter.queue, letter.name, letter.item, letter.cause, signature, answer)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n"


def make(
    *,
    port: int,
    secrets: Mapping[str, str],
    folder: Path,
    api: str = "",
    token: str = "",
    faults: float = 0.0,
    refusals: float = 0.02,
) -> Server:
    """Return a receiver on a port of loopback (0: a free one); without `api` it says no results."""
    answers = Answers(api, token) if api else None
    if answers:
        answers.start()
    return Server(port, Inbox(secrets, Path(folder) / FILE, refusals), answers, faults)


def serve(**options: Any) -> None:
    """Receive until the process ends; takes what `make` takes."""
    with make(**options) as server:
        server.serve_forever()


def main() -> None:
    """Run on its own, with the keys that the demo's set-up left in the run folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the demo's demo.json")
    parser.add_argument("--api", default="", help="where results are said, for example http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, help="another port than the state's")
    parser.add_argument("--faults", type=float, default=0.0, help="share of letters that are answered with 500")
    asked = parser.parse_args()
    known = json.loads(asked.state.read_text(encoding="utf-8"))
    serve(
        port=known["receiver_port"] if asked.port is None else asked.port,
        secrets=known["secrets"],
        folder=asked.state.parent,
        api=asked.api,
        token=known["receiver_token"],
        faults=asked.faults,
    )


if __name__ == "__main__":
    main()
