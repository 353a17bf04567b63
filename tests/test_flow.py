"""One e-mail and one application through everything: real rows, real processes, a real browser."""

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from decisions.intake import checks
from decisions.learning import datasets, registry
from decisions.models import Action, DataSet, Item, Lot, ModelVersion, Policy, Queue, Task
from decisions.queues.spec import Truth
from decisions.record import digest
from reviewqueue.demo import receiver, replay, rows, setup, state
from reviewqueue.demo.receiver import Inbox, Letter
from reviewqueue.demo.rows import DemoRow
from tests import processes
from tests.databases import Clone
from tests.processes import EVERYTHING, LOOPBACK, Site, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECONDS = 45.0
PATIENT = 20_000  # milliseconds
REST = 500  # milliseconds: so long no key works on a new card, so that none that was meant for the last one does
EMAILS, CREDIT = "emails", "credit"
TITLES = {EMAILS: "Incoming e-mails", CREDIT: "Credit applications"}


@dataclass
class Keeping(Inbox):
    """The demo's inbox, which also keeps what came in as it came."""

    raw: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    keeping: Lock = field(default_factory=Lock)

    def take(self, headers: Any, body: bytes) -> Letter:
        with self.keeping:
            self.raw[headers["webhook-id"]] = (dict(headers), body)
        return super().take(headers, body)


@dataclass
class World:
    """Everything that runs, and who may sign in."""

    site: Site
    inbox: Keeping
    browser: Browser
    passwords: dict[str, str]
    stack: ExitStack
    faults: list[str] = field(default_factory=list)

    def sign_in(self, role: str) -> Page:
        """Sign somebody in, in a browser of their own."""
        context = self.stack.enter_context(self.browser.new_context(base_url=self.site.url))
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.goto("/accounts/login/")
        page.fill("[name=login]", f"{role}@example.org")
        page.fill("[name=password]", self.passwords[role])
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).not_to_have_url(f"{self.site.url}/accounts/login/", timeout=PATIENT)
        return page


@pytest.fixture
def world(committed_db: Clone, settings: Settings, browser: Browser, tmp_path: Path) -> Iterator[World]:
    """The demo as `make run` sets it up: queues, trained models, people; web, worker, beat and receiver."""
    settings.RUN_DIR, settings.DATA_DIR, settings.OUTBOUND_ALLOWED = tmp_path, tmp_path / "data", [LOOPBACK]
    said: list[str] = []
    setup.run(said.append)
    people = [line.split() for line in said if "@example.org" in line]
    with ExitStack() as stack:
        redis_url = stack.enter_context(processes.own_redis(tmp_path / "redis"))
        addresses = {**committed_db.environment, "REDIS_URL": redis_url}
        site = stack.enter_context(processes.running(addresses, tmp_path))
        site.start(*EVERYTHING)
        inbox = stack.enter_context(receiving(site, tmp_path))
        yield World(site, inbox, browser, {email.partition("@")[0]: word for email, word in people}, stack)


@contextmanager
def receiving(site: Site, folder: Path) -> Iterator[Keeping]:
    """Run the demo's receiver, which says of each letter that it is done."""
    known = state.read()
    server = receiver.make(
        port=known.receiver_port,
        secrets=known.secrets,
        folder=folder,
        api=site.url,
        token=known.receiver_token,
        refusals=0.0,
    )
    server.inbox = inbox = Keeping(known.secrets, folder / receiver.FILE)
    Thread(target=server.serve_forever, daemon=True).start()
    yield inbox
    server.shutdown()
    server.server_close()


def pick(slug: str, *, is_override: bool) -> DemoRow:
    """Return the first live row that comes before a person, and on which the model is right, or wrong."""
    queue = Queue.objects.select_related("version").get(slug=slug)
    policy = Policy.objects.live().select_related("model").get(queue=queue)
    assert policy.model is not None
    assert policy.soft is not None
    assert policy.hard is not None
    live = [row for row in rows.live(slug) if len(row.payload) == len(queue.spec.fields)]
    found = checks.inputs([row.payload for row in live], queue.spec.fields)
    whole = [row for i, row in enumerate(live) if i not in found.failures and i not in found.faults]
    truths = rows.truths(slug, queue.spec)
    for row, score in zip(whole, registry.load(policy.model).score([row.payload for row in whole]), strict=True):
        says = Truth.POSITIVE if score >= policy.suggest else Truth.NEGATIVE
        is_clear = policy.soft + 0.01 < score < policy.hard - 0.01
        if is_clear and truths[row.external_id] == Truth.POSITIVE and (says != Truth.POSITIVE) == is_override:
            return row
    pytest.fail("no such row")


def send(world: World, row: DemoRow) -> dict[str, Any]:
    """Send a row in as the demo does; it is routed to people by the live policy with its trained model."""
    token, path = state.read().sender_token, f"/api/v1/queues/{row.queue}/items/"
    answer = world.site.call("POST", path, token, json.loads(replay.line(row)))
    again = world.site.call("POST", path, token, json.loads(replay.line(row)))
    policy = Policy.objects.live().select_related("model").get(queue__slug=row.queue)
    assert policy.model is not None
    assert policy.model.kind == ModelVersion.Kind.PIPELINE
    assert policy.soft is not None
    assert policy.hard is not None
    item: dict[str, Any] = answer.data
    assert answer.status == 201, item
    assert (item["route"], item["band"], item["reason"]) == ("soft", "soft", "score")
    assert (item["policy_version"], item["model_version"]) == (policy.no, policy.model.name)
    assert item["propensity"] == 1.0
    assert policy.soft <= item["score"] < policy.hard
    assert (again.status, again.data) == (200, {**item, "duplicate": True})
    return item


def figure(page: Page, label: str) -> str:
    """Return the text of one of the floor's figures: its value and its note."""
    one = page.locator(".figure").filter(has=page.locator(".figure-label", has_text=label))
    return " ".join(one.first.inner_text().split()) if one.count() else ""


def watch(page: Page, label: str, wanted: str) -> None:
    """Wait until a figure moved there by itself, on a page that nobody reloads."""
    page.locator(".figure").filter(has_text=label).filter(has_text=wanted).first.wait_for(timeout=SECONDS * 1000)


def enter_shift(page: Page, zone: ZoneInfo) -> None:
    """Let three people work from an hour ago on, each twenty decisions an hour."""
    now = datetime.now(zone)
    page.fill("[name=starts_at]", f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.fill("[name=ends_at]", f"{now + timedelta(hours=7):%Y-%m-%dT%H:%M}")
    page.fill("[name=people]", "3")
    page.fill("[name=rate]", "20")
    page.get_by_role("button", name="Enter shift").click()


def open_card(page: Page, item: dict[str, Any], slug: str) -> None:
    """Come to a desk where something waits: the next item is claimed at once, and it is this one."""
    page.goto(f"/review/{slug}/")
    expect(page.locator("[data-card] [data-heading]")).to_have_text(item["external_id"], timeout=PATIENT)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(REST)
    assert Task.objects.get(item=item["id"]).state == "claimed"


def test_an_email_and_an_application_go_all_the_way(world: World, settings: Settings) -> None:
    zone = Queue.objects.get(slug=CREDIT).spec.zone
    manager = world.sign_in("manager")
    manager.goto(f"/floor/{CREDIT}/")
    before = figure(manager, "Backlog")
    assert "1" not in before.split(), before
    email, application = pick(EMAILS, is_override=False), pick(CREDIT, is_override=True)
    sent, asked = send(world, email), send(world, application)

    # The manager sees it come.
    enter_shift(manager, zone)
    watch(manager, "Backlog", "1")
    watch(manager, "Queue rate", "of 1 items")
    watch(manager, "Capacity", "3 people on shift")
    assert figure(manager, "Capacity").startswith("Capacity 60")

    # A person agrees with the model on the one and overrides it on the other, by keys alone.
    reviewer = world.sign_in("reviewer")
    open_card(reviewer, sent, EMAILS)
    expect(reviewer.locator(".suggestion-word")).to_have_text("Spam")
    reviewer.keyboard.press("a")
    expect(reviewer.locator("#undo-bar")).to_be_visible(timeout=PATIENT)
    open_card(reviewer, asked, CREDIT)
    expect(reviewer.locator(".suggestion-word")).to_have_text("Good risk")
    reviewer.keyboard.press("x")
    expect(reviewer.get_by_role("dialog")).to_contain_text("Bad risk: why?")
    reviewer.keyboard.press("2")
    expect(reviewer.locator("#undo-bar")).to_be_visible(timeout=PATIENT)

    watch(manager, "Decided", "1 overrides in 1 decisions")
    left = by_lot(asked)
    wanted = f"Backlog {left} 0 past their deadline"
    until(lambda: figure(manager, "Backlog") == wanted, SECONDS, lambda: (wanted, figure(manager, "Backlog")))

    check_letters(world, sent, ["flag", "quarantine"])
    check_letters(world, asked, ["refer", "decline"])
    check_label(world, sent, EMAILS, {"outcome": "spam", "value": 1})
    check_label(world, asked, CREDIT, {"outcome": "bad", "value": 1})
    check_data_set(email, EMAILS)
    check_data_set(application, CREDIT)
    check_audit(world, sent, asked)
    check_record()
    assert world.faults == []


def by_lot(item: dict[str, Any]) -> int:
    """Return how many tasks are left of an item that was answered: a second opinion where the lot drew one, no other.

    Of somebody of whom nothing is known yet it draws as many answers as it ever does.
    """
    assert Task.objects.get(item=item["id"], purpose="soft").state == "decided"
    left = Task.objects.open().filter(queue__slug=CREDIT)
    quality = Queue.objects.select_related("version").get(slug=CREDIT).spec.quality
    drawn = list(Lot.objects.filter(task__queue__slug=CREDIT).values_list("task", "pi"))
    assert list(left.values_list("pk", "item", "purpose")) == [(pk, item["id"], "second") for pk, _pi in drawn]
    assert {pi for _pk, pi in drawn} <= {quality.most_share}
    return len(drawn)


def check_letters(world: World, item: dict[str, Any], names: list[str]) -> None:
    """The world was told, in order, under signatures that the reference library takes, and did it."""
    actions = Action.objects.filter(item=item["id"]).order_by("pk")
    until(lambda: actions.filter(result="done").count() == len(names), SECONDS, lambda: list(actions.values()))
    assert [one.name for one in actions] == names
    secret = Webhook(state.read().secrets[Item.objects.get(pk=item["id"]).queue.slug])
    for action in actions:
        headers, body = world.inbox.raw[f"act_{action.pk}"]
        told = secret.verify(body, headers)
        assert told["data"]["item"] == {"id": item["id"], "external_id": item["external_id"]}
        assert told["data"]["action"] == {"id": action.pk, "name": action.name}
        assert body == bytes(action.body or b"")
    letters = [letter for letter in world.inbox.latest if letter.item == item["external_id"]]
    assert all(letter.is_signed and not letter.is_repeat for letter in letters)
    assert sorted(letter.id for letter in letters) == sorted(f"act_{action.pk}" for action in actions)


def check_label(world: World, item: dict[str, Any], slug: str, wanted: dict[str, Any]) -> None:
    """Training finds the label in the stream, with the propensity and where it comes from."""
    token = made_token(slug)
    path = f"/api/v1/labels/?queue={slug}&after=0"
    lines = until(lambda: str(world.site.call("GET", path, token).data).splitlines(), SECONDS)
    (label,) = [json.loads(line) for line in lines]
    told = {name: label[name] for name in ("item", "external_id", "outcome", "value", "propensity", "provenance")}
    known = {"item": item["id"], "external_id": item["external_id"], "propensity": 1.0, "provenance": "soft"}
    assert told == {**known, **wanted}
    assert world.site.call("GET", f"/api/v1/labels/?queue={slug}&after={label['no']}", token).data == ""


def made_token(slug: str) -> str:
    out = io.StringIO()
    words = ("labels", "--as", "manager@example.org", "--scope", "read", "--queue", slug)
    call_command("create_token", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def check_data_set(row: DemoRow, slug: str) -> None:
    """A data set on disk holds the row with its label, and is named by the hash of what it says it holds."""
    out = io.StringIO()
    call_command("freeze_data_set", slug, stdout=out)
    folder = Path(out.getvalue().strip())
    content = datasets.manifest(folder)["content"]
    file = (folder / datasets.ROWS).read_bytes()
    assert folder.name == sha256(digest.canonical(content)).hexdigest()
    assert content["file"]["sha256"] == sha256(file).hexdigest()
    assert DataSet.objects.get(queue__slug=slug).name == folder.name
    (frozen,) = pq.read_table(folder / datasets.ROWS).to_pylist()
    assert (frozen["external_id"], frozen["label"], frozen["propensity"]) == (row.external_id, 1, 1.0)
    held = {name.removeprefix("payload."): value for name, value in frozen.items() if name.startswith("payload.")}
    assert held == row.payload


def check_audit(world: World, agreed: dict[str, Any], overridden: dict[str, Any]) -> None:
    """An auditor finds the override, and nothing else, and reads the item's whole life."""
    auditor = world.sign_in("auditor")
    auditor.goto(f"/audit/{EMAILS}/")
    assert auditor.get_by_role("link", name=agreed["external_id"]).count() == 0
    auditor.goto(f"/audit/{CREDIT}/")
    row = auditor.get_by_role("row").filter(has_text=overridden["external_id"])
    for text in ("Good risk", "Bad risk", "Too much debt already", "Reviewer"):
        expect(row).to_contain_text(text)
    row.get_by_role("link").click()
    expect(auditor.get_by_role("heading", name=overridden["external_id"])).to_be_visible(timeout=PATIENT)
    steps = [title.strip() for title in auditor.locator(".timeline-head .strong").all_inner_texts()]
    wanted = ["Arrived", "Routed: Soft", "Opened", "Claimed", "Decided: Bad risk", "Holds: Bad risk"]
    wanted += ["Action planned", "Delivery tried", "Receiver answered", "Labelled", "Recorded: decision.made"]
    assert set(wanted) <= set(steps), steps


def check_record() -> None:
    """Chains hold, and so do the rows they speak of."""
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_log", "--deep", stdout=out, stderr=err)
    assert "The record holds." in out.getvalue()
    assert "0 rows differ" in out.getvalue()
    assert err.getvalue() == ""
