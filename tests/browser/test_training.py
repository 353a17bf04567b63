"""Training in a browser: a run from its button to a draft, and each state of its pages whatever theme and width."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from pytest_django import Settings

from decisions.learning import runs, work
from decisions.learning.fitting import Step
from decisions.models import ModelVersion, Policy, Queue, TrainingRun, User
from decisions.queues.spec import ModelSpec
from decisions.queues.spec_training import Training
from decisions.record import log
from tests.browser.conftest import Visitor
from tests.decisions.learning.world import labelled_queue
from tests.factories import make_user

pytestmark = pytest.mark.browser
RULES = Training(after_labels=500, every=timedelta(days=7), on_drift=True)


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def trained(queue: Queue, by: User) -> TrainingRun:
    run = runs.start(queue=queue, by=by, at=log.now())
    work.work(run.pk)
    run.refresh_from_db()
    return run


def states(manager: User) -> list[str]:
    """Return the addresses of the training pages in each of their states."""
    full, few, empty = labelled_queue(300, training=RULES), labelled_queue(30), labelled_queue(0, model=ModelSpec())
    done, failed = trained(full, manager), trained(few, manager)
    assert done.model is not None
    judged = {**done.model.metrics, "weighting": {**done.model.metrics["weighting"], **COMPARED}}
    other = ModelVersion.objects.create(
        **{f: getattr(done.model, f) for f in ("queue", "kind", "file", "sha256", "app_version", "created_at")},
        name="boosting-0123456789abcdef",
        metrics=judged,
    )
    TrainingRun.objects.filter(pk=done.pk).update(model=other)
    at_work = runs.take(runs.start(queue=full, by=manager, at=log.now()).pk, log.now())
    assert at_work is not None
    worker = work.Worker(at_work)
    worker.begin(Step.DATA_SET)
    worker.end("0" * 64)
    worker.begin(Step.CANDIDATES, 3)
    worker.tick()
    base = "/policy/{}/training/"
    return [
        base.format(full.slug),
        base.format(empty.slug),
        *(f"{base.format(run.queue.slug)}{run.pk}/" for run in (done, failed, at_work)),
        f"/policy/{full.slug}/models/{other.name}/",
    ]


COMPARED = {
    "kept": "clipped",
    "why": "better",
    "rows": 412,
    "positives": 31,
    "effective": 380.5,
    "candidates": [
        {"weighting": "unweighted", "log_loss": 0.2341, "auc": 0.871, "difference": 0.0, "low": 0.0, "high": 0.0},
        {"weighting": "clipped", "log_loss": 0.2112, "auc": 0.889, "difference": -0.0229, "low": -0.04, "high": -0.005},
        {"weighting": "full", "log_loss": 0.2389, "auc": 0.859, "difference": 0.0048, "low": -0.011, "high": 0.021},
    ],
}


def test_a_run_from_its_button_to_a_draft(visitor: Visitor) -> None:
    queue = labelled_queue(160)
    manager = make_user("manager", queue, name="Mara")
    visit = visitor(manager, f"/policy/{queue.slug}/training/")
    page = visit.page
    page.get_by_label("Why it is trained").fill("more labels")
    page.get_by_role("button", name="Train on all labels there are now").click()
    page.wait_for_selector("#run")
    assert page.get_by_role("button", name="Cancel the run").is_visible()
    work.work(TrainingRun.objects.get().pk)
    page.get_by_role("heading", name="What came out").wait_for(timeout=20_000)  # the poll loads the page anew
    assert page.locator("#run").count() == 0
    page.get_by_text("The same as a table").click()
    assert page.get_by_role("rowheader", name="Calibration").is_visible()
    page.get_by_label("Why it shall be used").fill("it ranks better")
    page.get_by_role("button", name="Draft", exact=True).click()
    page.get_by_text("pins the model").wait_for()
    made = TrainingRun.objects.get().model
    assert Policy.objects.get(queue=queue, state="draft").model == made


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_state_has_an_accessibility_fault_or_sticks_out(visitor: Visitor, theme: str, language: str) -> None:
    manager, axe, found = make_user("manager", name="Mara"), Axe(), {}
    visit = visitor(manager, color_scheme=theme, locale=language, reduced_motion="reduce")
    for number, path in enumerate(states(manager)):
        page = visit.go(path)
        if violations := axe.run(page).response["violations"]:
            found[path] = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations]
        if folder := os.environ.get("H2_SHOTS"):
            page.screenshot(path=f"{folder}/{theme}-{language}-{number}.png", full_page=True)
        for width in (320, 390, 683):
            page.set_viewport_size({"width": width, "height": 844})
            if folder and width == 390 and theme == "light":
                page.screenshot(path=f"{folder}/phone-{language}-{number}.png", full_page=True)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                found[f"{path} at {width}"] = [str(over)]
        page.set_viewport_size({"width": 1366, "height": 768})
    assert found == {}
