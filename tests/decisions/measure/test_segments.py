"""Segments and groups: shrunk for ranking, silent below 30 labels, fair about chance."""

import numpy as np
import pytest

from decisions.measure import segments
from decisions.measure.estimates import FloatArray, Why
from decisions.measure.segments import Gap, Segment, WordArray


def rows(**groups: tuple[int, int]) -> tuple[WordArray, FloatArray]:
    """Return names and labels: of each group so many of so many positive."""
    names = np.repeat(list(groups), [of for _hits, of in groups.values()])
    return names, np.concatenate([(np.arange(of) < hits).astype(float) for hits, of in groups.values()])


def missed(items: dict[str, int], **groups: tuple[int, int]) -> dict[str, Segment]:
    names, y = rows(**groups)
    found = segments.missed(names, y, np.full(len(y), 0.1), np.full(len(y), 0.01), items)
    return {one.name: one for one in found}


def test_a_segment_s_misses_are_raw_for_claims() -> None:
    found = missed({"mail": 4_000, "chat": 1_000}, mail=(8, 400), chat=(5, 100))
    assert list(found) == ["chat", "mail"]  # worst first
    assert found["chat"].missed.value == pytest.approx(50)
    assert found["chat"].rate.value == pytest.approx(0.05)
    assert found["chat"].rate.low is not None
    assert found["chat"].rate.high is not None
    assert found["chat"].rate.low < 0.05 < found["chat"].rate.high


def test_a_ranked_rate_lies_between_its_own_and_the_parents() -> None:
    groups = {f"s{i}": (i * 4, 200) for i in range(10)}
    found = missed(dict.fromkeys(groups, 2_000), **groups)
    worst = found["s9"]
    assert worst.rate.value is not None
    assert worst.ranked is not None
    assert 0.09 < worst.ranked < worst.rate.value


def test_a_small_segment_with_an_odd_find_is_not_ranked_first() -> None:
    groups = {f"s{i}": (10 + i, 400) for i in range(8)} | {"bad": (60, 400), "small": (2, 8)}
    found = missed({name: of * 10 for name, (_hits, of) in groups.items()}, **groups)
    assert next(iter(found)) == "bad"
    assert found["small"].rate.why == Why.FEW
    assert found["small"].missed.value is None
    assert found["small"].missed.n == 8


def test_segments_that_differ_no_more_than_chance_rank_alike() -> None:
    assert segments.shrink([0.10, 0.09, 0.11], [100, 100, 100], 0.1) == pytest.approx([0.1] * 3)


def test_shrinking_by_hand() -> None:
    # Marshall (1991): spread = sum n (r - R)^2 / sum n - R(1 - R) / mean n = .01 - .0025 = .0075; weight .0075 / .01.
    assert segments.shrink([0.4, 0.6], [100, 100], 0.5) == pytest.approx([0.425, 0.575])


def test_no_parent_no_rank_and_no_labels_the_parents() -> None:
    assert segments.shrink([None, None], [0, 0], None) == [None, None]
    assert segments.shrink([None, 0.9, 0.1], [0, 50, 50], 0.5)[0] == 0.5
    assert segments.shrink([None], [0], 0.2) == [0.2]


def test_a_segment_without_any_label_is_there_and_unmeasured() -> None:
    found = missed({"mail": 4_000, "fax": 500}, mail=(8, 400))
    assert found["fax"].rate.why == Why.NO_LABELS
    assert found["fax"].ranked == found["mail"].ranked == pytest.approx(80 / 4_500)


def test_an_empty_window_has_unmeasured_segments() -> None:
    nothing = np.empty(0)
    (found,) = segments.missed(np.empty(0, dtype=str), nothing, nothing, nothing, {"mail": 0})
    assert (found.ranked, found.rate.value, found.missed.why) == (None, None, Why.NO_LABELS)
    assert segments.shares(np.empty(0, dtype=str), nothing, nothing) == []
    assert segments.parity(np.empty(0, dtype=str), nothing, nothing).gaps == ()


def test_shares_are_ranked_lowest_first() -> None:
    names, y = rows(good=(190, 200), bad=(120, 200), few=(0, 9))
    found = segments.shares(names, y, np.full(len(y), 0.1))
    assert [one.name for one in found if one.share.value is not None] == ["bad", "good"]
    assert next(one for one in found if one.name == "few").share.why == Why.FEW


def test_blind_spots_get_a_tenth_of_the_next_audits_the_largest_first() -> None:
    found = missed({"mail": 40_000, "fax": 500, "chat": 9_000, "tiny": 4}, mail=(8, 400), chat=(0, 20))
    assert segments.blind_spots(list(found.values()), 1_000) == {"chat": 10, "fax": 30, "tiny": 4}
    assert segments.blind_spots(list(found.values()), 150) == {"chat": 10, "fax": 5}  # 15 audits, no more
    assert segments.blind_spots([], 150) == {}


def gaps(**groups: tuple[int, int]) -> dict[str, Gap]:
    names, y = rows(**groups)
    return {gap.group: gap for gap in segments.parity(names, y, np.ones(len(y))).gaps}


def test_a_group_is_compared_with_all_others() -> None:
    found = gaps(young=(120, 400), middle=(80, 400), old=(40, 200))
    assert found["young"].difference == pytest.approx(0.3 - 0.2)
    assert found["young"].differs is True
    assert found["old"].differs is False


def test_too_few_to_say() -> None:
    found = gaps(young=(120, 400), old=(20, 29))
    assert [gap.differs for gap in found.values()] == [None, None]  # the others of the young are too few as well
    assert found["old"].rate.value is None
    assert found["old"].low is None


def test_two_groups_make_one_comparison() -> None:
    names, y = rows(a=(56, 70), b=(48, 80))
    parity = segments.parity(names, y, np.ones(150))
    assert parity.compared == 1
    assert (parity.gaps[0].low, parity.gaps[0].high) == pytest.approx((0.0439, 0.3442), abs=1e-4)


def test_more_groups_make_wider_intervals() -> None:
    one = gaps(a=(60, 100), b=(150, 300))["a"]
    other = gaps(a=(60, 100), b=(50, 100), c=(50, 100), d=(50, 100))["a"]
    assert one.difference == other.difference
    assert one.low is not None
    assert other.low is not None
    assert other.low < one.low


def test_equal_groups_are_seldom_said_to_differ() -> None:
    numbers = np.random.default_rng(4)
    names = np.repeat(list("abcdef"), [50, 100, 200, 400, 50, 800])
    false = 0
    for _ in range(400):
        y = (numbers.random(len(names)) < 0.02).astype(float)
        false += any(gap.differs for gap in segments.parity(names, y, np.ones(len(y))).gaps)
    assert false / 400 <= 0.05


def test_weighted_labels_speak_for_as_many_as_they_are_worth() -> None:
    names, y = rows(a=(60, 100), b=(40, 100))
    pi = np.where(np.arange(200) % 4 == 0, 0.01, 1.0)
    parity = segments.parity(names, y, pi)
    assert [gap.differs for gap in parity.gaps] == [None, None]
    assert parity.compared == 0
