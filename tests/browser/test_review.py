"""The review card in a browser: keys, undo, leases, the next card already loaded, and the way without script."""

import statistics
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from decisions.models import Decision, Item, Move, Queue, Ruling, Task, User
from decisions.queues.spec import FieldType, Outcome, PayloadField, Reason, Truth
from decisions.record import erase
from tests.browser.conftest import Visit, Visitor
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.browser
REST = 300  # keys rest for 250 ms after a card changed


def queue_with(count: int, **changes: Any) -> tuple[Queue, User]:
    """Return a queue with tasks that wait, the first of them first, and its reviewer."""
    queue = make_queue(**changes)
    for number in range(count):
        make_task(queue, make_item(queue, external_id=f"mail-{number}", score=0.6), priority=number)
    return queue, make_user("reviewer", queue, name="Rita")


def at_desk(visitor: Visitor, queue: Queue, person: User, **options: Any) -> Visit:
    """Open the desk, with a card on it and the next one loaded."""
    visit = visitor(person, f"/review/{queue.slug}/", **options)
    shown(visit.page, "mail-0")
    visit.page.wait_for_load_state("networkidle")
    return visit


def shown(page: Page, name: str) -> None:
    """Wait until a card is on the desk and keys are awake again."""
    expect(page.locator("[data-card] [data-heading]")).to_have_text(name)
    page.wait_for_timeout(REST)


def eventually(claim: Callable[[], bool], page: Page) -> None:
    for _ in range(100):
        if claim():
            return
        page.wait_for_timeout(50)
    assert claim()


def test_agreeing_is_one_key_and_the_next_card_is_there(visitor: Visitor) -> None:
    queue, person = queue_with(3)
    visit = at_desk(visitor, queue, person)
    before = len(visit.asked)
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")
    decision = Decision.objects.get()
    assert (decision.outcome, decision.suggested, decision.was_shown, decision.person) == ("spam", "spam", True, person)
    assert decision.active_seconds is not None
    asked = [line.rstrip("/").rpartition("/")[2] for line in visit.asked[before:] if line.startswith("POST")]
    assert asked[:2] == ["decide", "extend"]  # the card was there: nothing was claimed before it was shown
    expect(visit.page.locator("#done-today")).to_have_text("1")


# key pressed, what the answer is; 1 to 9 choose an outcome, one that differs from the suggestion asks for its reason
@pytest.mark.parametrize(
    ("keys", "outcome", "reason"),
    [("1", "spam", ""), ("21", "ham", "content"), ("x21", "ham", "content"), ("31", "unclear", "content")],
)
def test_outcomes_and_overrides_by_key(visitor: Visitor, keys: str, outcome: str, reason: str) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    for key in keys:
        visit.page.keyboard.press(key)
    shown(visit.page, "mail-1")
    ruling = Ruling.objects.get()
    assert (ruling.outcome, ruling.reason, ruling.is_override) == (outcome, reason, outcome != "spam")


def test_an_override_is_two_keys_where_there_are_two_outcomes(visitor: Visitor) -> None:
    reasons = (Reason("content", "The content says so"),)
    outcomes = (
        Outcome("spam", "Spam", "1", Truth.POSITIVE, "quarantine", reasons),
        Outcome("ham", "Not spam", "2", Truth.NEGATIVE, "deliver", reasons),
    )
    queue, person = queue_with(2, outcomes=outcomes)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("x")
    visit.page.keyboard.press("1")
    shown(visit.page, "mail-1")
    assert Ruling.objects.get().outcome == "ham"


def test_a_reason_that_needs_a_note_waits_for_it(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("2")
    visit.page.keyboard.press("2")
    expect(visit.page.locator("#note")).to_be_focused()
    assert not Decision.objects.exists()
    visit.page.keyboard.type("a friend wrote it")
    visit.page.keyboard.press("Control+Enter")
    shown(visit.page, "mail-1")
    assert (Decision.objects.get().reason, Decision.objects.get().note) == ("other", "a friend wrote it")


# key, second key (a reason), what becomes of the task
@pytest.mark.parametrize(
    ("keys", "kind", "state"),
    [("s1", "skipped", "waiting"), ("e1", "escalated", "escalated"), ("h1", "held", "held"), ("r", "released", "")],
)
def test_ways_out_by_key(visitor: Visitor, keys: str, kind: str, state: str) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    for key in keys:
        visit.page.keyboard.press(key)
    shown(visit.page, "mail-1")
    move = Move.objects.get(kind=kind)
    assert (move.person, move.task.item.external_id) == (person, "mail-0")
    if state:
        assert Task.objects.get(pk=move.task_id).state == state


def test_a_task_on_hold_is_shown_and_comes_back(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("h")
    visit.page.keyboard.press("1")
    shown(visit.page, "mail-1")
    held = visit.page.locator("#held")
    expect(held).to_contain_text("mail-0")
    held.get_by_role("button", name="Go on with it").click()
    shown(visit.page, "mail-0")
    expect(held).to_be_hidden()
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")  # the card that lay there before


def test_note_extend_and_keys_of_the_page(visitor: Visitor) -> None:
    queue, person = queue_with(1)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("l")
    eventually(lambda: Move.objects.filter(kind="extended").count() >= 2, visit.page)
    visit.page.keyboard.press("c")
    expect(visit.page.locator("#note")).to_be_focused()
    visit.page.keyboard.type("aseh?")
    expect(visit.page.locator("#note")).to_have_value("aseh?")  # keys rest in fields
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("?")
    expect(visit.page.locator("#keys-dialog")).to_be_visible()
    assert not Decision.objects.exists()


def test_undo_from_the_next_card(visitor: Visitor) -> None:
    queue, person = queue_with(3)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")
    visit.page.keyboard.press("z")
    shown(visit.page, "mail-0")
    expect(visit.page.locator("#done-today")).to_have_text("0")
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")  # the card that was there before the undo
    assert [ruling.source for ruling in Ruling.objects.order_by("no")] == ["decision", "undo", "decision"]


def test_a_lost_lease_keeps_the_note_and_shows_the_way_on(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    visit.page.fill("#note", "half a thought")
    visit.page.locator("#note").blur()
    Task.objects.filter(item__external_id="mail-0").update(lease=9, state="waiting", holder=None, lease_until=None)
    visit.page.keyboard.press("a")
    expect(visit.page.locator("[data-refusal=lease_lost]")).to_be_visible()
    expect(visit.page.locator("#note")).to_have_value("half a thought")
    expect(visit.page.get_by_role("button", name="Go on to the next item")).to_be_focused()
    visit.page.keyboard.press("Enter")
    shown(visit.page, "mail-1")
    assert not Decision.objects.exists()


def test_a_held_key_fires_once_and_keys_rest_after_a_card_changed(visitor: Visitor) -> None:
    queue, person = queue_with(4)
    visit = at_desk(visitor, queue, person)
    for _ in range(5):  # the later ones repeat
        visit.page.keyboard.down("a")
    visit.page.keyboard.up("a")
    expect(visit.page.locator("[data-card] [data-heading]")).to_have_text("mail-1")
    visit.page.keyboard.press("a")  # within the rest
    visit.page.wait_for_timeout(500)
    assert Decision.objects.count() == 1


def test_a_key_during_a_request_is_ignored(visitor: Visitor) -> None:
    queue, person = queue_with(3)
    visit = at_desk(visitor, queue, person)
    visit.page.evaluate(
        """for (const key of ["a", "a", "1"]) {
          document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        }"""
    )
    shown(visit.page, "mail-1")
    visit.page.wait_for_timeout(300)
    assert Decision.objects.count() == 1


def test_leaving_releases_what_was_not_decided(visitor: Visitor) -> None:
    queue, person = queue_with(3)
    visit = at_desk(visitor, queue, person)
    assert Task.objects.filter(state="claimed").count() == 2
    visit.go("/review/")
    eventually(lambda: not Task.objects.filter(state="claimed").exists(), visit.page)


def test_five_cards_move_nothing_and_come_fast(visitor: Visitor, capsys: pytest.CaptureFixture[str]) -> None:
    queue, person = queue_with(8)
    visit = at_desk(visitor, queue, person)
    visit.page.evaluate(
        """window.times = []; let from = 0; shifts.length = 0;
        document.addEventListener("keydown", () => { from = performance.now(); }, true);
        new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(
          () => times.push(performance.now() - from)))).observe(desk, {childList: true}); 0"""
    )
    for number in range(1, 7):
        visit.page.keyboard.press("a")
        shown(visit.page, f"mail-{number}")
        visit.page.wait_for_load_state("networkidle")
    times = sorted(visit.page.evaluate("times"))
    assert len(times) == 6
    assert visit.page.evaluate("shifts") == []
    with capsys.disabled():
        print(f"\nkey to painted card: p50 {statistics.median(times):.0f} ms, p95 {times[-1]:.0f} ms")  # noqa: T201


def test_a_control_item_shows_nothing_of_the_machine(visitor: Visitor) -> None:
    queue, person = queue_with(0)
    item = make_item(queue, external_id="mail-0", score=0.9731, band=Item.Band.HARD, reason="control", propensity=0.1)
    make_task(queue, item, purpose=Task.Purpose.CONTROL)
    visit = at_desk(visitor, queue, person)
    visit.page.evaluate("""document.querySelectorAll("input[type=hidden]").forEach((e) => e.remove())""")  # tokens
    html = visit.page.locator("main").inner_html().lower()
    told = ("0.97", "97 %", ">control", "drawn", "hard", "suggests", "agree:", "quarantine", "such items", "override")
    assert [word for word in told if word in html] == []
    visit.page.keyboard.press("a")  # there is nothing to agree with
    visit.page.keyboard.press("x")
    visit.page.wait_for_timeout(200)
    assert not Decision.objects.exists()
    visit.page.keyboard.press("2")
    expect(visit.page.locator("[data-state]")).to_be_visible()
    assert Decision.objects.get().was_shown is False


def test_what_arrives_comes_to_an_empty_desk(visitor: Visitor) -> None:
    queue, person = queue_with(0)
    visit = visitor(person)
    visit.page.clock.install()
    visit.go(f"/review/{queue.slug}/")
    expect(visit.page.locator("[data-state=empty]")).to_be_visible()
    make_task(queue, make_item(queue, external_id="late"))
    visit.page.clock.run_for(9_000)
    expect(visit.page.locator("[data-card] [data-heading]")).to_have_text("late")


def test_hostile_and_unusual_payloads_stay_text(visitor: Visitor) -> None:
    fields = tuple(
        PayloadField(kind.value, kind, f"A {kind.value}")
        for kind in (FieldType.TEXT, FieldType.HTML, FieldType.LINK, FieldType.IMAGE, FieldType.JSON, FieldType.NUMBER)
    )
    script = "<script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"
    pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    queue, person = queue_with(0, fields=fields, value_field="", value=make_queue().spec.value)
    payloads: list[dict[str, Any]] = [
        {
            "text": script,
            "html": script,
            "link": "javascript:window.owned=1",
            "image": pixel,
            "json": {script: [script]},
        },
        {"text": "שלום עולם " * 300, "link": "https://example.org/x", "image": "https://example.org/x.png"},
        {"text": script, "number": script, "link": ["x"], "image": 7, "extra": {"deep": script}},
    ]
    for number, payload in enumerate(payloads):
        make_task(queue, make_item(queue, payload, external_id=f"mail-{number}"), priority=number)
    visit = at_desk(visitor, queue, person)
    card = visit.page.locator("[data-card]")
    expect(card.locator("img.evidence-image")).to_have_count(1)
    expect(card.locator(".evidence a[href]")).to_have_count(0)
    visit.page.keyboard.press("b")
    assert visit.page.evaluate("document.documentElement.dataset.blur") == "off"
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")
    expect(card.locator("img")).to_have_count(0)
    assert card.locator(".evidence a[href]").all_inner_texts()[0].startswith("https://example.org/x")
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-2")
    assert visit.page.evaluate("window.owned") is None
    assert not [line for line in visit.asked if "example.org" in line]


def test_an_erased_item_says_so_when_it_comes_back(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    visit.page.keyboard.press("a")
    shown(visit.page, "mail-1")
    item = Item.objects.get(external_id="mail-0")
    admin = make_user("admin", queue)
    erase.erase(item_id=item.pk, by=admin, why="asked for", legal_basis="art. 17", at=timezone.now())
    visit.page.keyboard.press("z")
    shown(visit.page, "mail-0")
    expect(visit.page.locator(".evidence")).to_contain_text("was erased")


def test_a_signed_out_person_keeps_what_they_typed(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person)
    visit.page.fill("#note", "half a thought")
    visit.page.locator("#note").blur()
    visit.page.context.clear_cookies(name="sessionid")
    visit.page.keyboard.press("a")
    expect(visit.page.locator("#toasts")).to_contain_text("You were signed out")
    expect(visit.page.locator("#note")).to_have_value("half a thought")
    assert not Decision.objects.exists()


def test_all_of_it_works_without_script(visitor: Visitor) -> None:
    queue, person = queue_with(4)
    page = visitor(person, f"/review/{queue.slug}/", java_script_enabled=False).page
    heading = page.locator("[data-heading]")
    page.get_by_role("button", name="Take the next item").click()
    expect(heading).to_have_text("mail-0")
    page.get_by_role("button", name="Agree: Spam").click()
    expect(page.locator("#undo-bar")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(heading).to_have_text("mail-0")
    page.get_by_label("Note").fill("it is from my aunt")
    page.get_by_role("link", name="Not spam").first.click()
    page.get_by_role("button", name="Something else").locator("visible=true").click()
    assert [(r.source, r.outcome, r.note) for r in Ruling.objects.order_by("no")][-1] == (
        "decision",
        "ham",
        "it is from my aunt",
    )
    page.get_by_role("button", name="Take the next item").click()
    page.locator("a[data-act=hold]").click()
    page.locator("dialog:target button").first.click()
    page.get_by_role("button", name="Go on with it").click()
    expect(heading).to_have_text("mail-1")
    page.locator("a[data-act=skip]").click()
    page.locator("dialog:target button").first.click()
    assert Task.objects.get(item__external_id="mail-1").skips == 1


def test_the_answers_are_at_hand_on_a_phone(visitor: Visitor) -> None:
    queue, person = queue_with(2)
    visit = at_desk(visitor, queue, person, viewport={"width": 390, "height": 844})
    expect(visit.page.get_by_role("button", name="Agree: Spam")).to_be_in_viewport()
    visit.page.get_by_role("button", name="Agree: Spam").click()
    shown(visit.page, "mail-1")


def test_a_lease_that_ends_is_extended_while_somebody_works(visitor: Visitor) -> None:
    queue, person = queue_with(1, lease=timedelta(seconds=30))
    visit = at_desk(visitor, queue, person)
    before = Move.objects.filter(kind="extended").count()
    Task.objects.update(lease_until=timezone.now() + timedelta(seconds=12))
    until = (timezone.now() + timedelta(seconds=12)).isoformat()
    visit.page.evaluate("""(until) => { document.querySelector("[data-card]").dataset.leaseUntil = until; }""", until)
    visit.page.mouse.move(100, 300)
    eventually(lambda: Move.objects.filter(kind="extended").count() > before, visit.page)
