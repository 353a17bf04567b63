"""How much a label is worth as evidence: a number in [0, 1], from how it came about.

A weight is the information that an answer carries about the truth, relative to one that is surely right. An answer that
is wrong with the probability e carries (1 - 2e)^2 of it: the Fisher information, at even odds, of a bit that went
through a binary symmetric channel. The rates below are assumptions of the house, the same for every queue, so that a
data set frozen again gives the same weights; what the people of a queue really err is measured by gold items.

A weight says nothing of how likely the item was to be looked at. That is the propensity, which evaluation needs and
which training does not take as its weight: raw 1/pi weights of hundreds make a model worse.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from decisions.models import Label, Ruling

FloatArray = npt.NDArray[np.float64]
Provenance = Label.Provenance

VERSION = 1  # of the rates; it stands in each data set
SURE = 0.0  # what really happened
SETTLED = 0.01  # two people answered and a third one, or the second, settled it
BLIND = 0.05  # a person who did not see the suggestion, or who saw it and answered otherwise
SHOWN = 0.10  # a person who saw the suggestion and agreed: some of that is leaning on it
UNKNOWN = 0.10  # nobody knows how an earlier tool came to it
FEEDBACK = 0.30  # an end user's word on whether it was right


def of_error(rate: float) -> float:
    """Return the weight of an answer that is wrong with this probability, in [0, 0.5]."""
    return round((1 - 2 * rate) ** 2, 4)


WEAK = of_error(FEEDBACK)
# What a label's weight follows from, and where the label finds it.
FROM = ("provenance", "value", "ruling__source", "ruling__is_override", "ruling__decision__was_shown")


def of_row(row: Mapping[str, Any]) -> float:
    """Return the weight of a label that was read with the columns `FROM`."""
    return weight(
        provenance=row["provenance"],
        source=row["ruling__source"],
        value=row["value"],
        agreed_when_shown=bool(row["ruling__decision__was_shown"]) and not row["ruling__is_override"],
    )


def of(label: Label) -> float:
    """Return the weight of a label; it reads its ruling and that one's decision."""
    decision = label.ruling.decision
    return weight(
        provenance=label.provenance,
        source=label.ruling.source,
        value=label.value,
        agreed_when_shown=decision is not None and decision.was_shown and not label.ruling.is_override,
    )


def weight(*, provenance: str, source: str, value: int | None, agreed_when_shown: bool) -> float:
    """Return a label's weight, in [0, 1]; 0 for "can't tell", which teaches nothing.

    `source` is that of its ruling, `agreed_when_shown` whether the person saw the suggestion and followed it.
    """
    if value is None:
        return 0.0
    if provenance == Provenance.OUTSIDE:
        return of_error(SURE)
    if source == Ruling.Source.ADJUDICATION or provenance == Provenance.GOLD:
        return of_error(SETTLED)
    if provenance == Provenance.IMPORTED:
        return of_error(UNKNOWN)
    return of_error(SHOWN if agreed_when_shown else BLIND)


def effective(weights: FloatArray) -> float:
    """Return how many labels of equal weight are worth as much: (sum w)^2 / sum w^2 (Kish 1965); 0 for none."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
