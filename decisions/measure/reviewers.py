"""How far reviewers' own errors reach into what the audits found, and who stands for items that nobody looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.measure import estimates, intervals, misses
from decisions.measure.columns import FloatArray, WordArray
from decisions.measure.estimates import Count, Estimate, Share
from decisions.measure.gold import NO_GOLD, GoldAnswers
from decisions.measure.sample import Labelled, State
from decisions.models import Ruling

VALUES = {"positive": 1.0, "negative": 0.0}
LEAST_WEIGHT = 2  # of an answered item that stands for expired ones: never counted as sure


@dataclass(frozen=True)
class Shown:
    """What one source shows of reviewers: the share of negatives, and of positives, that they called positive."""

    false_positives: Share
    sensitivity: Share


@dataclass(frozen=True)
class Errors:
    """What reviewers' errors do to the misses.

    `first` is what the audits' first answers alone would say, `corrected` the same without the errors that were shown:
    `false_positives` of the negatives and `sensitivity` to the positives, from both sources together. `second` is what
    second opinions and adjudications show alone, `gold` what gold items do. `is_divided`: they say different things.
    """

    first: Count
    false_positives: Share
    sensitivity: Share
    corrected: Estimate
    second: Shown
    gold: Shown

    @property
    def is_divided(self) -> bool:
        """Whether the two sources differ by more than chance, so that what they say together fits neither."""
        return _differ(self.second.false_positives, self.gold.false_positives) or _differ(
            self.second.sensitivity, self.gold.sensitivity
        )


@dataclass(frozen=True)
class StandIns:
    """Rows for items that expired unreviewed: label, propensity, probability and harm, as estimates take them."""

    y: FloatArray
    pi: FloatArray
    p: FloatArray
    harm: FloatArray


def errors(audits: Labelled, truths: Mapping[str, str], *, passes: int, gold: GoldAnswers = NO_GOLD) -> Errors:
    """Return what the first answers of audits say about `passes` items; `truths` is what each outcome key says.

    An item's truth is known where a second opinion agrees with the first, or an adjudication has ended the
    disagreement: those that were seen twice stand for all that were answered the same way at first. Gold items are
    known before, and their answers are a sample of all answers, each with its logged chance. Both sources together say
    how often reviewers err, each as heavy as the labels it is worth.
    """
    second = _by_second(audits, truths)
    known = _by_gold(gold, truths)
    first = _values(audits.first, truths)
    count = misses.missed(first, audits.pi, audits.floored, of=passes)
    f = estimates.pooled([second.false_positives, known.false_positives])
    s = estimates.pooled([second.sensitivity, known.sensitivity])
    return Errors(count, f, s, misses.corrected(count, passes, f, s), second, known)


def _by_second(audits: Labelled, truths: Mapping[str, str]) -> Shown:
    first, second = _values(audits.first, truths), _values(audits.second, truths)
    is_ended = (audits.second != "") & (audits.ruled != Ruling.Source.DECISION.value)
    truth = np.where(first == second, first, np.where(is_ended, audits.y, np.nan))
    told = ~np.isnan(first)
    seen = estimates.reweight(~np.isnan(truth[told]), first[told].astype(np.int64), audits.pi[told]).pi
    negatives, positives = ((truth[told] == value) & ~np.isnan(seen) for value in (0.0, 1.0))
    f = estimates.precision(first[told][negatives], seen[negatives])
    s = estimates.precision(first[told][positives], seen[positives])
    return Shown(f, s)


def _by_gold(gold: GoldAnswers, truths: Mapping[str, str]) -> Shown:
    """Return what gold items show; an answer that says neither yes nor no counts as not given."""
    said = _values(gold.outcome, truths)
    negatives, positives = (gold.truth == word for word in ("negative", "positive"))
    f, s = (estimates.precision(said[kind], gold.pi[kind]) for kind in (negatives, positives))
    return Shown(estimates.as_sample(f), estimates.as_sample(s))


def _differ(one: Share, other: Share) -> bool:
    if one.value is None or other.value is None:
        return False
    one, other = estimates.as_sample(one), estimates.as_sample(other)
    low, high = intervals.difference(one.value or 0.0, one.at(one.level), other.value or 0.0, other.at(other.level))
    return low > 0 or high < 0


def stand_ins(people: Labelled) -> StandIns:
    """Return rows that stand for the items sent to people that expired: passed in the end, though nobody looked.

    Of the answered items of the same stratum of score, those with the smallest u, each for at least two: a sample of
    what the expired ones would have shown. Where none was answered the rows have no label, and audits stand for them.
    """
    gone, seen = people.state == State.EXPIRED.value, people.state == State.ANSWERED.value
    weight, p = people.weight, np.nan_to_num(people.p)
    if not gone.any() or not seen.any():
        return StandIns(people.y[gone], 1.0 / weight[gone], p[gone], people.harm[gone])
    stratum = estimates.strata(p, seen)
    pi, chosen = [np.empty(0)], [np.empty(0, dtype=np.intp)]
    for one in np.unique(stratum[gone]):
        number = float(weight[gone & (stratum == one)].sum())
        places = np.flatnonzero(seen & (stratum == one))
        places = places[np.argsort(people.u[places], kind="stable")][: max(1, int(number // LEAST_WEIGHT))]
        pi.append(np.full(len(places), min(1.0, len(places) / number)))
        chosen.append(places)
    rows = np.concatenate(chosen)
    return StandIns(people.y[rows], np.concatenate(pi), p[rows], people.harm[rows])


def _values(outcomes: WordArray, truths: Mapping[str, str]) -> FloatArray:
    """Return 1 for an outcome that says positive, 0 for negative, NaN for none."""
    return np.array([VALUES.get(truths.get(key, ""), np.nan) for key in outcomes], dtype=np.float64)
