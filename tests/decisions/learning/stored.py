"""Models with a file, quickly made: what they say of a message follows from its number of words."""

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from decisions.learning import registry
from decisions.learning.features import NUMBER, Feature
from decisions.learning.registry import Scorer
from decisions.models import ModelVersion, Queue
from tests.factories import NOON


def scorer(cut: float = 50.0, *, is_turned: bool = False, field: str = "words") -> Scorer:
    """Return a scorer that finds messages with more words than the cut likely spam; turned: unlikely."""
    words = np.arange(200.0).reshape(-1, 1) / 2
    y = (words[:, 0] > cut) != is_turned
    trees = HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5, random_state=0).fit(words, y)
    return Scorer(trees, (Feature(field, NUMBER),), 1.0, 0.0, 1e-3)


def make_model(queue: Queue, name: str = "words-1", *, made: Scorer | None = None, **fields: Any) -> ModelVersion:
    """Store a model with its file and its seal; DATA_DIR should be the test's own."""
    file, sha256 = registry.store(name, registry.pack(made or scorer()))
    given = {"kind": ModelVersion.Kind.PIPELINE, "app_version": "test", "created_at": NOON, **fields}
    return ModelVersion.objects.create(queue=queue, name=name, file=file, sha256=sha256, **given)
