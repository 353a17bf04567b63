"""Where a score comes from: sent, else the model, a simpler one, a heuristic, else nobody and people decide."""

import hashlib
import operator
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from decisions.intake import checks
from decisions.intake.parse import Row
from decisions.learning import registry
from decisions.learning.kept import Kept
from decisions.learning.seal import ModelFileRefused
from decisions.models import Item, ModelVersion
from decisions.queues.live import Live
from decisions.queues.spec import Heuristic, Spec
from decisions.record import digest

FloatArray = npt.NDArray[np.float64]
REASON, RUNG = Item.RouteReason, Item.Rung

SECONDS = 10.0  # for one model on one call
FEW = 500  # items of a call up to which scores are looked up: more are scored as fast as their payloads are hashed
KEPT = 20_000  # scores in a process
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
_kept: Kept[tuple[int, str, bytes], float] = Kept(KEPT)
_resting: dict[int, float] = {}  # model id -> monotonic time until which it is not asked


class OutOfTime(Exception):  # noqa: N818 - the words of the house
    """The model did not answer in time."""


class WrongCount(Exception):  # noqa: N818 - the same
    """The model did not give one score for each item."""


FAULTS: dict[type[Exception], str] = {
    OutOfTime: "timeout",
    FileNotFoundError: "missing",
    ModelFileRefused: "refused",
}


@dataclass(frozen=True)
class Aside:
    """A valid score that came with an item and does not route it."""

    place: int
    model: ModelVersion
    score: float


@dataclass
class Climb:
    """One entry an item: its score (NaN: none), the rung and model that gave it, and why it is not fully trusted.

    `failures` are codes by place, of those items only that failed a check; `kept` counts scores that were remembered.
    Of what the filter flagged, `doubts` has the probability of an error, NaN of all else, and `filters` the filter.
    """

    scores: FloatArray
    models: npt.NDArray[np.object_]
    rungs: npt.NDArray[np.object_]
    reasons: npt.NDArray[np.object_]
    failures: dict[int, list[str]]
    aside: list[Aside] = field(default_factory=list)
    kept: int = 0
    doubts: FloatArray = field(default_factory=lambda: np.empty(0))
    filters: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))

    @classmethod
    def start(cls, count: int, failures: dict[int, list[str]]) -> "Climb":
        """Begin below every rung: without a score everything is for people."""
        reasons = np.full(count, str(REASON.SCORE), dtype=object)
        reasons[list(failures)] = str(REASON.INPUT_CHECK)
        rungs = np.full(count, str(RUNG.PEOPLE), dtype=object)
        scores, doubts, nobody = np.full(count, np.nan), np.full(count, np.nan), np.full(count, None, dtype=object)
        return cls(scores, nobody, rungs, reasons, failures, doubts=doubts, filters=nobody.copy())

    def waiting(self, *, sound: bool) -> list[int]:
        """Return the places without a score; sound: only where the input passed its checks."""
        bare = np.isnan(self.scores)
        if sound:
            bare &= self.reasons != REASON.INPUT_CHECK
        return [int(i) for i in np.flatnonzero(bare)]

    def give(
        self,
        places: Sequence[int],
        scores: FloatArray | Sequence[float],
        rung: Item.Rung,
        models: Sequence[ModelVersion] | ModelVersion | None = None,
    ) -> None:
        """Let a rung score items."""
        self.scores[places], self.models[places], self.rungs[places] = scores, models, str(rung)

    def fail(self, places: Iterable[int], code: str, reason: Item.RouteReason) -> None:
        """Note what failed; the first reason stays."""
        for place in places:
            self.failures.setdefault(place, []).append(code)
            if self.reasons[place] == REASON.SCORE:
                self.reasons[place] = str(reason)

    def fall_back(self) -> None:
        """Say of items that the model did not score, though nothing was wrong with them, that they fell back."""
        below = (self.rungs == RUNG.SIMPLER) | (self.rungs == RUNG.HEURISTIC) | (self.rungs == RUNG.PEOPLE)
        self.reasons[below & (self.reasons == REASON.SCORE)] = str(REASON.FALLBACK)


def climb(rows: Sequence[Row], failures: dict[int, list[str]], live: Live) -> Climb:
    """Score items, each by the highest rung that holds; `failures` are those of the input checks, by place.

    An item that failed an input check is scored by no model, even if a score came with it.
    """
    state = Climb.start(len(rows), failures)
    _sent(state, rows, live)
    _model(state, rows, live)
    _simpler(state, rows, live)
    _heuristic(state, rows, live)
    state.fall_back()
    return state


def sent_model(row: Row, live: Live) -> ModelVersion | None:
    """Return the model a sent score is from: the one it names, `external` if it names none, None if unknown."""
    return live.models.get(row.model) if row.model else live.external


def sent_failures(rows: Sequence[Row], models: Sequence[ModelVersion | None], spec: Spec) -> dict[int, str]:
    """Return, by place, what fails in sent scores: NaN, infinite, or outside the range of their model."""
    ranges = [(m.score_low, m.score_high) if m else (spec.model.low, spec.model.high) for m in models]
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    return checks.outputs(np.array([row.score for row in rows], dtype=np.float64), low, high)


def _sent(state: Climb, rows: Sequence[Row], live: Live) -> None:
    places = [i for i, row in enumerate(rows) if row.score is not None]
    scored = [rows[i] for i in places]
    models = [sent_model(row, live) for row in scored]
    pinned = live.policy.model_id
    failures = sent_failures(scored, models, live.spec)
    for k, code in failures.items():
        state.fail([places[k]], code, REASON.OUTPUT_CHECK)
    wrong = [i for i, model in zip(places, models, strict=True) if model is None or pinned not in (None, model.pk)]
    state.fail(wrong, checks.WRONG_MODEL, REASON.OUTPUT_CHECK)
    valid = [
        (i, row.score, model)
        for k, (i, row, model) in enumerate(zip(places, scored, models, strict=True))
        if model and row.score is not None and k not in failures
    ]
    is_trusted = (state.reasons == REASON.SCORE).tolist()
    state.aside.extend(Aside(i, model, score) for i, score, model in valid if not is_trusted[i])
    kept = [one for one in valid if is_trusted[one[0]]]
    if kept:
        taken, scores, given = zip(*kept, strict=True)
        state.give(list(taken), list(scores), RUNG.SENT, list(given))


def _model(state: Climb, rows: Sequence[Row], live: Live) -> None:
    if live.model and live.model.kind == ModelVersion.Kind.PIPELINE:
        _ask(state, rows, live, live.model, RUNG.MODEL)


def _simpler(state: Climb, rows: Sequence[Row], live: Live) -> None:
    """Let the simpler model score what the main one should have and did not."""
    if live.model and live.model.kind == ModelVersion.Kind.PIPELINE and live.simpler:
        _ask(state, rows, live, live.simpler, RUNG.SIMPLER)


def _ask(state: Climb, rows: Sequence[Row], live: Live, model: ModelVersion, rung: Item.Rung) -> None:
    """Let a model score what has no score yet and passed its input checks."""
    places = state.waiting(sound=True)
    if not places:
        return
    try:
        scores, remembered = _scores(model, [rows[i].payload for i in places])
    except Exception as error:  # whatever breaks in a model, its items go on to the next rung
        code = f"{rung}:{FAULTS.get(type(error), 'error')}"
        log.warning(
            "intake.model_broke", queue=live.slug, model=model.name, code=code, items=len(places), exc_info=True
        )
        state.fail(places, code, REASON.FALLBACK)
        return
    state.kept += remembered
    failures = checks.outputs(scores, model.score_low, model.score_high)
    for k, code in failures.items():
        state.fail([places[k]], code, REASON.OUTPUT_CHECK)
    sound = [k for k in range(len(places)) if k not in failures]
    state.give([places[k] for k in sound], scores[sound], rung, model)


def _scores(model: ModelVersion, payloads: Sequence[dict[str, Any]]) -> tuple[FloatArray, int]:
    """Return the model's scores, and how many of them were remembered from the same payload under the same file."""
    if len(payloads) > FEW:
        return in_time(model, payloads), 0
    keys = [(model.pk, model.sha256, hashlib.sha256(digest.canonical(payload)).digest()) for payload in payloads]
    known = [_kept.get(key) for key in keys]
    asked = [i for i, score in enumerate(known) if score is None]
    scores = np.array([np.nan if score is None else score for score in known])
    if asked:
        scores[asked] = in_time(model, [payloads[i] for i in asked])
    for i in asked:
        if np.isfinite(scores[i]):
            _kept.put(keys[i], float(scores[i]))
    return scores, len(keys) - len(asked)


def _heuristic(state: Climb, rows: Sequence[Row], live: Live) -> None:
    rules = live.spec.heuristics
    if not rules:
        return
    for i in state.waiting(sound=False):
        score = next(_matches(rules, rows[i].payload), None)
        if score is not None:
            state.give([i], [score], RUNG.HEURISTIC)


def _matches(rules: Sequence[Heuristic], payload: Mapping[str, Any]) -> Iterator[float]:
    return (rule.score for rule in rules if holds(payload.get(rule.field), rule.op, rule.operand))


def holds(value: Any, op: str, operand: float | str | tuple[str, ...]) -> bool:
    """Tell whether a value meets a rule; one that is missing or of another kind does not."""
    if op == "in":
        return isinstance(value, str) and isinstance(operand, tuple) and value in operand
    alike = isinstance(value, str) if isinstance(operand, str) else type(value) in (int, float)
    return alike and OPERATORS[op](value, operand)


def in_time(model: ModelVersion, payloads: Sequence[dict[str, Any]]) -> FloatArray:
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
    worker.join(SECONDS)
    if not answer:
        _resting[model.pk] = time.monotonic() + REST_SECONDS
        raise OutOfTime
    if isinstance(answer[0], Exception):
        raise answer[0]
    if answer[0].shape != (len(payloads),):
        raise WrongCount
    return answer[0]
