"""The filter's panel in a browser: accessible in both themes and languages, down to 320 px, switched by one button."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from pytest_django import Settings

from decisions.models import Queue
from tests.browser.conftest import Visitor
from tests.decisions.intake.test_doubts import guarded
from tests.decisions.measure.test_filtered import AT, told_of_forty
from tests.factories import make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def queue(site: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("decisions.record.log.now", lambda: AT)
    return told_of_forty(guarded())


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_no_accessibility_fault_and_nothing_sticks_out(
    visitor: Visitor, queue: Queue, theme: str, language: str
) -> None:
    person = make_user("manager", queue)
    options = {"color_scheme": theme, "locale": language, "reduced_motion": "reduce"}
    page = visitor(person, f"/policy/{queue.slug}/ladder/", **options).page
    assert "75" in page.locator("section", has=page.locator("#filter-title")).inner_text()
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    for width in (320, 390, 683, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_one_button_turns_it_off_and_on_again(visitor: Visitor, queue: Queue) -> None:
    page = visitor(make_user("manager", queue), f"/policy/{queue.slug}/ladder/").page
    page.get_by_role("button", name="Turn the filter off").click()
    page.get_by_text("turned off", exact=True).wait_for()
    page.get_by_role("button", name="Turn the filter on").click()
    page.get_by_text("in force", exact=True).wait_for()
