"""In Chinese no page says a word of English that isn't somebody's own: a queue's words, a name, a code, a key."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from decisions.measure import rollups
from decisions.models import Membership, Policy, Queue, User
from decisions.queues import dump
from decisions.record import log
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.factories import NOON, PASSWORD, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db

SILENT = {"script", "style", "kbd", "template", "svg"}
EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SPOKEN = {"aria-label", "title", "placeholder", "alt"}
WORD = re.compile("(?<![0-9A-Za-z])[A-Za-z]{3,}(?![0-9A-Za-z])")  # no letters from within a hash
# Ours and others' names, formats, a language's own name, commands, zones of time, and what a test made.
NAMES = "Review Queue Prodigy Label Studio Ozone CSV JSON Lines English manage py set endpoint UTC test external Email"


class Words(HTMLParser):
    """Collects what a page says, read or heard."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        self.said += [value for name, value in attrs if value and (name in SPOKEN or name.startswith("data-say"))]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not SILENT & set(self.open):
            self.said.append(data)


def english(html: str, own: str) -> set[str]:
    """Return the English words of a page, but for those of `own`."""
    page = Words()
    page.feed(html)
    known = set(re.findall("[A-Za-z]+", f"{own} {NAMES}".lower()))
    return {word for text in page.said for word in WORD.findall(text) if word.lower() not in known}


@pytest.fixture
def queue() -> Queue:
    """A queue with a decided item, an item in work and one more that waits; a failed check among them."""
    queue = make_queue()
    Policy.objects.create(queue=queue, no=2, suggest=0.5, objective="x", why="x", created_at=NOON)
    reviewer = make_user(Membership.Role.REVIEWER, queue, name="x")
    make_task(queue)
    task = claim.next_tasks(queue_id=queue.pk, person=reviewer)[0]
    answer = Answer(outcome="ham", reason="content")
    decide.decide(task_id=task.pk, lease=task.lease, person=reviewer, answer=answer)
    for _ in range(2):
        make_task(queue, make_item(queue, failures=["range:words"], reason="input_check"))
    rollups.roll_up(log.now())
    return queue


def visit(user: User, path: str) -> str:
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(user)
    response = client.get(path)
    assert response.status_code in (200, 404)
    return str(response.content.decode())


# every page that a manager opens; the last one is missing
@pytest.mark.parametrize(
    "path",
    [
        "/review/",
        "/review/{slug}/",
        "/floor/",
        "/floor/{slug}/",
        "/audit/",
        "/audit/{slug}/?which=all",
        "/audit/{slug}/items/{item}/",
        "/audit/{slug}/actions/",
        "/policy/",
        "/policy/{slug}/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/logout/",
        "/floor/nothing/",
    ],
)
def test_a_page_in_chinese_is_in_chinese(queue: Queue, path: str) -> None:
    manager = make_user(Membership.Role.MANAGER, queue, name="x", email="m@example.org", password=PASSWORD)
    item = queue.items.filter(tasks__state="decided").get()
    own = json.dumps(dump.content(queue.spec)) + " m@example.org item decision made range words hello person first"
    html = visit(manager, path.format(slug=queue.slug, item=item.pk))
    assert 'lang="zh-hans"' in html
    assert english(html, own) == set()


def test_a_card_in_chinese_is_in_chinese(queue: Queue) -> None:
    reviewer = make_user(Membership.Role.REVIEWER, queue, name="x", email="r@example.org")
    task = claim.next_tasks(queue_id=queue.pk, person=reviewer)[0]
    html = visit(reviewer, f"/review/{queue.slug}/")
    assert f'data-card="{task.pk}"' in html
    assert english(html, json.dumps(dump.content(queue.spec)) + " r@example.org item hello") == set()


def test_a_page_in_english_would_be_noticed(queue: Queue) -> None:
    assert {"Backlog", "Utilisation"} <= english("<p>Backlog</p><b title='Utilisation'>x</b><kbd>Enter</kbd>", "x")
    assert english("<script>var backlog</script><p>待办 JSON</p>", "x") == set()
