"""Erlang C against values worked out by hand, against known tables and against a simulation of the same queue."""

import math

import ciw
import pytest

from decisions.measure import waits

HOUR = 3600.0


@pytest.mark.parametrize(
    ("offered", "people", "blocked"),
    [
        (1.0, 1, 0.5),  # 1 * 1 / (1 + 1)
        (1.0, 2, 0.2),  # 1 * .5 / (2 + .5)
        (2.0, 2, 0.4),  # (2 / 3): 2 * 2/3 / (2 + 4/3)
        (0.0, 3, 0.0),
        (2.0, 0, 1.0),
    ],
)
def test_erlang_b_by_hand(offered: float, people: int, blocked: float) -> None:
    assert waits.erlang_b(offered, people) == pytest.approx(blocked)


@pytest.mark.parametrize(
    ("offered", "people", "share"),
    [
        (0.5, 1, 0.5),  # with one person it is the load
        (1.0, 2, 1 / 3),  # .2 / (1 - .5 * .8)
        (2.0, 3, 4 / 9),
        (8.0, 10, 0.4092),  # a known table value
        (3.0, 3, 1.0),  # as much as they can do: everything waits
        (5.0, 0, 1.0),
    ],
)
def test_erlang_c_by_hand(offered: float, people: int, share: float) -> None:
    assert waits.erlang_c(offered, people) == pytest.approx(share, abs=5e-5)


def test_waits_by_hand() -> None:
    found = waits.of(2, arrivals=60, handling=60)  # one erlang for two people
    assert found.busy == 0.5
    assert found.mean == pytest.approx((1 / 3) / (2 / 60 - 1 / 60))  # 20 seconds
    assert found.longer_than(60) == pytest.approx(math.exp(-1) / 3)
    assert found.longer_than(0) == found.share


def test_more_than_can_be_done_has_no_mean() -> None:
    found = waits.of(1, arrivals=100, handling=60)
    assert (found.mean, found.share, found.longer_than(1e6)) == (None, 1.0, 1.0)
    nobody = waits.of(0, arrivals=0, handling=60)
    assert (nobody.mean, nobody.busy) == (None, math.inf)


def test_the_table_has_who_is_there_one_fewer_and_some_more() -> None:
    assert [one.people for one in waits.table(5, arrivals=60, handling=180)] == [3, 4, 5, 6, 7, 8, 9]
    assert waits.table(1, arrivals=600, handling=60)[0].people == 1
    assert [one.people for one in waits.table(0, arrivals=60, handling=60)] == [1, 2, 3, 4, 5]
    means = [one.mean for one in waits.table(4, arrivals=60, handling=180) if one.mean is not None]
    assert means == sorted(means, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arrivals", "handling", "people"),
    [
        (50.0, 60.0, 1),  # a small queue at 83 %
        (200.0, 45.0, 3),  # 2.5 erlang
        (600.0, 54.0, 10),  # 9 erlang at 90 %
    ],
)
def test_mean_waits_are_those_of_a_simulated_queue(arrivals: float, handling: float, people: int) -> None:
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(arrivals / HOUR)],
        service_distributions=[ciw.dists.Exponential(1 / handling)],
        number_of_servers=[people],
    )
    means, late = [], []
    for seed in range(6):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(20_000 / arrivals * HOUR)
        rows = [row for row in simulation.get_all_records() if row.arrival_date > HOUR]
        means.append(sum(row.waiting_time for row in rows) / len(rows))
        late.append(sum(row.waiting_time > handling for row in rows) / len(rows))
    found = waits.of(people, arrivals=arrivals, handling=handling)
    assert found.mean is not None
    assert sum(means) / len(means) == pytest.approx(found.mean, rel=0.05)
    assert sum(late) / len(late) == pytest.approx(found.longer_than(handling), rel=0.05)
