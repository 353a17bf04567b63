"""The learning loop through the pages, on the demo's rows: labels, a new model, compared, promoted, and rolled back."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from decisions.intake import parse, submit
from decisions.learning import registry, shadow_scores, training, work
from decisions.measure import rollups
from decisions.models import Draw, Item, Label, ModelVersion, Policy, Queue, Ruling, TrainingRun
from decisions.queues import live
from decisions.queues import parse as files
from decisions.queues.spec import Promise, Truth
from decisions.routing import frames
from reviewqueue.demo import rows, setup
from reviewqueue.demo.rows import DemoRow
from tests.browser.conftest import Visitor
from tests.factories import make_policy, make_queue, make_user

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)
ROWS = 1100  # a day
WIDTHS = (1366, 390, 320)
BUDGETS = {"audit_budget": 400, "control_share": 0.8}


@pytest.fixture
def queue(site: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The demo's e-mails under a deliberately weak champion: it learnt from answers that were mixed up."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(shadow_scores, "SECONDS", 60.0)
    spec = replace(files.toml((setup.QUEUES / "emails.toml").read_text(), "emails.toml"), promise=Promise())
    made = make_queue(**{name: getattr(spec, name) for name in spec.__dataclass_fields__})
    Queue.objects.filter(pk=made.pk).update(created_at=timezone.now() - 5 * DAY)
    examples = rows.examples(made.slug, made.spec)
    mixed = np.random.default_rng(1).permutation([one.is_positive for one in examples])
    wrong = [replace(one, is_positive=bool(answer)) for one, answer in zip(examples, mixed, strict=True)]
    weak = training.train(queue=made, examples=wrong, in_time=False, by=None, at=timezone.now())
    scores = registry.load(weak).score([one.payload for one in examples])
    hard, soft = (float(np.quantile(scores, q)) for q in (0.9, 0.7))
    make_policy(made, "live", model=weak, hard=hard, soft=soft, suggest=soft, overload_soft=None, **BUDGETS)
    return made


def arrive(queue: Queue, sent: Sequence[DemoRow], at: datetime) -> None:
    """Let a day's e-mails come, its passes be drawn from, and people answer all they are asked, rightly."""
    lines = b"\n".join(orjson.dumps({"external_id": row.external_id, "payload": row.payload}) for row in sent)
    submit.many(queue=live.of(queue.slug), lines=parse.many(lines), sender=make_user(), at=at, with_results=False)
    frames.close_due(at + DAY)
    asked = Item.objects.filter(queue=queue, route="soft", rulings=None) | Item.objects.filter(
        pk__in=Draw.objects.filter(frame__queue=queue).values("item"), rulings=None
    )
    truths, pi = rows.truths(queue.slug, queue.spec), dict(Draw.objects.values_list("item", "pi"))
    for no, item in enumerate(asked.distinct().order_by("pk"), Label.objects.count() + 1):
        truth = truths[item.external_id]
        outcome = next(one.key for one in queue.spec.outcomes if one.truth == truth)
        common = {"queue": queue, "item": item, "outcome": outcome}
        ruling = Ruling.objects.create(**common, no=1, truth=truth, source="decision", at=at, final_at=at)
        audited, control = pi.get(item.pk), item.reason == "control"
        Label.objects.create(
            **common,
            no=no,
            ruling=ruling,
            value=int(truth == Truth.POSITIVE),
            propensity=audited or item.propensity,
            provenance="audit" if audited else "control" if control else "soft",
            ruled_at=at,
            at=at,
        )
    rollups.roll_up(timezone.now())


def confirm(page: Page, step: str, no: int, why: str) -> None:
    """Take a step of a policy on the page: its button, why, and yes."""
    page.locator(f"[data-dialog={step}-{no}]").click()
    dialog = page.locator(f"dialog#{step}-{no}")
    dialog.get_by_label("Why").fill(why)
    dialog.locator("button[type=submit]").click()


def looks_right(page: Page) -> None:
    """No accessibility fault, and nothing sticks out sideways on a phone."""
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations] == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
    page.set_viewport_size({"width": 1366, "height": 768})


def test_labels_become_a_better_model_that_goes_live_and_comes_back(visitor: Visitor, queue: Queue) -> None:
    sent, today = rows.live(queue.slug), timezone.now().replace(hour=9, minute=0, second=0, microsecond=0)
    arrive(queue, sent[:ROWS], today - 2 * DAY)
    author, second = (visitor(make_user("manager", queue, name=name)) for name in ("Ada", "Ben"))
    weak = ModelVersion.objects.get(queue=queue, policies__state="live").name

    page = author.go(f"/policy/{queue.slug}/training/")  # labels -> retrain
    page.get_by_role("button", name="Train on all labels there are now").click()
    page.wait_for_url(re.compile(r"/training/\d+/"))
    work.work(TrainingRun.objects.get(queue=queue).pk)
    model = TrainingRun.objects.get(queue=queue).model
    assert model is not None

    page = author.go(f"/policy/{queue.slug}/models/")  # the registry, and in shadow
    expect(page.get_by_role("link", name=weak)).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name=model.name).click()
    looks_right(page)
    page.get_by_label("Why").fill("does it know more than the one that is live?")
    page.get_by_role("button", name="Put in shadow").click()
    expect(page.get_by_role("button", name="Take out of shadow")).to_be_visible()

    arrive(queue, sent[ROWS : 2 * ROWS], today - DAY)
    shadow_scores.sweep(timezone.now())
    page = author.go(f"/policy/{queue.slug}/comparison/?days=7")  # challenger beats champion on what people looked at
    expect(page.locator("#verdict")).to_contain_text(f"{model.name} is better than {weak}")
    expect(page.locator("#both canvas")).to_be_visible()
    looks_right(page)

    page.get_by_role("link", name="Draft a policy with the challenger").click()
    expect(page.locator("#id_model")).to_have_value(str(model.pk))
    page.get_by_role("button", name="Store draft").click()
    expect(page.get_by_text("is stored. It routes nothing")).to_be_visible()
    policy = Policy.objects.get(queue=queue, state="draft")
    assert policy.model == model

    page = author.go(f"/policy/{queue.slug}/comparison/?days=7")
    expect(page.locator(f"[data-dialog=approve-{policy.no}]")).to_have_count(0)  # who drafted it does not approve it
    page = second.go(f"/policy/{queue.slug}/comparison/?days=7&challenger={model.name}")
    confirm(page, "approve", policy.no, "the figures hold")
    page = second.go(f"/policy/{queue.slug}/comparison/?days=7&challenger={model.name}")
    confirm(page, "canary", policy.no, "carefully")
    assert Policy.objects.get(pk=policy.pk).state == "canary"
    page = second.go(f"/policy/{queue.slug}/comparison/?days=7&challenger={model.name}")
    confirm(page, "publish", policy.no, "its guard saw nothing")
    assert Policy.objects.live().get(queue=queue).model == model

    page = second.go(f"/policy/{queue.slug}/comparison/?days=7&champion={weak}&challenger={model.name}")
    page.get_by_role("button", name=re.compile("Roll back to policy")).click()  # one click
    expect(page.get_by_text("is live again")).to_be_visible()
    assert Policy.objects.live().get(queue=queue).model_id == ModelVersion.objects.get(name=weak).pk
    assert author.faults + second.faults == []


@pytest.mark.parametrize(("theme", "language"), [("dark", "zh-hans")])
def test_the_pages_of_models_in_the_dark_and_in_chinese(
    visitor: Visitor, queue: Queue, theme: str, language: str
) -> None:
    weak = ModelVersion.objects.get(queue=queue, policies__state="live")
    options = {"color_scheme": theme, "locale": language, "reduced_motion": "reduce"}
    visit = visitor(make_user("manager", queue), **options)
    for path in ("models/", f"models/{weak.name}/", "comparison/"):
        looks_right(visit.go(f"/policy/{queue.slug}/{path}"))
