"""Some hundred steps of whatever people and time may do; `make proof` takes many more."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases import Clone
from tests.laws.machine import Machine

SMALL = settings(
    max_examples=10,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def test_nothing_that_people_and_time_do_breaks_the_laws(pretended_db: Clone) -> None:
    run_state_machine_as_test(Machine, settings=SMALL)
