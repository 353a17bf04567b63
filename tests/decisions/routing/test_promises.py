"""What a check found, in words."""

from typing import Any

import pytest

from decisions.routing import promises

SHARE = {"hits": 9, "of": 10, "value": 0.9, "low": 0.55, "high": 0.9975, "promised": 0.8, "is_kept": True}
NOTHING = {"hits": 0, "of": 0, "value": None, "low": 0.0, "high": 1.0, "promised": 0.8, "is_kept": True}
FIGURES: dict[str, Any] = {
    "is_enough": True,
    "positives": 30,
    "negatives": 70,
    "learnt": 0,
    "sent_back": 0,
    "failed_checks": 0,
    "precision": SHARE,
    "recall": {**SHARE, "hits": 30, "of": 30, "value": 1.0},
}


def test_precision_and_recall_are_told_with_their_counts() -> None:
    assert promises.precision(FIGURES, "Spam") == "the machine would act on 10 rows, and 9 of them are Spam: 90.0 %"
    assert promises.recall(FIGURES, "Spam").endswith("would see 30 of them: all of them")
    assert promises.carries(SHARE) == "on other rows of the same kind it could as well be 55.0 % to 99.8 %"


def test_where_there_is_nothing_nothing_is_claimed() -> None:
    empty = {**FIGURES, "precision": NOTHING, "recall": NOTHING}
    assert promises.precision(empty, "Spam") == "the machine would act on none of these rows"
    assert promises.recall(empty, "Spam") == "none of these rows is Spam"
    assert promises.carries(NOTHING) == ""


# what differs in the figures, and what is told
LEFT_OUT = [
    ({}, []),
    ({"learnt": None}, ["whether the model learnt from some of these rows is not known here: ask who made it"]),
    ({"learnt": 1}, ["1 row is left out, for the model learnt from one with the very same content"]),
    ({"sent_back": 2}, ["2 rows would be sent back to be mended"]),
]


@pytest.mark.parametrize(("changes", "told"), LEFT_OUT)
def test_rows_that_say_nothing_are_told(changes: dict[str, Any], told: list[str]) -> None:
    assert promises.left_out({**FIGURES, **changes}) == told


def test_only_broken_promises_are_told_as_such() -> None:
    assert promises.missed(FIGURES, "Spam") == ""
    broken = {**FIGURES, "precision": {**SHARE, "promised": 0.95, "is_kept": False}}
    assert promises.missed(broken, "Spam").endswith("9 of them are Spam: 90.0 %; promised is at least 95.0 %")
    assert promises.missed({**FIGURES, "is_enough": False}, "Spam").startswith("only 30 positive and 70 negative")
