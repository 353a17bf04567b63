"""A calibrator fitted to a queue's own labels: what it rests on, what it changes, and that its name is exact."""

import numpy as np
import pytest

from decisions.exceptions import Invalid
from decisions.measure import operating, recalibrate
from decisions.measure.recalibrate import Recalibration, TooFew
from decisions.measure.window import Filters
from decisions.models import Item, ModelVersion, Policy, Queue
from decisions.routing import policy, publish
from decisions.routing.policy import Cuts
from reviewqueue.web.science import operating_charts
from tests.decisions.measure.measured import (
    DAY,
    MIDNIGHT,
    NEGATIVE,
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
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_policy

pytestmark = pytest.mark.django_db

TOO_HIGH = {"id": "old", "slope": 1.0, "intercept": 2.0}


def model_of(queue: Queue) -> ModelVersion:
    model = Policy.objects.live().select_related("model").get(queue=queue).model
    assert model is not None
    return model


def fitted(queue: Queue, days: int = 7) -> Recalibration:
    found = recalibrate.fit(queue.pk, NOON, model_id=model_of(queue).pk, days=days)
    assert isinstance(found, Recalibration), found
    return found


def people_said(queue: Queue, positives: int, negatives: int) -> None:
    """Let people answer items whose scores run over the SOFT band, positives higher up."""
    for k in range(positives):
        soft(queue, POSITIVE, score=0.5 + 0.4 * k / positives)
    for k in range(negatives):
        soft(queue, NEGATIVE, score=0.3 + 0.4 * k / negatives)


def test_a_calibrator_that_promised_too_much_is_put_right() -> None:
    queue = busy_queue(items=1_200, audits=120)
    make_policy(queue, "live", calibration=TOO_HIGH)
    found = fitted(queue)
    assert found.line.slope == pytest.approx(1.0, abs=0.25)
    assert found.line.intercept == pytest.approx(0.0, abs=0.5)
    assert found.before.mean > 0.5 > found.after.mean
    assert found.found.low is not None
    assert found.found.high is not None
    assert found.found.low <= found.after.mean <= found.found.high < found.before.mean
    assert found.after.low <= found.after.error <= found.after.high < found.before.low


def test_it_rests_on_soft_control_and_audits_with_their_weights() -> None:
    queue = queue_of_last_week()
    people_said(queue, 25, 10)
    for k in range(10):
        control(queue, POSITIVE if k else NEGATIVE, share=0.5)
    audited(queue, *[NEGATIVE] * 9, POSITIVE, pi=0.1)
    counted()
    found = fitted(queue)
    assert (found.labels, found.positives, found.audits) == (55, 35, 10)
    assert found.found.value == pytest.approx((25 + 9 / 0.5 + 1 / 0.1) / (35 + 10 / 0.5 + 10 / 0.1))


def test_what_nobody_answered_is_stood_for_by_answers_of_like_scores() -> None:
    queue = queue_of_last_week()
    people_said(queue, 25, 30)
    items = [ruled(passed(queue, score=0.01), NEGATIVE) for _k in range(10)]
    items += [ruled(passed(queue, score=0.25), POSITIVE if k % 2 else NEGATIVE) for k in range(10)]
    items += [passed(queue, score=0.25) for _k in range(10)]  # ran out
    frame(queue, *items, pi=0.1)
    at = NOON + DAY
    counted(at)
    found = recalibrate.fit(queue.pk, at, model_id=model_of(queue).pk, days=7)
    assert isinstance(found, Recalibration)
    assert found.found.value == pytest.approx((25 + 100) / (55 + 300))


def test_soft_items_of_days_without_audits_are_left_out_once_there_are_audits() -> None:
    queue = queue_of_last_week()
    people_said(queue, 25, 25)
    for _k in range(40):
        soft(queue, POSITIVE, arrived_at=MIDNIGHT - DAY * 3)
    counted()
    alone = fitted(queue)
    assert (alone.labels, alone.audits) == (90, 0)
    audited(queue, *[NEGATIVE] * 5)
    counted()
    assert (fitted(queue).labels, fitted(queue).audits) == (55, 5)


def test_items_of_other_models_and_failed_checks_are_no_part_of_it() -> None:
    queue = queue_of_last_week()
    people_said(queue, 25, 25)
    other = ModelVersion.objects.create(queue=queue, name="m2", kind="pipeline", app_version="t", created_at=NOON)
    soft(queue, POSITIVE)
    soft(queue, POSITIVE, reason="input_check")
    counted()
    assert fitted(queue).labels == 51
    found = recalibrate.fit(queue.pk, NOON, model_id=other.pk)
    assert found == TooFew(28, 0, 0)


@pytest.mark.parametrize(("positives", "negatives", "enough"), [(20, 20, True), (19, 200, False), (200, 19, False)])
def test_with_few_of_either_answer_nothing_is_fitted_and_it_says_why(
    positives: int, negatives: int, enough: bool
) -> None:
    queue = queue_of_last_week()
    people_said(queue, positives, negatives)
    counted()
    found = recalibrate.fit(queue.pk, NOON, model_id=model_of(queue).pk)
    assert isinstance(found, Recalibration) is enough
    if not enough:
        assert f"{positives + negatives} labels, {positives} of them positive" in str(found)
        with pytest.raises(Invalid) as caught:
            recalibrate.into({}, queue, NOON)
        assert [(fault.field, fault.detail) for fault in caught.value.faults] == [("recalibrate", str(found))]


def test_the_same_labels_give_the_same_name_and_one_more_gives_another() -> None:
    queue = queue_of_last_week()
    people_said(queue, 25, 25)
    counted()
    first, again = fitted(queue), fitted(queue)
    assert first.id.startswith("platt-")
    assert (again.id, again.line) == (first.id, first.line)
    soft(queue, NEGATIVE, score=0.8)
    counted()
    assert fitted(queue).id != first.id


def test_a_draft_carries_it_and_what_its_audits_begin_with() -> None:
    queue = busy_queue(items=1_200, audits=120)
    changes = recalibrate.into({"soft": 0.2}, queue, NOON)
    draft = publish.draft(queue=queue, changes=changes, by=None, why="labels", at=NOON)
    draft.refresh_from_db()
    found = fitted(queue, days=28)
    assert draft.calibration == found.as_json()
    assert (draft.soft, draft.calibration["id"]) == (0.2, found.id)
    scores = np.array(Item.objects.filter(queue=queue, score__lt=0.2).values_list("score", flat=True))
    assert draft.mean_p == pytest.approx(policy.recalibrate(scores, Cuts.of(draft, queue.spec)).mean())


def test_the_calibration_chart_names_what_made_its_probabilities() -> None:
    queue = queue_of_last_week()
    people_said(queue, 3, 3)
    next_policy(queue, calibration=TOO_HIGH)
    audited(queue, NEGATIVE, POSITIVE)
    next_policy(queue, calibration={"id": "idle"})
    counted()
    page = operating.page(queue.pk, NOON, days=7, filters=Filters())
    assert page.calibrators == ("", "old")
    chart = operating_charts.calibration(page.calibration, page.calibrators)
    assert chart["note"].startswith("calibrator: none, scores as they came, old; weighted")


def test_a_queue_without_a_model_has_nothing_to_recalibrate() -> None:
    with pytest.raises(Invalid) as caught:
        recalibrate.into({"model": None}, queue_of_last_week(), NOON)
    assert "Nothing scores" in caught.value.faults[0].detail


def test_a_new_model_is_held_against_its_own_scores_not_the_old_calibrator() -> None:
    queue = queue_of_last_week()
    old = model_of(queue)
    model = ModelVersion.objects.create(queue=queue, name="m2", kind="pipeline", app_version="t", created_at=NOON)
    next_policy(queue, model=model)
    for k in range(60):
        soft(queue, POSITIVE if k % 2 else NEGATIVE, score=0.3 + 0.01 * k)
    next_policy(queue, model=old, calibration=TOO_HIGH)
    counted()
    found = recalibrate.fit(queue.pk, NOON, model_id=model.pk)
    assert isinstance(found, Recalibration)
    assert found.before.mean == pytest.approx(0.3 + 0.01 * 29.5)
