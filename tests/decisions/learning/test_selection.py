"""Weights against selective labels: what each row counts, who may judge, and that ties are left as they are."""

import numpy as np
import numpy.typing as npt
import pytest

from decisions.learning import selection
from decisions.learning.selection import Weighting, Why

FloatArray = npt.NDArray[np.float64]
NAN = float("nan")


def world(n: int = 4000, seed: int = 1) -> tuple[npt.NDArray[np.int64], FloatArray, npt.NDArray[np.bool_], FloatArray]:
    """Return answers, propensities, who judges, and scores that are the true probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, n)
    y = (rng.uniform(size=n) < p).astype(np.int64)
    audited = rng.uniform(size=n) < 0.3
    return y, np.where(audited, rng.uniform(0.05, 0.3, n), 1.0), audited, p


def test_rows_count_as_they_say() -> None:
    propensity, believed = np.array([1.0, 0.5, 0.01, NAN]), np.ones(4)
    assert selection.of(Weighting.UNWEIGHTED, propensity, believed) == pytest.approx([1, 1, 1, 1])
    assert selection.of(Weighting.CLIPPED, propensity, believed) == pytest.approx(np.array([1, 2, 10, 1]) / 3.5)
    assert selection.of(Weighting.FULL, propensity, believed) == pytest.approx(np.array([1, 2, 100, 1]) / 26)
    weak = selection.of(Weighting.UNWEIGHTED, propensity, np.array([1.0, 1.0, 1.0, 0.2]))
    assert weak[3] / weak[0] == pytest.approx(0.2)


def test_audits_and_controls_judge_and_nobody_else() -> None:
    provenance = np.array(["audit", "control", "soft", "override", "audit"], dtype=object)
    assert selection.judges(provenance, np.array([0.1, 0.2, 1.0, 0.1, NAN])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_what_stands_for_what_arrives_is_what_has_a_propensity() -> None:
    known, drawn = selection.standing(np.array([0.5, NAN, 1.0]))
    assert known.tolist() == [True, False, True]
    assert drawn[known].tolist() == [2.0, 1.0]
    known, drawn = selection.standing(np.array([NAN, NAN]))
    assert known.all()
    assert drawn.tolist() == [1.0, 1.0]


# answers and propensities of those who judge, and whether they are enough
@pytest.mark.parametrize(
    ("positives", "negatives", "propensity", "enough"),
    [
        (30, 30, 0.1, True),
        (9, 60, 0.1, False),  # too few of one answer
        (20, 20, 0.1, False),  # too few of all
        (0, 0, 0.1, False),
    ],
)
def test_enough_to_judge(positives: int, negatives: int, propensity: float, enough: bool) -> None:
    y = np.array([1] * positives + [0] * negatives, dtype=np.int64)
    assert selection.can_judge(y, np.full(len(y), propensity)) == enough


def test_many_rows_of_which_few_carry_the_weight_are_too_few() -> None:
    y = np.array([0, 1] * 100, dtype=np.int64)
    propensity = np.ones(200)
    propensity[:5] = 0.001
    assert not selection.can_judge(y, propensity)


def test_what_is_surely_better_is_kept() -> None:
    y, propensity, judge, p = world()
    rng = np.random.default_rng(2)
    noisy = np.clip(p + rng.normal(0, 0.25, len(p)), 0.001, 0.999)
    found = selection.compare({Weighting.UNWEIGHTED: noisy, Weighting.CLIPPED: p}, y, propensity, judge)
    assert (found.kept, found.why) == (Weighting.CLIPPED, Why.BETTER)
    clipped = found.candidates[1]
    assert clipped.high < 0
    assert clipped.low < clipped.difference < clipped.high
    assert found.rows == int(judge.sum())


def test_what_may_be_better_by_chance_is_not() -> None:
    y, propensity, judge, p = world()
    rng = np.random.default_rng(3)
    other = np.clip(p + rng.normal(0, 0.01, len(p)), 0.001, 0.999)
    found = selection.compare({Weighting.UNWEIGHTED: p, Weighting.FULL: other}, y, propensity, judge)
    assert (found.kept, found.why) == (Weighting.UNWEIGHTED, Why.NOISE)


def test_a_share_of_positives_that_is_off_is_no_demerit() -> None:
    y, propensity, judge, p = world()
    odds = p / (1 - p) * 8
    found = selection.compare({Weighting.UNWEIGHTED: p, Weighting.FULL: odds / (1 + odds)}, y, propensity, judge)
    assert abs(found.candidates[1].difference) < 0.005
    assert found.kept == Weighting.UNWEIGHTED


def test_noise_is_called_better_about_as_seldom_as_it_should() -> None:
    kept = 0
    for seed in range(60):
        y, propensity, judge, p = world(1500, seed)
        rng = np.random.default_rng(seed + 500)
        one, other = (np.clip(p + rng.normal(0, 0.05, len(p)), 0.001, 0.999) for _ in range(2))
        found = selection.compare({Weighting.UNWEIGHTED: one, Weighting.FULL: other}, y, propensity, judge)
        kept += found.why == Why.BETTER
    assert kept <= 4  # one side of 97.5 %: about 1 in 80
