"""Two models on the same labelled items, read from the database, against what was put in."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pytest_django import Settings

from decisions.exceptions import Invalid
from decisions.learning import frozen, parquet, registry
from decisions.measure import comparison, comparison_words
from decisions.measure.comparison import Comparison, Verdict
from decisions.models import Body, Item, ModelVersion, Queue, Ruling, Score
from decisions.queues.spec import PolicySpec, ValueFormula
from tests.decisions.learning.stored import make_model
from tests.decisions.learning.test_shadows import begin
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_policy, make_queue

pytestmark = pytest.mark.django_db

CUTS = PolicySpec(hard=0.9, soft=0.3, suggest=0.5, control_share=0.2, objective="o", audit_budget=60)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def rival(queue: Queue, name: str = "rival", *, knows: float, seed: int = 5, **fields: Any) -> ModelVersion:
    """Store a model's scores of all items: `knows` is the part of its score that comes from the truth itself."""
    model = ModelVersion.objects.create(
        queue=queue, name=name, kind="external", app_version="t", created_at=NOON, **fields
    )
    rng = np.random.default_rng(seed)
    truth = dict(Ruling.objects.filter(queue=queue).values_list("item", "truth"))
    rows = []
    for item in Item.objects.filter(queue=queue, reason__in=("score", "control")):
        said = 1.0 if truth.get(item.pk) == "positive" else 0.0
        score = float(np.clip(knows * said + (1 - knows) * (item.score or 0.0) + rng.normal(0, 0.02), 0.0, 1.0))
        rows.append(Score(item=item, model=model, score=score, p=score, at=NOON))
    Score.objects.bulk_create(rows)
    return model


def compared(queue: Queue, **asked: Any) -> Comparison:
    found = comparison.compare(queue, at=NOON, days=7, **asked)
    assert found is not None
    return found


def test_a_model_that_knows_more_is_better_in_money_on_the_same_items() -> None:
    queue = busy_queue(items=1500, audits=80, policy=CUTS)
    rival(queue, knows=0.6)
    found = compared(queue, challenger="rival")
    assert found.verdict == Verdict.BETTER
    worth, recall = found.figure("worth"), found.figure("recall")
    assert worth is not None
    assert recall is not None
    assert worth.gap.sign == recall.gap.sign == 1
    assert worth.more == 0
    assert "rival is better than external: it would bring about" in comparison_words.sentence(found)
    assert comparison_words.needs(found) == ""
    assert found.rests.apart > 0
    assert found.rests.answers == found.rests.asked - found.rests.unscored
    assert set(found.rests.unknown) == {"external", "rival"}


def test_turned_round_it_is_worse_by_the_same() -> None:
    queue = busy_queue(items=1500, audits=80, policy=CUTS)
    other = rival(queue, knows=0.6)
    make_policy(queue, "approved", model=other, hard=0.9, soft=0.3)
    there, back = compared(queue, challenger="rival"), compared(queue, champion="rival", challenger="external")
    assert (there.verdict, back.verdict) == (Verdict.BETTER, Verdict.WORSE)
    one, other_way = there.figure("worth"), back.figure("worth")
    assert one is not None
    assert other_way is not None
    assert one.gap.value == pytest.approx(-(other_way.gap.value or 0))
    assert one.gap.low == pytest.approx(-(other_way.gap.high or 0))
    assert "worse" in comparison_words.sentence(back)


def test_the_same_scores_at_cuts_that_ask_as_much_are_the_same() -> None:
    queue = busy_queue(items=600, policy=CUTS)
    model = ModelVersion.objects.create(queue=queue, name="twin", kind="external", app_version="t", created_at=NOON)
    items = Item.objects.filter(queue=queue, reason__in=("score", "control"))
    Score.objects.bulk_create(Score(item=i, model=model, score=i.score or 0, p=i.p or 0, at=NOON) for i in items)
    found = compared(queue, challenger="twin")
    assert found.challenger.policy is None
    assert found.challenger.hard == pytest.approx(0.9, abs=0.05)
    assert found.challenger.soft == pytest.approx(0.3, abs=0.05)
    assert found.verdict == Verdict.SAME
    assert "alike" in comparison_words.sentence(found)
    assert [one.gap.value for one in found.figures] == [0.0] * 5


def test_a_model_of_which_little_is_known_asks_for_more_labels() -> None:
    queue = busy_queue(items=600, policy=CUTS)
    rival(queue, knows=0.0)
    found = compared(queue, challenger="rival")
    assert found.verdict in (Verdict.OPEN, Verdict.SAME)
    assert "not told apart" in comparison_words.sentence(found) or found.verdict == Verdict.SAME


def test_without_a_value_formula_precision_and_recall_say_it() -> None:
    queue = busy_queue(items=1500, audits=80, policy=CUTS, value=ValueFormula())
    rival(queue, knows=0.6)
    found = compared(queue, challenger="rival")
    assert [one.key for one in found.main] == ["precision", "recall"]
    assert found.verdict == Verdict.BETTER
    assert "catches" in comparison_words.sentence(found)


def test_passes_that_nobody_audited_say_nothing() -> None:
    queue = busy_queue(items=600, audits=0, policy=CUTS)
    rival(queue, knows=0.6)
    found = compared(queue, challenger="rival")
    assert (found.verdict, found.has_frames) == (Verdict.NOTHING, False)
    assert "no frame of passes was closed" in comparison_words.sentence(found)
    assert found.more == 30
    assert found.advised  # a draft can be begun all the same


def known(queue: Queue, items: list[int], how: str) -> list[bytes]:
    """Return how a model that learnt from items knows them, with the other answer than the one that holds."""
    truth = dict(Ruling.objects.filter(queue=queue).values_list("item", "truth"))
    made = []
    for item, text in Body.objects.filter(item__in=items).values_list("item", "content"):
        payload = orjson.loads(text or "")["payload"]
        if how == "a data set":
            payload = {one.name: parquet.column_value(payload.get(one.name), one) for one in queue.spec.fields}
        made.append(frozen.fingerprint(payload, is_positive=truth[item] != "positive"))
    return made


@pytest.mark.parametrize("how", ["a file", "a data set"])
def test_items_that_a_model_learnt_from_are_left_out_and_counted(how: str) -> None:
    queue = busy_queue(items=600, policy=CUTS)
    some = list(Ruling.objects.filter(queue=queue).values_list("item", flat=True)[:50])
    items = Item.objects.filter(queue=queue, reason__in=("score", "control"))
    for name, learnt in (("fresh", []), ("learner", known(queue, some, how))):
        model = make_model(queue, name, parameters={"learnt": registry.store_learnt(name, learnt)})
        Score.objects.bulk_create(Score(item=i, model=model, score=i.score or 0, p=i.p or 0, at=NOON) for i in items)
    fresh, learner = (compared(queue, challenger=name).rests for name in ("fresh", "learner"))
    assert (fresh.learnt, fresh.unknown) == (0, ("external",))
    assert learner.learnt > 0
    assert learner.answers == fresh.answers - learner.learnt


def test_who_is_compared_if_nobody_is_named() -> None:
    queue = busy_queue(items=100, policy=CUTS)
    assert comparison.compare(queue, at=NOON) is None
    make_model(queue, "older")
    make_model(queue, "newer")
    assert compared(queue).challenger.model.name == "newer"
    begin(queue, ModelVersion.objects.get(name="older"), at=NOON - timedelta(hours=1))
    assert compared(queue).challenger.model.name == "older"
    assert compared(queue).champion.model.name == "external"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"champion": "nobody"}, "champion"),
        ({"challenger": "no\0body"}, "challenger"),
        ({"challenger": "external"}, "challenger"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], field: str) -> None:
    queue = make_queue()
    with pytest.raises(Invalid) as refused:
        comparison.compare(queue, at=NOON, **asked)
    assert refused.value.faults[0].field == field
