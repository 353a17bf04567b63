"""What the page of the operating point shows beside its figures: the chart over time, the plane, the calibration."""

import pytest

from decisions.measure import operating, window
from decisions.measure.window import Filters
from tests.decisions.measure.measured import (
    DAY,
    HOUR,
    MIDNIGHT,
    NEGATIVE,
    POSITIVE,
    audited,
    control,
    counted,
    frame,
    many,
    passed,
    queue_of_last_week,
    ruled,
    soft,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_points_over_time_pool_a_week_each() -> None:
    queue = queue_of_last_week()
    for day in range(1, 7):
        starts = MIDNIGHT - DAY * day
        many(queue, 1, 1, arrived_at=starts + HOUR)
        item = ruled(passed(queue, arrived_at=starts + HOUR), POSITIVE if day == 3 else NEGATIVE)
        frame(queue, item, pi=1.0, starts=starts, passes=1)
    counted()
    shown = operating.page(queue.pk, NOON, days=7, filters=Filters())
    assert [moment.at for moment in shown.moments] == [NOON - DAY * k for k in range(7, -1, -1)]
    last, early = shown.moments[-1], shown.moments[3]
    assert (last.recall.value, last.soft.n) == (6 / 7, 12)
    assert (early.missed.value, early.soft.n) == (0, 6)  # three days of the six were there by then
    assert shown.point.recall == last.recall


def test_the_plane_has_the_live_policy_on_it() -> None:
    queue = queue_of_last_week()
    for k in range(40):
        score = 0.3 + k * 0.015
        soft(queue, POSITIVE if k >= 10 else NEGATIVE, score=score, p=score)
    for k in range(20):
        control(queue, POSITIVE, score=0.9 + k * 0.005, share=1.0)
    audited(queue, *[NEGATIVE] * 9, POSITIVE, pi=0.5)
    counted()
    plane = operating.page(queue.pk, NOON, days=7, filters=Filters()).plane
    assert plane.model is not None
    assert plane.hard is not None
    assert plane.soft is not None
    assert (plane.hard.threshold, plane.hard.precision.value) == (0.9, 1.0)
    assert plane.soft.threshold == 0.3
    assert plane.soft.precision.value == pytest.approx(50 / 60)
    assert plane.hard.recall.value == pytest.approx(20 / 52)
    assert plane.soft.recall.value == pytest.approx(50 / 52)
    assert len(plane.points) > 10


def test_calibration_weighs_rows_by_their_propensity() -> None:
    queue = queue_of_last_week()
    audited(queue, *[POSITIVE] * 5, pi=1.0, p=0.1)
    more = [ruled(passed(queue, p=0.1, arrived_at=MIDNIGHT + HOUR), NEGATIVE) for _k in range(5)]
    frame(queue, *more, pi=0.25, starts=MIDNIGHT, ends_at=MIDNIGHT + HOUR * 2)
    counted()
    (one,) = operating.page(queue.pk, NOON, days=7, filters=Filters()).calibration
    assert one.foretold == pytest.approx(0.1)
    assert one.share.value == pytest.approx(5 / 25)


def test_a_page_without_anything_is_still_there() -> None:
    shown = operating.page(queue_of_last_week().pk, NOON, days=28, filters=Filters())
    assert not shown.plane.points
    assert not shown.calibration
    assert all(moment.recall.value is None for moment in shown.moments)


def test_the_page_says_what_the_call_says_where_rows_were_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    read = window.read
    monkeypatch.setattr(window, "read", lambda *args, **asked: read(*args, **{**asked, "cap": 10}))
    queue = queue_of_last_week()
    for k in range(40):
        soft(queue, POSITIVE if k % 3 else NEGATIVE, u=k / 40)
        soft(queue, NEGATIVE, u=k / 40, arrived_at=NOON - DAY * 6)
    audited(queue, POSITIVE, NEGATIVE, pi=0.5)
    counted()
    shown = operating.page(queue.pk, NOON, days=3, filters=Filters()).point
    said = operating.point(queue.pk, NOON, days=3)
    assert said.soft_asked.kept == 0.25
    assert (shown.soft, shown.recall, shown.missed, shown.caught) == (said.soft, said.recall, said.missed, said.caught)
