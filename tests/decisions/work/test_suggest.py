"""What the machine suggested, and what it did."""

import pytest

from decisions.work import suggest
from tests.decisions.work.makers import hard_item, passed_item, scored_item
from tests.factories import make_queue

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("score", "suggested"),
    [(0.5, "spam"), (0.49, "ham"), (0.99, "spam"), (0.0, "ham")],  # at or above the cut is positive
)
def test_the_policys_cut_decides(score: float, suggested: str) -> None:
    queue = make_queue()
    item = scored_item(queue, score)
    assert suggest.suggestion(item, item.policy, queue.spec) == suggested


def test_nothing_scored_nothing_suggested() -> None:
    queue = make_queue()
    item = scored_item(queue, 0.5, band="none", rung="people")
    item.score = None
    assert suggest.suggestion(item, item.policy, queue.spec) == ""
    assert suggest.machine(item, item.policy, queue.spec) == ""


def test_a_route_stands_for_an_outcome() -> None:
    queue = make_queue()
    hard, passed, soft = hard_item(queue), passed_item(queue), scored_item(queue, 0.4)
    assert [suggest.machine(i, i.policy, queue.spec) for i in (hard, passed, soft)] == ["spam", "ham", "ham"]
