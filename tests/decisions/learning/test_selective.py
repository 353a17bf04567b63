"""A world whose truth is known: what training on reviewed items alone does not teach, audits and controls do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from decisions.learning import fitting
from decisions.learning.features import CATEGORY, NUMBER, Feature
from decisions.learning.fitting import Lesson, Nobody
from decisions.learning.recipe import Recipe
from decisions.learning.selection import Weighting, Why

FloatArray = npt.NDArray[np.float64]
FEATURES = (Feature("old", NUMBER), Feature("new", NUMBER), Feature("kind", CATEGORY, ("a", "b")))
AUDITED, CONTROLLED = 0.03, 0.3  # of passes and of what would be hard


@dataclass(frozen=True)
class World:
    """Items with features x and truth y; `p` is the true probability and `band` how the old model routes them."""

    x: FloatArray
    y: npt.NDArray[np.int64]
    band: npt.NDArray[np.str_]


def world(n: int, seed: int) -> World:
    """Return items of which the model in force knows only the first feature.

    What it is sure of is half wrong: a new kind of positives comes with low scores, and half of what it acts on is
    harmless. Nobody looks there, unless a lot says so.
    """
    rng = np.random.default_rng(seed)
    old, new, kind = rng.uniform(size=n), rng.uniform(size=n), rng.integers(0, 2, n)
    p = 0.02 + 0.9 * (old > 0.8) * (kind == 0) + 0.3 * ((old > 0.4) & (old <= 0.8)) + 0.6 * (old <= 0.4) * (new > 0.85)
    band = np.where(old > 0.8, "hard", np.where(old > 0.4, "soft", "pass"))
    gaps = np.where(rng.uniform(size=n) < 0.05, np.nan, new)
    return World(np.stack([old, gaps, kind], axis=1), (rng.uniform(size=n) < p).astype(np.int64), band)


def lesson(of: World, seed: int, *, with_drawn: bool) -> Lesson:
    """Return what people labelled: all soft items, and on request what was drawn of the passes and of the hard ones."""
    lots = np.random.default_rng(seed + 1000).uniform(size=len(of.y))
    pi = np.select([of.band == "soft", of.band == "pass"], [1.0, AUDITED], CONTROLLED)
    seen = (of.band == "soft") | (with_drawn & (lots < pi))
    band, n = of.band[seen], int(seen.sum())
    return Lesson(of.x[seen], of.y[seen], np.ones(n), pi[seen], band != "soft")


def learnt(given: Lesson) -> tuple[float, float, dict[str, Any]]:
    """Train on a lesson; return AUC and log loss on the true answers of all that arrives later, and the metrics."""
    recipe = Recipe("boosting", FEATURES, in_time=True, selects=True)
    scorer, metrics = fitting.learn(recipe, given, fitting.split(given.y, in_time=True), Nobody())
    later = world(10_000, seed=77)
    rows = [
        {"old": old, "new": None if np.isnan(new) else new, "kind": "ab"[int(kind)]}
        for old, new, kind in later.x.tolist()
    ]
    p = scorer.score(rows)
    return float(roc_auc_score(later.y, p)), float(log_loss(later.y, p)), metrics


@pytest.mark.parametrize("seed", [5, 6])
def test_reviewed_items_alone_teach_a_worse_model_than_with_audits_and_controls(seed: int) -> None:
    past = world(8_000, seed)
    auc_soft, loss_soft, told_soft = learnt(lesson(past, seed, with_drawn=False))
    auc_drawn, loss_drawn, told_drawn = learnt(lesson(past, seed, with_drawn=True))
    assert auc_drawn > auc_soft + 0.2
    assert loss_drawn < loss_soft - 0.1
    assert told_drawn["log_loss"] == pytest.approx(loss_drawn, abs=0.06)  # weighted by 1/pi it foretells what comes
    weighting = told_soft["weighting"], told_drawn["weighting"]
    assert [(one["rows"], one["why"]) for one in weighting[:1]] == [(0, Why.SAME)]  # nothing to judge by
    assert weighting[1]["rows"] > 300
    assert [one["weighting"] for one in weighting[1]["candidates"]] == list(Weighting)
