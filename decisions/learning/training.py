"""Trains a queue's scikit-learn pipeline and stores it under the hash of what it was made from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from decisions.exceptions import Invalid
from decisions.learning import features, fitting, frozen, guarding, registry
from decisions.learning.fitting import Fold, Lesson, Nobody, Step, Watch
from decisions.learning.recipe import Recipe
from decisions.models import Event, ModelVersion, Queue, User
from decisions.record import digest, log


@dataclass(frozen=True)
class Example:
    """One row to learn from: which, what was known, and whether the answer was the positive one."""

    external_id: str
    payload: Mapping[str, Any]
    is_positive: bool


@dataclass(frozen=True)
class Course:
    """All that a model is made from: `source` names its rows, `fingerprints` tells each of them.

    `origin` is what else its identity rests on, besides source and recipe.
    """

    queue: Queue
    recipe: Recipe
    lesson: Lesson
    folds: Sequence[Fold]
    source: str
    fingerprints: Sequence[bytes]
    origin: Mapping[str, Any]
    kind: ModelVersion.Kind = ModelVersion.Kind.PIPELINE

    @property
    def name(self) -> str:
        """Return the name of the model that comes out: the same rows and recipe always have the same."""
        canonical = digest.canonical({**self.recipe.as_json(), **self.origin, "data_set": self.source})
        prefix = self.recipe.pipeline if self.kind == ModelVersion.Kind.PIPELINE else self.kind
        return f"{prefix}-{hashlib.sha256(canonical).hexdigest()[:16]}"

    def simpler(self) -> "Course | None":
        """Return what the model that stands in for this one is made from; None where this one is as simple."""
        recipe = self.recipe.simpler()
        if recipe is None:
            return None
        numbers = [place for place, feature in enumerate(self.recipe.features) if feature in recipe.features]
        lesson = replace(self.lesson, x=self.lesson.x[:, numbers].astype(np.float64))
        return replace(self, recipe=recipe, lesson=lesson, kind=ModelVersion.Kind.SIMPLER)


def data_set_id(examples: Sequence[Example]) -> str:
    """Return the SHA-256 (64 hex digits) of the rows: ids, payloads and answers, in their order."""
    lines = (digest.canonical([e.external_id, e.payload, e.is_positive]) for e in examples)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def train(*, queue: Queue, examples: Sequence[Example], in_time: bool, by: User | None, at: datetime) -> ModelVersion:
    """Train the queue's pipeline and store it, and along with it a simpler model for when it breaks, and its filter.

    The same rows and recipe give the models that are already there. Refuses a queue without a pipeline, and rows with
    too few answers of either kind. `by` None is whoever holds the server's shell.
    """
    payloads = [example.payload for example in examples]
    recipe = Recipe.of(queue.spec, payloads, in_time=in_time)
    y = np.array([example.is_positive for example in examples], dtype=np.int64)
    fitting.require_enough(y)
    course = Course(
        queue=queue,
        recipe=recipe,
        lesson=Lesson.plain(features.matrix(payloads, recipe.features), y),
        folds=fitting.split(y, in_time=in_time),
        source=data_set_id(examples),
        fingerprints=[frozen.fingerprint(e.payload, is_positive=e.is_positive) for e in examples],
        origin={},
    )
    main = known(course) or recorded(made(course, Nobody(), at), by)
    along(course, Nobody(), by, at)
    return main


def along(course: Course, watch: Watch, by: User | None, at: datetime) -> None:
    """Train and store what stands beside a course's model: a simpler one, unless it is as simple, and its filter.

    The filter is there only where the queue asks for one and the model erred often enough; `watch` is told.
    """
    if simpler := course.simpler():
        _there(simpler, by, at)
    taught = guarding.of(course)
    if taught is None:
        return
    figures = taught.figures
    if taught.course:
        figures = {**figures, "model": _there(taught.course, by, at).name}
    watch.say(taught.code, **figures)


def _there(course: Course, by: User | None, at: datetime) -> ModelVersion:
    return known(course) or recorded(made(course, Nobody(), at), by)


def known(course: Course) -> ModelVersion | None:
    """Return the model that comes out, where it is there already and its file is whole."""
    found = ModelVersion.objects.filter(queue=course.queue, name=course.name).first()
    return found if found and registry.is_whole(found) else None


def made(course: Course, watch: Watch, at: datetime) -> ModelVersion:
    """Fit the model and write its file; return its version, not stored in the database yet unless it is there."""
    with threadpool_limits(1):  # more threads wait for each other on small data, above all on a busy machine
        scorer, metrics = fitting.learn(course.recipe, course.lesson, course.folds, watch)
    watch.begin(Step.FILE)
    file, sha256 = registry.store(course.name, registry.pack(scorer))
    learnt = registry.store_learnt(course.name, course.fingerprints)
    watch.end(sha256)
    found = ModelVersion.objects.filter(queue=course.queue, name=course.name).first()
    if found:
        return _restored(found, sha256)
    return ModelVersion(
        queue=course.queue,
        name=course.name,
        kind=course.kind,
        parameters={**course.recipe.as_json(), **course.origin, "learnt": learnt},
        metrics=metrics,
        data_set=course.source,
        file=file,
        sha256=sha256,
        app_version=settings.APP_VERSION,
        created_at=at,
    )


@transaction.atomic
def recorded(model: ModelVersion, by: User | None) -> ModelVersion:
    """Store a model version with its event; one that is stored already stays as it is."""
    if not model._state.adding:
        return model
    model.save(force_insert=True)
    entry = {"model": model.pk, "data_set": model.data_set, "sha256": model.sha256}
    log.append(
        Event.Kind.MODEL_TRAINED, chain=model.queue_id, actor=by, at=model.created_at, entry=entry, rows=(model,)
    )
    return model


def _restored(found: ModelVersion, sha256: str) -> ModelVersion:
    """Return a model whose file was gone and has been made again; refuses one that came out otherwise."""
    if found.sha256 != sha256:
        raise Invalid(
            _("The file of the model %(name)s is gone, and training it again gave another one.") % {"name": found.name}
        )
    return found
