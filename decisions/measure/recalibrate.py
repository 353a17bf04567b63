"""A new calibrator for a model: what its scores mean, fitted to what people found lately and ready for a policy."""

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.exceptions import Fault, Invalid
from decisions.measure import calibrate, estimates, sample, window
from decisions.measure.calibrate import Platt
from decisions.measure.columns import FloatArray, IntArray, Rows
from decisions.measure.estimates import Share
from decisions.measure.sample import Labelled
from decisions.measure.window import Filters, Window
from decisions.models import ModelVersion, Policy, Queue
from decisions.record import digest
from decisions.routing import policy as policies
from decisions.routing.policy import Cuts
from decisions.routing.terms import Changes

DAYS = 28
FEWEST = 20  # labels of each answer, under which a fit says more about chance than about the scores
FOLDS = 5
TRAFFIC_DAYS, TRAFFIC_CAP = 7, 20_000  # from which the mean of what is passed is taken


@dataclass(frozen=True)
class Labels(Rows):
    """Labelled items: score, where it lies in the model's range, in [0, 1], label and weight 1/pi, of one length."""

    item: IntArray
    score: FloatArray
    share: FloatArray
    y: FloatArray
    weight: FloatArray

    @property
    def positives(self) -> int:
        return int(self.y.sum())


@dataclass(frozen=True)
class Meaning:
    """What a calibrator makes of labelled items: their mean probability, and how far it is from what was found.

    `error` is the mean gap between the two (`calibrate.calibration`) with its 95 % limits.
    """

    mean: float
    error: float
    low: float
    high: float

    @classmethod
    def of(cls, p: FloatArray, labels: Labels) -> Self:
        """Compare probabilities with what was found."""
        gaps = calibrate.calibration(p, labels.y, labels.weight)
        return cls(float(np.average(p, weights=labels.weight)), gaps.error, gaps.low, gaps.high)


@dataclass(frozen=True)
class Recalibration:
    """A calibrator that was fitted to `labels` labels, `audits` of them of passes, of items that came in [start, end).

    `found` is the share of positives among the items that the labels stand for: without audits those that people saw,
    else all. `before` is what the policy in force makes of the scores. `after` is honest: each label is compared with
    what the other four fifths of the labels say of it.
    """

    id: str
    line: Platt
    model: str
    start: datetime
    end: datetime
    labels: int
    positives: int
    audits: int
    found: Share
    before: Meaning
    after: Meaning

    def as_json(self) -> dict[str, Any]:
        """Return what a policy keeps of it: all that gives p from a score, and what it rests on."""
        return {
            "id": self.id,
            **{name: getattr(self.line, name) for name in ("slope", "intercept", "edge")},
            **{name: digest.moment(getattr(self, name)) for name in ("start", "end")},
            **{name: getattr(self, name) for name in ("labels", "positives", "audits")},
            "found": {name: getattr(self.found, name) for name in ("value", "low", "high")},
            "before": asdict(self.before),
            "after": asdict(self.after),
        }


@dataclass(frozen=True)
class TooFew:
    """Why nothing was fitted: the labels of the last `days` days that items scored by the model have."""

    days: int
    labels: int
    positives: int

    def __str__(self) -> str:
        text = ngettext(
            "In the last %(days)d days this model's items got %(labels)d label, %(positives)d of them positive. "
            "At least %(fewest)d positive and as many negative ones are needed.",
            "In the last %(days)d days this model's items got %(labels)d labels, %(positives)d of them positive. "
            "At least %(fewest)d positive and as many negative ones are needed.",
            self.labels,
        )
        return text % {**asdict(self), "fewest": FEWEST}


def fit(queue_id: int, at: datetime, *, model_id: int, days: int = DAYS) -> Recalibration | TooFew:
    """Fit a calibrator to what is known at `at` of the model's items of the last days, as far as they are counted."""
    model = ModelVersion.objects.get(pk=model_id, queue=queue_id)
    seen = window.read(queue_id, at, days=days, filters=Filters(model=model.name))
    soft, control, audits = (_answered(part, model) for part in _designs(seen))
    labels = soft.joined(control, audits)
    if min(labels.positives, len(labels) - labels.positives) < FEWEST:
        return TooFew(days, len(labels), labels.positives)
    line = calibrate.fit(labels.share, labels.y, labels.weight)
    return Recalibration(
        id=_id(model, line, labels),
        line=line,
        model=model.name,
        start=seen.start,
        end=seen.end,
        labels=len(labels),
        positives=labels.positives,
        audits=len(audits),
        found=estimates.precision(labels.y, 1.0 / labels.weight),
        before=Meaning.of(_in_force(queue_id, model, labels), labels),
        after=Meaning.of(_held_out(labels), labels),
    )


def into(changes: Changes, queue: Queue, at: datetime) -> Changes:
    """Return a draft's changes with a new calibrator for its model, and the mean of p that its audits begin with.

    Refuses a draft without a model, and one whose model has too few labels.
    """
    live = Policy.objects.live().select_related("model").filter(queue=queue).first()
    model = changes.get("model", live.model if live else None)
    if model is None:
        raise _refused(_("Nothing scores this queue's items, so there is nothing to recalibrate."))
    found = fit(queue.pk, at, model_id=model.pk)
    if isinstance(found, TooFew):
        raise _refused(str(found))
    soft = changes.get("soft", live.soft if live else None)
    return {**changes, "calibration": found.as_json(), "mean_p": _mean_passed(queue.pk, model, found.line, soft, at)}


def _refused(why: str) -> Invalid:
    return Invalid(faults=[Fault("recalibrate", "too_few", why)])


def _designs(seen: Window) -> tuple[Labelled, Labelled, Labelled]:
    """Return soft, control and audits of the spans whose audits have ended; before there are any, what people saw.

    Passes of some days among the rest of all would be too few of them.
    """
    inner, _counts = seen.in_measured()
    if not (~np.isnan(inner.audits.y)).any():
        inner = replace(seen.sample, audits=seen.sample.audits.part(0, 0))
    return inner.soft, inner.control, inner.audits


def _answered(rows: Labelled, model: ModelVersion) -> Labels:
    """Return the labels of one design; those of a stratum of scores stand for its items that nobody answered."""
    rows = rows.where(~np.isnan(rows.score))
    told = ~np.isnan(rows.y)
    pi = estimates.reweight(told, estimates.strata(rows.score, told), rows.pi).pi[told]
    score = rows.score[told]
    share = policies.shares(score, model.score_low, model.score_high)
    return Labels(rows.item[told], score, share, rows.y[told], 1.0 / pi)


def _in_force(queue_id: int, model: ModelVersion, labels: Labels) -> FloatArray:
    """Return what the live policy says of these scores; of another model's nothing is said but the scores."""
    live = Policy.objects.live().filter(queue=queue_id, model=model).first()
    told = live.calibration if live else {}
    return calibrate.probabilities(labels.share, **policies.line(told))


def _held_out(labels: Labels) -> FloatArray:
    """Return each label's probability by a calibrator that was fitted without it, a fifth of each answer at a time."""
    p, fold = np.empty(len(labels)), np.empty(len(labels), dtype=np.int64)
    for answer in (0.0, 1.0):
        places = np.flatnonzero(labels.y == answer)
        fold[places] = np.arange(len(places)) % FOLDS
    for k in range(FOLDS):
        out = fold == k
        line = calibrate.fit(labels.share[~out], labels.y[~out], labels.weight[~out])
        p[out] = line.of(labels.share[out])
    return p


def _id(model: ModelVersion, line: Platt, labels: Labels) -> str:
    """Return the name of a calibrator, made from all that it was fitted to and what came out."""
    rows = zip(labels.item.tolist(), labels.score.tolist(), labels.y.tolist(), labels.weight.tolist(), strict=True)
    made_from = {
        "method": calibrate.METHOD,
        "model": [model.name, model.score_low, model.score_high],
        "line": [line.slope.hex(), line.intercept.hex(), line.edge.hex()],
        "rows": list(rows),
    }
    return f"platt-{hashlib.sha256(digest.canonical(made_from)).hexdigest()[:16]}"


def _mean_passed(queue_id: int, model: ModelVersion, line: Platt, soft: float | None, at: datetime) -> float:
    """Return the mean probability of the model's items of the last week that this threshold would pass; 0 for none."""
    rows = sample.traffic(queue_id, days=TRAFFIC_DAYS, at=at, cap=TRAFFIC_CAP)
    rows = rows.where((rows.model == model.pk) & ~np.isnan(rows.score))
    rows = rows.where(policies.bands(rows.score, Cuts(hard=None, soft=soft)) == policies.BAND.PASS)
    if not len(rows):
        return 0.0
    return float(
        np.average(line.of(policies.shares(rows.score, model.score_low, model.score_high)), weights=rows.weight)
    )
