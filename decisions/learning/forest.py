"""The trees of a histogram gradient boosting model, all in one table, and what each step of a path adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
AT_ONCE = 1_000  # items walked through all trees together: bounds the memory


@dataclass(frozen=True)
class Forest:
    """All nodes of all trees, one after the other; `roots` has the place of each tree's first one.

    `value` is a leaf's value, and of an inner node the mean of the leaves below, weighted by the training rows in them:
    so `base`, the sum over the roots, is the mean that the model starts from. `order` are the columns of the matrix as
    the trees count them, categories first.
    """

    order: IntArray
    categories: Sequence[FloatArray]  # of each of the first columns the codes that training showed
    base: float
    roots: IntArray
    value: FloatArray
    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    is_leaf: BoolArray
    gaps_go_left: BoolArray
    is_category: BoolArray
    goes_left: BoolArray  # nodes x 256: which codes of a category go left
    bits: IntArray  # by node, its row there

    def contributions(self, x: npt.NDArray[Any]) -> FloatArray:
        """Return what each column of the matrix adds to each item's log odds: items x columns.

        Saabas (2014): what a split adds is the difference between the mean below and the mean before it. The sum over
        the columns and `base` is what the model answers.
        """
        read = self._read(np.asarray(x, dtype=np.float64)[:, self.order])
        parts = [self._walk(read[i : i + AT_ONCE]) for i in range(0, len(read), AT_ONCE)]
        found = np.concatenate(parts) if parts else np.zeros((0, len(self.order)))
        back = np.empty_like(found)
        back[:, self.order] = found
        return back

    def _read(self, x: FloatArray) -> FloatArray:
        """Turn the codes of categories to those of the trees: their place among the known ones, a gap elsewhere."""
        for place, known in enumerate(self.categories):
            at = np.searchsorted(known, x[:, place]).clip(0, max(0, len(known) - 1))
            is_known = known[at] == x[:, place] if len(known) else np.zeros(len(x), dtype=bool)
            x[:, place] = np.where(is_known, at, np.nan)
        return x

    def _walk(self, x: FloatArray) -> FloatArray:
        rows, columns = x.shape
        item = np.repeat(np.arange(rows), len(self.roots))
        node = np.tile(self.roots, rows)
        added = np.zeros(rows * columns)
        while (going := ~self.is_leaf[node]).any():
            item, node = item[going], node[going]
            feature = self.feature[node]
            below = np.where(self._left(node, x[item, feature]), self.left[node], self.right[node])
            steps = self.value[below] - self.value[node]
            added += np.bincount(item * columns + feature, steps, minlength=rows * columns)
            node = below
        return added.reshape(rows, columns)

    def _left(self, node: IntArray, value: FloatArray) -> BoolArray:
        is_gap = np.isnan(value)
        code = np.where(is_gap, 0, value).astype(np.int64).clip(0, 255)
        in_set = self.goes_left[self.bits[node], code]
        by_value = np.where(self.is_category[node], in_set, value <= self.threshold[node])
        found: BoolArray = np.where(is_gap, self.gaps_go_left[node], by_value)
        return found


def of(model: Any) -> Forest:
    """Return the forest of a fitted HistGradientBoostingClassifier of two classes."""
    trees = [group[0] for group in model._predictors]
    nodes = np.concatenate([tree.nodes for tree in trees])
    sizes = np.array([len(tree.nodes) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    shift = np.repeat(roots, sizes)
    left, right = nodes["left"].astype(np.int64) + shift, nodes["right"].astype(np.int64) + shift
    value = _means(nodes, left, right)
    sets = [tree.raw_left_cat_bitsets for tree in trees]
    before = np.repeat(np.cumsum([len(one) for one in sets]) - [len(one) for one in sets], sizes)
    bits = nodes["bitset_idx"].astype(np.int64) + before
    is_category = nodes["is_categorical"].astype(bool)
    return Forest(
        order=_order(model),
        categories=_categories(model),
        base=float(np.ravel(model._baseline_prediction)[0] + value[roots].sum()),
        roots=roots,
        value=value,
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"],
        left=left,
        right=right,
        is_leaf=nodes["is_leaf"].astype(bool),
        gaps_go_left=nodes["missing_go_to_left"].astype(bool),
        is_category=is_category,
        goes_left=_sets(sets),
        bits=np.where(is_category, bits, 0),
    )


def _categories(model: Any) -> list[FloatArray]:
    preprocessor = model._preprocessor
    found = preprocessor.named_transformers_["encoder"].categories_ if preprocessor else []
    return [known[~np.isnan(known)] for known in found]


def _order(model: Any) -> IntArray:
    if model._preprocessor is None:
        return np.arange(model.n_features_in_)
    return np.argsort(~model.is_categorical_, kind="stable")


def _means(nodes: Any, left: IntArray, right: IntArray) -> FloatArray:
    """Return each node's mean of the leaves below it, the deepest nodes first."""
    value: FloatArray = nodes["value"].copy()
    count = nodes["count"].astype(np.float64)
    for depth in range(int(nodes["depth"].max(initial=0)), -1, -1):
        at = np.flatnonzero((nodes["depth"] == depth) & (nodes["is_leaf"] == 0))
        below = np.stack([left[at], right[at]])
        value[at] = (value[below] * count[below]).sum(axis=0) / count[below].sum(axis=0)
    return value


def _sets(bitsets: Sequence[npt.NDArray[np.uint32]]) -> BoolArray:
    """Return bit sets of 8 x 32 codes as rows of 256; at least one row, for nodes that split no category."""
    words = np.concatenate([np.zeros((1, 8), dtype=np.uint32), *bitsets])
    if len(words) > 1:
        words = words[1:]
    found: BoolArray = ((words[:, :, None] >> np.arange(32, dtype=np.uint32)) & 1).astype(bool).reshape(-1, 256)
    return found
