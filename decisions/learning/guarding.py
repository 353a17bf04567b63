"""The filter: a line over the model's own features that foretells where the model errs, learnt from its errors.

An error is a suggestion that the label contradicts. Which rows the model gets wrong is told by models that did not see
them, so that the filter does not learn how well the model remembers.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from decisions.learning import fitting
from decisions.learning.fitting import FEWEST, BoolArray, CannotLearn, IntArray, Lesson
from decisions.models import ModelVersion, Policy, Queue

if TYPE_CHECKING:
    from decisions.learning.training import Course

MIDDLE = 0.5  # where a queue has no live policy, that a suggestion is made from


@dataclass(frozen=True)
class Taught:
    """What became of the filter: the `course` that makes it, None where it cannot be made; `code` and figures say why.

    `code` is one of `told.LINES`.
    """

    course: "Course | None"
    code: str
    figures: dict[str, Any]


def of(course: "Course") -> Taught | None:
    """Return the course of the filter that stands before a course's model; None where the queue asks for none."""
    asked = course.queue.spec.filter
    if asked.cut is None:
        return None
    suggest = suggestion(course.queue)
    unseen = np.concatenate([fold[1] for fold in course.folds])
    wrong = _errors(course, unseen, suggest)
    rows, errors = len(wrong), int(wrong.sum())
    figures = {"rows": rows, "errors": errors, "least": asked.min_labels, "fewest": FEWEST}
    if rows < asked.min_labels or min(errors, rows - errors) < FEWEST:
        return Taught(None, "filter_too_few", figures)
    lesson = _lesson(course.lesson, unseen, wrong)
    try:
        folds = fitting.split(lesson.y, in_time=course.recipe.in_time)
    except CannotLearn:
        return Taught(None, "filter_one_answer", {})
    made = replace(
        course,
        recipe=replace(course.recipe, pipeline="logistic", selects=False),
        lesson=lesson,
        folds=folds,
        fingerprints=[course.fingerprints[i] for i in unseen.tolist()],
        origin={**course.origin, "of": course.name, "suggest": suggest},
        kind=ModelVersion.Kind.FILTER,
    )
    return Taught(made, "filter_made", figures)


def suggestion(queue: Queue) -> float:
    """Return the probability from which the live policy suggests the positive answer: its cut's share of the range."""
    policy = Policy.objects.live().filter(queue=queue).select_related("model").first()
    if policy is None:
        return MIDDLE
    low, high = queue.spec.model.low, queue.spec.model.high
    if policy.model:
        low, high = policy.model.score_low, policy.model.score_high
    return (policy.suggest - low) / (high - low)


def _errors(course: "Course", unseen: IntArray, suggest: float) -> BoolArray:
    """Return whether the model's suggestion for each unseen row is wrong."""
    with threadpool_limits(1):
        p = fitting.foretold(course.recipe, course.lesson, course.folds)
    wrong: BoolArray = (p >= suggest) != (course.lesson.y[unseen] == 1)
    return wrong


def _lesson(lesson: Lesson, unseen: IntArray, wrong: BoolArray) -> Lesson:
    """Return the rows that teach errors, weighed as those of the model."""
    return Lesson(
        x=lesson.x[unseen],
        y=wrong.astype(np.int64),
        believed=lesson.believed[unseen],
        propensity=lesson.propensity[unseen],
        is_judge=np.zeros(len(unseen), dtype=bool),
    )
