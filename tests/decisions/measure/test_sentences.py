"""What figures say, in words that promise no more than they hold."""

import numpy as np
import pytest
from django.utils import translation

from decisions.measure import estimates, misses, segments, sentences
from decisions.measure.estimates import Count, Share
from decisions.measure.misses import Caught


def audits(found: int, of: int, weight: float, passes: int | None = 1_000_000) -> Count:
    y = (np.arange(of) < found).astype(float)
    return misses.missed(y, np.full(of, 1 / weight), np.full(of, 0.001), of=passes)


def said(found: Count, limit: float | None = None) -> str:
    with translation.override("en"):
        return sentences.missed_sentence(found, passes=found.of or 0, noun="spam", limit=limit)


def test_none_found_is_a_limit_and_what_it_takes_to_say_more() -> None:
    assert said(audits(0, 2000, 650)) == (
        "found 0 in 2,000 audits: at most 2,400 of 1,000,000 passes were spam; "
        "with 6,000 more audits we could say at most 600"
    )


def test_some_found_is_a_range() -> None:
    assert said(audits(40, 2000, 500)).startswith(
        "found 40 in 2,000 audits: about 20,000 of 1,000,000 passes were spam, between 14,000 and 28,000; with "
    )


def test_limits_are_rounded_away_from_the_claim() -> None:
    found = audits(0, 2000, 639.7)  # 3.6889 * 639.7 = 2,359.8
    assert "at most 2,400" in said(found)


@pytest.mark.parametrize(
    ("limit", "more"),
    [
        (600.0, 6_000),  # 3.69 * 650 * 2,000 / n = 600 at n = 7,993
        (2_400.0, 0),  # that much can be said already
        (0.0, None),  # no number of audits shows that there is none
    ],
)
def test_labels_needed_for_a_limit(limit: float, more: int | None) -> None:
    assert sentences.labels_needed(audits(0, 2000, 650), limit) == more


def test_labels_needed_really_bring_the_limit_down() -> None:
    found = audits(10, 2000, 100)
    assert found.high is not None
    limit = sentences.goal(found)
    assert limit is not None
    more = sentences.labels_needed(found, limit)
    assert more is not None
    times = (2000 + more) / 2000
    later = audits(round(10 * times), round(2000 * times), 100 / times)
    assert later.value == pytest.approx(found.value, rel=0.01)
    assert later.high is not None
    assert later.high <= limit * 1.03


def test_audits_that_cannot_be_had_are_not_asked_for() -> None:
    assert said(audits(0, 2000, 650, passes=5_000)).endswith("passes were spam")


def test_nothing_to_say_is_said() -> None:
    assert said(misses.missed(np.empty(0), np.empty(0), np.empty(0))) == "not measured: nothing was audited"
    blank = np.full(3, np.nan)
    assert said(misses.missed(blank, np.ones(3), np.ones(3))).startswith("not measured: no audit was answered")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (0, "at least 96.1 % of all spam was caught"),
        (40, "about 75.0 % of all spam was caught, between 68.7 % and 80.8 %"),
    ],
)
def test_recall_in_words(found: int, words: str) -> None:
    recall = misses.recall(Caught(60_000), audits(found, 2000, 500 if found else 650))
    with translation.override("en"):
        assert sentences.recall_sentence(recall, noun="spam") == words


@pytest.mark.parametrize(
    ("share", "up", "text"),
    [
        (0.97449, False, "97.4 %"),  # down
        (0.97441, True, "97.5 %"),  # up
        (0.99951, False, "99.951 %"),  # near the top more digits tell
        (1.0, False, "99.999 %"),  # nobody has measured 100 %
        (1.0, True, "99.999 %"),
        (0.3, False, "30.0 %"),  # no error of the machine's arithmetic
        (0.0, False, "0.0 %"),
    ],
)
def test_a_share_in_per_cent_is_never_100(share: float, up: bool, text: str) -> None:
    with translation.override("en"):
        assert sentences.percent(share, up=up) == text


def test_no_recall_is_ever_said_to_be_100() -> None:
    census = misses.missed(np.zeros(50), np.ones(50), np.ones(50), of=50)
    with translation.override("en"):
        assert "100 %" not in sentences.recall_sentence(misses.recall(Caught(5), census), noun="spam")


def test_numbers_follow_the_language() -> None:
    with translation.override("de"):
        assert "2.400" in sentences.missed_sentence(audits(0, 2000, 650), passes=1_000_000, noun="Spam")


def test_every_reason_has_words() -> None:
    with translation.override("en"):
        texts = {sentences._why(why) for why in estimates.Why if why != estimates.Why.NONE_FOUND}
    assert len(texts) == len(estimates.Why) - 1
    assert "not measured" not in texts


def test_parity_says_how_many_comparisons_there_were_and_who_was_too_few() -> None:
    gap = segments.Gap("18-25", Share(), Share(), 0.1, 0.02, 0.2)
    silent = segments.Gap("90-99", Share(), Share(), None, None, None)
    with translation.override("en"):
        text = sentences.parity_sentence(segments.Parity((gap, silent), 3, 0.95))
        even = sentences.parity_sentence(segments.Parity((silent,), 0, 0.95))
    assert text == (
        "3 comparisons were made; the intervals are wide enough for all of them to hold at once; "
        "18-25: the rate differs from that of all others; 90-99: too few labels to say"
    )
    assert even.endswith("90-99: too few labels to say")
