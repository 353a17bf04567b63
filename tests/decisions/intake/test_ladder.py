"""The ladder: each rung in turn, and each rung broken."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from decisions.intake import ladder, parse
from decisions.intake.ladder import Climb
from decisions.intake.parse import Row
from decisions.learning import registry
from decisions.learning.seal import ModelFileRefused
from decisions.models import ModelVersion, Policy, Queue
from decisions.queues import live
from decisions.queues.spec import Heuristic
from tests.factories import NOON, make_queue

pytestmark = pytest.mark.django_db

RULES = (Heuristic("words", ">=", 100, 0.8), Heuristic("kind", "in", ("chat",), 0.2))


class Model:
    """Stands at the process edge, where a model file would be read: gives what it is told to."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers

    def score(self, payloads: list[dict[str, Any]]) -> Any:
        if isinstance(self.answers[0], Exception):
            raise self.answers[0]
        if isinstance(self.answers[0], threading.Event):
            self.answers[0].wait(20)
        return np.array(self.answers[: len(payloads)], dtype=np.float64)


def pin(queue: Queue, model: ModelVersion) -> None:
    """Let a policy in force pin a model, without the checks of its file that publishing makes."""
    Policy.objects.live().filter(queue=queue).update(state=Policy.State.RETIRED)
    Policy.objects.create(
        queue=queue,
        no=Policy.objects.filter(queue=queue).count() + 1,
        state=Policy.State.LIVE,
        model=model,
        hard=0.9,
        soft=0.3,
        suggest=0.5,
        objective="o",
        why="w",
        created_at=NOON,
    )


@pytest.fixture
def queue() -> Iterator[Queue]:
    """A queue with a pipeline that its policy pins, and with heuristics."""
    made = make_queue(heuristics=RULES)
    model = ModelVersion.objects.create(
        queue=made, name="own", kind="pipeline", file="own.skops", sha256="0" * 64, app_version="t", created_at=NOON
    )
    pin(made, model)
    yield made
    ladder._resting.clear()


def climb(queue: Queue, *rows: Row, failures: dict[int, list[str]] | None = None) -> Climb:
    return ladder.climb(rows, failures or {}, live.of(queue.slug))


def row(score: float | None = None, model: str = "", **payload: Any) -> Row:
    return parse.Row(1, "a", payload, b"{}", score, model)


def told(state: Climb) -> list[tuple[float | None, str, str, list[str]]]:
    return [
        (None if np.isnan(score) else float(score), rung, reason, state.failures.get(i, []))
        for i, (score, rung, reason) in enumerate(zip(state.scores, state.rungs, state.reasons, strict=True))
    ]


def use(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
    monkeypatch.setattr(registry, "load", lambda _: Model(*answers))


def test_a_score_that_was_sent_by_the_pinned_model_is_used(queue: Queue) -> None:
    state = climb(queue, row(0.7, "own"))
    assert told(state) == [(0.7, "sent", "score", [])]
    assert [model.name if model else None for model in state.models] == ["own"]


def test_without_a_score_the_model_scores(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0.6, 0.4)
    assert told(climb(queue, row(), row(0.7, "own"), row())) == [
        (0.6, "model", "score", []),
        (0.7, "sent", "score", []),
        (0.4, "model", "score", []),
    ]


@pytest.mark.parametrize(
    ("sent", "model", "codes"),
    [
        (float("nan"), "own", ["output:nan"]),
        (float("inf"), "own", ["output:nan"]),
        (1.5, "own", ["output:range"]),
        (0.5, "unknown", ["output:model"]),
        (0.5, "external", ["output:model"]),  # known, and not the one that is pinned
        (0.5, "", ["output:model"]),  # the one nobody named is not pinned either
        (1.5, "unknown", ["output:range", "output:model"]),
    ],
)
def test_a_sent_score_that_fails_falls_to_the_model_and_stays_marked(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, sent: float, model: str, codes: list[str]
) -> None:
    use(monkeypatch, 0.6)
    assert told(climb(queue, row(sent, model))) == [(0.6, "model", "output_check", codes)]


def test_a_valid_score_that_does_not_route_is_kept_aside(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0.6, 0.6, 0.6)
    state = climb(queue, row(0.5, "external"), row(0.5, "unknown"), row(1.5, "external"))
    assert [(aside.place, aside.model.name, aside.score) for aside in state.aside] == [(0, "external", 0.5)]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (RuntimeError("broken"), "model:error"),
        (FileNotFoundError("gone"), "model:missing"),
        (ModelFileRefused("changed"), "model:refused"),
        (MemoryError(), "model:error"),
    ],
)
def test_a_broken_model_falls_to_the_heuristics_and_they_to_people(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, broken: Exception, code: str
) -> None:
    use(monkeypatch, broken)
    assert told(climb(queue, row(words=200), row(words=1, kind="chat"), row(words=1))) == [
        (0.8, "heuristic", "fallback", [code]),
        (0.2, "heuristic", "fallback", [code]),
        (None, "people", "fallback", [code]),
    ]


def test_a_model_that_gives_too_few_scores_is_broken(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0.6)
    assert [rung for _, rung, _, codes in told(climb(queue, row(), row())) if codes == ["model:error"]] == [
        "people"
    ] * 2


def test_a_missing_file_is_met_without_any_stand_in(queue: Queue) -> None:
    assert told(climb(queue, row())) == [(None, "people", "fallback", ["model:missing"])]


def test_a_model_that_hangs_is_left_alone_for_a_while(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    use(monkeypatch, released)
    monkeypatch.setattr(ladder, "SECONDS", 0.05)
    assert told(climb(queue, row(words=200))) == [(0.8, "heuristic", "fallback", ["model:timeout"])]
    use(monkeypatch, 0.6)
    assert told(climb(queue, row())) == [(None, "people", "fallback", ["model:timeout"])]
    released.set()


def with_simpler(queue: Queue, monkeypatch: pytest.MonkeyPatch, own: tuple[Any, ...], simpler: tuple[Any, ...]) -> None:
    """Let the pinned model give some answers and the one that was trained along with it others."""
    kin = {"queue": queue, "kind": "pipeline", "data_set": "d" * 64, "app_version": "t", "created_at": NOON}
    main = ModelVersion.objects.create(**kin, name="main", file="main.skops", sha256="1" * 64)
    ModelVersion.objects.create(**{**kin, "kind": "simpler"}, name="line", file="line.skops", sha256="2" * 64)
    pin(queue, main)
    answers = {"main": own, "line": simpler}
    monkeypatch.setattr(registry, "load", lambda model: Model(*answers[model.name]))


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (RuntimeError("broken"), "model:error"),
        (FileNotFoundError("gone"), "model:missing"),
        (ModelFileRefused("changed"), "model:refused"),
    ],
)
def test_a_broken_model_falls_to_the_simpler_one(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, broken: Exception, code: str
) -> None:
    with_simpler(queue, monkeypatch, (broken,), (0.6, 0.4))
    state = climb(queue, row(words=200), row(words=1))
    assert told(state) == [(0.6, "simpler", "fallback", [code]), (0.4, "simpler", "fallback", [code])]
    assert {model.name for model in state.models} == {"line"}


def test_a_model_that_works_leaves_the_simpler_one_unasked(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    with_simpler(queue, monkeypatch, (0.6,), (RuntimeError("asked"),))
    assert told(climb(queue, row())) == [(0.6, "model", "score", [])]


def test_a_model_that_hangs_or_gives_too_few_scores_falls_to_the_simpler_one(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    with_simpler(queue, monkeypatch, (released,), (0.6, 0.4))
    monkeypatch.setattr(ladder, "SECONDS", 0.05)
    assert told(climb(queue, row(words=1))) == [(0.6, "simpler", "fallback", ["model:timeout"])]
    released.set()
    ladder._resting.clear()
    ladder._kept.clear()
    answers = {"main": (0.5,), "line": (0.6, 0.4)}
    monkeypatch.setattr(registry, "load", lambda model: Model(*answers[model.name]))
    assert [rung for _, rung, _, _ in told(climb(queue, row(words=1), row(words=2)))] == ["simpler"] * 2


def test_a_score_that_is_none_is_replaced_and_the_check_still_told(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_simpler(queue, monkeypatch, (float("nan"), 0.4), (0.6,))
    assert told(climb(queue, row(words=1), row(words=2))) == [
        (0.6, "simpler", "output_check", ["output:nan"]),
        (0.4, "model", "score", []),
    ]


def test_when_both_break_heuristics_and_people_follow_and_every_break_is_told(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_simpler(queue, monkeypatch, (RuntimeError(),), (FileNotFoundError(),))
    codes = ["model:error", "simpler:missing"]
    assert told(climb(queue, row(words=200), row(words=1))) == [
        (0.8, "heuristic", "fallback", codes),
        (None, "people", "fallback", codes),
    ]


def test_the_simpler_model_scores_nothing_that_failed_an_input_check(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_simpler(queue, monkeypatch, (RuntimeError(),), (0.6,))
    assert told(climb(queue, row(words=1), failures={0: ["type:a"]})) == [(None, "people", "input_check", ["type:a"])]


def test_a_simpler_model_of_other_rows_does_not_stand_in(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    with_simpler(queue, monkeypatch, (RuntimeError(),), (0.6,))
    other = ModelVersion.objects.create(
        queue=queue, name="other", kind="pipeline", data_set="e" * 64, app_version="t", created_at=NOON
    )
    pin(queue, other)
    monkeypatch.setattr(registry, "load", lambda _: Model(RuntimeError()))
    assert told(climb(queue, row(words=1))) == [(None, "people", "fallback", ["model:error"])]


def test_the_same_payload_is_scored_once_under_the_same_file(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0.6, 0.4)
    first = climb(queue, row(words=1), row(words=2))
    assert first.kept == 0
    use(monkeypatch, 0.9)
    again = climb(queue, row(words=2), row(words=3), row(words=1))
    assert told(again) == [(0.4, "model", "score", []), (0.9, "model", "score", []), (0.6, "model", "score", [])]
    assert again.kept == 2


def test_a_model_with_another_file_is_asked_anew(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0.6)
    climb(queue, row(words=1))
    with_simpler(queue, monkeypatch, (0.7,), (0.1,))
    assert told(climb(queue, row(words=1))) == [(0.7, "model", "score", [])]


def test_what_is_no_score_is_not_remembered(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, float("nan"))
    climb(queue, row(words=1))
    use(monkeypatch, 0.6)
    assert told(climb(queue, row(words=1))) == [(0.6, "model", "score", [])]


def test_many_items_are_scored_together_and_not_looked_up(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "FEW", 1)
    use(monkeypatch, 0.6, 0.6)
    assert climb(queue, row(words=1), row(words=1)).kept == 0
    assert climb(queue, row(words=1), row(words=1)).kept == 0


@pytest.mark.parametrize(("score", "code"), [(float("nan"), "output:nan"), (7.0, "output:range")])
def test_a_model_that_answers_nonsense_fails_the_output_check(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, score: float, code: str
) -> None:
    use(monkeypatch, score, 0.4)
    assert told(climb(queue, row(words=200), row())) == [
        (0.8, "heuristic", "output_check", [code]),
        (0.4, "model", "score", []),
    ]


def test_an_item_that_failed_an_input_check_is_scored_by_no_model(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, 0.6)
    state = climb(queue, row(words=200), row(0.7, "own"), row(), failures={0: ["type:a"], 1: ["type:a"]})
    assert told(state) == [
        (0.8, "heuristic", "input_check", ["type:a"]),
        (None, "people", "input_check", ["type:a"]),
        (0.6, "model", "score", []),
    ]
    assert [aside.score for aside in state.aside] == [0.7]


def test_a_queue_without_a_model_falls_back_and_nothing_failed() -> None:
    assert told(climb(make_queue(), row())) == [(None, "people", "fallback", [])]


@pytest.mark.parametrize(
    ("value", "op", "operand", "holds"),
    [
        (5, ">=", 5, True),
        (5, ">", 5, False),
        (5, "<", 6, True),
        (5, "<=", 4, False),
        (5, "==", 5.0, True),
        (5, "!=", 5, False),
        ("a", "==", "a", True),
        ("a", "!=", "b", True),
        ("a", "in", ("a", "b"), True),
        (1, "in", ("1",), False),
        (None, "!=", "b", False),  # what is missing meets no rule
        ("5", ">=", 5, False),  # nor does what is of another kind
        (True, ">=", 1, False),
        ([], "==", "a", False),
    ],
)
def test_rules(value: Any, op: str, operand: Any, holds: bool) -> None:
    assert ladder.holds(value, op, operand) is holds
