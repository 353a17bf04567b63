"""How times spread: counts in bins that add up over hours, so that a quantile of any span costs a few rows.

A bin is an eighth of an octave: bin k holds times from 2^(k/8) to 2^((k+1)/8) seconds, and bin 0 all below a second
too. A quantile is the middle of the bin that holds it, on the log scale, so that it is off by 4.5 % at most.
"""

import math
from collections.abc import Mapping

PER_OCTAVE = 8
ERROR = 2 ** (1 / (2 * PER_OCTAVE)) - 1  # of a quantile, relative, where it is a second or more
TAIL = 0.9


def sql(seconds: str) -> str:
    """Return an expression for the bin of a time in seconds."""
    return f"floor({PER_OCTAVE} * ln(greatest({seconds}, 1.0)) / ln(2.0))::int"


def place(seconds: float) -> int:
    """Return the bin of a time in seconds."""
    return math.floor(PER_OCTAVE * math.log2(max(seconds, 1.0)))


def quantile(bins: Mapping[int, float], share: float = TAIL) -> float | None:
    """Return the time in seconds that this share of the counted ones does not pass; None where nothing was counted.

    Of n times the ceil(share * n)-th smallest, within `ERROR`.
    """
    total = sum(bins.values())
    if total <= 0:
        return None
    wanted, seen = math.ceil(round(share * total, 9)), 0.0
    for number in sorted(bins):
        seen += bins[number]
        if seen >= wanted:
            break
    return float(2.0 ** ((number + 0.5) / PER_OCTAVE))
