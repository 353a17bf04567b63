"""The site in a browser: a server on a database of its own, and people who need not fill in the sign-in form."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import Client
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import Browser, BrowserContext, Page

from decisions.models import User
from tests.databases import Clone

LISTEN = """
    window.breaches = [];
    window.shifts = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        window.shifts.push(`${value}: ${sources.map(({ node }) => node?.outerHTML ?? node?.data).join()}`);
      }
    }).observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Visit:
    """Somebody at a page, with what went wrong on it and what it asked the server for."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page; what the one before broke is kept."""
        self.gather()
        self.page.goto(self.base + path)
        return self.page

    def gather(self) -> None:
        self.faults += self.page.evaluate("window.breaches ?? []")

    def posts(self, ending: str) -> int:
        """How many changes with this ending were sent."""
        return sum(line.startswith("POST ") and line.endswith(ending) for line in self.asked)


Visitor = Callable[..., Visit]


@pytest.fixture
def site(committed_db: Clone) -> Iterator[str]:
    """The site on this test's own database."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def visitor(browser: Browser, site: str) -> Iterator[Visitor]:
    """Opens a browser as somebody: `visitor(person, "/review/", viewport=...)`; faults on the pages fail the test."""
    visits: list[Visit] = []

    def visit(person: User | None, path: str = "", **options: Any) -> Visit:
        options.setdefault("viewport", {"width": 1366, "height": 768})
        context = browser.new_context(**options)
        if person:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": _session(person), "url": site}])
        made = Visit(context.new_page(), site)
        listen(made, context)
        visits.append(made)
        if path:
            made.go(path)
        return made

    yield visit
    for made in visits:
        made.gather()
        made.page.context.close()
    assert [fault for made in visits for fault in made.faults] == []


# An answer that refuses, and a font that a loaded machine painted late.
NO_FAULTS = ("Failed to load resource", "was preloaded using link preload but not used within a few seconds")


def listen(visit: Visit, context: BrowserContext) -> None:
    """Keep what the page complains about and asks for, without what is no fault of the page."""
    context.add_init_script(LISTEN)
    page = visit.page
    page.on("pageerror", lambda error: visit.faults.append(str(error)))
    page.on("request", lambda request: visit.asked.append(f"{request.method} {request.url}"))
    page.on(
        "console",
        lambda said: (
            visit.faults.append(said.text)
            if said.type in ("error", "warning") and not any(words in said.text for words in NO_FAULTS)
            else None
        ),
    )


def _session(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
