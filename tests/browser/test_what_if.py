"""What if in a browser: sliders, the address, and buttons that fill in advice."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from decisions.models import Queue
from tests.browser.conftest import Visitor
from tests.decisions.watch.busy import busy_queue
from tests.factories import make_user

pytestmark = pytest.mark.browser


def busy() -> Queue:
    return busy_queue(at=timezone.now().replace(minute=0, second=0, microsecond=0))


def shown(page: Page, line: str) -> str:
    """Return what a line of the table says under "What if"."""
    return page.get_by_role("row").filter(has_text=line).locator("td").nth(1).inner_text()


def test_a_slider_moves_the_figures_without_a_reload(visitor: Visitor) -> None:
    queue = busy()
    page = visitor(make_user("manager", queue), f"/policy/{queue.slug}/what-if/?days=7").page
    before = shown(page, "Soft, decided by people")
    page.evaluate("window.stayed = true")
    slider = page.get_by_role("slider", name="Soft from")
    with page.expect_response("**/what-if/?*"):
        slider.fill("0.1")
    expect(page.get_by_label("Soft from", exact=False).first).to_have_value("0.1")
    expect(page).to_have_url(re.compile(r"soft=0\.1&"))
    assert shown(page, "Soft, decided by people") != before
    assert page.evaluate("window.stayed") is True
    expect(page.get_by_role("link", name="Make this a draft")).to_be_visible()
    expect(page.locator("#scores canvas")).to_be_visible()


def test_advice_fills_the_form(visitor: Visitor) -> None:
    queue = busy()
    page = visitor(make_user("manager", queue), f"/policy/{queue.slug}/what-if/?days=7&people=3&hours=4").page
    button = page.locator("[data-fill=soft]")
    value = button.get_attribute("data-value")
    assert value
    with page.expect_response("**/what-if/?*"):
        button.click()
    expect(page.locator("#id_soft")).to_have_value(value)


def test_what_does_not_fit_is_said_and_mended(visitor: Visitor) -> None:
    queue = busy()
    page = visitor(make_user("lead", queue), f"/policy/{queue.slug}/what-if/?days=7").page
    page.locator("#id_soft").fill("0.95")
    expect(page.get_by_text("These terms do not fit.")).to_be_visible()
    page.locator("#id_soft").fill("0.2")
    expect(page.get_by_role("heading", name="Against the live policy")).to_be_visible()


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-hans")])
def test_the_figures_have_no_accessibility_fault(visitor: Visitor, theme: str, language: str) -> None:
    queue = busy()
    options = {"color_scheme": theme, "locale": language, "reduced_motion": "reduce"}
    page = visitor(make_user("manager", queue), f"/policy/{queue.slug}/what-if/?days=7&soft=0.1", **options).page
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
