"""The design system in a real browser: every part, both themes, no accessibility fault, nothing inline."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from csp.utils import build_policy
from django.conf import settings
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser, Page

from tests.browser import styleguide

pytestmark = pytest.mark.browser
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "woff2": "font/woff2"}
BREACHES = """
    window.breaches = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
"""


class Pages(BaseHTTPRequestHandler):
    """Serves the rendered style guide under the site's own policy, and the static files."""

    pages: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        page = self.pages.get(path)
        body, kind = (page.encode(), "text/html; charset=utf-8") if page else static_file(path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", build_policy())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def static_file(path: str) -> tuple[bytes, str]:
    """A static file and its type; empty when there is none."""
    found = finders.find(path.removeprefix(settings.STATIC_URL))
    if not isinstance(found, str):
        return b"", "text/plain"
    with open(found, "rb") as file:  # noqa: PTH123 - a path that the finder built
        return file.read(), TYPES.get(found.rpartition(".")[2], "application/octet-stream")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    Pages.pages = {"/": styleguide.render(), "/backlog": styleguide.fragment(more=0)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The style guide, in the theme and size that the test asks for."""
    wanted: dict[str, Any] = getattr(request, "param", {})
    context = browser.new_context(
        color_scheme=wanted.get("theme", "light"), viewport=wanted.get("size", {"width": 1366, "height": 768})
    )
    tab = context.new_page()
    tab.add_init_script(BREACHES)
    tab.goto(address)
    tab.wait_for_selector("#backlog canvas[width]", state="attached")
    yield tab
    context.close()


@pytest.mark.parametrize(
    "page",
    [{"theme": "light"}, {"theme": "dark"}, {"size": {"width": 390, "height": 844}}],
    indirect=True,
    ids=["light", "dark", "phone"],
)
def test_every_part_is_free_of_accessibility_faults(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("page", [{"theme": "light"}, {"theme": "dark"}], indirect=True, ids=["light", "dark"])
def test_nothing_breaks_the_policy_and_nothing_is_inline(page: Page) -> None:
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("flo")
    assert page.evaluate("window.breaches") == []
    html = page.request.get(page.url).text()
    assert " style=" not in html
    assert "<style" not in html
    assert "onclick=" not in html.replace("onclick=alert(1)&gt;inert", "")


def test_every_icon_that_a_template_names_is_drawn() -> None:
    named = re.compile(r"""icon\.html" with name="([\w-]+)"|\bicon="([\w-]+)"|icon\|default:"([\w-]+)\"""")
    sources = [path.read_text() for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html")]
    used = {name for source in sources for found in named.findall(source) for name in found if name}
    assert used - set(styleguide.icons()) == set()


def test_the_theme_is_the_systems_until_one_is_chosen(page: Page) -> None:
    theme = "document.documentElement.dataset.bsTheme"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.get_by_label("Theme and language").click()
    page.get_by_role("button", name="Light", exact=True).click()
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"


# a phone, the narrowest width of WCAG 1.4.10, and a desk at 200 %
@pytest.mark.parametrize(
    "page",
    [{"size": {"width": w, "height": h}} for w, h in ((390, 844), (320, 640), (683, 384))],
    indirect=True,
    ids=["phone", "narrow", "zoomed"],
)
def test_nothing_sticks_out_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("page", [{"size": {"width": 390, "height": 844}}], indirect=True, ids=["phone"])
def test_targets_are_large_enough_for_a_finger(page: Page) -> None:
    small = page.evaluate(
        """[...document.querySelectorAll("button, summary, select, .btn, .top a, .chip, input:not([type=hidden])")]
             .filter((e) => e.getClientRects().length && !e.matches(".burger-box, .form-check-input"))
             .filter((e) => e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24)
             .map((e) => e.outerHTML)"""
    )
    assert small == []


def test_a_key_presses_its_button_once_and_rests_in_fields(page: Page) -> None:
    page.evaluate(
        """window.pressed = 0; document.querySelector("[data-act=agree]").onclick = () => { pressed += 1; }; 0"""
    )
    page.keyboard.down("a")
    page.keyboard.down("a")  # held: the second one repeats
    page.keyboard.up("a")
    assert page.evaluate("pressed") == 1
    page.get_by_label("Who").fill("")
    page.keyboard.press("a")
    assert page.evaluate("pressed") == 1
    assert page.get_by_label("Who").input_value() == "a"


def test_keys_rest_after_a_card_changed_and_while_a_change_is_under_way(page: Page) -> None:
    page.evaluate(
        """window.pressed = 0; document.querySelector("[data-act=agree]").onclick = () => { pressed += 1; }; 0"""
    )
    press = """document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true}))"""
    detail = """{bubbles: true, detail: {requestConfig: {verb: "post"}}}"""
    change = f"""document.body.dispatchEvent(new CustomEvent("htmx:%s", {detail}))"""
    assert page.evaluate(f"""document.dispatchEvent(new CustomEvent("rq:card")); {press}; pressed""") == 0
    page.wait_for_timeout(260)
    assert page.evaluate(f"{change % 'beforeRequest'}; {press}; pressed") == 0
    assert page.evaluate(f"{change % 'afterRequest'}; {press}; pressed") == 1
    composing = press.replace("bubbles", "isComposing: true, bubbles")
    assert page.evaluate(f"{composing}; pressed") == 1


def test_keys_can_be_another_set_be_changed_and_be_off(page: Page) -> None:
    shown = page.locator("[data-act=skip] kbd")
    page.keyboard.press("?")
    page.get_by_label("Key set").select_option("prodigy")
    assert shown.text_content() == "␣"
    page.get_by_role("button", name="Change: Skip").click()
    page.keyboard.press("w")
    assert shown.text_content() == "w"
    page.get_by_role("button", name="Change: Skip").click()
    page.keyboard.press("a")
    assert "already" in (page.locator("#keys-say").text_content() or "")
    page.get_by_label("Key set").select_option("off")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert not page.locator("#keys-dialog").is_visible()
    page.reload()
    assert not shown.is_visible()


def test_the_palette_goes_and_does(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("aud")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#audit")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/#review")


def test_a_chart_says_the_same_as_its_table_and_follows_the_theme(page: Page) -> None:
    series = """Object.values(Chart.instances).find((c) => c.canvas.closest("#backlog")).data.datasets[0]"""
    values, colour = f"{series}.data.map((point) => point.y)", f"{series}.backgroundColor"
    cells = page.locator("#backlog tbody td:nth-child(2)").all_text_contents()
    assert page.evaluate(values) == [int(cell) for cell in cells]
    before = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-bs-theme=dark]")
    assert page.evaluate(colour) != before


def test_a_poll_moves_the_chart_in_place_and_the_same_answer_changes_nothing(page: Page) -> None:
    chart = """Object.values(Chart.instances).find((c) => c.canvas.closest("#backlog"))"""
    page.evaluate(f"window.before = {{ id: {chart}.id, canvas: {chart}.canvas }}")
    page.locator("#backlog summary").click()

    def poll(more: int) -> None:
        Pages.pages["/backlog"] = styleguide.fragment(more)
        with page.expect_response("**/backlog"):
            page.evaluate("""document.getElementById("polled").dispatchEvent(new CustomEvent("refresh")); 0""")

    poll(more=7)
    page.wait_for_function("() => document.querySelector('#backlog tbody td').textContent === '307'")
    page.wait_for_function(f"() => {chart}.data.datasets[0].data[0].y === 307")
    assert page.evaluate(f"{chart}.id === before.id && {chart}.canvas === before.canvas")
    assert page.locator("#backlog details").get_attribute("open") is not None
    page.evaluate("""window.row = document.querySelector("#backlog tbody tr"); 0""")
    poll(more=7)
    page.wait_for_timeout(100)
    assert page.evaluate("row.isConnected")
    assert page.evaluate("breaches") == []


def test_a_hidden_page_does_not_poll(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    poll = """htmx.trigger("#polled", "htmx:beforeRequest", {requestConfig: {}})"""
    assert page.evaluate(poll) is True
    page.evaluate("""Object.defineProperty(document, "hidden", {value: true}); 0""")
    assert page.evaluate(poll) is False
    assert asked == []


# a day in winter, across the change to summer time, over years; each by its zone's own round hours
@pytest.mark.parametrize(
    ("start", "end", "zone", "labels"),
    [
        ("03-12T00:10Z", "03-12T23:10Z", "Europe/Berlin", ["06:00\n12 Mar", "12:00", "18:00", "00:00\n13 Mar"]),
        ("03-28T20:00Z", "03-29T19:00Z", "Europe/Berlin", ["00:00\n29 Mar", "06:00", "12:00", "18:00"]),
        ("03-12T00:00Z", "03-12T00:20Z", "Asia/Kolkata", ["05:30\n12 Mar", "05:35", "05:40", "05:45", "05:50"]),
    ],
    ids=["day", "summer time", "half-hour zone"],
)  # fmt: skip
def test_time_ticks_stand_at_round_local_times(page: Page, start: str, end: str, zone: str, labels: list[str]) -> None:
    script = """async ([from, to, zone]) => {
        const { timeTicks } = await import("/static/js/ticks.js");
        const ticks = timeTicks(Date.parse(`2026-${from}`), Date.parse(`2026-${to}`), 5, zone, "en-GB");
        return ticks.map(({ label }) => label);
    }"""
    assert page.evaluate(script, [start, end, zone]) == labels


def test_a_dialog_opens_with_and_without_script(browser: Browser, page: Page, address: str) -> None:
    page.get_by_role("link", name="Roll back").click()
    assert page.get_by_role("dialog", name="Roll back to policy 6?").is_visible()
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(address)
    plain.get_by_role("link", name="Roll back").click()
    assert plain.get_by_role("button", name="Roll back").is_visible()
    context.close()
