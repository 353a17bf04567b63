"""The filter is trained along with the model, from errors of models that did not see the rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from decisions.learning import guarding, registry, told
from decisions.models import Event, ModelVersion, Queue
from decisions.queues import live
from decisions.queues.spec_filter import Filter
from tests.decisions.learning.test_training import BOOSTING, LOGISTIC, examples, train
from tests.factories import make_policy, make_queue

pytestmark = pytest.mark.django_db
RULES = Filter(cut=0.3, cost_block=1.0, cost_error=10.0)


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def filters(queue: Queue) -> list[ModelVersion]:
    return list(ModelVersion.objects.filter(queue=queue, kind="filter").order_by("pk"))


@pytest.mark.parametrize("model", [BOOSTING, LOGISTIC])
@pytest.mark.parametrize("in_time", [False, True])
def test_it_foretells_where_the_model_errs(model: object, *, in_time: bool) -> None:
    queue = make_queue(model=model, filter=RULES)
    main = train(queue, examples(900), in_time=in_time)
    (made,) = filters(queue)
    assert (made.parameters["of"], made.data_set) == (main.name, main.data_set)
    fresh = examples(900, seed=9)
    payloads = [one.payload for one in fresh]
    wrong = (registry.load(main).score(payloads) >= 0.5) != np.array([one.is_positive for one in fresh])
    doubts = registry.load(made).score(payloads)
    assert doubts[wrong].mean() > doubts[~wrong].mean() + 0.02
    assert doubts.mean() == pytest.approx(wrong.mean(), abs=0.06)
    assert Event.objects.filter(kind="model.trained").count() == ModelVersion.objects.exclude(kind="external").count()


def test_the_same_again_is_the_same_filter_and_it_stands_before_its_model_only() -> None:
    queue = make_queue(model=BOOSTING, filter=RULES)
    main = train(queue, examples(600))
    train(queue, examples(600))
    (made,) = filters(queue)
    make_policy(queue, "live", model=main)
    assert live.of(queue.slug).filter == made
    other = train(queue, examples(600, seed=5))
    make_policy(queue, "live", model=other)
    assert live.of(queue.slug).filter == filters(queue)[1] != made


def test_no_filter_where_none_is_asked_or_errors_are_too_few() -> None:
    train(plain := make_queue(model=BOOSTING), examples(600))
    train(strict := make_queue(model=BOOSTING, filter=replace(RULES, min_labels=5000)), examples(600))
    assert (filters(plain), filters(strict)) == ([], [])
    assert live.of(plain.slug).filter is None


def test_a_model_that_never_errs_has_no_filter_and_the_log_says_why() -> None:
    queue = make_queue(model=LOGISTIC, filter=RULES)
    easy = [replace(one, is_positive=(one.payload["words"] or 0) > 50) for one in examples(600)]
    sure = [replace(one, payload={**one.payload, "words": 90.0 if one.is_positive else 5.0}) for one in easy]
    train(queue, sure)
    assert filters(queue) == []
    said = told.LINES["filter_too_few"] % {"errors": 0, "rows": 600, "least": 200, "fewest": 20}
    assert "erred in 0 of 600 rows" in said


def test_the_suggestion_is_that_of_the_live_policy() -> None:
    queue = make_queue(model=BOOSTING, filter=RULES)
    main = train(queue, examples(600))
    make_policy(queue, "live", model=main, suggest=0.8, hard=0.9)
    assert guarding.suggestion(queue) == 0.8
    train(queue, examples(600))
    assert [one.parameters["suggest"] for one in filters(queue)] == [0.5, 0.8]
