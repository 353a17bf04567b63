"""The pages of models and of champion against challenger: what they show, and what can be done on them."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from decisions.learning import registry
from decisions.models import ModelVersion, Policy, Queue, Shadow, User
from tests.decisions.learning.stored import make_model
from tests.decisions.measure.test_comparison import CUTS, rival
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("reviewqueue.web.science.comparison.log.now", lambda: NOON)


def client(person: User) -> Client:
    made = Client()
    made.force_login(person)
    return made


def page(queue: Queue, path: str, role: str = "manager") -> str:
    return client(make_user(role, queue)).get(f"/policy/{queue.slug}/{path}").content.decode()


def test_the_registry_shows_how_each_model_stands_and_its_file() -> None:
    queue = make_queue()
    live = make_model(queue, "live-1", metrics={"auc": 0.91}, data_set="ab" * 32)
    make_policy(queue, "live", model=live)
    make_model(queue, "spoilt-1")
    (registry.folder() / "spoilt-1.skops").write_bytes(b"x")
    (registry.folder() / "spoilt-1.skops.seal").write_bytes(b"x")
    shown = page(queue, "models/")
    for text in (
        "live-1",
        "Live",
        "0.91",
        "abababababab",
        "sealed",
        "spoilt-1",
        "Never used",
        "not a model&#x27;s seal",
    ):
        assert text in shown
    assert "No model is in shadow" in shown


def test_a_model_is_put_in_shadow_and_taken_out_on_its_page() -> None:
    queue = make_queue()
    make_model(queue, "kept-1")
    manager = client(make_user("manager", queue))
    assert "Put in shadow" in manager.get(f"/policy/{queue.slug}/models/kept-1/").content.decode()
    path = f"/policy/{queue.slug}/models/kept-1/shadow/"
    assert manager.post(path, {"why": "", "back_days": "7"}).status_code == 422
    assert manager.post(path, {"why": "to compare", "back_days": "7"}).status_code == 302
    shadow = Shadow.objects.get()
    assert (shadow.back_days, shadow.is_running) == (7, True)
    shown = manager.get(f"/policy/{queue.slug}/models/").content.decode()
    assert "to compare" in shown
    assert f"/policy/{queue.slug}/comparison/?challenger=kept-1" in shown
    assert "Take out of shadow" in manager.get(f"/policy/{queue.slug}/models/kept-1/").content.decode()
    assert manager.post(f"/policy/{queue.slug}/shadows/{shadow.pk}/stop/", {"why": "enough"}).status_code == 302
    shadow.refresh_from_db()
    assert not shadow.is_running
    assert "enough" in manager.get(f"/policy/{queue.slug}/models/").content.decode()


def test_an_auditor_reads_and_has_no_buttons() -> None:
    queue = make_queue()
    make_model(queue, "kept-1")
    assert "Put in shadow" not in page(queue, "models/kept-1/", "auditor")
    assert page(queue, "models/no-such/", "auditor").count("kept-1") == 0


def test_a_business_reader_sees_one_sentence_three_numbers_and_what_they_rest_on() -> None:
    queue = busy_queue(items=1500, audits=80, policy=CUTS)
    rival(queue, knows=0.6)
    shown = page(queue, "comparison/?challenger=rival&days=7")
    assert "rival is better than external: it would bring about" in shown
    for text in ("Money a day", "Automatic actions that are right", "Positives that are caught", "What this rests on"):
        assert text in shown
    assert "Draft a policy with the challenger" in shown
    assert "model=rival" in shown
    assert "Draft a policy with the challenger" not in page(queue, "comparison/?challenger=rival&days=7", "auditor")


def test_a_queue_with_one_model_says_what_to_do() -> None:
    assert "There is only one model" in page(make_queue(), "comparison/")


def test_the_link_fills_in_the_draft_and_the_next_steps_stand_on_the_page() -> None:
    queue = busy_queue(items=1500, audits=80, policy=CUTS)
    other = rival(queue, knows=0.6)
    author, second = client(make_user("manager", queue)), client(make_user("manager", queue))
    form = author.get(f"/policy/{queue.slug}/?model=rival&hard=0.87&soft=0.4&suggest=0.6&why=better").content.decode()
    assert f'<option value="{other.pk}" selected>' in form
    assert 'value="0.87"' in form
    make_policy(queue, "draft", model=other, hard=0.87, soft=0.4)
    policy = Policy.objects.get(no=2)
    shown = second.get(f"/policy/{queue.slug}/comparison/?challenger=rival&days=7").content.decode()
    assert f"/policy/{queue.slug}/2/approve/" in shown
    assert "as in policy 2" in shown
    assert ModelVersion.objects.get(policies=policy).name == "rival"
