"""All that is known of a queue's window: its sampled items, its counts, and the spans whose audits have ended."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

import numpy as np
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.measure import sample
from decisions.measure.columns import BoolArray
from decisions.measure.counts import Bands, Which
from decisions.measure.sample import Labelled, Purpose, State
from decisions.models import Frame, ModelVersion, Policy

DAY = timedelta(days=1)
STILL_OPEN = 0.1  # of a frame's audits, at most, when its answers count
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Filters:
    """What a person narrows the figures to: a model's name, a policy's number, a segment; None = all."""

    model: str | None = None
    policy: int | None = None
    segment: str | None = None

    def which(self, queue_id: int) -> Which:
        """Return what these mean on a queue; refuses a model or a policy that is not there."""
        for name, text in (("model", self.model), ("segment", self.segment)):
            if "\0" in (text or ""):
                raise Invalid(faults=[Fault(name, "format", _("There is no such text."))])
        models = policies = None
        if self.model is not None:
            models = tuple(ModelVersion.objects.filter(queue=queue_id, name=self.model).values_list("pk", flat=True))
        if self.policy is not None:
            policies = tuple(Policy.objects.filter(queue=queue_id, no=self.policy).values_list("pk", flat=True))
        faults = [
            Fault(name, "reference", _("There is no such thing in this queue."))
            for name, found in (("model", models), ("policy", policies))
            if found == ()
        ]
        if faults:
            raise Invalid(faults=faults)
        return Which(policies, models, self.segment)


@dataclass(frozen=True)
class Sample:
    """Sampled items by design; `apart` are those that the model is not answerable for."""

    soft: Labelled
    control: Labelled
    audits: Labelled
    apart: Labelled

    @classmethod
    def of(cls, rows: Labelled) -> Self:
        """Tell rows apart by their design."""
        soft, control, audits = (rows.of(purpose) for purpose in (Purpose.SOFT, Purpose.CONTROL, Purpose.AUDIT))
        return cls(soft, control, audits, rows.apart())

    @property
    def people(self) -> Labelled:
        """What went to people by its route: soft and control."""
        return self.soft.joined(self.control)

    @property
    def has_expired(self) -> bool:
        """Whether something that went to people was seen by nobody in time."""
        return any(bool((rows.state == State.EXPIRED.value).any()) for rows in (self.soft, self.control))

    @property
    def all(self) -> Labelled:
        """All that the model is answerable for."""
        return self.soft.joined(self.control, self.audits)

    def within(self, *spans: Span) -> Self:
        """Return what arrived in these spans."""
        return replace(self, **{f.name: _within(getattr(self, f.name), spans) for f in fields(self)})


def _within(rows: Labelled, spans: tuple[Span, ...]) -> Labelled:
    parts = [rows.within(start, end) for start, end in spans] or [rows.part(0, 0)]
    return parts[0].joined(*parts[1:]) if len(parts) > 1 else parts[0]


@dataclass(frozen=True)
class Window:
    """What arrived in [start, end), as it was known at `at`; counted until `fresh_at` (None: never).

    It starts with a whole hour and ends where the counting did.

    `measured` are the spans, disjoint and in order, that have recall: their frames are closed and at most a tenth of
    their audits is open; all of it where nothing was passed. No count reaches over an edge of theirs.
    """

    at: datetime
    fresh_at: datetime | None
    start: datetime
    end: datetime
    sample: Sample
    counts: Bands
    measured: tuple[Span, ...]

    def narrowed(self, start: datetime, end: datetime) -> Self:
        """Return a part of the window; its edges are whole hours, or the window's own end."""
        counts = self.counts.within(start, end)
        measured = tuple((max(a, start), min(b, end)) for a, b in self.measured if a < end and b > start)
        return replace(
            self,
            start=start,
            end=end,
            sample=self.sample.within((start, end)),
            counts=counts,
            measured=_or_all(measured, counts, (start, end)),
        )

    def in_measured(self) -> tuple[Sample, Bands]:
        """Return the rows and counts of the spans that have recall."""
        return self.sample.within(*self.measured), self.counts.where(_inside(self.counts.at, self.measured))


def read(queue_id: int, at: datetime, *, days: int, filters: Filters, before: int = 0, cap: int = sample.CAP) -> Window:
    """Return the last days up to when they were counted, and the begun hour; empty where nothing was counted yet.

    `before` are days more, before these, that change nothing in what is read of these.
    """
    fresh_at = sample.counted_until(queue_id, at)
    end = min(at, fresh_at or at)
    core = sample.floor_hour(end) - DAY * days
    return _between(queue_id, (core - DAY * before, end), at, fresh_at, filters=filters, core=core, cap=cap)


def between(queue_id: int, start: datetime, end: datetime, *, at: datetime, filters: Filters) -> Window:
    """Return what arrived in [start, end) as it is known at `at`, as far as it was counted; no longer span is empty."""
    fresh_at = sample.counted_until(queue_id, at)
    last = max(start, min(end, at, fresh_at or at))
    return _between(queue_id, (start, last), at, fresh_at, filters=filters, core=start)


def _between(
    queue_id: int,
    within: Span,
    at: datetime,
    fresh_at: datetime | None,
    *,
    filters: Filters,
    core: datetime,
    cap: int = sample.CAP,
) -> Window:
    """Return a window whose rows are thinned as if it began at `core`."""
    (start, end), which = within, filters.which(queue_id)
    rows = sample.labelled(
        queue_id,
        start=start if fresh_at else end,
        end=end,
        at=at,
        policy_ids=which.policies,
        model_ids=which.models,
        segment=which.segment,
        cap=cap,
        core=core if fresh_at else end,
    )
    frames = sample.frames(queue_id, start=start, end=end, at=at) if fresh_at else []
    measured = _merge(frames, _waiting(rows), (start, end))
    counts = _counts(queue_id, which, (start, end), measured)
    return Window(at, fresh_at, start, end, Sample.of(rows), counts, _or_all(measured, counts, (start, end)))


def _or_all(measured: tuple[Span, ...], counts: Bands, within: Span) -> tuple[Span, ...]:
    """Return the whole window where nothing was passed: there is nothing that an audit could look at."""
    nothing_passed = counts.count() and not counts.count(is_model=True, route="pass")
    return (within,) if nothing_passed else measured


def _waiting(rows: Labelled) -> set[int]:
    """Return the frames of which more than a tenth of the audits is not answered yet.

    Audits wait in an order that is drawn by lot, so the last ones are like the rest, which stand for them.
    """
    drawn = rows.where(rows.frame > 0)
    frames, place = np.unique(drawn.frame, return_inverse=True)
    still = np.bincount(place, drawn.state == State.OPEN.value)
    return set(frames[still > STILL_OPEN * np.bincount(place)].tolist())


def _merge(frames: list[Frame], waiting: set[int], within: Span) -> tuple[Span, ...]:
    """Return the spans of the frames that measure what was passed, those that touch as one."""
    spans: list[Span] = []
    for frame in frames:
        if frame.pk in waiting or (frame.passes and not frame.drawn):
            continue
        start, end = max(frame.starts_at, within[0]), min(frame.ends_at, within[1])
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(spans)


def _counts(queue_id: int, which: Which, within: Span, measured: tuple[Span, ...]) -> Bands:
    """Return the counts of a window so that none reaches over the edge of a measured span."""
    start, end = within
    inner = {edge for span in measured for edge in span if start < edge < end and edge != sample.floor_hour(edge)}
    edges = [start, *sorted(inner), end]
    parts = [sample.bands(queue_id, a, b, which=which) for a, b in pairwise(edges)]
    return parts[0].joined(*parts[1:])


def _inside(seconds: np.ndarray[tuple[int], np.dtype[np.float64]], spans: tuple[Span, ...]) -> BoolArray:
    """Tell which times (seconds since 1970) are in one of the spans."""
    mask = np.zeros(len(seconds), dtype=np.bool_)
    for start, end in spans:
        mask |= (seconds >= start.timestamp()) & (seconds < end.timestamp())
    return mask
