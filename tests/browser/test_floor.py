"""The floor in a browser: figures that move by themselves, shifts, pausing."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from decisions.measure import rollups
from decisions.models import Queue, Shift, Task
from decisions.record import log
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.browser.conftest import Visitor
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.browser


def queue_with(count: int) -> Queue:
    """Return a queue with tasks that wait, already counted."""
    queue, at = make_queue(), timezone.now() - timedelta(minutes=30)
    for _ in range(count):
        make_task(queue, make_item(queue, arrived_at=at))
    rollups.roll_up(log.now())
    return queue


def decide_one(queue: Queue) -> None:
    person = make_user("reviewer", queue)
    task = claim.next_tasks(queue_id=queue.pk, person=person)[0]
    decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=Answer("spam", active_seconds=7.0))
    rollups.roll_up(log.now())


def figure(page: Page, label: str) -> str:
    """Return a figure's value."""
    one = page.locator(".figure").filter(has=page.locator(".figure-label", has_text=label))
    return one.locator(".figure-value").inner_text()


def poll(page: Page) -> int:
    """Ask for the figures now, as the clock would; the status of the answer."""
    with page.expect_response("**/live/") as answer:
        page.evaluate("""document.getElementById("figures").dispatchEvent(new CustomEvent("refresh"))""")
    return answer.value.status


def test_figures_follow_decisions_without_a_reload(visitor: Visitor) -> None:
    queue = queue_with(3)
    page = visitor(make_user("manager", queue), f"/floor/{queue.slug}/").page
    assert figure(page, "Backlog") == "3"
    expect(page.locator("#figures canvas")).to_have_count(3)
    decide_one(queue)
    poll(page)
    expect(page.locator(".figure-value").first).to_have_text("2")
    assert figure(page, "Handling time") == "7 s"
    expect(page.locator("#figures canvas")).to_have_count(3)


def test_a_shift_changes_capacity_and_a_bad_one_says_why(visitor: Visitor) -> None:
    queue = queue_with(1)
    page = visitor(make_user("manager", queue), f"/floor/{queue.slug}/").page
    now = timezone.now()
    page.get_by_label("From").fill((now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("To", exact=True).fill((now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("People").fill("4")
    page.get_by_label("Decisions per person and hour").fill("30")
    page.get_by_role("button", name="Enter shift").click()
    field = page.locator(".field").filter(has=page.get_by_label("To", exact=True))
    expect(field.locator(".errorlist")).to_contain_text("ends after it starts")
    expect(page.get_by_label("People")).to_have_value("4")
    page.get_by_label("To", exact=True).fill((now + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Enter shift").click()
    expect(page.get_by_text("The shift is entered.")).to_be_visible()
    assert figure(page, "Capacity").startswith("120")
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("The shift is taken out.")).to_be_visible()
    assert not Shift.objects.exists()


def test_pausing_stops_the_work_and_says_so(visitor: Visitor) -> None:
    queue = queue_with(1)
    page = visitor(make_user("manager", queue), f"/floor/{queue.slug}/").page
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("nobody is given one")).to_be_visible()
    reviewer = visitor(make_user("reviewer", queue), f"/review/{queue.slug}/").page
    expect(reviewer.get_by_role("heading", name="This queue is paused")).to_be_visible()
    assert Task.objects.waiting().count() == 1
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
