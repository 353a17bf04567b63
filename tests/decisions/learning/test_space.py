"""Items as points: like ones lie near, whatever the unit of a field, and gaps are a kind of their own."""

from typing import Any

import numpy as np
import pytest

from decisions.learning import space
from decisions.learning.features import CATEGORY, NUMBER, TEXT, Feature
from decisions.learning.space import Space

FIELDS = (Feature("text", TEXT), Feature("words", NUMBER), Feature("kind", CATEGORY, ("mail", "chat")))
ROWS: list[dict[str, Any]] = [
    {"text": "win a prize now", "words": 10, "kind": "mail"},
    {"text": "see you tomorrow", "words": 12, "kind": "mail"},
    {"text": "see you on friday", "words": 90, "kind": "chat"},
    {"text": "the invoice of march", "words": None, "kind": None},
]


def nearest(one: dict[str, Any], rows: list[dict[str, Any]] = ROWS, fields: tuple[Feature, ...] = FIELDS) -> list[int]:
    made = Space.of(fields, rows)
    points = made.points(rows)
    squares = np.asarray(points.power(2).sum(axis=1)).ravel()
    far = space.distances(points, squares, made.points([one]))
    return [int(i) for i in np.argsort(far, kind="stable")]


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_an_item_is_nearest_to_itself(row: int) -> None:
    assert nearest(ROWS[row])[0] == row


def test_each_kind_of_field_brings_items_together() -> None:
    assert nearest({"text": "a prize to win", "words": 11, "kind": "mail"})[0] == 0
    assert nearest({"text": "", "words": 88, "kind": "chat"})[0] == 2
    assert nearest({"text": "", "words": None, "kind": None})[0] == 3


def test_the_unit_of_a_field_does_not_matter() -> None:
    rows = [{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 5.0}, {"a": 3.0, "b": 3.0}]
    fields = (Feature("a", NUMBER), Feature("b", NUMBER))
    scaled = [{"a": row["a"] * 1_000_000, "b": row["b"]} for row in rows]
    one = {"a": 1.4, "b": 4.0}
    assert nearest(one, rows, fields) == nearest({"a": 1_400_000.0, "b": 4.0}, scaled, fields)


def test_an_outlier_counts_as_far_and_no_further() -> None:
    rows = [{"a": float(i % 5), "b": float(i % 2)} for i in range(50)]
    made = Space.of((Feature("a", NUMBER), Feature("b", NUMBER)), rows)
    far, further = made.points([{"a": 1e6, "b": 0.0}, {"a": 1e9, "b": 0.0}]).todense().tolist()
    assert far == further


def test_a_field_that_never_varies_and_one_that_is_never_there_do_no_harm() -> None:
    rows = [{"a": 5.0}, {"a": 5.0}]
    made = Space.of((Feature("a", NUMBER), Feature("gone", NUMBER), Feature("empty", TEXT)), rows)
    assert np.isfinite(made.points([*rows, {"a": 7.0, "gone": 1.0, "empty": "word"}]).todense()).all()


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    rows = [{"text": f"please read {name}"} for name in ("alpha", "beta", "gamma", "delta")]
    assert nearest({"text": "please read gamma"}, rows, FIELDS[:1])[0] == 2
    far = nearest({"text": "gamma"}, rows, FIELDS[:1])
    assert far[0] == 2
