"""Fields of two sets of items compared, each by what its type has."""

from typing import Any

import numpy as np
import pytest

from decisions.measure import shift
from decisions.measure.drift import Level
from decisions.measure.shift import FieldShift, Sent
from decisions.queues.spec import FieldType, PayloadField

WORDS = PayloadField("words", FieldType.INTEGER, "Words", low=0, high=100)
KIND = PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat"))
FREE = PayloadField("free", FieldType.CATEGORY, "Free")
TEXT = PayloadField("text", FieldType.TEXT, "Text")
DAY = PayloadField("day", FieldType.DATE, "Day")
RNG = np.random.default_rng(1)


def sent(name: str, values: list[Any], segment: str = "") -> Sent:
    n = len(values)
    return Sent(np.full(n, segment, dtype=object), np.full(n, 0.5), [{name: value} for value in values])


def one(field: PayloadField, before: list[Any], now: list[Any]) -> FieldShift:
    (found,) = shift.fields([field], sent(field.name, before), sent(field.name, now))
    return found


def numbers(low: float, high: float, n: int = 500) -> list[float]:
    return [float(value) for value in RNG.uniform(low, high, n)]


def test_the_same_again_is_no_drift() -> None:
    found = one(WORDS, numbers(0, 100), numbers(0, 100))
    assert found.level == Level.NONE
    assert found.quantiles is not None
    assert len(found.quantiles[0]) == 5


@pytest.mark.parametrize(
    ("field", "before", "now", "part"),
    [
        (WORDS, numbers(0, 50), numbers(50, 100), "mix"),  # other numbers
        (WORDS, numbers(0, 100), numbers(0, 100, 300) + numbers(200, 300, 200), "misfit"),  # out of range
        (WORDS, numbers(0, 100), [*numbers(0, 100, 300), *["many"] * 200], "misfit"),  # no numbers
        (WORDS, numbers(0, 100), [*numbers(0, 100, 300), *[None] * 200], "missing"),
        (KIND, ["mail", "chat"] * 200, ["mail"] * 380 + ["chat"] * 20, "mix"),
        (KIND, ["mail", "chat"] * 200, ["mail", "fax"] * 200, "unseen"),  # not listed
        (FREE, ["a", "b"] * 200, ["a", "c"] * 200, "unseen"),  # never there before
        (TEXT, ["short"] * 200 + ["longer text"] * 200, ["much longer text than before"] * 400, "mix"),  # lengths
        (DAY, ["2026-01-01"] * 400, [""] * 400, "missing"),
    ],
)
def test_a_change_is_seen_in_its_part(field: PayloadField, before: list[Any], now: list[Any], part: str) -> None:
    found = one(field, before, now)
    assert getattr(found, part).level in (Level.WARN, Level.ACT)
    assert found.level in (Level.WARN, Level.ACT)
    assert one(field, before, before).level == Level.NONE


def test_types_without_a_distribution_have_gaps_only() -> None:
    found = one(DAY, ["2026-01-01"] * 40, ["2026-01-02"] * 40)
    assert (found.misfit, found.unseen, found.mix, found.quantiles) == (None, None, None, None)


def test_too_few_rows_are_not_measured() -> None:
    assert one(WORDS, numbers(0, 100, 29), numbers(50, 100, 400)).level == Level.UNMEASURED
    assert one(WORDS, [], []).level == Level.UNMEASURED


def test_a_yes_is_no_number() -> None:
    assert one(WORDS, numbers(0, 100), [True] * 400).misfit is not None
    found = one(WORDS, numbers(0, 100), [True] * 400)
    assert found.misfit is not None
    assert found.misfit.now == 1


def test_segments_are_parts() -> None:
    both = Sent(np.array(["a", "b", "a"], dtype=object), np.array([0.1, 0.2, 0.3]), [{"x": 1}, {"x": 2}, {"x": 3}])
    assert [one["x"] for one in both.of("a").payloads] == [1, 3]
    assert both.of("a").p.tolist() == [0.1, 0.3]
