"""Agreement against the examples of those who defined it, and what is not told."""

import numpy as np
import pytest

from decisions.measure import agreement
from decisions.measure.agreement import WordArray


def rows(*people: str) -> tuple[np.ndarray, WordArray]:
    """Return units and answers, one letter an answer, a dot where there is none."""
    told = [(unit, letter) for line in people for unit, letter in enumerate(line) if letter != "."]
    return np.array([unit for unit, _l in told], dtype=np.int64), np.array([one for _u, one in told], dtype=np.object_)


def words(line: str) -> WordArray:
    return np.array(list(line), dtype=np.object_)


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), examples A, B and C
@pytest.mark.parametrize(
    ("people", "value"),
    [
        (("0100000010", "1110010000"), 0.095),  # two people, two answers
        (("aabbdcccedda", "babbbccceddd"), 0.692),  # two people, five answers
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),  # gaps
    ],
)
def test_alpha_is_as_in_the_examples(people: tuple[str, ...], value: float) -> None:
    assert agreement.alpha(agreement.counted(*rows(*people))) == pytest.approx(value, abs=5e-4)


def test_alpha_by_hand() -> None:
    """Three units of two: aa, ab, bb. D_o = 2/6, D_e = (36 - 18) / (6 * 5) = .6, alpha = 1 - (1/3) / .6."""
    assert agreement.alpha(agreement.counted(*rows("aab", "abb"))) == pytest.approx(1 - (1 / 3) / 0.6)


def test_alpha_counts_cannot_tell_as_an_answer_of_its_own() -> None:
    same = agreement.alpha(agreement.counted(*rows("sshhu", "sshhu")))
    other = agreement.alpha(agreement.counted(*rows("sshhu", "sshhs")))
    assert same == 1.0
    assert other is not None
    assert 0.5 < other < 1.0


def test_what_one_person_answered_alone_does_not_count() -> None:
    alone = agreement.counted(*rows("aab.....", "abbaaaaa"))
    assert agreement.alpha(alone) == agreement.alpha(agreement.counted(*rows("aab", "abb")))


@pytest.mark.parametrize("people", [(), ("aaaa",), ("aaaa", "aaaa")])  # nobody, one person, one answer
def test_where_nothing_can_be_told_from_chance_there_is_no_alpha(people: tuple[str, ...]) -> None:
    counts = agreement.counted(*rows(*people))
    assert agreement.alpha(counts) is None
    assert agreement.measured(counts).value is None


def test_few_units_have_an_interval_and_no_point() -> None:
    few = agreement.measured(agreement.counted(*rows("ab" * 14, "ab" * 13 + "ba")))
    assert (few.value, few.units) == (None, 28)
    assert (few.low or 1) < 0.87 < (few.high or 0)
    enough = agreement.measured(agreement.counted(*rows("ab" * 15, "ab" * 14 + "ba")))
    assert enough.value == pytest.approx(0.869, abs=1e-2)
    assert agreement.measured(agreement.counted(*rows("ab" * 15, "ab" * 14 + "ba"))) == enough  # the same again


def test_the_interval_of_alpha_covers_as_often_as_it_says() -> None:
    """Two people of whom each is right with .9 on half positives: alpha is 1 - 2 * .9 * .1 / .5 = .64."""
    numbers, held = np.random.default_rng(3), 0
    for _ in range(200):
        truth = numbers.random(150) < 0.5
        said = np.stack([truth ^ (numbers.random(150) > 0.9) for _person in range(2)], axis=1)
        counts = np.stack([said.sum(axis=1), 2 - said.sum(axis=1)], axis=1).astype(float)
        found = agreement.measured(counts)
        held += (found.low or 0) <= 0.64 <= (found.high or 0)
    assert held / 200 >= 0.92


def test_kappa_by_hand() -> None:
    """Both yes 20, both no 15, yes and no 5, no and yes 10: .7 the same, .5 by chance, kappa .4."""
    one = words("y" * 20 + "n" * 15 + "y" * 5 + "n" * 10)
    other = words("y" * 20 + "n" * 15 + "n" * 5 + "y" * 10)
    assert agreement.kappa(one, other) == pytest.approx(0.4)
    assert agreement.kappa(other, one) == pytest.approx(0.4)


def test_kappa_of_three_answers_by_hand() -> None:
    """Diagonal 2, 2, 1 of 6, margins (3, 2, 1) and (2, 3, 1): (5/6 - 13/36) / (23/36) = 17/23."""
    assert agreement.kappa(words("aaabbc"), words("aabbbc")) == pytest.approx(17 / 23)


@pytest.mark.parametrize(("one", "other", "value"), [("", "", None), ("aa", "aa", None), ("ab", "ba", -1.0)])
def test_edges_of_kappa(one: str, other: str, value: float | None) -> None:
    assert agreement.kappa(words(one), words(other)) == value
