"""What is measured in each segment, what is not, and where the next audits go."""

import pytest

from decisions.measure import segmented
from decisions.measure.segmented import OTHERS, Order, Segments
from decisions.models import Queue
from decisions.routing import frames
from tests.decisions.measure.measured import (
    HOUR,
    NEGATIVE,
    NONE,
    POSITIVE,
    audited,
    control,
    counted,
    frame,
    next_policy,
    passed,
    queue_of_last_week,
    ruled,
    soft,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def read(queue: Queue, order: Order = Order.MISSED) -> Segments:
    counted()
    found = segmented.by_segment(queue.pk, NOON)
    assert found is not None
    return found.ranked(order)


def draw(queue: Queue, **found: tuple[int, int]) -> None:
    """Let one frame audit passes of each segment: so many positives of so many."""
    items = []
    for segment, (positives, all_of_them) in found.items():
        answers = [POSITIVE] * positives + [NEGATIVE] * (all_of_them - positives)
        items += [ruled(passed(queue, segment=segment), answer) for answer in answers]
    frame(queue, *items, pi=0.5)


def test_nothing_is_told_before_anything_was_counted() -> None:
    assert segmented.by_segment(queue_of_last_week().pk, NOON) is None
    assert segmented.blind_spots(queue_of_last_week().pk, NOON, 100) == ()


def test_a_segment_has_its_misses_and_the_worst_comes_first() -> None:
    queue = queue_of_last_week()
    draw(queue, good=(1, 32), bad=(8, 32))
    bad, good = read(queue).rows
    assert (bad.name, bad.items, good.name) == ("bad", 32, "good")
    assert bad.missed
    assert good.missed
    assert bad.missed.rate.value == pytest.approx(16 / 32)  # 8 found at one half
    assert good.missed.rate.value == pytest.approx(2 / 32)
    assert bad.missed.ranked is not None
    assert bad.missed.rate.value is not None
    assert bad.missed.ranked < bad.missed.rate.value  # drawn to the whole, for ranking only


def test_below_thirty_labels_nothing_is_claimed_and_the_next_audits_go_there() -> None:
    queue = queue_of_last_week()
    next_policy(queue, audit_budget=200)
    draw(queue, known=(2, 35), dark=(3, 10))
    rows = {row.name: row for row in read(queue).rows}
    assert rows["dark"].missed
    assert (rows["dark"].missed.rate.value, rows["dark"].missed.rate.why) == (None, "few")
    assert (rows["dark"].is_blind, rows["known"].is_blind) == (True, False)
    assert segmented.blind_spots(queue.pk, NOON, 50) == ("dark",)
    assert segmented.blind_spots(queue.pk, NOON, 9) == ()  # a tenth of these is no whole audit


def test_precision_is_of_control_items_and_overrides_of_what_people_decided() -> None:
    queue = queue_of_last_week()
    for number in range(30):
        control(queue, POSITIVE if number < 24 else NEGATIVE, segment="a")
        ruled(soft(queue, segment="a"), NEGATIVE, is_override=number < 6)
    soft(queue, NONE, segment="b")
    soft(queue, segment="b")  # nobody answered yet
    rows = {row.name: row for row in read(queue).rows}
    precision, overrides = rows["a"].precision, rows["a"].overrides
    assert precision
    assert precision.share.value == pytest.approx(0.8)
    assert overrides
    assert overrides.share.value == pytest.approx(0.2)
    assert rows["b"].overrides
    assert (rows["b"].overrides.share.n, rows["b"].overrides.share.value) == (1, None)
    assert (rows["b"].precision, rows["b"].items) == (None, 2)


def test_any_figure_can_rank() -> None:
    queue = queue_of_last_week()
    for number in range(30):
        control(queue, POSITIVE, segment="a")
        control(queue, POSITIVE if number < 10 else NEGATIVE, segment="b")
        control(queue, POSITIVE, segment="c")
        ruled(soft(queue, segment="a"), NEGATIVE, is_override=number < 20)
        ruled(soft(queue, segment="b"), NEGATIVE)
    assert [row.name for row in read(queue, Order.PRECISION).rows] == ["b", "a", "c"]
    assert [row.name for row in read(queue, Order.OVERRIDES).rows] == ["a", "b", "c"]  # c has none
    assert [row.name for row in read(queue, Order.ITEMS).rows] == ["a", "b", "c"]


def test_many_segments_are_told_by_the_largest_and_the_rest_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmented, "MOST", 2)
    queue = queue_of_last_week()
    next_policy(queue, audit_budget=200)
    draw(queue, a=(0, 4), b=(0, 3), c=(1, 2), d=(0, 1))
    rows = {row.name: row for row in read(queue).rows}
    assert {name: row.items for name, row in rows.items()} == {"a": 4, "b": 3, OTHERS: 3}
    missed = rows[OTHERS].missed
    assert missed
    assert (missed.missed.n, rows[OTHERS].is_blind, rows["a"].is_blind) == (3, False, True)  # `*` is no place to look


def test_failed_checks_are_nobodys_misses() -> None:
    queue = queue_of_last_week()
    audited(queue, NEGATIVE, segment="a")
    audited_too = passed(queue, segment="a", reason="input_check")
    assert audited_too.route == "pass"
    (row,) = read(queue).rows
    assert row.missed
    assert (row.items, row.missed.items) == (2, 1)


def test_the_next_frame_steers_a_tenth_of_its_audits_to_blind_spots() -> None:
    queue = queue_of_last_week()
    next_policy(queue, audit_budget=100)
    draw(queue, known=(2, 35), dark=(3, 10))
    for segment, count in {"known": 90, "dark": 10}.items():
        for _ in range(count):
            passed(queue, segment=segment, arrived_at=NOON - HOUR)
    counted()
    rest, blind = frames.close(queue.pk, NOON).strata
    assert (rest["segments"], rest["budget"]) == (None, 41)
    assert (blind["segments"], blind["budget"]) == (["dark"], 9)  # a tenth of 50, and their share of the rest
