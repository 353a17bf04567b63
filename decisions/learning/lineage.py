"""The registry of a queue's models: how each one stands, where it came from, and what it did since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import orjson
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from decisions.exceptions import NotFound, Refused
from decisions.learning import registry
from decisions.models import DataSet, Event, ModelVersion, Policy, Queue, Rollup, Shadow, User

DAYS = 28
PAGE = 100
MADE = (Event.Kind.MODEL_TRAINED, Event.Kind.MODEL_IMPORTED)
USED = frozenset({Policy.State.LIVE, Policy.State.CANARY})


class Standing(StrEnum):
    """How a model stands: it routes, is tried on a share, scores beside, is on the way, routed once, or never did."""

    LIVE = "live"
    CANARY = "canary"
    SHADOW = "shadow"
    DRAFTED = "drafted"
    RETIRED = "retired"
    UNUSED = "unused"


@dataclass(frozen=True)
class FileState:
    """What can be said of a model's file without reading it: the key that sealed it, or why it is refused.

    `code` is sealed, refused, or none for a model without a file.
    """

    code: str
    key: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Known:
    """One model version as the registry shows it. `policies` pin it, newest first; `items` it scored in 28 days."""

    model: ModelVersion
    standing: Standing
    policies: Sequence[Policy]
    shadow: Shadow | None
    items: int
    made: Event | None
    file: FileState
    data_set: DataSet | None

    @property
    def maker(self) -> User | None:
        """Who trained it or brought it in; None: the machine, or the server's shell."""
        return self.made.actor if self.made else None


def of_queue(queue: Queue, at: datetime, *, most: int = PAGE) -> list[Known]:
    """Return a queue's models, newest first; of very many the newest."""
    return _known(queue, ModelVersion.objects.filter(queue=queue).order_by("-pk")[:most], at)


def one(queue: Queue, name: str, at: datetime) -> Known:
    """Return one model of a queue by its name."""
    found = _known(queue, ModelVersion.objects.filter(queue=queue, name=name), at)
    if not found:
        raise NotFound
    return found[0]


def routed(queue_id: int, since: datetime) -> dict[tuple[int, int], int]:
    """Return how many items each policy routed by each model (ids; 0: by none) from an hour on, by hourly counts."""
    counted = Rollup.objects.filter(queue=queue_id, figure="banded", at__gte=since)
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for key, value in counted.values_list("key").annotate(Sum("value")):
        policy, model, *_rest = key.split(":")
        found[int(policy), int(model)] += int(value)
    return dict(found)


def _known(queue: Queue, models: QuerySet[ModelVersion], at: datetime) -> list[Known]:
    rows = list(models)
    ids = [model.pk for model in rows]
    policies, shadows = _policies(ids), _shadows(ids)
    made, sets, items = _made(queue.pk, ids), _data_sets(queue.pk, rows), _items(queue.pk, at)
    return [
        Known(
            model=model,
            standing=standing([policy.state for policy in policies[model.pk]], is_shadow=model.pk in shadows),
            policies=policies[model.pk],
            shadow=shadows.get(model.pk),
            items=items.get(model.pk, 0),
            made=made.get(model.pk),
            file=file_state(model),
            data_set=sets.get(model.data_set),
        )
        for model in rows
    ]


def standing(states: Iterable[str], *, is_shadow: bool) -> Standing:
    """Return how a model stands, by the states of the policies that pin it: what counts most comes first."""
    found = set(states)
    for state, name in ((Policy.State.LIVE, Standing.LIVE), (Policy.State.CANARY, Standing.CANARY)):
        if state in found:
            return name
    if is_shadow:
        return Standing.SHADOW
    if found & {Policy.State.DRAFT, Policy.State.APPROVED}:
        return Standing.DRAFTED
    return Standing.RETIRED if found else Standing.UNUSED


def file_state(model: ModelVersion) -> FileState:
    """Return how a model's file stands: its seal is read, and of the file only whether it is there."""
    if not model.file:
        return FileState("none")
    try:
        made = registry.sealed(model)
        if not (registry.folder() / model.file).is_file():
            return FileState("refused", detail=_("The file of the model %(name)s is gone.") % {"name": model.name})
        if made.sha256 != model.sha256:
            return FileState("refused", detail=_("The seal is of other bytes than those that were stored."))
    except Refused as error:
        return FileState("refused", detail=error.detail)
    return FileState("sealed", key=made.key)


def _policies(ids: Sequence[int]) -> defaultdict[int, list[Policy]]:
    found: defaultdict[int, list[Policy]] = defaultdict(list)
    for policy in Policy.objects.filter(model__in=ids).select_related("author").order_by("-no"):
        found[policy.model_id or 0].append(policy)
    return found


def _shadows(ids: Sequence[int]) -> dict[int, Shadow]:
    running = Shadow.objects.running().filter(model__in=ids).select_related("person", "model")
    return {shadow.model_id: shadow for shadow in running}


def _made(queue_id: int, ids: Sequence[int]) -> dict[int, Event]:
    """Return the entry of the record that made each model."""
    events = Event.objects.filter(chain=queue_id, kind__in=MADE).select_related("actor").order_by("-seq")
    found = {}
    for event in events[: 10 * PAGE]:
        model = orjson.loads(event.entry).get("model")
        if model in ids:
            found[model] = event
    return found


def _data_sets(queue_id: int, models: Sequence[ModelVersion]) -> Mapping[str, DataSet]:
    names = [model.data_set for model in models if model.data_set]
    return {one.name: one for one in DataSet.objects.filter(queue=queue_id, name__in=names)}


def _items(queue_id: int, at: datetime) -> dict[int, int]:
    found: defaultdict[int, int] = defaultdict(int)
    for (_policy, model), n in routed(queue_id, at - timedelta(days=DAYS)).items():
        found[model] += n
    return found
