"""The what-if page: terms in the address, figures without a reload, and each state it can be in."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from decisions.measure import rollups
from decisions.models import Item, ModelVersion, Policy, Queue, Score
from decisions.queues.spec import ModelSpec, PolicySpec, ValueFormula
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db


def visit(queue: Queue, role: str = "manager", *, live: bool = False, **query: Any) -> Any:
    """Ask for the page, or only for its figures as htmx does."""
    client = Client()
    client.force_login(make_user(role, queue), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(f"/policy/{queue.slug}/what-if/", query, headers={"HX-Request": "true"} if live else {})


def busy(**given: Any) -> Queue:
    return busy_queue(at=timezone.now().replace(minute=0, second=0, microsecond=0), **given)


def aim_at(queue: Queue, target: float) -> None:
    """Let a policy like the live one be live that names a precision."""
    live = Policy.objects.live().get(queue=queue)
    Policy.objects.filter(pk=live.pk).update(state=Policy.State.RETIRED)
    names = ("model", "hard", "soft", "suggest", "control_share", "objective", "why", "created_at")
    same = {name: getattr(live, name) for name in names}
    Policy.objects.create(queue=queue, no=live.no + 1, state="live", precision_target=target, **same)


def text(answer: Any) -> str:
    """Return a page's words."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_page_compares_the_live_policy_with_itself_at_first() -> None:
    answer = visit(busy(), days=7)
    assert answer.status_code == 200
    page = text(answer)
    assert "Recall" in page
    assert "Make this a draft" not in page
    assert 'name="hard" class="form-control" value="0.9"' in answer.content.decode()


def test_figures_alone_are_sent_where_a_script_asks() -> None:
    answer = visit(busy(), live=True, soft="0.15", days=7)
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert answer.context["answer"].new.soft == 0.15
    assert answer.context["answer"].new.hard == 0.9  # what the address does not name is as it stands


def test_an_empty_threshold_is_none() -> None:
    answer = visit(busy(), live=True, hard="", days=7)
    assert answer.context["answer"].new.hard is None
    assert answer.context["answer"].row("hard").new.value == 0


def test_a_draft_takes_over_what_was_tried() -> None:
    answer = visit(busy(), soft="0.15", control_share="0.2", days=7)
    link = re.search(r'href="([^"]+#draft-title)"', answer.content.decode())
    assert link
    told = parse_qs(urlsplit(link[1].replace("&amp;", "&")).query)
    assert (told["soft"], told["control_share"], told["hard"]) == (["0.15"], ["0.2"], ["0.9"])
    assert told["why"]


def test_who_only_reads_is_offered_no_draft() -> None:
    queue = busy()
    assert "Make this a draft" in text(visit(queue, soft="0.15", days=7))
    assert "Make this a draft" not in text(visit(queue, "lead", soft="0.15", days=7))
    assert visit(queue, "reviewer").status_code == 403


def test_what_was_not_measured_says_so_beside_the_models_guess() -> None:
    answer = visit(busy(audits=0), live=True, soft="0.15", days=7)
    cells = [c for _, lines in answer.context["groups"] for one in lines for c in (one.live, one.new, one.gap)]
    guessed = [cell for cell in cells if cell.guess]
    assert guessed
    assert {(cell.text, cell.why) for cell in guessed} == {("", "not measured there")}
    assert "the model itself expects" in text(answer)


def test_nothing_came_yet() -> None:
    answer = visit(make_queue())
    assert answer.status_code == 200
    assert "Nothing came in this window yet" in text(answer)


def test_a_queue_without_a_live_policy() -> None:
    queue = make_queue()
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    answer = visit(queue)
    assert answer.status_code == 200
    assert "No policy is live" in text(answer)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "query",
    [
        {"soft": "0.95"},  # above hard
        {"hard": "x"},  # no number
        {"soft": "nan"},  # none either
        {"days": "3"},  # not a window
        {"control_share": "2"},  # no share
        {"hours": "30"},  # no day
    ],
)
def test_terms_that_do_not_fit_are_said(query: dict[str, str], live: bool) -> None:
    answer = visit(busy(items=20, audits=0), live=live, **query)
    assert answer.status_code == 422
    assert "These terms do not fit." in text(answer)


def test_a_stored_policy_is_tried_out() -> None:
    queue = busy()
    draft = Policy.objects.get(queue=queue)
    Policy.objects.create(
        queue=queue, no=2, model=draft.model, hard=0.95, soft=0.2, suggest=0.4, control_share=0.3, audit_budget=7,
        objective="o", why="w", created_at=NOON,
    )  # fmt: skip
    found = visit(queue, policy=2, days=7).context["answer"].new
    assert (found.hard, found.soft, found.control_share, found.audit_budget) == (0.95, 0.2, 0.3, 7)
    for no in ("9", "x", "²", "-1"):
        assert visit(queue, policy=no).status_code == 404


def test_a_stored_policy_of_another_model_is_tried_on_its_scores_or_refused() -> None:
    queue = busy()
    other = ModelVersion.objects.create(queue=queue, name="n", kind="external", app_version="t", created_at=NOON)
    Policy.objects.create(
        queue=queue, no=2, model=other, hard=0.5, soft=0.2, suggest=0.4, control_share=0.3,
        objective="o", why="w", created_at=NOON,
    )  # fmt: skip
    refused = visit(queue, policy=2, days=7)
    assert refused.status_code == 422
    assert "The model n scored none of the items of this window" in text(refused)
    items = Item.objects.filter(queue=queue, reason__in=("score", "control"))
    Score.objects.bulk_create(
        Score(item=one, model=other, score=one.score or 0, p=one.p or 0, at=NOON) for one in items
    )
    answer = visit(queue, policy=2, days=28)
    assert answer.context["answer"].new.hard == 0.5
    assert "That policy routes by the model n" in text(answer)
    assert '<input type="hidden" name="policy" value="2">' in answer.content.decode()


def test_a_queue_that_only_ranks_without_money_elsewhere_in_the_world() -> None:
    queue = busy(
        policy=PolicySpec(hard=None, soft=None, suggest=40.0, control_share=0.0, objective="Order"),
        model=ModelSpec(low=0.0, high=100.0),
        value=ValueFormula(),
        timezone="Pacific/Auckland",
        audits=0,
    )
    page = text(visit(queue, days=7))
    assert "Money a day" not in page
    assert "Hours of delay" not in page
    assert "NZDT" in page or "NZST" in page


def test_advice_fills_in_what_it_says() -> None:
    queue = busy()
    aim_at(queue, 0.6)
    answer = visit(queue, people="3", hours="4", days=7)
    page = answer.content.decode()
    assert "annot be certified" in page or "Certified" in page
    fill = re.search(r'href="\?([^"]+)" data-fill="soft" data-value="([^"]+)"', page)
    assert fill
    assert parse_qs(fill[1].replace("&amp;", "&"))["soft"] == [fill[2]]
    assert parse_qs(fill[1].replace("&amp;", "&"))["people"] == ["3"]


def test_without_a_target_nothing_is_certified() -> None:
    assert "names no precision that hard shall reach" in text(visit(busy(), days=7))


def test_a_quiet_window_of_a_busy_queue() -> None:
    queue = busy_queue(at=timezone.now() - timedelta(days=5), items=40, audits=0)
    rollups.roll_up(timezone.now())
    assert "Nothing came in this window yet" in text(visit(queue, days=1))


def test_the_floor_leads_there_for_whoever_may_look() -> None:
    queue = make_queue()
    found = {}
    for role in ("reviewer", "lead", "manager"):
        client = Client()
        client.force_login(make_user(role, queue), backend="allauth.account.auth_backends.AuthenticationBackend")
        page = client.get(f"/floor/{queue.slug}/").content.decode()
        found[role] = f'href="/policy/{queue.slug}/what-if/"' in page
    assert found == {"reviewer": False, "lead": True, "manager": True}
