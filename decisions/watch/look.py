"""The watch: looks at the signals of every queue and opens an alert for each that is off.

What is read is bounded: a systematic sample of the items of 28 days and of the last day, the newest rulings and labels,
and the payloads of some of the sampled items.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from django.db.models import Max

from decisions.measure import sample
from decisions.measure.counts import MODEL, floor_hour
from decisions.measure.rollups import HOUR
from decisions.measure.sample import DAY, Traffic
from decisions.models import Alert, Body, Item, Label, Policy, Queue, Rollup, Ruling
from decisions.queues.spec import FieldType
from decisions.record import digest
from decisions.watch import alerts, rounds, signals
from decisions.watch.signals import Look, Off, Payloads, Usual

WINDOW = 28  # days
SAMPLE = 20_000  # items, of the window and of the last day
RULINGS = 20_000
LABELS = 100_000  # newest labels of all queues, among which controls are looked for
PAYLOADS = (500, 1500)  # read of what arrives now, and of what arrived before
SEGMENTS, SOURCES, FIELDS = 8, 4, 60  # watched of each, the most frequent first
CHECKED = "watched"  # the figure that says when a queue was looked at
MOMENTS = ("from", "to", "before_from", "before_to")


@dataclass(frozen=True)
class Watched:
    """A queue as it is watched: its live policy, and how its signals' earlier alerts ended, by kind and key."""

    queue: Queue
    policy: Policy
    alerts: dict[tuple[str, str], list[Alert]]

    def usual(self, kind: str, key: str, change: datetime | None) -> Usual:
        """Return what shows what is usual for a signal.

        It begins with the last change of what the signal is about, or when a person called it the new normal; what
        arrived during an incident does not count, nor what arrives during one that is not over.
        """
        since, incidents = change.timestamp() if change else 0.0, []
        for alert in self.alerts.get((kind, key), []):
            if alert.closed_at and alert.end == Alert.End.NEW_NORMAL:
                since = max(since, alert.closed_at.timestamp())
            elif alert.end != Alert.End.FALSE_ALARM:
                end = alert.closed_at.timestamp() if alert.closed_at else np.inf
                incidents.append((alert.began_at.timestamp(), end))
        return Usual(since, tuple(incidents))

    def dealt_with(self, kind: str, key: str, change: datetime | None) -> float:
        """Return when a test starts that never ends by itself: after the last change, or the last alert it led to."""
        moments = [change, *(alert.closed_at for alert in self.alerts.get((kind, key), []))]
        return max((at.timestamp() for at in moments if at), default=0.0)


def check_all(at: datetime) -> int:
    """Look at every queue that routes; return how many signals were found off."""
    queues = Queue.objects.exclude(version=None).select_related("version").order_by("pk")
    return rounds.of(queues, lambda queue: len(check(queue, at)), broken="queues that were not looked at")


def check(queue: Queue, at: datetime) -> list[Alert]:
    """Look at a queue's signals; return the alerts of those that are off. Twice is as once."""
    policy = Policy.objects.live().select_related("model").filter(queue=queue).first()
    if policy is None:
        return []
    found = [
        alerts.see(queue=queue, at=at, **_told(off)) for off in _offs(Watched(queue, policy, _earlier(queue, at)), at)
    ]
    slot = at.replace(minute=0, second=0, microsecond=0)
    Rollup.objects.update_or_create(
        queue=queue, figure=CHECKED, key="", at=slot, defaults={"value": len(found), "made_at": at}
    )
    return [alert for alert in found if alert is not None]


def checked_at(queue_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each queue was last looked at."""
    rows = Rollup.objects.filter(queue__in=queue_ids, figure=CHECKED).values("queue").annotate(last=Max("made_at"))
    return {row["queue"]: row["last"] for row in rows}


def _offs(watched: Watched, at: datetime) -> Iterator[Off]:
    items = _items(watched.queue.pk, at)
    yield from _volumes(watched, items)
    yield from _scores(watched, items)
    yield from _fields(watched, items)
    yield from _overrides(watched, at)
    yield from _precision(watched)


def _items(queue_id: int, at: datetime) -> Traffic:
    """Return what arrived in 28 days, the last of them in more detail, in order."""
    now = sample.traffic(queue_id, days=1, at=at + HOUR, cap=SAMPLE)  # with the hour that is not over
    before = sample.traffic(queue_id, days=WINDOW, at=at, cap=SAMPLE)
    begins = floor_hour(at + HOUR) - DAY
    before = before.where(before.arrived < begins.timestamp())
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in (before, now)]) for f in fields(Traffic)}
    order = np.lexsort((columns["item"], columns["arrived"]))
    both = Traffic(**{name: column[order] for name, column in columns.items()})
    return both.where(both.arrived <= at.timestamp())


def _volumes(watched: Watched, items: Traffic) -> Iterator[Off]:
    """Compare the share of each route among what the live policy routed; overload is no change of what comes."""
    mine = items.where(items.policy == watched.policy.pk)
    routes = np.where(mine.reason == Item.RouteReason.OVERLOAD, Item.Route.SOFT.value, mine.route)
    for route in Item.Route.values:
        usual = watched.usual("volume", f"route:{route}", watched.policy.live_at)
        yield from signals.volume(mine.arrived, routes == route, f"route:{route}", usual)


def _scores(watched: Watched, items: Traffic) -> Iterator[Off]:
    """Compare the scores of the live policy's model: of all items, by segment and by source."""
    model = watched.policy.model_id or 0
    by_model = np.isin(items.reason, [str(reason) for reason in MODEL]) & ~np.isnan(items.score)
    mine = items.where(by_model & (items.model == model)) if model else items.where(by_model)
    parts = [("", np.ones(len(mine), dtype=np.bool_))]
    parts += [(f"segment:{name}", mine.segment == name) for name in _frequent(mine.segment, SEGMENTS)]
    parts += [(f"source:{name}", mine.source == name) for name in _frequent(mine.source, SOURCES)]
    for key, mask in parts:
        usual = watched.usual("scores", key, None)
        yield from signals.scores(mine.arrived[mask], mine.score[mask], key, usual, signals=len(parts))


def _frequent(names: Any, most: int) -> list[str]:
    """Return the most frequent names, where there is more than one."""
    counted = Counter(name for name in names.tolist() if name)
    return [name for name, _n in counted.most_common(most)] if len(counted) > 1 else []


def _fields(watched: Watched, items: Traffic) -> Iterator[Off]:
    """Compare what is missing from payloads, and categories that nobody knows."""
    version = watched.queue.version
    made_at, some = version.created_at if version else None, watched.queue.spec.fields[:FIELDS]
    known = {one.name: frozenset(one.categories) for one in some if one.type == FieldType.CATEGORY}
    signs = [("missing", one.name) for one in some] + [("unseen", name) for name in known]
    groups: dict[Usual, list[tuple[str, str]]] = defaultdict(list)  # most of them have one usual in common
    for kind, name in signs:
        groups[watched.usual(kind, f"field:{name}", made_at)].append((kind, name))
    for usual, group in groups.items():
        for look in signals.looks(items.arrived, usual, spans=PAYLOADS[:1]):
            sent = _payloads(items, look)
            names = [name for kind, name in group if kind == "missing"]
            categories = {name: known[name] for kind, name in group if kind == "unseen"}
            yield from signals.missing(sent, names, signals=len(signs))
            yield from signals.unseen(sent, categories, signals=len(signs))


def _overrides(watched: Watched, at: datetime) -> Iterator[Off]:
    """Compare how often people decide otherwise than the live policy and its model suggested."""
    rulings = Ruling.objects.filter(queue=watched.queue, source=Ruling.Source.DECISION, decision__purpose="soft")
    newest = rulings.filter(at__gt=at - DAY * WINDOW, at__lte=at).order_by("-at", "-pk")[:RULINGS]
    rows = list(newest.values_list("at", "is_override", "item__policy", "item__model"))[::-1]
    policy, model = watched.policy, watched.policy.model
    by_policy = [row for row in rows if row[2] == policy.pk]
    by_model = [row for row in rows if model and row[3] == model.pk]
    parts = [(f"policy:{policy.no}", by_policy, policy.live_at)]
    if model and len(by_model) > len(by_policy):  # else both say the same
        parts.append((f"model:{model.name}", by_model, None))
    for key, some, change in parts:
        times = np.array([row[0].timestamp() for row in some])
        differs = np.array([row[1] for row in some], dtype=np.bool_)
        usual = watched.usual("overrides", key, change)
        yield from signals.overrides(times, differs, key, usual, signals=len(parts))


def _precision(watched: Watched) -> Iterator[Off]:
    """Test the controls of the live policy against its target, in the order in which they became labels."""
    policy = watched.policy
    newest = Label.objects.aggregate(no=Max("no"))["no"]
    if policy.precision_target is None or newest is None:
        return
    controls = Label.objects.filter(
        queue=watched.queue,
        no__gt=newest - LABELS,
        provenance=Label.Provenance.CONTROL,
        item__policy=policy,
        replaces=None,  # what first became known; a later correction would change the past
        value__isnull=False,
    )
    rows = list(controls.order_by("no").values_list("at", "value"))
    key = f"policy:{policy.no}"
    times, y = np.array([at.timestamp() for at, _y in rows]), np.array([value for _at, value in rows], dtype=np.float64)
    since = watched.dealt_with("precision", key, policy.live_at)
    yield from signals.precision(times, y, key, target=policy.precision_target, since=since)


def _earlier(queue: Queue, at: datetime) -> dict[tuple[str, str], list[Alert]]:
    """Return the alerts that say something of the window, by kind and key: open ones and those that ended in it."""
    found: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    in_window = Alert.objects.filter(queue=queue, closed_at__gt=at - DAY * WINDOW)
    for alert in in_window | Alert.objects.open().filter(queue=queue):
        found[alert.kind, alert.key].append(alert)
    return found


def _payloads(items: Traffic, look: Look) -> Payloads:
    """Return what was sent with the items of a look, and with some of those before; erased ones are left out."""
    before = look.before.rows[:: -(-len(look.before.rows) // PAYLOADS[1])]
    ids = items.item[np.concatenate([before, look.rows])].tolist()
    rows = Body.objects.filter(item__in=ids).values_list("item", "content")
    sent = {item: orjson.loads(content)["payload"] for item, content in rows if content}
    now = [row for row in look.rows.tolist() if int(items.item[row]) in sent]
    return Payloads(
        before=[sent[item] for item in items.item[before].tolist() if item in sent],
        now=[sent[int(items.item[row])] for row in now],
        at=items.arrived[now],
        told=signals.told(items.arrived, look),
    )


def _told(off: Off) -> dict[str, Any]:
    """Return a signal as alerts keep it: times in words."""
    figures = {name: _moment(value) if name in MOMENTS else value for name, value in off.figures.items()}
    began = datetime.fromtimestamp(off.began, UTC)
    return {"kind": off.kind, "key": off.key, "level": off.level.value, "figures": figures, "began_at": began}


def _moment(seconds: float) -> str:
    return digest.moment(datetime.fromtimestamp(seconds, UTC))
