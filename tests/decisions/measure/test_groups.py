"""Fairness between the groups that a spec names: what differs, what cannot be said, and what is not told."""

from dataclasses import replace
from typing import Any

import pytest

from decisions.measure import groups
from decisions.measure.groups import UNKNOWN, Comparison, Figure
from decisions.models import Item, Queue
from decisions.queues.spec import FieldType, Group, PayloadField
from decisions.record import erase
from tests.decisions.measure.measured import (
    NEGATIVE,
    POSITIVE,
    control,
    counted,
    frame,
    hard,
    passed,
    queue_of_last_week,
    ruled,
    soft,
)
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db

AGE = PayloadField("age", FieldType.INTEGER, "Age", personal=True)
KIND = PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat"))
OLD, YOUNG = {"age": 60}, {"age": 20}


def grouped(*fields: Group) -> Queue:
    return queue_of_last_week(fields=(AGE, KIND), value_field="", groups=fields or (Group("age", (30,)),))


def read(queue: Queue, place: int = 0) -> dict[Figure, Comparison]:
    counted()
    found = groups.fairness(queue.pk, queue.spec, NOON)
    assert found is not None
    return {one.figure: one for one in found[place].comparisons}


def values(one: Comparison) -> dict[str, float | None]:
    return {cell.group: cell.gap.rate.value if cell.gap else None for cell in one.cells}


def audit(queue: Queue, payload: dict[str, Any], positives: int, count: int) -> list[Item]:
    items = [passed(queue, payload=payload) for _ in range(count)]
    return [ruled(item, POSITIVE if n < positives else NEGATIVE) for n, item in enumerate(items)]


def test_nothing_is_told_before_anything_was_counted() -> None:
    queue = grouped()
    assert groups.fairness(queue.pk, queue.spec, NOON) is None


# a number and the group it is in
BANDS = [("29.9", "..30"), ("30", "30..45"), ("44", "30..45"), ("45", "45.."), ("-3", "..30")]


@pytest.mark.parametrize(("value", "name"), BANDS)
def test_a_band_holds_its_lower_edge(value: str, name: str) -> None:
    assert groups.band(value, (30.0, 45.0)) == name


@pytest.mark.parametrize("value", ["old", "nan", "inf", ""])
def test_what_is_no_number_is_in_no_band(value: str) -> None:
    assert groups.band(value, (30.0,)) == UNKNOWN


def test_precision_between_groups_and_whether_it_differs() -> None:
    queue = grouped()
    for n in range(40):
        control(queue, POSITIVE, payload=OLD)
        control(queue, POSITIVE if n < 16 else NEGATIVE, payload=YOUNG)
    one = read(queue)[Figure.PRECISION]
    assert values(one) == {"..30": pytest.approx(0.4), "30..": pytest.approx(1.0)}
    young = one.cells[0].gap
    assert young
    assert young.differs is True
    assert young.difference == pytest.approx(-0.6)
    assert one.parity.compared == 1  # of two groups the one gap is the other's


def test_a_group_with_few_labels_is_not_compared() -> None:
    queue = grouped()
    for _ in range(40):
        control(queue, POSITIVE, payload=OLD)
    for _ in range(10):
        control(queue, NEGATIVE, payload=YOUNG)
    young = read(queue)[Figure.PRECISION].cells[0].gap
    assert young
    assert (young.rate.value, young.rate.n, young.differs) == (None, 10, None)


def test_a_group_of_fewer_than_five_is_hidden_and_in_nobodys_comparison() -> None:
    queue = grouped()
    for _ in range(40):
        control(queue, POSITIVE, payload=OLD)
    for _ in range(4):
        control(queue, NEGATIVE, payload=YOUNG)
    one = read(queue)[Figure.PRECISION]
    assert [(cell.group, cell.is_hidden) for cell in one.cells] == [("..30", True), ("30..", False)]
    assert one.cells[1].gap
    assert one.cells[1].gap.others.n == 0


def test_errors_are_among_true_negatives_and_true_positives() -> None:
    queue = grouped()
    drawn = audit(queue, OLD, positives=4, count=40) + audit(queue, YOUNG, positives=0, count=40)
    frame(queue, *drawn, pi=1.0)
    for n in range(36):
        soft(queue, POSITIVE, payload=OLD)
        control(queue, NEGATIVE if n < 12 else POSITIVE, share=1.0, payload=YOUNG)
    found = read(queue)
    assert values(found[Figure.MISSED]) == {"..30": None, "30..": pytest.approx(4 / 40)}
    assert values(found[Figure.FALSE_POSITIVES]) == {"..30": pytest.approx(12 / 52), "30..": pytest.approx(0.0)}


def test_a_drawn_pass_stands_for_those_that_were_not_drawn() -> None:
    queue = grouped()
    frame(queue, *audit(queue, OLD, positives=10, count=50), pi=0.1)
    for _ in range(100):
        soft(queue, POSITIVE, payload=OLD)
    missed = read(queue)[Figure.MISSED].cells[0].gap
    assert missed
    assert missed.rate.found == 10
    assert missed.rate.n_eff < 110  # few labels carry most of the weight


def test_automatic_actions_are_of_all_items() -> None:
    queue = grouped()
    for _ in range(40):
        hard(queue, payload=YOUNG)
        passed(queue, payload=OLD)
        passed(queue, payload=YOUNG)
    assert values(read(queue)[Figure.AUTOMATIC]) == {"..30": pytest.approx(0.5), "30..": 0.0}


def test_overrides_are_of_what_people_decided() -> None:
    queue = grouped(Group("kind"))
    for n in range(30):
        ruled(soft(queue, payload={"kind": "mail"}), NEGATIVE, is_override=n < 15)
        ruled(soft(queue, payload={"kind": "chat"}), NEGATIVE)
    assert values(read(queue)[Figure.OVERRIDES]) == {"mail": 0.5, "chat": 0.0}


def test_missing_unfit_and_erased_values_are_one_group_at_the_end() -> None:
    queue = grouped(Group("kind"))
    items = [hard(queue, payload={"kind": kind}) for kind in ["mail"] * 5 + ["fax"] * 3 + ["chat"] * 5]
    hard(queue, payload={"age": 5}), hard(queue, payload={"kind": None})
    erase.erase(item_id=items[0].pk, by=make_user("admin"), why="request", legal_basis="art. 17", at=NOON)
    one = read(queue)[Figure.AUTOMATIC]
    counts = {cell.group: cell.gap.rate.n if cell.gap else None for cell in one.cells}
    assert counts == {"chat": 5, "mail": None, UNKNOWN: 6}
    assert [cell.group for cell in one.cells][-1] == UNKNOWN


def test_each_field_has_its_own_comparisons() -> None:
    queue = grouped(Group("age", (30,)), Group("kind"))
    for _ in range(6):
        hard(queue, payload={"age": 50, "kind": "mail"})
    assert list(values(read(queue, 0)[Figure.AUTOMATIC])) == ["30.."]
    assert list(values(read(queue, 1)[Figure.AUTOMATIC])) == ["mail"]


def test_a_field_that_is_gone_leaves_everybody_in_no_group() -> None:
    queue = grouped()
    for _ in range(6):
        hard(queue, payload=OLD)
    counted()
    without = replace(queue.spec, fields=(KIND,))
    found = groups.fairness(queue.pk, without, NOON)
    assert found
    assert [cell.group for cell in found[0].comparisons[-1].cells] == [UNKNOWN]


def test_reading_costs_no_more_statements_with_more_items(django_assert_max_num_queries: Any) -> None:
    queue = grouped(Group("age", (30,)), Group("kind"))
    for _ in range(20):
        hard(queue, payload=OLD)
        soft(queue, POSITIVE, payload=YOUNG)
    counted()
    with django_assert_max_num_queries(14):
        groups.fairness(queue.pk, queue.spec, NOON)
