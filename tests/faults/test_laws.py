"""What people and time may do to a queue, some thousand steps of it."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import Clone
from tests.laws.machine import Machine
from tests.laws.test_machine import SMALL

pytestmark = pytest.mark.proof


def test_four_thousand_steps_break_no_law(pretended_db: Clone) -> None:
    run_state_machine_as_test(Machine, settings=settings(SMALL, max_examples=80, stateful_step_count=50))
