"""What pushed a score: the factors add up to it on real rows, and say how each value was read."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

from decisions.learning import explain, registry
from decisions.learning.explain import Explanation, Factor, NotExplained, State
from decisions.learning.features import CATEGORY, NUMBER, TEXT, Feature
from decisions.learning.recipe import Recipe
from decisions.learning.registry import Scorer
from decisions.learning.training import Example
from decisions.queues import parse
from reviewqueue.demo import rows
from tests.decisions.learning import fits

QUEUES = Path(rows.__file__).parent / "queues"
FIELDS = (Feature("text", TEXT), Feature("words", NUMBER), Feature("kind", CATEGORY, ("mail", "chat", "post")))


@cache
def demo(slug: str, pipeline: str) -> tuple[Scorer, tuple[Example, ...]]:
    """Return a model of real rows, as it comes back from its file, and rows that it did not learn from."""
    spec = parse.toml((QUEUES / f"{slug}.toml").read_text(), slug)
    spec = replace(spec, model=replace(spec.model, pipeline=pipeline))
    found = rows.examples(slug, spec)
    learnt, rest = found[::2], found[1::2]
    return registry.unpack(registry.pack(fits.of_spec(spec, learnt))), tuple(rest[:300])


def model(pipeline: str) -> Scorer:
    """A model of words, a number and a category: prizes and chats are spam. Nothing of `post` was ever seen."""
    rng = np.random.default_rng(5)
    found = []
    for i in range(400):
        words, chat = float(rng.integers(0, 100)), bool(rng.integers(0, 2))
        is_spam = bool(rng.uniform() < 0.05 + 0.8 * (words > 60) * chat)
        text = "win a prize now" if is_spam and rng.uniform() < 0.7 else "see you tomorrow"
        payload = {"text": text, "words": words if rng.uniform() > 0.1 else None, "kind": "chat" if chat else "mail"}
        found.append(Example(f"m-{i}", payload, is_spam))
    chosen = FIELDS if pipeline == "logistic" else FIELDS[1:]
    return fits.fit(Recipe(pipeline, chosen), found)


def one(scorer: Scorer, **payload: Any) -> Explanation:
    return explain.items(scorer, [payload])[0]


def factor(found: Explanation, field: str, word: str = "") -> Factor:
    return next(factor for factor in found.factors if (factor.field, factor.word) == (field, word))


@pytest.mark.parametrize("slug", ["emails", "credit"])
@pytest.mark.parametrize("pipeline", ["boosting", "logistic"])
@pytest.mark.parametrize("count", [0, 3, 100])
def test_factors_and_rest_add_up_to_the_score_on_real_rows(slug: str, pipeline: str, count: int) -> None:
    scorer, held_out = demo(slug, pipeline)
    payloads = [example.payload for example in held_out]
    found = explain.items(scorer, payloads, count)
    p = scorer.score(payloads)
    assert special.expit([one.total for one in found]) == pytest.approx(p, abs=1e-9)
    assert np.std([one.total for one in found]) > 0.5  # they differ, so that a constant would not do
    assert all(len(one.factors) <= count for one in found)
    if count == 100:
        assert [one.rest for one in found] == pytest.approx(np.zeros(len(found)), abs=1e-9)


@pytest.mark.parametrize("pipeline", ["boosting", "logistic"])
def test_an_uncalibrated_model_adds_up_too(pipeline: str) -> None:
    scorer, held_out = demo("emails", pipeline)
    bare = replace(scorer, slope=1.0, intercept=0.0)
    payloads = [example.payload for example in held_out]
    assert special.expit([one.total for one in explain.items(bare, payloads)]) == pytest.approx(bare.score(payloads))


@pytest.mark.parametrize("pipeline", ["boosting", "logistic"])
def test_the_strongest_come_first_and_what_pushed_nothing_stays_out(pipeline: str) -> None:
    scorer, held_out = demo("emails", pipeline)
    for found in explain.items(scorer, [example.payload for example in held_out]):
        sizes = [abs(factor.weight) for factor in found.factors]
        assert sizes == sorted(sizes, reverse=True)
        assert all(sizes)


def test_a_tree_names_each_field_once_and_only_what_it_splits_on() -> None:
    """A column of noise-free sameness gives no split: it cannot have pushed anything."""
    scorer = model("boosting")
    found = one(scorer, words=80.0, kind="chat", colour="red")
    assert {factor.field for factor in found.factors} == {"words", "kind"}
    assert len(found.factors) == 2


def test_what_the_model_reads_pushes_the_way_it_learnt() -> None:
    for pipeline in ("boosting", "logistic"):
        scorer = model(pipeline)
        much, little = one(scorer, words=90.0, kind="chat"), one(scorer, words=10.0, kind="mail")
        assert factor(much, "words").weight > 0 > factor(little, "words").weight
        assert factor(much, "kind").weight > 0 > factor(little, "kind").weight


def test_a_text_is_told_by_its_words_and_only_those_that_it_holds() -> None:
    found = explain.items(model("logistic"), [{"text": "A prize tomorrow", "words": 50.0, "kind": "mail"}], 100)[0]
    assert {factor.word for factor in found.factors if factor.field == "text"} == {"prize", "tomorrow"}
    assert factor(found, "text", "prize").weight > 0 > factor(found, "text", "tomorrow").weight


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("chat", State.KNOWN),
        (None, State.MISSING),
        ("post", State.UNSEEN),  # the spec names it, no row had it
        ("fax", State.UNSEEN),  # nobody knows it
        (7, State.UNREAD),
    ],
)
def test_how_a_category_was_read(kind: Any, state: State) -> None:
    found = one(model("boosting"), words=80.0, kind=kind)
    assert factor(found, "kind").state == state


@pytest.mark.parametrize(("words", "state"), [(80.0, State.KNOWN), (None, State.MISSING), ("many", State.UNREAD)])
@pytest.mark.parametrize("pipeline", ["boosting", "logistic"])
def test_how_a_number_was_read(pipeline: str, words: Any, state: State) -> None:
    found = explain.items(model(pipeline), [{"words": words, "kind": "chat"}], 100)[0]
    assert factor(found, "words").state == state


def test_a_linear_model_reads_an_unseen_category_as_nothing() -> None:
    found = explain.items(model("logistic"), [{"words": 80.0, "kind": "fax"}], 100)[0]
    assert "kind" not in {factor.field for factor in found.factors}


def test_no_items_have_no_explanations() -> None:
    assert explain.items(model("boosting"), []) == []
    assert explain.items(model("logistic"), []) == []


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(NotExplained):
        explain.items(Scorer(object(), FIELDS[1:2], 1.0, 0.0, 0.0), [{"words": 1.0}])


def test_one_item_is_told_as_it_is_among_many() -> None:
    scorer, held_out = demo("credit", "boosting")
    payloads = [example.payload for example in held_out]
    among = explain.items(scorer, payloads)
    assert [explain.items(scorer, [payload])[0] for payload in payloads[:20]] == among[:20]


def test_features_are_told_by_the_place_they_have_in_the_payload() -> None:
    """Trees count categories first: a column that changed places would blame the wrong field."""
    scorer, held_out = demo("credit", "boosting")
    payloads = [dict(example.payload) for example in held_out[:50]]
    before = explain.items(scorer, payloads, 100)
    for payload in payloads:
        payload["Job"] = None
    after = explain.items(scorer, payloads, 100)
    moved = {
        factor.field
        for old, new in zip(before, after, strict=True)
        for factor in new.factors
        if factor.field == "Job" and factor.state != State.MISSING
    }
    assert moved == set()
    assert any(factor.field == "Job" for new in after for factor in new.factors)
