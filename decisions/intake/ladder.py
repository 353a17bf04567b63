"""Where a score comes from: sent, else the model, else a heuristic, else nobody and people decide."""

import operator
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from decisions.intake import checks
from decisions.intake.parse import Row
from decisions.learning import registry
from decisions.models import Item, ModelVersion
from decisions.queues.live import Live
from decisions.queues.spec import Heuristic, Spec

FloatArray = npt.NDArray[np.float64]
REASON, RUNG = Item.RouteReason, Item.Rung

SECONDS = 10.0  # for one model on one call
REST_SECONDS = 30.0  # a model that ran out of time is left alone for so long
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}

log = structlog.get_logger(__name__)
_resting: dict[int, float] = {}  # model id -> monotonic time until which it is not asked


class OutOfTime(Exception):  # noqa: N818 - the words of the house
    """The model did not answer in time."""


@dataclass(frozen=True)
class Aside:
    """A valid score that came with an item and does not route it."""

    place: int
    model: ModelVersion
    score: float


@dataclass
class Climb:
    """One entry an item: its score (NaN: none), what gave it, why that is not fully trusted, and what failed."""

    scores: FloatArray
    models: list[ModelVersion | None]
    rungs: list[str]
    reasons: npt.NDArray[np.object_]
    failures: list[list[str]]
    aside: list[Aside] = field(default_factory=list)

    @classmethod
    def start(cls, failures: list[list[str]]) -> "Climb":
        """Begin below every rung: without a score everything is for people."""
        reasons = np.array([str(REASON.INPUT_CHECK if found else REASON.SCORE) for found in failures], dtype=object)
        count = len(failures)
        return cls(np.full(count, np.nan), [None] * count, [str(RUNG.PEOPLE)] * count, reasons, failures)

    def waiting(self, *, sound: bool) -> list[int]:
        """Return the places without a score; sound: only where the input passed its checks."""
        bare = np.isnan(self.scores)
        if sound:
            bare &= self.reasons != REASON.INPUT_CHECK
        return [int(i) for i in np.flatnonzero(bare)]

    def give(self, place: int, score: float, rung: Item.Rung, model: ModelVersion | None = None) -> None:
        """Let a rung score an item."""
        self.scores[place], self.models[place], self.rungs[place] = score, model, str(rung)

    def fail(self, place: int, code: str, reason: Item.RouteReason) -> None:
        """Note what failed; the first reason stays."""
        self.failures[place].append(code)
        if self.reasons[place] == REASON.SCORE:
            self.reasons[place] = str(reason)

    def fall_back(self) -> None:
        """Say of items that no model scored, though nothing was wrong with them, that they fell back."""
        below = np.isin(np.array(self.rungs, dtype=object), [str(RUNG.HEURISTIC), str(RUNG.PEOPLE)])
        self.reasons[below & (self.reasons == REASON.SCORE)] = str(REASON.FALLBACK)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many items each rung scored and each failure met."""
        return {"rungs": Counter(self.rungs), "failures": Counter(code for codes in self.failures for code in codes)}


def climb(rows: Sequence[Row], failures: list[list[str]], live: Live) -> Climb:
    """Score items, each by the highest rung that holds; `failures` are those of the input checks.

    An item that failed an input check is scored by no model, even if a score came with it.
    """
    state = Climb.start(failures)
    _sent(state, rows, live)
    _model(state, rows, live)
    _heuristic(state, rows, live)
    state.fall_back()
    return state


def sent_model(row: Row, models: Mapping[str, ModelVersion]) -> ModelVersion | None:
    """Return the model a sent score is from: the one it names, `external` if it names none, None if unknown."""
    return models.get(row.model or "external")


def sent_codes(rows: Sequence[Row], sources: Sequence[ModelVersion | None], spec: Spec) -> list[str]:
    """Return for each sent score "" or what fails: NaN, infinite, or outside the range of its model."""
    ranges = [(m.score_low, m.score_high) if m else (spec.model.low, spec.model.high) for m in sources]
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    return checks.outputs(np.array([row.score for row in rows], dtype=np.float64), low, high)


def _sent(state: Climb, rows: Sequence[Row], live: Live) -> None:
    places = [i for i, row in enumerate(rows) if row.score is not None]
    scored = [rows[i] for i in places]
    sources = [sent_model(row, live.models) for row in scored]
    pinned = live.policy.model_id
    for i, row, model, code in zip(places, scored, sources, sent_codes(scored, sources, live.spec), strict=True):
        is_wrong = model is None or pinned not in (None, model.pk)
        for failure in filter(None, (code, checks.WRONG_MODEL if is_wrong else "")):
            state.fail(i, failure, REASON.OUTPUT_CHECK)
        if code or model is None or row.score is None:
            continue
        if state.reasons[i] == REASON.SCORE:
            state.give(i, row.score, RUNG.SENT, model)
        else:
            state.aside.append(Aside(i, model, row.score))


def _model(state: Climb, rows: Sequence[Row], live: Live) -> None:
    places = state.waiting(sound=True)
    model = live.model
    if not places or model is None or model.kind != ModelVersion.Kind.PIPELINE:
        return
    try:
        scores = in_time(model, [rows[i].payload for i in places])
    except Exception as error:  # whatever breaks in a model, its items go on to the next rung
        code = f"model:{'timeout' if isinstance(error, OutOfTime) else 'missing' if _is_missing(error) else 'error'}"
        log.warning(
            "intake.model_broke", queue=live.slug, model=model.name, code=code, items=len(places), exc_info=True
        )
        for i in places:
            state.fail(i, code, REASON.FALLBACK)
        return
    for i, score, code in zip(
        places, scores.tolist(), checks.outputs(scores, model.score_low, model.score_high), strict=True
    ):
        if code:
            state.fail(i, code, REASON.OUTPUT_CHECK)
        else:
            state.give(i, score, RUNG.MODEL, model)


def _is_missing(error: Exception) -> bool:
    return isinstance(error, FileNotFoundError)


def _heuristic(state: Climb, rows: Sequence[Row], live: Live) -> None:
    rules = live.spec.heuristics
    if not rules:
        return
    for i in state.waiting(sound=False):
        score = next(_matches(rules, rows[i].payload), None)
        if score is not None:
            state.give(i, score, RUNG.HEURISTIC)


def _matches(rules: Sequence[Heuristic], payload: Mapping[str, Any]) -> Iterator[float]:
    return (rule.score for rule in rules if holds(payload.get(rule.field), rule.op, rule.operand))


def holds(value: Any, op: str, operand: float | str | tuple[str, ...]) -> bool:
    """Tell whether a value meets a rule; one that is missing or of another kind does not."""
    if op == "in":
        return isinstance(value, str) and isinstance(operand, tuple) and value in operand
    alike = isinstance(value, str) if isinstance(operand, str) else type(value) in (int, float)
    return alike and OPERATORS[op](value, operand)


def in_time(model: ModelVersion, payloads: Sequence[dict[str, Any]], seconds: float = SECONDS) -> FloatArray:
    """Return the model's scores; raises OutOfTime when it takes too long, and then for a while without asking it.

    A thread cannot be stopped: the one that hangs is left behind, and the rest keeps more of them from gathering.
    """
    if time.monotonic() < _resting.get(model.pk, 0.0):
        raise OutOfTime
    answer: list[FloatArray | Exception] = []

    def ask() -> None:
        try:
            answer.append(registry.load(model).score(payloads))
        except Exception as error:  # carried to the caller's thread, which raises it
            answer.append(error)

    worker = threading.Thread(target=ask, name=f"scoring-{model.name}", daemon=True)
    worker.start()
    worker.join(seconds)
    if not answer:
        _resting[model.pk] = time.monotonic() + REST_SECONDS
        raise OutOfTime
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]
