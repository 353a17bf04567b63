"""Trains a queue's scikit-learn pipeline and stores it under the hash of what it was made from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from decisions.exceptions import Fault, Invalid
from decisions.learning import features, frozen, registry
from decisions.learning.features import CATEGORY, NUMBER, TEXT, Feature
from decisions.learning.registry import Scorer
from decisions.measure import calibrate
from decisions.models import Event, ModelVersion, Queue, User
from decisions.queues.spec import Spec
from decisions.record import digest, log

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FOLDS = 5
FEWEST = 20  # of each answer: with fewer, a fold could have none
PARAMETERS: dict[str, dict[str, Any]] = {
    "boosting": {
        "learning_rate": 0.05,
        "max_iter": 150,
        "max_leaf_nodes": 6,
        "min_samples_leaf": 10,
        "l2_regularization": 1.0,
    },
    "logistic": {"C": 1.0, "max_iter": 2000},
}


@dataclass(frozen=True)
class Example:
    """One row to learn from: which, what was known, and whether the answer was the positive one."""

    external_id: str
    payload: Mapping[str, Any]
    is_positive: bool


@dataclass(frozen=True)
class Recipe:
    """All that decides what a model becomes, besides the rows. `in_time`: rows stand in the order of time."""

    pipeline: str
    features: tuple[Feature, ...]
    in_time: bool = False

    @classmethod
    def of(cls, spec: Spec, examples: Sequence[Example], *, in_time: bool = False) -> "Recipe":
        """Return the recipe a queue's spec asks for; refuses a queue whose scores come from outside."""
        if spec.model.pipeline not in PARAMETERS:
            raise Invalid(_("This queue names no pipeline: its scores come from outside."))
        chosen = features.of_fields(spec.fields, spec.model.features, [example.payload for example in examples])
        if spec.model.pipeline == "boosting":  # trees read no texts
            chosen = [feature for feature in chosen if feature.kind != TEXT]
        if not chosen:
            raise Invalid(_("None of this queue's fields can be read by its pipeline."))
        return cls(spec.model.pipeline, tuple(chosen), in_time)

    def as_json(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline,
            "features": [feature.as_json() for feature in self.features],
            "parameters": PARAMETERS[self.pipeline],
            "folds": FOLDS,
            "calibration": calibrate.METHOD,
            "in_time": self.in_time,
            "scikit-learn": sklearn.__version__,
        }

    def estimator(self) -> Any:
        """Return the pipeline, not fitted yet."""
        return _boosting(self.features) if self.pipeline == "boosting" else _logistic(self.features)


def data_set_id(examples: Sequence[Example]) -> str:
    """Return the SHA-256 (64 hex digits) of the rows: ids, payloads and answers, in their order."""
    lines = (digest.canonical([e.external_id, e.payload, e.is_positive]) for e in examples)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def train(*, queue: Queue, examples: Sequence[Example], in_time: bool, by: User | None, at: datetime) -> ModelVersion:
    """Train the queue's pipeline and store it; the same rows and recipe give the model that is already there.

    Refuses a queue without a pipeline, and rows with too few answers of either kind. `by` None is whoever holds the
    server's shell.
    """
    recipe = Recipe.of(queue.spec, examples, in_time=in_time)
    data_set = data_set_id(examples)
    canonical = digest.canonical({**recipe.as_json(), "data_set": data_set})
    name = f"{recipe.pipeline}-{hashlib.sha256(canonical).hexdigest()[:16]}"
    known = ModelVersion.objects.filter(queue=queue, name=name).first()
    if known and registry.is_whole(known):
        return known
    with threadpool_limits(1):  # more threads wait for each other on small data, above all on a busy machine
        scorer, metrics = fit(recipe, examples)
    file, sha256 = registry.store(name, registry.pack(scorer))
    learnt = registry.store_learnt(name, [frozen.fingerprint(e.payload, is_positive=e.is_positive) for e in examples])
    if known:
        return _restored(known, sha256)
    made = ModelVersion(
        queue=queue,
        name=name,
        kind=ModelVersion.Kind.PIPELINE,
        parameters={**recipe.as_json(), "learnt": learnt},
        metrics=metrics,
        data_set=data_set,
        file=file,
        sha256=sha256,
        app_version=settings.APP_VERSION,
        created_at=at,
    )
    return _recorded(made, by)


@transaction.atomic
def _recorded(model: ModelVersion, by: User | None) -> ModelVersion:
    """Store a model version with its event."""
    model.save(force_insert=True)
    entry = {"model": model.pk, "data_set": model.data_set, "sha256": model.sha256}
    log.append(
        Event.Kind.MODEL_TRAINED, chain=model.queue_id, actor=by, at=model.created_at, entry=entry, rows=(model,)
    )
    return model


def fit(recipe: Recipe, examples: Sequence[Example]) -> tuple[Scorer, dict[str, Any]]:
    """Return the calibrated model and what cross-validation says of it.

    The calibration is fitted on scores of rows by models of the other folds. Rows in the order of time are measured
    by models that saw earlier rows only, others on those same folds.
    """
    x = features.matrix([example.payload for example in examples], recipe.features)
    y = np.array([example.is_positive for example in examples], dtype=np.int64)
    if min(int(y.sum()), int((1 - y).sum())) < FEWEST:
        detail = _("At least %(count)d rows of each answer are needed.") % {"count": FEWEST}
        raise Invalid(faults=[Fault("rows", "too_few", detail)])
    unseen, p = _out_of_fold(recipe, x, y, StratifiedKFold(FOLDS, shuffle=True, random_state=0))
    line = calibrate.fit(p, y[unseen].astype(np.float64))
    if recipe.in_time:
        unseen, p = _out_of_fold(recipe, x, y, TimeSeriesSplit(FOLDS))
    metrics = _metrics(y[unseen], line.of(p))
    estimator = recipe.estimator().fit(x, y)
    scorer = Scorer(estimator, recipe.features, line.slope, line.intercept, line.edge)
    return scorer, {**metrics, "rows": len(y), "positives": int(y.sum())}


def _out_of_fold(recipe: Recipe, x: npt.NDArray[Any], y: IntArray, folds: Any) -> tuple[IntArray, FloatArray]:
    """Return which rows were scored by a model that did not see them, and their probabilities."""
    estimator, places, scores = recipe.estimator(), [], []
    for seen, unseen in folds.split(x, y):
        if len(np.unique(y[seen])) == 2:  # the first rows of a time series may have one answer only
            places.append(unseen)
            scores.append(clone(estimator).fit(x[seen], y[seen]).predict_proba(x[unseen])[:, 1])
    return np.concatenate(places), np.concatenate(scores)


def _metrics(y: IntArray, p: FloatArray) -> dict[str, float]:
    if len(np.unique(y)) < 2:
        return {}
    return {
        "auc": float(roc_auc_score(y, p)),
        "log_loss": float(log_loss(y, p)),
        "brier": float(brier_score_loss(y, p)),
        "measured_on": len(y),
    }


def _restored(known: ModelVersion, sha256: str) -> ModelVersion:
    """Return a model whose file was gone and has been made again; refuses one that came out otherwise."""
    if known.sha256 != sha256:
        raise Invalid(
            _("The file of the model %(name)s is gone, and training it again gave another one.") % {"name": known.name}
        )
    return known


def _places(chosen: Sequence[Feature], kind: str) -> list[int]:
    return [place for place, feature in enumerate(chosen) if feature.kind == kind]


def _boosting(chosen: Sequence[Feature]) -> Any:
    return HistGradientBoostingClassifier(
        **PARAMETERS["boosting"], categorical_features=_places(chosen, CATEGORY) or None, random_state=0
    )


def _logistic(chosen: Sequence[Feature]) -> Any:
    numbers = Pipeline(
        [
            ("gaps", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    parts: list[tuple[str, Any, Any]] = [
        ("numbers", numbers, _places(chosen, NUMBER)),
        ("categories", OneHotEncoder(handle_unknown="ignore"), _places(chosen, CATEGORY)),
    ]
    texts = [
        (f"text{place}", TfidfVectorizer(sublinear_tf=True, max_features=50_000), place)
        for place in _places(chosen, TEXT)
    ]
    columns = ColumnTransformer([part for part in parts if part[2]] + texts)
    return Pipeline([("columns", columns), ("line", LogisticRegression(**PARAMETERS["logistic"]))])
