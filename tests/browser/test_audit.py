"""The auditor's and the model owner's desk in a browser: filters, export, proof, an item's life, policies."""

import hashlib
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from decisions.models import Item, Policy, Queue, Ruling, User
from decisions.work import claim, decide, rule
from decisions.work.answer import Answer
from tests.browser.conftest import Visitor
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.browser


def queue_with(overrides: int) -> tuple[Queue, User]:
    """Return a queue whose reviewer overrode so many suggestions and agreed once."""
    queue = make_queue()
    person = make_user("reviewer", queue, name="Rita")
    for number in range(overrides + 1):
        make_task(queue, make_item(queue, external_id=f"mail-{number}", arrived_at=timezone.now()), priority=number)
    for number in range(overrides + 1):
        task = claim.next_tasks(queue_id=queue.pk, person=person)[0]
        answer = Answer("ham", "content", f"note {number}") if number else Answer("spam")
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)
    return queue, person


def test_filters_stand_in_the_address_and_can_be_taken_away(visitor: Visitor) -> None:
    queue, person = queue_with(3)
    page = visitor(make_user("auditor", queue), f"/audit/{queue.slug}/").page
    rows = page.locator("tr[data-row]")
    expect(rows).to_have_count(3)
    page.get_by_label("Note has").fill("note 2")
    page.get_by_label("Who").select_option(label="Rita")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    assert "text=note+2" in page.url
    assert f"person={person.pk}" in page.url
    page.get_by_role("link", name="Remove: Note has: note 2").click()
    expect(rows).to_have_count(3)
    expect(page.get_by_role("link", name="Remove: Who: Rita")).to_be_visible()
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option("all")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(4)


def test_an_export_brings_what_matches_and_a_manifest(visitor: Visitor, tmp_path: Path) -> None:
    queue, _person = queue_with(3)
    page = visitor(make_user("auditor", queue), f"/audit/{queue.slug}/?text=note+2", accept_downloads=True).page
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    download.value.save_as(tmp_path / "export.jsonl")
    *rows, last = (tmp_path / "export.jsonl").read_bytes().splitlines(keepends=True)
    manifest = orjson.loads(last)["manifest"]
    assert (len(rows), manifest["rows"]) == (1, 1)
    assert manifest["sha256"] == hashlib.sha256(b"".join(rows)).hexdigest()
    assert "note 2" in str(manifest["filter"])


def test_the_record_is_verified_by_one_button(visitor: Visitor) -> None:
    queue, _person = queue_with(1)
    page = visitor(make_user("auditor", queue), f"/audit/{queue.slug}/").page
    page.keyboard.press("v")
    expect(page.get_by_text("Record verified to entry")).to_be_visible()


def test_an_item_tells_its_life_and_can_be_overridden(visitor: Visitor) -> None:
    queue, _person = queue_with(1)
    item = Item.objects.get(external_id="mail-1")
    page = visitor(make_user("lead", queue), f"/audit/{queue.slug}/items/{item.pk}/").page
    life = page.locator(".timeline")
    for step in ("Arrived", "Routed: Soft", "Decided: Not spam", "Holds: Not spam"):
        expect(life).to_contain_text(step)
    page.get_by_label("It is", exact=True).select_option("spam")
    page.get_by_role("button", name="Override").click()
    expect(page.locator(".errorlist")).to_contain_text("Say why")
    page.get_by_label("Because").select_option("content")
    page.get_by_role("button", name="Override").click()
    expect(life).to_contain_text("Holds: Spam")
    now = rule.current(item.pk)
    assert now is not None
    assert (now.outcome, now.reason) == ("spam", "content")


def test_older_pages_follow(visitor: Visitor) -> None:
    queue, person = queue_with(0)
    first = Ruling.objects.get()
    for number in range(60):
        item = make_item(queue, external_id=f"extra-{number}", arrived_at=timezone.now() - timedelta(minutes=1))
        make_task(queue, item)
        task = claim.next_tasks(queue_id=queue.pk, person=person)[0]
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=Answer("ham", "content"))
    page = visitor(make_user("auditor", queue), f"/audit/{queue.slug}/?which=all").page
    expect(page.locator("tr[data-row]").first).to_contain_text("extra-59")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tr[data-row]").last).to_contain_text(first.item.external_id)
    page.get_by_role("link", name="First").click()
    expect(page.locator("tr[data-row]").first).to_contain_text("extra-59")


def test_a_policy_is_drafted_approved_tried_published_and_rolled_back(visitor: Visitor) -> None:
    queue = make_queue()
    page = visitor(make_user("manager", queue, name="Mara"), f"/policy/{queue.slug}/").page
    page.get_by_label("Hard from").fill("0.2")
    page.get_by_label("Why it changes").fill("To see what happens")
    page.get_by_role("button", name="Store draft").click()
    expect(page.locator(".field .errorlist")).to_have_count(1)
    page.get_by_label("Hard from").fill("0.8")
    page.get_by_role("button", name="Store draft").click()
    expect(page.get_by_text("You drafted it, so a second person approves it.")).to_be_visible()
    expect(page.get_by_role("link", name="Approve")).to_have_count(0)
    second = visitor(make_user("manager", queue, name="Nora"), f"/policy/{queue.slug}/").page
    answered(second, "Approve 2", "Approve", "Read it")
    page.reload()
    page.get_by_role("link", name="Start canary 2").click()
    page.get_by_role("dialog").get_by_label("Share of the traffic").fill("0.25")
    answered(page, "", "Start canary", "Carefully")
    expect(page.get_by_role("heading", name="Canary: policy 2")).to_be_visible()
    expect(page.get_by_text("Policy 2 routes 25\u00a0% of what arrives")).to_be_visible()
    answered(page, "Publish 2", "Publish", "It held")
    expect(page.get_by_role("heading", name="In force: policy 2")).to_be_visible()
    history = page.locator(".timeline")
    expect(history).to_contain_text("It held")
    expect(history).to_contain_text("Nora")
    page.get_by_role("button", name="Roll back to policy 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="In force: policy 1")).to_be_visible()
    expect(history).to_contain_text("Policy 2 does worse than policy 1 did")
    assert [policy.state for policy in Policy.objects.order_by("no")] == ["live", "retired"]


def answered(page: Page, link: str, button: str, why: str) -> None:
    """Open a step's question, unless it is open, and answer it."""
    if link:
        page.get_by_role("link", name=link).click()
    page.get_by_role("dialog").get_by_label("Why").fill(why)
    page.get_by_role("dialog").get_by_role("button", name=button).click()
