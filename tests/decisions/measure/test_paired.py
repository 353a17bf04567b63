"""Two models on the same items: figures by hand, what cancels, and how often the limits hold."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from decisions.measure import paired
from decisions.measure.paired import Estimate, Figure, Pairs, Side
from decisions.measure.regions import Band
from decisions.measure.supposed.worth import Amounts

H, S, P = Band.HARD, Band.SOFT, Band.PASS


def pairs(rows: list[tuple[Any, ...]], **changes: Any) -> Pairs:
    """Make pairs of rows (y, pi, band of the live model, band of the new one)."""
    y, pi, live, new = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    sides = [Side(side.astype(np.int8)) for side in (live, new)]
    return Pairs(
        **{"y": y, "pi": pi, "stratum": np.zeros(len(y), dtype=np.intp), "live": sides[0], "new": sides[1], **changes}
    )


def money(count: int, tp: float = 1.0, fp: float = -3.0, tn: float = 0.0, fn: float = -5.0) -> Amounts:
    return Amounts(*(np.full(count, one) for one in (tp, fp, tn, fn)))


def figures(some: Pairs) -> dict[str, Figure]:
    return {one.key: one for one in paired.figures(some)}


ROWS = [
    # y, pi, live, new
    (1, 0.5, H, H),  # stands for two positives that both act on
    (0, 0.5, H, P),  # two that only the live one acts on, wrongly
    (1, 1.0, S, H),
    (0, 1.0, S, S),
    (1, 0.1, P, S),  # ten positives that only the new one lets people see
    (0, 0.1, P, P),
]


def test_figures_by_hand() -> None:
    found = figures(pairs(ROWS, amounts=money(len(ROWS)), look=0.5))
    assert found["precision"].live.value == pytest.approx(2 / 4)
    assert found["precision"].new.value == pytest.approx(3 / 3)
    assert found["recall"].live.value == pytest.approx(3 / 13)
    assert found["recall"].new.value == pytest.approx(1.0)
    assert found["people"].live.value == pytest.approx(2 / 26)
    assert found["people"].new.value == pytest.approx(11 / 26)
    live = 2 * 1 + 2 * -3 + (1 - 0.5) - 0.5 + 10 * -5
    new = 2 * 1 + 2 * 0 + 1 - 0.5 + 10 * (1 - 0.5)
    assert found["worth"].live.value == pytest.approx(live / 26)
    assert found["worth"].new.value == pytest.approx(new / 26)
    assert found["worth"].gap.value == pytest.approx((new - live) / 26)


def test_the_control_group_is_decided_by_people() -> None:
    some = pairs(ROWS, amounts=money(len(ROWS)))
    half = replace(some, live=replace(some.live, control_share=0.5))
    assert figures(half)["people"].live.value == pytest.approx((2 + 0.5 * 4) / 26)
    assert figures(half)["worth"].live.value == pytest.approx((2 * 1 + 2 * 0.5 * -3 + 1 - 50) / 26)


def test_what_both_do_alike_differs_by_nothing_for_certain() -> None:
    same = pairs([(y, pi, live, live) for y, pi, live, _new in ROWS], amounts=money(len(ROWS)))
    assert {one.gap for one in figures(same).values()} == {Estimate(0.0, 0.0, 0.0)}
    assert not same.apart.any()


def test_items_that_both_treat_alike_do_not_widen_the_difference() -> None:
    few = figures(pairs(ROWS * 20, amounts=money(len(ROWS) * 20)))["recall"].gap
    apart = figures(pairs(ROWS * 20, amounts=money(len(ROWS) * 20)))["recall"]
    assert few.low is not None
    assert apart.live.high is not None
    assert apart.live.low is not None
    assert apart.new.low is not None
    alone = (apart.new.low - apart.live.high, 1.0)
    assert few.low > alone[0]


def test_answers_stand_for_those_that_did_not_come_in_their_stratum() -> None:
    rows = [(1, 1.0, S, S), (np.nan, 1.0, S, S), (0, 1.0, P, P)]
    asked = pairs(rows, stratum=np.array([0, 0, 1]))
    columns = {name: getattr(asked, name) for name in asked.__dataclass_fields__}
    told = Pairs.answered(**columns)
    assert told.pi.tolist() == [0.5, 1.0]
    assert figures(told)["people"].live.value == pytest.approx(2 / 3)


def test_nothing_asked_and_no_positive_say_nothing() -> None:
    empty = pairs(ROWS).at(np.zeros(len(ROWS), dtype=np.bool_))
    assert all(one.gap == paired.NONE and not one.is_enough for one in figures(empty).values())
    bare = figures(pairs([(0, 1.0, P, S)] * 40))
    assert bare["recall"].gap == bare["precision"].gap == paired.NONE
    assert bare["people"].gap.value == 1.0


# what is known of 30 items, and what is said of how many more are needed
@pytest.mark.parametrize(
    ("gap", "more"),
    [
        (Estimate(0.2, 0.1, 0.3), 0),
        (Estimate(-0.2, -0.3, -0.1), 0),
        (Estimate(0.1, -0.1, 0.3), 90),  # twice as narrow: four times as many
        (Estimate(-0.1, -0.4, 0.2), 240),
        (Estimate(0.0, -0.1, 0.1), None),
        (Estimate(0.01, -0.1, 0.1), None),  # a hundred times as many
        (paired.NONE, None),
    ],
)
def test_how_many_labels_more_would_tell(gap: Estimate, more: int | None) -> None:
    assert paired._more(gap, pairs(ROWS * 5)) == more


def test_cuts_that_ask_as_much_rest_on_scores_alone() -> None:
    scores, weights = np.array([0.9, 0.8, 0.8, 0.4, 0.1]), np.array([1.0, 1.0, 1.0, 1.0, 6.0])
    hard, soft = paired.alike(scores, weights, (0.1, 0.3))
    assert hard == pytest.approx(0.85)
    assert soft == pytest.approx(0.25)
    assert paired.alike(scores, weights, (0.0, 0.1))[0] > 0.9
    assert paired.share_of(weights, scores >= soft) == pytest.approx(0.4)


def drawn(rng: np.random.Generator, items: int) -> tuple[Pairs, Pairs]:
    """Make a world in which both models are noisy, and what the design shows of it: control, soft and audits."""
    x = rng.normal(-3.0, 2.5, items)
    y = (rng.uniform(size=items) < expit(x)).astype(np.float64)
    scores = [expit(x + rng.normal(0, noise, items)) for noise in (1.5, 0.8)]
    bands = [np.select([some >= 0.9, some >= 0.3], [H, S], P).astype(np.int8) for some in scores]
    size = np.sqrt(0.75 * scores[0] + 0.25 * scores[0].mean())
    passed = bands[0] == P
    pi = np.where(bands[0] == H, 0.1, 1.0)
    pi[passed] = np.minimum(1.0, size[passed] * 200 / size[passed].sum())
    whole = Pairs(
        y, np.ones(items), np.zeros(items, dtype=np.intp), Side(bands[0], 0.1), Side(bands[1], 0.1), money(items), 0.1
    )
    return whole, replace(whole, pi=pi).at(rng.uniform(size=items) < pi)


def test_the_limits_of_differences_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    truth = {one.key: one.gap.value for one in paired.figures(drawn(rng, 1_000_000)[0])}
    held = dict.fromkeys(truth, 0)
    for _draw in range(200):
        for one in paired.figures(drawn(rng, 4_000)[1]):
            low, high, true = one.gap.low, one.gap.high, truth[one.key]
            assert low is not None
            assert high is not None
            assert true is not None
            held[one.key] += low <= true <= high
    assert all(n >= 182 for n in held.values()), held  # 95 % of 200, less three standard errors
