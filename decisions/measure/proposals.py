"""What overrides say should be mended: reasons ranked, and proposals with what they rest on; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from decisions.measure.accuracy import FEWEST, Rate, rate
from decisions.measure.columns import BoolArray, FloatArray, Rows, WordArray

LIFT = 2.0  # as large a part of a reason's overrides must be in a segment as of all decisions
RARE = 1e-3
STEPS = 20  # into which the range of scores is cut


class Kind(StrEnum):
    """What is to be mended."""

    FEATURE = "feature"  # the model lacks something that people see in a segment
    GUIDELINE = "guideline"  # people disagree among themselves about it
    THRESHOLD = "threshold"  # suggestions beside the threshold are mostly overridden


@dataclass(frozen=True)
class Overridden(Rows):
    """One row a decision that saw a suggestion: what it said against it.

    `score` in the model's units (NaN: none), `money` what the override is worth (NaN: no value formula), `positive`
    whether the positive outcome was suggested. `reason` is "" where they agreed.
    """

    overrode: BoolArray
    reason: WordArray
    segment: WordArray
    score: FloatArray
    positive: BoolArray
    money: FloatArray


@dataclass(frozen=True)
class Reason:
    """A reason that people gave for overrides: how often, its money (None: no formula), and where most of it is."""

    code: str
    n: int
    money: float | None
    segment: str
    in_segment: int


@dataclass(frozen=True)
class Proposal:
    """Something to mend: `key` names it in its queue, `one` is what it rests on and `other` what that is beside.

    `reason` and `segment` say where; `cut` is the threshold that is proposed instead of the one in force.
    """

    kind: Kind
    key: str
    one: Rate
    other: Rate
    reason: str = ""
    segment: str = ""
    cut: float | None = None


def reasons(rows: Overridden) -> list[Reason]:
    """Return the reasons of overrides, the commonest first."""
    given = rows.where(rows.overrode & (rows.reason != ""))
    found = []
    for code in np.unique(given.reason.astype(str)).tolist():
        mine = given.where(given.reason == code)
        names, counts = np.unique(mine.segment.astype(str), return_counts=True)
        place = int(np.argmax(counts))
        known = mine.money[~np.isnan(mine.money)]
        money = float(known.sum()) if len(known) else None
        found.append(Reason(code, len(mine), money, str(names[place]), int(counts[place])))
    return sorted(found, key=lambda one: (-one.n, one.code))


def feature_gaps(rows: Overridden) -> list[Proposal]:
    """Return reasons whose overrides gather in a segment in which the model is overridden more than elsewhere.

    At least 30 overrides of the reason; at least twice as large a part of them in the segment as of all decisions,
    beyond chance (binomial); the override rate of the segment above that of the others beyond chance.
    """
    found = []
    for one in reasons(rows):
        inside = rows.segment == one.segment
        if one.n < FEWEST or not one.segment or inside.all():
            continue
        part = float(inside.mean())
        here, there = (rate(rows.overrode, mask) for mask in (inside, ~inside))
        is_rare = float(stats.binom.sf(one.in_segment - 1, one.n, part)) < RARE
        if one.in_segment / one.n >= LIFT * part and is_rare and here.exceeds(there):
            key = f"{one.code}|{one.segment}"
            found.append(Proposal(Kind.FEATURE, key, Rate(one.in_segment, one.n), here, one.code, one.segment))
    return found


def guideline_gaps(reason: WordArray, differed: BoolArray) -> list[Proposal]:
    """Return reasons about which people disagree more among themselves than about the rest.

    A row an answer that somebody gave again without knowing it: the reason of the first, and whether the second one
    differed. At least 30 rows of a reason and of the rest.
    """
    found = []
    for code in np.unique(reason[reason != ""].astype(str)).tolist():
        mine = reason == code
        one, other = rate(differed, mine), rate(differed, ~mine)
        if one.exceeds(other):
            found.append(Proposal(Kind.GUIDELINE, code, one, other, code))
    return found


def threshold_moves(rows: Overridden, cut: float, low: float, high: float) -> list[Proposal]:
    """Return where suggestions beside the threshold are mostly overridden, and the threshold beyond them.

    From the threshold outwards in twentieths of the range of scores, as long as at least 30 suggestions of each step
    were overridden in more than half of the cases, for sure.
    """
    found = []
    step = (high - low) / STEPS
    for is_up in (True, False):
        mine = rows.where(rows.positive == is_up)
        edge, hits, n = cut, 0, 0
        for _step in range(STEPS):
            ends = (edge, edge + step) if is_up else (edge - step, edge)
            inside = (mine.score >= ends[0]) & (mine.score < ends[1])
            told = rate(mine.overrode, inside)
            if told.value is None or told.low <= 0.5:
                break
            edge, hits, n = ends[1] if is_up else ends[0], hits + told.hits, n + told.n
        if n:
            rest = Rate(int(mine.overrode.sum()) - hits, len(mine) - n)
            moved = float(np.clip(round(edge, 6), low, high))
            found.append(Proposal(Kind.THRESHOLD, f"{cut:.6g}|{moved:.6g}", Rate(hits, n), rest, cut=moved))
    return found


def ranked(found: Sequence[Proposal]) -> list[Proposal]:
    """Return proposals, those that rest on the most first."""
    return sorted(found, key=lambda one: (-one.one.hits, one.kind, one.key))
