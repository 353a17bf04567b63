"""On the demo the truth is known: the measured intervals bracket it, whatever the audit secret."""

import logging

import pytest

from reviewqueue.demo import rows
from tests.databases import Clone
from tests.simulation import replays
from tests.simulation.replays import Outcome, Script

REPLAYS, BRACKETED = 40, 36
FIXED = 7  # the secret of the one replay that the short tests make
logger = logging.getLogger(__name__)


@pytest.fixture(params=sorted(rows.DEMOS))
def script(request: pytest.FixtureRequest, committed_db: Clone) -> Script:
    """The script in a database where nothing else is open: in a long transaction what is rolled back is in the way."""
    return replays.script(request.param)


def replayed(script: Script, secret: int) -> Outcome:
    """Replay once, and say what came of it for who reads the proof."""
    outcome = replays.replay(script, secret)
    logger.warning("%s, secret %d: %s", script.slug, secret, outcome)
    return outcome


def test_a_replay_brackets_the_truth(script: Script) -> None:
    outcome = replayed(script, FIXED)
    assert outcome.precision.holds, outcome
    assert outcome.recall.holds, outcome


@pytest.mark.proof
def test_forty_replays_bracket_the_truth(script: Script) -> None:
    outcomes = [replayed(script, secret) for secret in range(1, REPLAYS + 1)]
    assert sum(one.precision.holds for one in outcomes) >= BRACKETED
    assert sum(one.recall.holds for one in outcomes) >= BRACKETED
