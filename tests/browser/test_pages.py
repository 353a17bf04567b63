"""Every page in a browser: accessible in both themes and languages, down to 320 px, with nothing inline or broken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from decisions.measure import rollups
from decisions.models import Alert, DataSet, Frame, Gold, Membership, Queue, Task, User
from decisions.queues import pause
from decisions.queues.spec_time import Overload, OverloadRule
from decisions.record import log
from decisions.rights import Act, Limit, edit
from decisions.routing import guard
from decisions.work import appeals, claim, decide
from decisions.work.answer import Answer
from tests.browser.conftest import Visit, Visitor
from tests.decisions.measure.measured import yesterday_measured
from tests.decisions.measure.test_answering import golden
from tests.decisions.watch.alerting import make_alert, make_closed
from tests.decisions.work.makers import HAM, answered, gold_item
from tests.decisions.work.test_disputes import disputed
from tests.factories import make_data_set, make_item, make_pending, make_policy, make_queue, make_task, make_user
from tests.reviewqueue.api.test_quality import paused

pytestmark = pytest.mark.browser
DESK = 3  # slashes in the address of a reviewer's desk
RIGHT = "&".join(f"{role}-may={'no' if role == 'auditor' else 'below'}" for role in Membership.Role.values)
MEASURED = ("known", "segments", "fairness", "frames", "recalibration", "value", "report", "trust", "drift")

MEASURED = ("known", "segments", "fairness", "frames", "recalibration", "value", "report", "trust", "ladder")


@dataclass
class World:
    """A crowded queue, an empty one, a paused one, one with measured figures, and who looks at them."""

    busy: Queue
    empty: Queue
    paused: Queue
    measured: Queue
    checked: Queue
    lead: User
    manager: User
    auditor: User
    admin: User
    newcomer: User
    appealed: int
    pending: int

    def team(self, busy: str) -> Iterator[tuple[str, User | None, str]]:
        """The same of the pages about people and their time."""
        yield "team busy", self.manager, f"/floor/{busy}/team/"
        yield "team empty", self.manager, f"/floor/{self.empty.slug}/team/"
        yield "nothing to balance", self.manager, f"/floor/{busy}/team/preview/"
        yield "schedule busy", self.manager, f"/floor/{busy}/schedule/"
        yield "a person", self.manager, f"/floor/{busy}/people/{self.manager.pk}/"
        yield "my work", self.manager, "/me/work/"

    def labels(self) -> Iterator[tuple[str, User | None, str]]:
        """The same of what training gets."""
        for queue in (self.measured, self.empty):
            for page in ("labels", "data-sets"):
                yield f"{page} {queue.spec.title}", self.manager, f"/policy/{queue.slug}/{page}/"
        data_set = DataSet.objects.get(queue=self.measured)
        yield "data set", self.manager, f"/policy/{self.measured.slug}/data-sets/{data_set.name}/"

    def models(self) -> Iterator[tuple[str, User | None, str]]:
        """The same of models and their comparison."""
        for queue in (self.busy, self.empty):
            for place in ("models", "models/external", "comparison"):
                yield f"{place} {queue.spec.title}", self.manager, f"/policy/{queue.slug}/{place}/"

    def pages(self) -> Iterator[tuple[str, User | None, str]]:
        """Name, visitor and address of each page and state."""
        busy, item = self.busy.slug, Task.objects.filter(queue=self.busy).order_by("pk").first()
        assert item is not None
        for place in ("review", "floor", "audit", "policy"):
            yield f"{place} index", self.manager, f"/{place}/"
            yield f"{place} busy", self.manager, f"/{place}/{busy}/"
            yield f"{place} empty", self.manager, f"/{place}/{self.empty.slug}/"
            if place == "floor":
                yield "hours busy", self.manager, f"/floor/{busy}/hours/"
                yield "deadlines busy", self.manager, f"/floor/{busy}/deadlines/"
                yield "deadlines empty", self.manager, f"/floor/{self.empty.slug}/deadlines/?by=hour"
        yield from self.team(busy)
        yield "two policies", self.manager, f"/policy/{busy}/compare/?one=3"
        yield "review paused", self.manager, f"/review/{self.paused.slug}/"
        for queue in (self.measured, self.empty):
            yield f"operating point {queue.spec.title}", self.manager, f"/policy/{queue.slug}/operating-point/"
            for page in MEASURED:
                yield f"{page} {queue.spec.title}", self.manager, f"/policy/{queue.slug}/{page}/"
        yield from self.models()
        yield from self.labels()
        frame = Frame.objects.filter(queue=self.measured).earliest("starts_at")
        yield "frame", self.manager, f"/policy/{self.measured.slug}/frames/{frame.pk}/"
        yield "inventory", self.manager, "/audit/inventory/"
        yield "inventory of nobody", self.newcomer, "/audit/inventory/"
        opened, closed = Alert.objects.order_by("pk")
        yield "alerts", self.manager, "/floor/alerts/"
        yield "alerts of nobody", self.newcomer, "/floor/alerts/"
        yield "alert", self.manager, f"/floor/alerts/{opened.pk}/"
        yield "alert closed", self.auditor, f"/floor/alerts/{closed.pk}/"
        yield "items behind an alert", self.manager, f"/floor/alerts/{opened.pk}/items/"
        yield "item", self.manager, f"/audit/{busy}/items/{item.item_id}/"
        marked = Gold.objects.filter(queue=self.checked).latest("pk")
        for queue in (self.checked, self.empty):
            yield f"quality {queue.spec.title}", self.lead, f"/floor/{queue.slug}/quality/"
            yield f"my answers {queue.spec.title}", self.lead, f"/review/{queue.slug}/mine/"
            yield f"to settle {queue.spec.title}", self.lead, f"/review/{queue.slug}/adjudications/"
        yield "gold", self.lead, f"/audit/{self.checked.slug}/items/{marked.item_id}/"
        yield "actions", self.auditor, f"/audit/{busy}/actions/"
        for place in ("appeals", "overrides"):
            yield f"{place} busy", self.manager, f"/audit/{busy}/{place}/"
            yield f"{place} empty", self.manager, f"/audit/{self.empty.slug}/{place}/"
        yield "item with an appeal", self.manager, f"/audit/{busy}/items/{self.appealed}/"
        yield "item for a second person", self.manager, f"/audit/{busy}/items/{self.pending}/"
        yield "access", self.admin, "/access/"
        yield "access of nobody", self.newcomer, "/access/"
        for slug in ("-", busy):
            yield f"rights {slug}", self.admin, f"/access/{slug}/"
            yield f"members {slug}", self.admin, f"/access/{slug}/members/"
        yield "rights read", self.auditor, f"/access/{busy}/"
        yield "a right", self.admin, f"/access/{busy}/change/claim/"
        yield "a right changed", self.admin, f"/access/{busy}/change/export/?{RIGHT}"
        yield "version of rights", self.auditor, f"/access/{busy}/versions/2/"
        yield "forbidden", self.auditor, f"/policy/{busy}/"
        yield "not found", self.newcomer, f"/audit/{busy}/"
        yield "nobody's", self.newcomer, "/"
        yield "sign in", None, "/accounts/login/"


@pytest.fixture
def world(site: str) -> World:
    busy, empty, paused = (
        make_queue(title=title, overload=Overload(order=tuple(OverloadRule))) for title in ("Busy", "Empty", "Paused")
    )
    manager, reviewer = make_user("manager", name="Mara"), make_user("reviewer", busy, name="Rita")
    at = timezone.now() - timedelta(minutes=20)
    for number in range(8):
        make_task(busy, make_item(busy, external_id=f"mail-{number}", arrived_at=at))
    for number in range(4):
        task = claim.next_tasks(queue_id=busy.pk, person=reviewer)[0]
        answer = Answer("ham", "content", "my aunt wrote it") if number else Answer("spam", active_seconds=4.0)
        decide.decide(task_id=task.pk, lease=task.lease, person=reviewer, answer=answer)
    held = claim.next_tasks(queue_id=busy.pk, person=manager)[0]
    claim.hold(task_id=held.pk, lease=held.lease, person=manager, reason="information")
    pause.pause(queue_id=paused.pk, by=manager, why="incident")
    make_alert(busy, at, key="route:soft", level="act")
    make_closed(busy, at, by=manager)
    for state in ("retired", "canary", "draft"):
        make_policy(busy, state, precision_target=0.9)
    guard.watch(log.now())
    rollups.roll_up(log.now())
    admin, auditor = make_user("admin", name="Ada"), make_user("auditor", busy)
    for cells in ({Act.VERIFY: {"auditor": None}}, {Act.EXPORT: {"lead": Limit()}}):
        edit.propose(queue=busy, cells=cells, by=make_user("admin", busy), why="a trial", at=at)
    lead, checked = make_user("lead", name="Leo"), checked_queue()
    acted = [make_item(busy, route="hard", band="hard", score=0.95, value=120.0) for _ in range(2)]
    appeals.file(item_id=acted[0].pk, by=manager, statement="It was an invoice, I have the order here.")
    make_pending(acted[1], note="The customer called", person=make_user("lead", busy, name="Lea"))
    people = (lead, manager, auditor, admin, make_user())
    measured = yesterday_measured()
    make_data_set(measured)
    return World(busy, empty, paused, measured, checked, *people, acted[0].pk, acted[1].pk)


def checked_queue() -> Queue:
    """Make a queue on which people were checked: one measured and paused, one hardly, a disagreement of each kind."""
    queue = make_queue(title="Checked")
    anna, bert = (make_user("reviewer", queue, name=name) for name in ("Anna", "Bert"))
    for number in range(34):
        golden(queue, {anna: "spam", bert: "ham" if number % 3 else "spam"})
    paused(bert, queue)
    disputed(queue, anna, make_user("reviewer", queue, name="Cora"))
    answered(make_user("lead", queue, name="Lena"), queue, HAM)
    disputed(queue, anna, make_user("reviewer", queue, name="Dora"))
    gold_item(queue)
    return queue


def patterns(of: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in of:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns, route)
        else:
            yield route


def test_no_workplace_is_left_out(world: World) -> None:
    seen = {path.split("/")[1] for _name, _person, path in world.pages()}
    assert {"review", "floor", "audit", "policy"} <= seen
    first = {route.split("/")[0] for route in patterns(get_resolver().url_patterns)}
    assert first - seen <= {"accounts", "api", "livez", "readyz", "metrics", "language", "me", "^api", ""}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_an_accessibility_fault(visitor: Visitor, world: World, theme: str, language: str) -> None:
    found = {}
    visits: dict[User | None, Visit] = {}
    axe = Axe()
    for name, person, path in world.pages():
        if person not in visits:
            visits[person] = visitor(person, color_scheme=theme, locale=language, reduced_motion="reduce")
        visit = visits[person]
        page = visit.go(path)
        if path.startswith("/review/q") and path.count("/") == DESK:
            page.wait_for_selector("[data-card], [data-state]")
        violations = axe.run(page).response["violations"]
        if violations:
            found[name] = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations]
    assert found == {}


# the narrowest width of WCAG 1.4.10, a phone, a desk at 200 %
@pytest.mark.parametrize("size", [(320, 640), (390, 844), (683, 384)])
def test_nothing_sticks_out_sideways(visitor: Visitor, world: World, size: tuple[int, int]) -> None:
    visits: dict[User | None, Visit] = {}
    wide = {}
    for name, person, path in world.pages():
        if person not in visits:
            visits[person] = visitor(person, viewport={"width": size[0], "height": size[1]})
        page = visits[person].go(path)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[name] = over
    assert wide == {}


def test_the_usual_card_needs_no_scrolling(visitor: Visitor, world: World) -> None:
    page = visitor(world.manager, f"/review/{world.busy.slug}/").page
    page.wait_for_selector("[data-card]")
    assert page.evaluate("document.querySelector('.card-sheet').getBoundingClientRect().bottom") <= 768
