"""Bins of a distribution: cut at quantiles, ties together, so that rounded and constant values are no special case."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def cuts(values: FloatArray, bins: int) -> FloatArray:
    """Return at most `bins` - 1 ascending cuts at quantiles of `values`; bin k holds (cuts[k-1], cuts[k]].

    Every bin holds some of `values`: equal values share a bin, and quantiles that fall together are one cut.
    """
    if not len(values):
        return np.empty(0)
    inner = np.arange(1, bins) / bins
    found: FloatArray = np.unique(np.quantile(values, inner, method="inverted_cdf"))
    below: FloatArray = found[found < values.max()]
    return below


def places(values: FloatArray, at: FloatArray) -> IntArray:
    """Return the bin of each value, 0 to len(`at`): values past either end belong to the outermost bins."""
    return np.searchsorted(at, values, side="left").astype(np.int64)
