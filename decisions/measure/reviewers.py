"""How far reviewers' own errors reach into what the audits found, and who stands for items that nobody looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.measure import estimates
from decisions.measure.columns import FloatArray, WordArray
from decisions.measure.estimates import Count, Estimate, Share
from decisions.measure.sample import Labelled, State
from decisions.models import Ruling

VALUES = {"positive": 1.0, "negative": 0.0}
LEAST_WEIGHT = 2  # of an answered item that stands for expired ones: never counted as sure


@dataclass(frozen=True)
class Errors:
    """What reviewers' errors do to the misses.

    `first` is what the audits' first answers alone would say, `corrected` the same without the errors that second
    opinions and adjudications showed: `false_positives` of the negatives and `sensitivity` to the positives.
    """

    first: Count
    false_positives: Share
    sensitivity: Share
    corrected: Estimate


@dataclass(frozen=True)
class StandIns:
    """Rows for items that expired unreviewed: label, propensity and probability, as estimates take them."""

    y: FloatArray
    pi: FloatArray
    p: FloatArray


def floored(rows: Labelled) -> FloatArray:
    """Return the floored probability that each audit's size was made from: q is its root."""
    return rows.q**2


def errors(audits: Labelled, truths: Mapping[str, str], *, passes: int) -> Errors:
    """Return what the first answers of audits say about `passes` items; `truths` is what each outcome key says.

    An item's truth is known where a second opinion agrees with the first, or an adjudication has ended the
    disagreement. Those that were seen twice stand for all that were answered the same way at first.
    """
    first, second = _values(audits.first, truths), _values(audits.second, truths)
    is_ended = (audits.second != "") & (audits.ruled != Ruling.Source.DECISION.value)
    truth = np.where(first == second, first, np.where(is_ended, audits.y, np.nan))
    told = ~np.isnan(first)
    seen = estimates.reweight(~np.isnan(truth[told]), first[told].astype(np.int64), audits.pi[told]).pi
    count = estimates.missed(first, audits.pi, floored(audits), of=passes)
    negatives, positives = ((truth[told] == value) & ~np.isnan(seen) for value in (0.0, 1.0))
    f = estimates.precision(first[told][negatives], seen[negatives])
    s = estimates.precision(first[told][positives], seen[positives])
    return Errors(count, f, s, estimates.corrected(count, passes, f, s))


def stand_ins(people: Labelled) -> StandIns:
    """Return rows that stand for the items sent to people that expired: passed in the end, though nobody looked.

    Of the answered items of the same stratum of score, those with the smallest u, each for at least two: a sample of
    what the expired ones would have shown. Where none was answered the rows have no label, and audits stand for them.
    """
    gone, seen = people.state == State.EXPIRED.value, people.state == State.ANSWERED.value
    weight, p = people.weight, np.nan_to_num(people.p)
    if not gone.any() or not seen.any():
        return StandIns(people.y[gone], 1.0 / weight[gone], p[gone])
    stratum = estimates.strata(p, seen)
    y, pi, chosen = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for one in np.unique(stratum[gone]):
        number = float(weight[gone & (stratum == one)].sum())
        places = np.flatnonzero(seen & (stratum == one))
        places = places[np.argsort(people.u[places], kind="stable")][: max(1, int(number // LEAST_WEIGHT))]
        y.append(people.y[places])
        pi.append(np.full(len(places), min(1.0, len(places) / number)))
        chosen.append(p[places])
    return StandIns(np.concatenate(y), np.concatenate(pi), np.concatenate(chosen))


def _values(outcomes: WordArray, truths: Mapping[str, str]) -> FloatArray:
    """Return 1 for an outcome that says positive, 0 for negative, NaN for none."""
    return np.array([VALUES.get(truths.get(key, ""), np.nan) for key in outcomes], dtype=np.float64)
