"""What is taken as an answer."""

from dataclasses import replace

import pytest

from decisions.exceptions import Invalid
from decisions.work import answer as answers
from decisions.work.answer import Answer
from tests.factories import make_spec

SPEC = make_spec()


@pytest.mark.parametrize(
    ("answer", "against"),
    [
        (Answer("spam"), "spam"),  # agreeing takes one key
        (Answer("spam"), ""),  # who may not know the suggestion is asked for nothing
        (Answer("ham", "content"), "spam"),  # an override says why
        (Answer("spam", "content"), "spam"),  # a reason is welcome anyway
        (Answer("ham", "other", "see the header"), "spam"),
        (Answer("unclear", "content", "n" * 4_000, 86_400.0), "spam"),  # up to the limits
        (Answer("spam", active_seconds=0.0), "spam"),
    ],
)
def test_taken(answer: Answer, against: str) -> None:
    assert answers.check(answer, SPEC, against=against).key == answer.outcome


@pytest.mark.parametrize(
    ("answer", "against", "fault"),
    [
        (Answer("maybe"), "spam", ("outcome", "choice")),
        (Answer(""), "spam", ("outcome", "choice")),
        (Answer("ham"), "spam", ("reason", "required")),  # an override without a reason
        (Answer("unclear"), "spam", ("reason", "required")),  # "can't tell" is one too
        (Answer("ham", "nonsense"), "spam", ("reason", "choice")),
        (Answer("spam", "nonsense"), "", ("reason", "choice")),
        (Answer("ham", "other"), "spam", ("note", "required")),
        (Answer("ham", "other", "  \n"), "spam", ("note", "required")),  # blanks are no note
        (Answer("spam", note="n" * 4_001), "spam", ("note", "too_long")),
        (Answer("spam", note="a\0b"), "spam", ("note", "characters")),
        (Answer("spam", note="a\ud800b"), "spam", ("note", "characters")),
        (Answer("spam", active_seconds=-0.1), "spam", ("active_seconds", "range")),
        (Answer("spam", active_seconds=86_400.1), "spam", ("active_seconds", "range")),
        (Answer("spam", active_seconds=float("nan")), "spam", ("active_seconds", "range")),
        (Answer("spam", active_seconds=float("inf")), "spam", ("active_seconds", "range")),
    ],
)
def test_refused(answer: Answer, against: str, fault: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        answers.check(answer, SPEC, against=against)
    assert [(f.field, f.code) for f in refused.value.faults] == [fault]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        answers.check(Answer("ham", note="\0", active_seconds=-1), SPEC, against="spam")
    assert {f.field for f in refused.value.faults} == {"reason", "note", "active_seconds"}


def test_an_outcome_without_reasons_needs_none() -> None:
    bare = replace(SPEC, outcomes=tuple(replace(outcome, reasons=()) for outcome in SPEC.outcomes))
    assert answers.check(Answer("ham"), bare, against="spam").key == "ham"
