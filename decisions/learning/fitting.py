"""From rows to a calibrated model and what is known of it; the same rows and recipe give the same, bit for bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from decisions.exceptions import Fault, Invalid
from decisions.learning import selection, told
from decisions.learning.recipe import FOLDS, SEED, Recipe
from decisions.learning.registry import Scorer
from decisions.learning.selection import Comparison, Weighting, Why
from decisions.measure import calibrate
from decisions.measure.calibrate import Platt
from decisions.models import TrainingRun

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Fold = tuple[IntArray, IntArray]  # rows that are seen, and rows that are then scored
Step = TrainingRun.Step

FEWEST = 20  # of each answer: with fewer, a fold could have none


class CannotLearn(Invalid):
    """These rows cannot teach a model."""

    def __init__(self, why: str, **figures: int) -> None:
        super().__init__(faults=[Fault("rows", why, str(told.ERRORS[why]) % figures)])
        self.why = why
        self.figures = figures


class Watch(Protocol):
    """Who looks on: told of each step, and able to stop the work by raising."""

    def begin(self, step: Step, ticks: int = 1) -> None:
        """Note that a step begins, of so many ticks."""

    def tick(self) -> None:
        """Note that a part of the step is done."""

    def end(self, version: Any = "", **figures: Any) -> None:
        """Note that the step is done; `version` is what tells its result from another."""

    def say(self, code: str, **figures: Any) -> None:
        """Note something in words."""


class Nobody:
    """Looks on and does nothing."""

    def begin(self, step: Step, ticks: int = 1) -> None:
        pass

    def tick(self) -> None:
        pass

    def end(self, version: Any = "", **figures: Any) -> None:
        pass

    def say(self, code: str, **figures: Any) -> None:
        pass


@dataclass(frozen=True)
class Lesson:
    """What is learnt from, one row an item: features `x`, answers `y` in {0, 1}, in the order of time if it is known.

    `believed` in (0, 1] is how far a label is to be trusted, `propensity` in (0, 1] the logged probability that
    somebody looked, NaN where none was logged; `is_judge` says which rows weightings are judged on.
    """

    x: npt.NDArray[Any]
    y: IntArray
    believed: FloatArray
    propensity: FloatArray
    is_judge: BoolArray

    @classmethod
    def plain(cls, x: npt.NDArray[Any], y: IntArray) -> "Lesson":
        """Return a lesson of rows of which nobody knows how they were chosen."""
        n = len(y)
        return cls(x, y, np.ones(n), np.full(n, np.nan), np.zeros(n, dtype=bool))


def require_enough(y: IntArray) -> None:
    """Refuse rows with too few answers of either kind."""
    if min(int(y.sum()), int((1 - y).sum())) < FEWEST:
        raise CannotLearn("too_few", count=FEWEST, positives=int(y.sum()), negatives=int((1 - y).sum()))


def split(y: IntArray, *, in_time: bool) -> list[Fold]:
    """Return the folds on which models are measured: in time, later rows by models that saw earlier ones only.

    The first rows of a time series may have one answer only: that fold is left out. Refuses where none is left.
    """
    found = [(seen, unseen) for seen, unseen in _folds(in_time).split(y, y) if len(np.unique(y[seen])) == 2]
    if not found:
        raise CannotLearn("one_answer")
    return found


def learn(recipe: Recipe, lesson: Lesson, folds: Sequence[Fold], watch: Watch) -> tuple[Scorer, dict[str, Any]]:
    """Return the calibrated model and what cross-validation says of it.

    The calibration is fitted on scores of rows by models of the other folds. Figures are weighted by 1/pi over the
    rows that stand for what arrives, so that they speak of that and not of what people happened to see.
    """
    unseen = np.concatenate([fold[1] for fold in folds])
    comparison, p = _choose(recipe, lesson, folds, unseen, watch)
    weights = _weights(comparison.kept, lesson)
    watch.begin(Step.FIT)
    estimator = recipe.fitted(lesson.x, lesson.y, weights)
    watch.end(recipe.pipeline, rows=len(lesson.y), weighting=comparison.kept)
    line = _calibrated(recipe, lesson, weights, (unseen, p), watch)
    watch.begin(Step.EVALUATE)
    metrics: dict[str, Any] = _metrics(lesson.y[unseen], line.of(p), lesson.propensity[unseen])
    watch.end(metrics, **metrics)
    metrics |= {"rows": len(lesson.y), "positives": int(lesson.y.sum())}
    if recipe.selects:
        metrics["weighting"] = comparison.as_json()
    return Scorer(estimator, recipe.features, line.slope, line.intercept, line.edge), metrics


def foretold(recipe: Recipe, lesson: Lesson, folds: Sequence[Fold]) -> FloatArray:
    """Return calibrated probabilities of the folds' unseen rows, in their order, each by a model that did not see them.

    Rows count alike in fitting; the calibration is that of what arrives.
    """
    unseen = np.concatenate([fold[1] for fold in folds])
    p, y = _scores(recipe, lesson, folds, None, Nobody()), lesson.y[unseen].astype(np.float64)
    stands, drawn = selection.standing(lesson.propensity[unseen])
    return calibrate.fit(p[stands], y[stands], drawn[stands]).of(p)


def _folds(in_time: bool) -> Any:
    return TimeSeriesSplit(FOLDS) if in_time else StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def _choose(
    recipe: Recipe, lesson: Lesson, folds: Sequence[Fold], unseen: IntArray, watch: Watch
) -> tuple[Comparison, FloatArray]:
    """Return which weighting is kept, and its scores of the unseen rows; one that cannot be judged is not tried."""
    judge = lesson.is_judge[unseen]
    y, propensity = lesson.y[unseen], lesson.propensity[unseen]
    tried = _candidates(recipe, lesson)
    why = Why.SAME if len(tried) == 1 else Why.TOO_FEW
    is_judged = len(tried) > 1 and selection.can_judge(y[judge], propensity[judge])
    if not is_judged:
        tried = [Weighting.UNWEIGHTED]
    watch.begin(Step.CANDIDATES, len(tried) * len(folds))
    scores = {one: _scores(recipe, lesson, folds, _weights(one, lesson), watch) for one in tried}
    if is_judged:
        comparison = selection.compare(scores, y, propensity, judge)
    else:
        comparison = selection.unjudged(why, y[judge], propensity[judge])
    watch.say(comparison.why, kept=comparison.kept, rows=comparison.rows, effective=comparison.effective)
    watch.end(comparison.as_json(), kept=comparison.kept)
    return comparison, scores[comparison.kept]


def _candidates(recipe: Recipe, lesson: Lesson) -> list[Weighting]:
    """Return the weightings that differ from those before them; one alone where nothing is to be selected."""
    found: dict[bytes, Weighting] = {}
    for one in Weighting if recipe.selects else [Weighting.UNWEIGHTED]:
        found.setdefault(selection.of(one, lesson.propensity, lesson.believed).tobytes(), one)
    return list(found.values())


def _weights(weighting: Weighting, lesson: Lesson) -> FloatArray | None:
    """Return what rows count, None where all count alike."""
    found = selection.of(weighting, lesson.propensity, lesson.believed)
    return None if np.allclose(found, 1.0) else found


def _scores(
    recipe: Recipe, lesson: Lesson, folds: Sequence[Fold], weights: FloatArray | None, watch: Watch
) -> FloatArray:
    """Return the probabilities of the folds' unseen rows, in their order, each by a model that did not see them."""
    scores = []
    for seen, unseen in folds:
        given = None if weights is None else weights[seen]
        model = recipe.fitted(lesson.x[seen], lesson.y[seen], given)
        scores.append(model.predict_proba(lesson.x[unseen])[:, 1])
        watch.tick()
    return np.concatenate(scores)


def _calibrated(
    recipe: Recipe, lesson: Lesson, weights: FloatArray | None, known: tuple[IntArray, FloatArray], watch: Watch
) -> Platt:
    """Return the calibration: from mixed folds of all rows, which are those of `known` where time plays no part."""
    unseen, p = known
    if recipe.in_time:
        folds = list(_folds(in_time=False).split(lesson.x, lesson.y))
        watch.begin(Step.CALIBRATE, len(folds))
        unseen = np.concatenate([fold[1] for fold in folds])
        p = _scores(recipe, lesson, folds, weights, watch)
    else:
        watch.begin(Step.CALIBRATE)
    stands, drawn = selection.standing(lesson.propensity[unseen])
    line = calibrate.fit(p[stands], lesson.y[unseen][stands].astype(np.float64), drawn[stands])
    watch.end([calibrate.METHOD, line.slope, line.intercept, line.edge], slope=line.slope, intercept=line.intercept)
    return line


def _metrics(y: IntArray, p: FloatArray, propensity: FloatArray) -> dict[str, Any]:
    """Return figures of probabilities p of rows with answers y, each row counted by what it stands for."""
    stands, drawn = selection.standing(propensity)
    y, p, w = y[stands], p[stands], drawn[stands]
    if len(np.unique(y)) < 2:
        return {}
    return {
        "auc": float(roc_auc_score(y, p, sample_weight=w)),
        "log_loss": float(log_loss(y, p, sample_weight=w)),
        "brier": float(brier_score_loss(y, p, sample_weight=w)),
        "measured_on": len(y),
    }
