"""How far people lean on suggestions: comparisons on items alike, and what is warned of."""

import numpy as np
import pytest

from decisions.measure import reliance, trust_words
from decisions.measure.columns import BoolArray, FloatArray
from decisions.measure.reliance import Kind, Leaning


def rows(
    agreed: FloatArray,
    shown: FloatArray | BoolArray,
    *,
    p: FloatArray | None = None,
    wrong: float = np.nan,
    seconds: float = 60.0,
) -> Leaning:
    n = len(agreed)
    return Leaning(
        item=np.arange(n),
        person=np.ones(n, dtype=np.int64),
        at=np.zeros(n),
        p=np.linspace(0, 1, n) if p is None else p,
        agreed=agreed.astype(np.bool_),
        shown=shown.astype(np.bool_),
        wrong=np.full(n, wrong),
        seconds=np.full(n, seconds),
        is_simulated=np.zeros(n, dtype=np.bool_),
    )


def some(share: float, n: int) -> FloatArray:
    """Return 1 in a share of n places, spread evenly."""
    ends = np.floor(np.arange(n + 1) * share + 1e-9)
    return np.asarray(np.diff(ends), dtype=np.float64)


def both(shown: float, hidden: float, n: int = 200, wrong: float = np.nan) -> Leaning:
    one, other = (rows(some(share, n), np.full(n, at), wrong=wrong) for share, at in ((shown, 1.0), (hidden, 0.0)))
    return one.joined(other)


def test_the_gap_is_between_items_alike() -> None:
    """Hidden items are the hard ones: people agree less there whatever they see, and that is no gap."""
    rng = np.random.default_rng(3)
    shown = rng.random(4000) < 0.5
    p = np.where(shown, rng.beta(4, 2, 4000), rng.beta(2, 4, 4000))
    found = reliance.gap(rows((rng.random(4000) < p).astype(float), shown, p=p))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    plain = 4 / 6 - 2 / 6
    assert abs(found.value) < plain / 4  # what is left lies within the tenths
    leaning = reliance.gap(rows((rng.random(4000) < np.minimum(1, p + 0.2 * shown)).astype(float), shown, p=p))
    assert leaning.low is not None
    assert leaning.low > 0.05


def test_the_gaps_limits_hold_the_truth() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p, shown = rng.random(300), rng.random(300) < 0.6
        found = reliance.gap(rows((rng.random(300) < 0.7 + 0.1 * shown).astype(float), shown, p=p))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert held >= 184  # 190 promised, less two standard errors


def test_too_few_of_a_kind_are_no_gap() -> None:
    assert reliance.gap(both(0.9, 0.5, n=29)).value is None
    assert "Not measured" in trust_words.gap(reliance.gap(both(0.9, 0.5, n=29)))
    assert "more often when they see" in trust_words.gap(reliance.gap(both(0.9, 0.5)))
    assert "less often" in trust_words.gap(reliance.gap(both(0.5, 0.9)))
    assert "no difference that can be shown" in trust_words.gap(reliance.gap(both(0.5, 0.5)))


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        (both(0.8, 0.3, wrong=1.0), [Kind.BIAS]),
        (both(0.35, 0.3, wrong=1.0), []),  # no more than chance
        (both(0.8, 0.3, n=20, wrong=1.0), []),  # too few
        (both(0.6, 0.6, wrong=0.0), [Kind.DISUSE, Kind.DISTRUST]),
        (both(0.97, 0.9, wrong=0.0), []),
        (both(0.9, 0.9), []),  # nothing is known of them
    ],
)
def test_warnings_are_of_what_is_known_large_and_beyond_chance(told: Leaning, kinds: list[Kind]) -> None:
    found = reliance.reliance(told, None)
    assert [one.kind for one in found.warnings] == kinds
    for one in found.warnings:
        assert "95 %" in trust_words.warning(one)


def test_agreements_in_haste_are_held_against_answers_without_the_suggestion() -> None:
    fast, slow = rows(np.ones(40), np.ones(40), seconds=5.0), rows(np.ones(40), np.zeros(40), seconds=60.0)
    told = fast.joined(slow)
    usual = reliance.usual_seconds(told)
    assert usual == 60
    assert [one.kind for one in reliance.reliance(told, usual).warnings] == [Kind.HASTE]
    assert reliance.usual_seconds(fast) is None
    assert reliance.reliance(fast, None).hasty.n == 0
