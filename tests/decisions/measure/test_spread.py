"""Quantiles from bins, against the times themselves; and that the database bins as Python does."""

import math

import numpy as np
import pytest
from django.db import connection

from decisions.measure import spread


def binned(times: list[float]) -> dict[int, float]:
    bins: dict[int, float] = {}
    for seconds in times:
        bins[spread.place(seconds)] = bins.get(spread.place(seconds), 0) + 1
    return bins


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("count", [1, 2, 10, 999])
def test_a_quantile_is_off_by_no_more_than_is_said(share: float, count: int) -> None:
    times = np.random.default_rng(count).lognormal(4, 2, count) + 1.0
    plain = sorted(times)[math.ceil(round(share * count, 9)) - 1]
    found = spread.quantile(binned(times.tolist()), share)
    assert found is not None
    assert abs(found / plain - 1) <= spread.ERROR + 1e-9


def test_hours_add_up() -> None:
    first, second = [3.0, 40.0, 41.0], [2000.0, 0.2]
    both = binned(first)
    for number, n in binned(second).items():
        both[number] = both.get(number, 0) + n
    assert both == binned(first + second)


def test_nothing_has_no_quantile_and_a_moment_is_about_a_second() -> None:
    assert spread.quantile({}) is None
    assert spread.quantile(binned([0.0, 0.01])) == pytest.approx(1.0, rel=spread.ERROR + 1e-9)


@pytest.mark.django_db
def test_the_database_puts_times_into_the_same_bins() -> None:
    times = [-5.0, 0.0, 0.5, 1.0, 1.05, 59.9, 60.1, 3600.0, 1e7]
    with connection.cursor() as cursor:
        of = "unnest(%s::float8[]) WITH ORDINALITY one(t, n) ORDER BY n"
        cursor.execute(f"SELECT {spread.sql('t')} FROM {of}", [times])
        assert [row[0] for row in cursor.fetchall()] == [spread.place(seconds) for seconds in times]
