"""What overrides say is to be mended, and when they say nothing."""

import numpy as np
import pytest

from decisions.measure import proposals, trust_words
from decisions.measure.proposals import Kind, Overridden
from tests.factories import make_spec


def rows(*parts: tuple[int, int, str, str, float, bool]) -> Overridden:
    """Return decisions: of each part so many, so many of them overrides with a reason, in a segment, at a score."""
    over = [k < part[1] for part in parts for k in range(part[0])]
    columns = list(zip(*[part[2:] for part in parts for _ in range(part[0])], strict=True))
    overrode = np.array(over, dtype=np.bool_)
    reason, segment, score, positive = (np.array(column) for column in columns)
    return Overridden(
        overrode=overrode,
        reason=np.where(overrode, reason, "").astype(object),
        segment=segment.astype(object),
        score=score.astype(np.float64),
        positive=positive.astype(np.bool_),
        money=np.where(overrode, 2.0, np.nan),
    )


def test_reasons_are_ranked_and_say_where_they_are() -> None:
    found = proposals.reasons(rows((50, 20, "content", "north", 0.5, True), (50, 5, "other", "", 0.5, True)))
    assert [(one.code, one.n, one.money, one.segment, one.in_segment) for one in found] == [
        ("content", 20, 40.0, "north", 20),
        ("other", 5, 10.0, "", 5),
    ]
    assert proposals.reasons(rows((9, 0, "content", "", 0.5, True))) == []


def test_a_reason_that_gathers_where_the_model_errs_is_a_feature_gap() -> None:
    (one,) = proposals.feature_gaps(rows((60, 40, "content", "north", 0.5, True), (400, 10, "content", "s", 0.5, True)))
    assert (one.kind, one.segment, one.one.hits, one.one.n) == (Kind.FEATURE, "north", 40, 50)
    text = trust_words.proposal(one, make_spec())
    assert "segment north" in text
    assert "The content says so" in text


@pytest.mark.parametrize(
    "told",
    [
        rows((60, 20, "content", "north", 0.5, True), (400, 5, "content", "s", 0.5, True)),  # 25 overrides
        rows((300, 40, "content", "north", 0.5, True), (300, 38, "content", "s", 0.5, True)),  # spread
        rows((90, 60, "content", "north", 0.5, True)),  # one segment is all there is
        rows((90, 60, "content", "", 0.5, True), (400, 5, "content", "s", 0.5, True)),  # no segment
    ],
)
def test_what_is_few_or_spread_is_no_feature_gap(told: Overridden) -> None:
    assert proposals.feature_gaps(told) == []


def test_a_reason_that_splits_people_is_a_guideline_gap() -> None:
    reason = np.array(["content"] * 40 + ["other"] * 60, dtype=object)
    differed = np.array([k % 2 == 0 for k in range(40)] + [k % 20 == 0 for k in range(60)])
    (one,) = proposals.guideline_gaps(reason, differed)
    assert (one.kind, one.key) == (Kind.GUIDELINE, "content")
    assert "second opinion differed" in trust_words.proposal(one, make_spec())
    assert proposals.guideline_gaps(reason[:40], differed[:40]) == []  # nothing beside it


def test_overrides_just_above_the_threshold_move_it_up() -> None:
    told = rows(
        (60, 50, "content", "", 0.52, True),
        (60, 45, "content", "", 0.57, True),
        (60, 10, "content", "", 0.62, True),
        (60, 5, "content", "", 0.45, False),
    )
    (one,) = proposals.threshold_moves(told, 0.5, 0.0, 1.0)
    assert (one.cut, one.one.hits, one.one.n, one.other.n) == (0.6, 95, 120, 60)
    assert "Try 0.6" in trust_words.proposal(one, make_spec())


def test_overrides_just_below_the_threshold_move_it_down() -> None:
    told = rows((60, 50, "content", "", 0.47, False), (60, 10, "content", "", 0.42, False))
    (one,) = proposals.threshold_moves(told, 0.5, 0.0, 1.0)
    assert one.cut == 0.45
    assert proposals.threshold_moves(rows((20, 20, "content", "", 0.47, False)), 0.5, 0.0, 1.0) == []
