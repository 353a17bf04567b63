"""The table of promises."""

import pytest

from tests.bench.promises import Promise, table


@pytest.mark.parametrize(
    ("found", "bounds", "is_met"),
    [
        (0.05, {"at_most": 0.05}, True),
        (0.06, {"at_most": 0.05}, False),
        (0.6, {"at_least": 0.6}, True),
        (0.5, {"at_least": 0.6}, False),
        (0.0, {"at_most": 0.0}, True),  # a bound of 0 is a bound
        (0.1, {"at_most": 0.0}, False),
        (9.0, {}, True),  # only printed
    ],
)
def test_a_promise_knows_whether_it_is_kept(found: float, bounds: dict[str, float], is_met: bool) -> None:
    promise = Promise("p", 10, found, **bounds)
    assert promise.is_met is is_met
    assert promise.cells[-1] == ("" if not bounds else "yes" if is_met else "NO")


def test_the_table_shows_each_promise_with_its_bounds() -> None:
    shown = table([Promise("kept", 1_000, 0.0421, at_least=0.01, at_most=0.05), Promise("told", 5, 3.0)])
    assert "| kept    | 1,000 | 0.0421 | >= 0.01 and <= 0.05 | yes |" in shown
    assert "| told    | 5     | 3      |                     |     |" in shown
