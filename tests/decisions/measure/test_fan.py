"""The fan against a plain loop over hours and deadlines, and remedies that are the smallest that help."""

from dataclasses import replace

import numpy as np
import pytest

from decisions.measure import fan
from decisions.measure.fan import TOLERATED, Work
from decisions.routing.policy import FloatArray


def plainly(work: Work) -> tuple[FloatArray, FloatArray]:
    """Follow each future hour by hour, deadline by deadline; return what waits and what is late after each."""
    futures, steps = work.arrivals.shape
    ends, late = np.zeros((futures, steps)), np.zeros((futures, steps))
    for future in range(futures):
        by_due = [work.overdue, *work.owed]
        for step in range(steps):
            by_due[min(int(work.due[step]), steps) + 1] += work.arrivals[future, step]
            left = work.capacity[step]
            for place, n in enumerate(by_due):
                done = min(n, left)
                by_due[place] -= done
                left -= done
            ends[future, step] = sum(by_due)
            late[future, step] = sum(by_due[1 : step + 2])
    return ends, late


def work(seed: int = 0, *, steps: int = 30, sla: int = 4, futures: int = 20, load: float = 1.0) -> Work:
    rng = np.random.default_rng(seed)
    capacity = np.where(np.arange(steps) % 24 < 8, 30.0, 0.0)
    arrivals = rng.poisson(10.0 * load, (futures, steps)).astype(float)
    owed = rng.integers(0, 9, steps + 1).astype(float)
    return Work(float(seed % 3) * 7, owed, arrivals, np.minimum(np.arange(steps) + sla, steps), capacity)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sla", [0, 1, 4, 40])
def test_it_is_what_a_plain_loop_finds(seed: int, sla: int) -> None:
    given = work(seed, sla=sla, load=0.5 + seed / 8)
    ends, late = plainly(given)
    found = fan.run(given)
    assert found.middle == pytest.approx(np.median(ends, axis=0))
    assert found.low == pytest.approx(np.quantile(ends, 0.05, axis=0))
    assert found.high == pytest.approx(np.quantile(ends, 0.95, axis=0))
    assert found.late == pytest.approx(late.mean(axis=0))
    assert found.broken == pytest.approx(np.logical_or.accumulate(late >= 0.5, axis=1).mean(axis=0))


def steady(
    rate: float, capacity: float, *, steps: int = 48, sla: int = 4, owed: float = 0.0, overdue: float = 0.0
) -> Work:
    later = np.zeros(steps + 1)
    later[sla] = owed
    due = np.minimum(np.arange(steps) + sla, steps)
    return Work(overdue, later, np.full((50, steps), rate), due, np.full(steps, capacity))


def test_a_deadline_breaks_when_what_came_cannot_be_done_in_time() -> None:
    # 12 come and 10 are done an hour: after h hours 2h wait, and what came at the end of hour h takes 2h / 10 hours.
    found = fan.run(steady(12, 10))
    assert found.breach() == 24  # 2 * 20 / 10 = 4 hours for what came 20 hours on
    assert found.middle[:3] == pytest.approx([2, 4, 6])


def test_what_is_overdue_already_is_no_breach_to_come() -> None:
    assert fan.run(steady(5, 10, overdue=3)).breach() is None
    assert fan.run(steady(5, 0)).breach() == 4


def test_a_risk_below_a_tenth_is_no_breach_and_one_below_half_is_told_by_its_tenth() -> None:
    calm = steady(1, 10)
    for bad, expected in ((4, None), (15, 5), (40, 5)):
        arrivals = calm.arrivals.copy()
        arrivals[:bad, 1] = 100  # due in hour 5, of which 40 are done by then
        assert fan.run(replace(calm, arrivals=arrivals)).breach() == expected


def test_the_fewest_people_that_help() -> None:
    given = steady(25, 10)
    found = fan.people_needed(given, np.full(48, 2.0))
    assert found is not None
    more, fewer = (fan.run(replace(given, capacity=given.capacity + n * 2.0)).risk for n in (found, found - 1))
    assert more <= TOLERATED < fewer


def test_no_number_of_people_helps_where_nobody_is_planned() -> None:
    given = steady(25, 0)
    assert fan.people_needed(given, np.zeros(48)) is None
    late_shift = np.where(np.arange(48) > 20, 5.0, 0.0)
    assert fan.people_needed(given, late_shift) is None


def test_the_largest_share_that_fits() -> None:
    given = steady(25, 10)
    share = fan.share_that_fits(given, fixed=0.2)
    assert share is not None
    fits, too_much = (
        fan.run(replace(given, arrivals=given.arrivals * (0.2 + s * 0.8))).risk for s in (share, share + 1 / 128)
    )
    assert fits <= TOLERATED < too_much
    assert fan.share_that_fits(given, fixed=0.9) is None
    assert fan.share_that_fits(steady(5, 10), fixed=0.0) == pytest.approx(1.0, abs=1 / 128)
