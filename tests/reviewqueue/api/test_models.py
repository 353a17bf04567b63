"""Models, shadows and their comparison in the API."""

from pathlib import Path

import pytest
from pytest_django import Settings

from decisions.learning import registry, shadow_scores
from decisions.models import Event, ModelVersion, Shadow
from tests.decisions.learning.stored import make_model
from tests.decisions.measure.test_comparison import CUTS, rival
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_policy, make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def test_every_model_says_how_it_stands_and_where_it_came_from() -> None:
    queue = make_queue()
    live, spoilt = make_model(queue, "live"), make_model(queue, "spoilt")
    make_policy(queue, "live", model=live)
    make_policy(queue, "draft", model=spoilt)
    (registry.folder() / "spoilt.skops.seal").unlink()
    found = caller("auditor", queue).get(f"queues/{queue.slug}/models/").json()["models"]
    told = [(one["name"], one["standing"], one["file"]["state"], one["policies"]) for one in found]
    assert told == [
        ("spoilt", "drafted", "refused", [{"no": 3, "state": "draft"}]),
        ("live", "live", "sealed", [{"no": 2, "state": "live"}]),
        ("external", "retired", "none", [{"no": 1, "state": "retired"}]),
    ]
    assert "has no seal" in found[0]["file"]["detail"]


def test_a_shadow_is_started_seen_and_stopped() -> None:
    queue, person = (queue := make_queue()), caller("manager", queue)
    make_model(queue, "kept")
    said = {"model": "kept", "why": "to compare", "back_days": 7}
    made = person.post(f"queues/{queue.slug}/shadows/start/", said)
    assert made.status_code == 201
    again = person.post(f"queues/{queue.slug}/shadows/start/", said)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    person.post(
        f"queues/{queue.slug}/items/", {"external_id": "a", "payload": {"text": "hi", "words": 90}, "score": 0.6}
    )
    seen = person.get(f"queues/{queue.slug}/shadows/").json()["shadows"]
    assert [(one["model"], one["behind"], one["back_days"], one["ending"]) for one in seen] == [("kept", 1, 7, "")]
    shadow_scores.sweep(NOON)
    seen = person.get(f"queues/{queue.slug}/shadows/").json()["shadows"]
    assert (seen[0]["behind"], seen[0]["scored"]) == (0, 1)
    stopped = person.post(f"queues/{queue.slug}/shadows/{seen[0]['id']}/stop/", {"why": "enough"})
    assert (stopped.status_code, stopped.json()["ending"]) == (200, "person")
    assert Event.objects.filter(kind__startswith="shadow.", actor=person.user).count() == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"model": "nobody", "why": "x"}, "model"),
        ({"model": "external", "why": "x"}, "model"),
        ({"model": "external"}, "why"),
        ({"model": "external", "why": "x", "back_days": 91}, "back_days"),
    ],
)
def test_what_does_not_fit_is_refused(said: dict[str, object], field: str) -> None:
    queue = make_queue()
    answer = caller("manager", queue).post(f"queues/{queue.slug}/shadows/start/", said)
    assert answer.status_code == 400
    assert field in [fault["field"] for fault in answer.json()["errors"]]
    assert not Shadow.objects.exists()


def test_two_models_are_compared_in_words_figures_and_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewqueue.api.comparison.log.now", lambda: NOON)
    queue = busy_queue(items=1500, audits=80, policy=CUTS)
    rival(queue, knows=0.6)
    person = caller("auditor", queue)
    found = person.get(f"queues/{queue.slug}/comparison/?challenger=rival&days=7").json()
    assert (found["verdict"], found["currency"], found["champion"]["policy"]) == ("better", "EUR", 1)
    assert found["sentence"].startswith("rival is better than external")
    assert [one["figure"] for one in found["figures"]] == ["worth", "precision", "recall", "people", "automatic"]
    assert found["figures"][0]["difference"]["low"] > 0
    assert found["advised"]["hard"] >= found["advised"]["suggest"] >= found["advised"]["soft"]
    for query, field in (("days=x", "days"), ("days=91", "days"), ("challenger=no", "challenger")):
        answer = person.get(f"queues/{queue.slug}/comparison/?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_one_model_alone_is_not_compared() -> None:
    queue = make_queue()
    assert ModelVersion.objects.filter(queue=queue).count() == 1
    assert caller("manager", queue).get(f"queues/{queue.slug}/comparison/").status_code == 409
