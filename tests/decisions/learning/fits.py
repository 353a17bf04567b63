"""A short way from examples to a model in memory."""

from collections.abc import Sequence

import numpy as np

from decisions.learning import features, fitting
from decisions.learning.fitting import Lesson, Nobody
from decisions.learning.recipe import Recipe
from decisions.learning.registry import Scorer
from decisions.learning.training import Example
from decisions.queues.spec import Spec


def of_spec(spec: Spec, examples: Sequence[Example]) -> Scorer:
    """Return the model that a queue's spec asks for, fitted to examples."""
    return fit(Recipe.of(spec, [example.payload for example in examples]), examples)


def fit(recipe: Recipe, examples: Sequence[Example]) -> Scorer:
    """Return a recipe's model, fitted to examples."""
    x = features.matrix([example.payload for example in examples], recipe.features)
    y = np.array([example.is_positive for example in examples], dtype=np.int64)
    return fitting.learn(recipe, Lesson.plain(x, y), fitting.split(y, in_time=False), Nobody())[0]
