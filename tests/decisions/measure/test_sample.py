"""What the estimates rest on: who is in the sample, with which propensity and which label, and how many there are."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection

from decisions.measure import rollups, sample
from decisions.measure.counts import Which
from decisions.measure.sample import Labelled
from decisions.models import Item, Queue, Rollup
from tests.decisions.measure.measured import (
    DAY,
    HOUR,
    MIDNIGHT,
    NEGATIVE,
    NONE,
    POSITIVE,
    audited,
    control,
    counted,
    frame,
    hard,
    next_policy,
    passed,
    queue_of_last_week,
    ruled,
    simulated_person,
    soft,
)
from tests.factories import NOON, make_item

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def read(queue: Queue, at: datetime = NOON, days: int = 7, **asked: Any) -> Labelled:
    """Read the week before noon."""
    return sample.labelled(queue.pk, start=NOON - DAY * days, end=NOON, at=at, **asked)


def told(queue: Queue, at: datetime = NOON) -> list[tuple[str, float | None]]:
    """Return the state and the label of each row, oldest item first."""
    rows = read(queue, at)
    order = np.argsort(rows.item)
    return [(rows.state[i], None if np.isnan(rows.y[i]) else float(rows.y[i])) for i in order]


def test_each_design_has_its_propensity() -> None:
    queue = queue_of_last_week()
    soft(queue, POSITIVE), control(queue, POSITIVE, share=0.05), hard(queue), passed(queue)
    audited(queue, NEGATIVE, pi=0.002)
    rows = read(queue)
    assert sorted(zip(rows.purpose, rows.pi, strict=True)) == [("audit", 0.002), ("control", 0.05), ("soft", 1.0)]


def test_the_columns_are_the_items_own() -> None:
    queue = queue_of_last_week()
    item = soft(queue, POSITIVE, segment='a,"b"\nc: d', source="mail", value=7.5, score=0.4, p=0.3, u=0.25)
    rows = read(queue)
    assert (rows.item[0], rows.segment[0], rows.source[0]) == (item.pk, 'a,"b"\nc: d', "mail")
    assert (rows.score[0], rows.p[0], rows.value[0], rows.u[0]) == (0.4, 0.3, 7.5, 0.25)
    assert rows.arrived[0] == item.arrived_at.timestamp()
    assert (rows.policy[0], rows.model[0]) == (item.policy_id, item.model_id)
    assert np.isnan(rows.q[0])


def test_each_answer_has_its_state() -> None:
    queue = queue_of_last_week()
    soft(queue, POSITIVE), soft(queue, NEGATIVE), soft(queue, NONE), soft(queue)
    ruled(soft(queue), POSITIVE, source="expiry")
    assert told(queue) == [("answered", 1.0), ("answered", 0.0), ("cant_tell", None), ("open", None), ("expired", None)]


def test_a_label_that_can_still_be_undone_is_not_one() -> None:
    queue = queue_of_last_week()
    item = soft(queue)
    ruled(item, POSITIVE, at=NOON - SECOND * 5, final_at=NOON + SECOND * 5)
    assert told(queue) == [("open", None)]
    assert told(queue, NOON + SECOND * 5) == [("answered", 1.0)]


def test_an_undone_label_is_none() -> None:
    queue = queue_of_last_week()
    ruled(soft(queue, POSITIVE), "", source="undo", at=NOON - HOUR)
    assert told(queue) == [("open", None)]


def test_the_last_final_ruling_counts() -> None:
    queue = queue_of_last_week()
    item = soft(queue, POSITIVE)
    ruled(item, NEGATIVE, source="adjudication", at=NOON - HOUR)
    ruled(item, POSITIVE, source="override", at=NOON - SECOND, final_at=NOON + SECOND * 9)
    assert told(queue) == [("answered", 0.0)]
    assert read(queue).ruled.tolist() == ["adjudication"]


def test_what_came_later_is_not_known_yet() -> None:
    queue = queue_of_last_week()
    audited(queue, POSITIVE)
    assert len(read(queue, at=MIDNIGHT - SECOND)) == 0  # before the frame was closed
    assert told(queue, MIDNIGHT) == [("answered", 1.0)]


def test_an_override_or_a_complaint_makes_no_member() -> None:
    queue = queue_of_last_week()
    ruled(passed(queue), POSITIVE, source="override")
    ruled(passed(queue), POSITIVE, source="outside")
    ruled(hard(queue), NEGATIVE, source="appeal")
    audited(queue, NEGATIVE)
    assert told(queue) == [("answered", 0.0)]


def test_an_audit_past_its_deadline_is_expired_swept_or_not() -> None:
    queue = queue_of_last_week()
    audited(queue, None)
    assert told(queue, MIDNIGHT + DAY - SECOND) == [("open", None)]
    assert told(queue, MIDNIGHT + DAY) == [("expired", None)]


def test_answers_of_simulated_reviewers_are_marked() -> None:
    queue, person = queue_of_last_week(), simulated_person()
    ruled(soft(queue), POSITIVE, by=person)
    soft(queue, POSITIVE)
    assert sorted(read(queue).is_simulated.tolist()) == [False, True]


def test_failed_checks_and_fallback_are_apart() -> None:
    queue = queue_of_last_week()
    for reason in ("score", "input_check", "output_check", "fallback"):
        soft(queue, POSITIVE, reason=reason)
    rows = read(queue)
    assert rows.of(sample.Purpose.SOFT).reason.tolist() == ["score"]
    assert sorted(rows.apart().reason) == ["fallback", "input_check", "output_check"]


def test_only_what_arrived_in_the_window_is_read() -> None:
    queue = queue_of_last_week()
    for at in (NOON - DAY * 7 - SECOND, NOON - DAY * 7, NOON - SECOND, NOON):
        soft(queue, POSITIVE, arrived_at=at)
    assert read(queue).arrived.tolist() == [(NOON - DAY * 7).timestamp(), (NOON - SECOND).timestamp()]


def test_policies_models_and_segments_narrow_rows_and_counts() -> None:
    queue = queue_of_last_week()
    one = soft(queue, POSITIVE, segment="north")
    assert one.model_id is not None
    other = next_policy(queue)
    two = soft(queue, POSITIVE, segment="so:uth")
    counted()
    assert read(queue, segment="so:uth").item.tolist() == [two.pk]
    assert read(queue, policy_ids=[one.policy_id]).item.tolist() == [one.pk]
    assert sorted(read(queue, policy_ids=[one.policy_id, other.pk], model_ids=[one.model_id]).item) == [one.pk, two.pk]
    for which in (Which(segment="so:uth"), Which(policies=(other.pk,)), Which((one.policy_id,), (one.model_id,))):
        assert sample.bands(queue.pk, NOON - DAY * 7, NOON, which=which).count() == 1


def test_thinned_rows_say_which_share_was_kept() -> None:
    queue = queue_of_last_week()
    for k in range(40):
        soft(queue, POSITIVE if k % 4 == 0 else NEGATIVE, u=k / 40)
        control(queue, POSITIVE, u=k / 40) if k < 5 else None
    counted()
    rows = read(queue, cap=10)
    assert rows.of(sample.Purpose.SOFT).pi.tolist() == [0.25] * 10
    assert rows.of(sample.Purpose.SOFT).u.max() < 0.25
    assert rows.of(sample.Purpose.CONTROL).pi.tolist() == [0.1] * 5  # too few to be thinned


def test_thinning_is_unbiased_over_secrets() -> None:
    queue, chance = queue_of_last_week(), np.random.default_rng(1)
    estimates = []
    for _secret in range(12):
        queue = queue_of_last_week()
        for k, u in enumerate(chance.random(60)):
            soft(queue, POSITIVE if k < 20 else NEGATIVE, u=u)
        counted()
        rows = read(queue, cap=20)
        estimates.append(float((rows.y / rows.pi).sum()))
    assert np.mean(estimates) == pytest.approx(20, abs=3 * np.std(estimates) / np.sqrt(12))


def test_counts_go_by_band_so_that_control_stays_in_hard() -> None:
    queue = queue_of_last_week()
    hard(queue), hard(queue), control(queue), soft(queue), passed(queue), soft(queue, reason="fallback", band="none")
    counted()
    bands = sample.bands(queue.pk, NOON - DAY * 7, NOON)
    assert (bands.count(band="hard"), bands.count(band="hard", route="soft"), bands.count()) == (3, 1, 6)
    assert (bands.count(is_model=False), bands.count(is_model=True, route="soft")) == (1, 2)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON - HOUR * 3, NOON),  # whole hours
        (NOON - HOUR * 3 + HOUR / 4, NOON - HOUR / 3),  # parts at both ends
        (NOON - HOUR * 2 + HOUR / 4, NOON - HOUR * 2 + HOUR / 2),  # within one hour
        (NOON - HOUR * 2 - HOUR / 4, NOON - HOUR * 2 + HOUR / 4),  # over one edge
    ],
)
def test_counts_are_exact_over_parts_of_hours(start: datetime, end: datetime) -> None:
    queue = queue_of_last_week()
    for minutes in range(0, 240, 7):
        passed(queue, arrived_at=NOON - timedelta(minutes=minutes + 1))
    counted()
    inside = Item.objects.filter(queue=queue, arrived_at__gte=start, arrived_at__lt=end).count()
    assert sample.bands(queue.pk, start, end).count() == inside > 0


def test_figures_that_are_new_are_counted_from_the_beginning() -> None:
    queue = queue_of_last_week()
    passed(queue, arrived_at=NOON - DAY * 5)
    counted()
    Rollup.objects.filter(queue=queue, figure__in=("banded", "segmented")).delete()
    rollups.roll_up(NOON + HOUR)
    assert sample.bands(queue.pk, NOON - DAY * 7, NOON).count() == 1
    assert sample.bands(queue.pk, NOON - DAY * 7, NOON, by_segment=True, hourly=False).count() == 1


def test_traffic_is_all_of_it_while_it_is_little() -> None:
    queue = queue_of_last_week()
    hard(queue), soft(queue), passed(queue, segment="north"), passed(queue, arrived_at=NOON - DAY * 8)
    counted()
    rows = sample.traffic(queue.pk, days=7, at=NOON + HOUR / 2)
    assert sorted(rows.route) == ["hard", "pass", "soft"]
    assert rows.weight.tolist() == [1.0] * 3


def test_traffic_above_the_cap_stands_for_all_of_it() -> None:
    queue, other = queue_of_last_week(), queue_of_last_week()
    for k in range(60):
        make_item(queue if k % 3 else other, arrived_at=NOON - DAY + HOUR * (k // 3))
    counted()
    rows = sample.traffic(queue.pk, days=7, at=NOON, cap=10)
    assert set(rows.item) <= set(Item.objects.filter(queue=queue).values_list("pk", flat=True))
    assert rows.weight.tolist() == [4.0] * len(rows)
    assert rows.weight.sum() == pytest.approx(40, abs=8)


def test_an_empty_queue_has_columns_without_rows() -> None:
    queue = queue_of_last_week()
    assert len(read(queue)) == 0
    assert len(sample.traffic(queue.pk, days=7, at=NOON)) == 0
    assert sample.bands(queue.pk, NOON - DAY, NOON).count() == 0
    assert sample.counted_until(queue.pk, NOON) is None


def test_a_frame_without_draws_has_no_rows() -> None:
    queue = queue_of_last_week()
    frame(queue)
    assert len(read(queue)) == 0
    assert [one.drawn for one in sample.frames(queue.pk, start=NOON - DAY * 7, end=NOON, at=NOON)] == [0]


def plans(statement: str, params: dict[str, Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", params)
        return "\n".join(row[0] for row in cursor.fetchall())
