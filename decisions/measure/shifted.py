"""What came in one time or taught a model against what came in another: read from samples that are bounded.

A time is read as a systematic sample by id of at most 5,000 items, with their payloads; a training set as the data set
on disk from which the model learnt. What was worked out stays for five minutes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import orjson
from django.utils.translation import gettext as _

from decisions.exceptions import Conflict, Fault, Invalid
from decisions.learning import examples
from decisions.measure import dates, drift, sample, shift
from decisions.measure.columns import FloatArray, IntArray
from decisions.measure.dates import DAY, Days
from decisions.measure.drift import Level, Mix
from decisions.measure.shift import FieldShift, Sent
from decisions.models import Body, DataSet, ModelVersion, Policy, Queue, Score

ROWS = 5_000
SEGMENTS = 8
KEPT, KEPT_FOR = 8, 300  # comparisons, seconds
MOST_DAYS = 92


@dataclass(frozen=True)
class Asked:
    """One side: the training set of a model, or the items of some days, as a model scored them (None: as routed)."""

    days: Days | None
    model: str | None = None

    @property
    def is_training(self) -> bool:
        return self.days is None


@dataclass(frozen=True)
class SegmentShift:
    """One segment: how many items of each side are in it, and its fields that are off."""

    name: str
    rows: tuple[int, int]
    level: Level
    off: tuple[FieldShift, ...]


@dataclass(frozen=True)
class Shifted:
    """Two sides compared; `rows` are those read of each, `absent` says why there is no training set to compare with.

    `scores` compares probabilities, `mix` the shares of segments; None where either side has none.
    """

    rows: tuple[int, int]
    fields: tuple[FieldShift, ...]
    scores: Mix | None
    mix: Mix | None
    segments: tuple[SegmentShift, ...]
    absent: str = ""

    @property
    def level(self) -> Level:
        """The worst of all fields, the scores and the mix of segments."""
        return shift.worst(
            [*(one.level for one in self.fields), *(one.level for one in (self.scores, self.mix) if one)]
        )


def compare(queue: Queue, one: Asked, other: Asked, *, segment: str | None = None, at: datetime) -> Shifted:
    """Return how what came on one side differs from the other, of one segment or of all.

    Refuses a model that the queue does not know.
    """
    for side, name in ((one, "one_model"), (other, "other_model")):
        if side.model is not None and not ModelVersion.objects.filter(queue=queue, name=side.model).exists():
            raise Invalid(faults=[Fault(name, "reference", _("There is no such thing in this queue."))])
    slot = int(at.timestamp() // KEPT_FOR)
    assert queue.version is not None
    try:
        return _compare((queue.pk, queue.version.pk), one, other, segment, slot)
    except Conflict as refusal:
        return Shifted((0, 0), (), None, None, (), str(refusal))


def asked(queue: Queue, query: Mapping[str, str], at: datetime) -> tuple[Asked, Asked, str | None]:
    """Return the two sides and the segment that an address names; without any the training set against today.

    `one` is `training` or `days`; each side has `_from`, `_to` and `_model`. Where the live model's training set is not
    kept here, the 28 days before today are the first side unless said otherwise. Refuses what makes no sense.
    """
    today = at.astimezone(queue.spec.zone).date()
    is_kept = kept(queue, query.get("one_model") or live_model(queue)) is not None
    kind = query.get("one") or ("training" if is_kept else "days")
    if kind not in ("training", "days"):
        raise Invalid(faults=[Fault("one", "choice", _("Compare a training set or days."))])
    last_month = {"from": (today - DAY * 28).isoformat(), "to": (today - DAY).isoformat()}
    model = query.get("one_model") or None
    one = Asked(None, model) if kind == "training" else Asked(_days(queue, query, "one", last_month, at), model)
    this_day = {"from": today.isoformat(), "to": today.isoformat()}
    other = Asked(_days(queue, query, "other", this_day, at), query.get("other_model") or None)
    return one, other, query.get("segment") or None


def _days(queue: Queue, query: Mapping[str, str], side: str, usual: Mapping[str, str], at: datetime) -> Days:
    first, last = (query.get(f"{side}_{end}") or usual[end] for end in ("from", "to"))
    try:
        return dates.days(first, last, queue.spec.zone, at, usual=1, most=MOST_DAYS)
    except Invalid as refusal:
        faults = [Fault(f"{side}_{fault.field}", fault.code, fault.detail) for fault in refusal.faults]
        raise Invalid(faults=faults) from refusal


def kept(queue: Queue, name: str | None) -> DataSet | None:
    """Return the data set that a model learnt from, where it is kept here."""
    model = ModelVersion.objects.filter(queue=queue, name=name).first() if name else None
    return DataSet.objects.filter(queue=queue, name=model.data_set).first() if model and model.data_set else None


def live_model(queue: Queue) -> str | None:
    """Return the name of the model that routes."""
    policy = Policy.objects.live().filter(queue=queue).select_related("model").first()
    return policy.model.name if policy and policy.model else None


@lru_cache(maxsize=KEPT)
def _compare(key: tuple[int, int], one: Asked, other: Asked, segment: str | None, slot: int) -> Shifted:
    """Return the comparison as of a slot of time; `key` is the queue and the version of its file."""
    queue = Queue.objects.select_related("version").get(pk=key[0], version=key[1])
    at = datetime.fromtimestamp((slot + 1) * KEPT_FOR, UTC)
    sides = [_sent(queue, side, at) for side in (one, other)]
    before, now = sides if segment is None else (side.of(segment) for side in sides)
    named = queue.spec.fields
    p = [side.p[~np.isnan(side.p)] for side in (before, now)]
    return Shifted(
        rows=(len(before), len(now)),
        fields=tuple(shift.fields(named, before, now)),
        scores=drift.psi(*p) if all(len(side) for side in p) else None,
        mix=drift.psi_categories(before.segment.tolist(), now.segment.tolist()) if segment is None else None,
        segments=tuple(_segments(queue, before, now)) if segment is None else (),
    )


def _segments(queue: Queue, before: Sent, now: Sent) -> list[SegmentShift]:
    """Return the largest segments of what came last, and what is off in each."""
    largest = [name for name, _n in Counter(one for one in now.segment.tolist() if one).most_common(SEGMENTS)]
    found = []
    for name in largest:
        sides = before.of(name), now.of(name)
        told = shift.fields(queue.spec.fields, *sides)
        off = tuple(one for one in told if one.level in (Level.WARN, Level.ACT))
        rows = len(sides[0]), len(sides[1])
        found.append(SegmentShift(name, rows, shift.worst([one.level for one in told]), off))
    return found


def _sent(queue: Queue, side: Asked, at: datetime) -> Sent:
    return _came(queue, side.days, side.model, at) if side.days else _learnt(queue, side.model)


def _learnt(queue: Queue, name: str | None) -> Sent:
    """Return what a model learnt from; refuses where that is not kept here."""
    name = name or live_model(queue)
    found = kept(queue, name)
    if found is None:
        raise Conflict(
            _("What the model %(name)s learnt from is not kept here, so nothing can be held against it.")
            % {"name": name or _("of the live policy")}
        )
    rows = examples.load(found)
    places = np.arange(0, len(rows), max(1, -(-len(rows) // ROWS)))
    columns = {key: [values[place] for place in places.tolist()] for key, values in rows.fields.items()}
    payloads = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return Sent(rows.segment[places].astype(object), np.full(len(places), np.nan), payloads)


def _came(queue: Queue, days: Days, name: str | None, at: datetime) -> Sent:
    """Return some of the items that came in these days; of a model, those that it scored."""
    end = min(days.end, at)
    count = max(1, -(-(end - days.start) // DAY))
    rows = sample.traffic(queue.pk, days=count, at=end, cap=ROWS)
    rows = rows.where((rows.arrived >= days.start.timestamp()) & (rows.arrived < end.timestamp()))
    p = rows.p
    if name is not None:
        model = ModelVersion.objects.get(queue=queue, name=name)
        p = np.where(rows.model == model.pk, rows.p, _scored(rows.item, model))
        rows, p = rows.where(~np.isnan(p)), p[~np.isnan(p)]
    bodies = Body.objects.filter(item__in=rows.item.tolist(), content__isnull=False).values_list("item", "content")
    sent = {item: orjson.loads(content)["payload"] for item, content in bodies if content}
    keep = np.array([int(item) in sent for item in rows.item], dtype=np.bool_)
    return Sent(rows.segment[keep], p[keep], [sent[int(item)] for item in rows.item[keep]])


def _scored(items: IntArray, model: ModelVersion) -> FloatArray:
    """Return the probability that a model which did not route gave each item; NaN where it gave none."""
    told = dict(Score.objects.filter(item__in=items.tolist(), model=model).values_list("item", "p"))
    return np.array([told.get(int(item), np.nan) for item in items], dtype=np.float64)
