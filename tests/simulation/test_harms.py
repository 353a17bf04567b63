"""What audits promise that are weighed by the cost of a miss, over made queues whose truth is known."""

import pytest

from tests.simulation import harms
from tests.simulation.worlds import Scenario, Score


@pytest.mark.parametrize("lean", [-0.3, 0.0, 0.3])  # dear items are less likely positive, as likely, likelier
@pytest.mark.parametrize("score", [Score.CALIBRATED, Score.OVER, Score.ROUNDED, Score.BLIND])
def test_misses_and_their_cost_are_covered_and_the_cost_is_known_better(score: Score, lean: float) -> None:
    found = harms.run(Scenario(score, 0.01, 100_000, audits=1_500), lean=lean, draws=400, seed=31)
    assert min(found.missed, found.harm) >= 0.95
    assert max(found.short, found.harm_short) <= 0.04  # .025 promised; two standard errors of 400 draws
    assert abs(found.bias - 1) < 0.1
    assert found.gain < 1.02
    assert found.price < 1.25
    assert found.heaviest <= 1
