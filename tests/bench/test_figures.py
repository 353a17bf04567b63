"""The bench's own arithmetic."""

import pytest

from tests.bench.figures import FEWEST, Figure, Measure, Rounds, table, take_turns


@pytest.mark.parametrize(
    ("ours", "bare", "bounds", "ratio", "is_met"),
    [
        (2.0, 1.0, {"at_least": 0.5}, 0.5, True),  # just fast enough
        (2.1, 1.0, {"at_least": 0.5}, 1 / 2.1, False),
        (1.3, 1.0, {"at_most": 1.3}, 1.3, True),  # a bound from above: how much longer it takes
        (1.4, 1.0, {"at_most": 1.3}, 1.4, False),
        (9.0, 1.0, {}, 1 / 9, True),  # only printed
    ],
)
def test_a_figure_knows_whether_its_target_is_met(
    ours: float, bare: float, bounds: dict[str, float], ratio: float, is_met: bool
) -> None:
    figure = Figure("f", Measure(ours, bare, 10), **bounds)
    assert figure.ratio == pytest.approx(ratio)
    assert figure.is_met is is_met


def test_sides_take_turns_and_the_warm_ones_do_not_count() -> None:
    seen: list[str] = []
    times = iter([100.0, 1.0, 3.0, 2.0])

    def ours() -> float:
        seen.append("ours")
        return next(times)

    def bare() -> float:
        seen.append("bare")
        return 1.0

    found = take_turns(ours, bare, Rounds(calls=3, warm=1, seconds=60))
    assert seen == ["ours", "bare"] * 4
    assert (found.ours, found.bare, found.calls, found.cpu_ratio) == (2.0, 1.0, 3, None)


def test_a_slow_figure_ends_early_with_what_it_has() -> None:
    found = take_turns(lambda: 1.0, lambda: 1.0, Rounds(calls=1000, warm=0, seconds=0))
    assert found.calls == FEWEST


def test_processor_time_is_what_each_side_used_meanwhile() -> None:
    ours, bare = iter([10.0, 14.0]), iter([5.0, 6.0])
    meters = (lambda: next(ours), lambda: next(bare))
    found = take_turns(lambda: 1.0, lambda: 1.0, Rounds(calls=3, warm=0, seconds=9), meters)
    assert found.cpu_ratio == 0.25


def test_the_table_says_what_was_missed() -> None:
    text = table([Figure("post", Measure(0.004, 0.002, 7, 0.45), at_least=0.6), Figure("here", Measure(0.1, 0.1, 7))])
    assert [cell.strip() for cell in text.splitlines()[2].strip("|").split("|")] == [
        "post", "7", "4.00", "2.00", "0.50", "0.45", ">= 0.6", "NO",
    ]  # fmt: skip
    assert text.splitlines()[3].rstrip(" |").endswith("1.00")
