"""All that decides what a model becomes besides the rows: the pipeline, its features and its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt
import sklearn
from django.utils.translation import gettext as _
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from decisions.exceptions import Invalid
from decisions.learning import features, selection
from decisions.learning.features import CATEGORY, NUMBER, TEXT, Feature
from decisions.measure import calibrate
from decisions.queues.spec import Spec

FOLDS = 5
SEED = 0
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
WEIGHTED = {"boosting": "sample_weight", "logistic": "line__sample_weight"}  # the parameter that takes row weights


@dataclass(frozen=True)
class Recipe:
    """How a model is made. `in_time`: rows stand in the order of time; `selects`: weightings are compared first."""

    pipeline: str
    features: tuple[Feature, ...]
    in_time: bool = False
    selects: bool = False

    @classmethod
    def of(
        cls, spec: Spec, payloads: Sequence[Mapping[str, Any]], *, in_time: bool = False, selects: bool = False
    ) -> "Recipe":
        """Return the recipe a queue's spec asks for; refuses a queue whose scores come from outside."""
        require_pipeline(spec)
        chosen = features.of_fields(spec.fields, spec.model.features, payloads)
        if spec.model.pipeline == "boosting":  # trees read no texts
            chosen = [feature for feature in chosen if feature.kind != TEXT]
        if not chosen:
            raise Invalid(_("None of this queue's fields can be read by its pipeline."))
        return cls(spec.model.pipeline, tuple(chosen), in_time, selects)

    def simpler(self) -> "Recipe | None":
        """Return the recipe of the model that stands in for this one: a line over its numbers; None where it is one."""
        numbers = tuple(feature for feature in self.features if feature.kind == NUMBER)
        found = replace(self, pipeline="logistic", features=numbers)
        return found if numbers and found != self else None

    def as_json(self) -> dict[str, Any]:
        stored = {
            "pipeline": self.pipeline,
            "features": [feature.as_json() for feature in self.features],
            "parameters": PARAMETERS[self.pipeline],
            "folds": FOLDS,
            "calibration": calibrate.METHOD,
            "in_time": self.in_time,
            "scikit-learn": sklearn.__version__,
        }
        return {**stored, "seed": SEED, "selection": selection.METHOD} if self.selects else stored

    def estimator(self) -> Any:
        """Return the pipeline, not fitted yet."""
        return _boosting(self.features) if self.pipeline == "boosting" else _logistic(self.features)

    def fitted(self, x: npt.NDArray[Any], y: npt.NDArray[Any], weights: npt.NDArray[Any] | None) -> Any:
        """Return the pipeline fitted to rows x with answers y; weights None = all rows count alike."""
        given = {} if weights is None else {WEIGHTED[self.pipeline]: weights}
        return self.estimator().fit(x, y, **given)


def require_pipeline(spec: Spec) -> None:
    """Refuse a queue whose scores come from outside."""
    if spec.model.pipeline not in PARAMETERS:
        raise Invalid(_("This queue names no pipeline: its scores come from outside."))


def _places(chosen: Sequence[Feature], kind: str) -> list[int]:
    return [place for place, feature in enumerate(chosen) if feature.kind == kind]


def _boosting(chosen: Sequence[Feature]) -> Any:
    return HistGradientBoostingClassifier(
        **PARAMETERS["boosting"], categorical_features=_places(chosen, CATEGORY) or None, random_state=SEED
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
