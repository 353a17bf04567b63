"""Recomputes the digests of the rows that events speak of, and finds rows that no event speaks of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from decisions.models import Body, Decision, Event, Evidence, Fact, Frame, Gold, Grade, Intake, Item, Policy, Ruling
from decisions.record import digest, draws, streams

CHUNK = 2000
PREFIX = 8  # bytes of an item's digest that its intake holds
# An event speaks of each of their rows.
ACCOUNTED: tuple[type[Model], ...] = (Intake, Decision, Ruling, Frame, Gold, Grade, Evidence)
BLOCK = 2**16


@dataclass(frozen=True)
class BadRow:
    """A row that is not what the record says of it."""

    table: str
    pk: int
    what: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" (one of: {', '.join(self.columns)})" if self.columns else ""
        return f"{self.table}, row {self.pk}: {self.what}{where}"


class Numbers:
    """A set of row numbers as bits: a table of ten million rows takes little more than a megabyte."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        block, bit = divmod(number, BLOCK)
        bits = self._blocks.setdefault(block, bytearray(BLOCK // 8))
        bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, number: int) -> bool:
        block, bit = divmod(number, BLOCK)
        bits = self._blocks.get(block)
        return bits is not None and bool(bits[bit >> 3] >> (bit & 7) & 1)


def verify(chain: int | None = None) -> Iterator[BadRow]:
    """Yield every row that differs from what the record says, of one queue's chain or of all."""
    spoken: dict[str, Numbers] = defaultdict(Numbers)
    yield from _spoken_rows(chain, spoken)
    yield from _unspoken_rows(chain, spoken)
    yield from _items(chain)
    yield from _bodies(chain)
    yield from _notes(chain)
    yield from _quietly_emptied(chain)
    yield from _draws(chain)


def checkable() -> dict[str, type[Model]]:
    """Return the models whose rows keep their digest, by name: facts, and rows of which only set columns change."""
    models = apps.get_app_config("decisions").get_models()
    return {str(model._meta.model_name): model for model in models if issubclass(model, Fact) or model is Policy}


def _spoken_rows(chain: int | None, spoken: dict[str, Numbers]) -> Iterator[BadRow]:
    """Hold the rows that events name against the digests they were named with."""
    events = Event.objects.filter(_of(chain, "chain"), entry__contains='"rows":').order_by("chain", "seq")
    for batch in _batches(streams.tuples(events.values_list("entry"))):
        named: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for (text,) in batch:
            for name, pk, sealed in orjson.loads(text)["rows"]:
                named[name].append((pk, sealed))
                spoken[name].add(pk)
        for name, model in checkable().items():
            yield from _compare(model, named.get(name, []))


def _compare(model: type[Model], named: list[tuple[int, str]]) -> Iterator[BadRow]:
    """Compare rows with the digests that events give them."""
    rows = model._default_manager.in_bulk([pk for pk, _ in named]) if named else {}
    for pk, sealed in named:
        row = rows.get(pk)
        if row is None:
            yield BadRow(model._meta.db_table, pk, "missing")
        elif digest.of_row(row).hex() != sealed:
            yield _altered(row)


def _altered(row: Model) -> BadRow:
    return BadRow(row._meta.db_table, row.pk, "altered", tuple(digest.columns(row)))


def _unspoken_rows(chain: int | None, spoken: dict[str, Numbers]) -> Iterator[BadRow]:
    """Find decisions, rulings and intakes that were put in without an event."""
    for model in ACCOUNTED:
        known = spoken[str(model._meta.model_name)]
        rows = model._default_manager.filter(_of(chain, "queue")).order_by("pk")
        for (pk,) in streams.tuples(rows.values_list("pk")):
            if pk not in known:
                yield BadRow(model._meta.db_table, pk, "no event speaks of it")


def _items(chain: int | None) -> Iterator[BadRow]:
    """Hold the items of each intake against the digests it lists, some thousand items at a time."""
    intakes = Intake.objects.filter(_of(chain, "queue")).order_by("pk").values_list("pk", "digests")
    waiting: dict[int, bytes] = {}
    for pk, listed in streams.tuples(intakes):
        waiting[pk] = bytes(listed)
        if len(waiting) >= CHUNK or sum(map(len, waiting.values())) >= CHUNK * PREFIX:
            yield from _of_intakes(waiting)
            waiting = {}
    yield from _of_intakes(waiting)


def _of_intakes(intakes: dict[int, bytes]) -> Iterator[BadRow]:
    """Compare the items of some intakes with what these list."""
    items: dict[int, list[Item]] = defaultdict(list)
    for item in Item.objects.filter(intake__in=intakes):
        items[item.intake_id].append(item)
    for pk, listed in intakes.items():
        sealed = [listed[at : at + PREFIX] for at in range(0, len(listed), PREFIX)]
        yield from _of_intake(pk, sorted(items[pk], key=lambda item: item.external_id), sealed)


def _of_intake(pk: int, items: list[Item], sealed: list[bytes]) -> Iterator[BadRow]:
    """Compare items, in the order of external ids, with the prefixes their intake lists."""
    found = [digest.of_row(item)[:PREFIX] for item in items]
    if len(found) == len(sealed):
        yield from (_altered(item) for item, is_, was in zip(items, found, sealed, strict=True) if is_ != was)
        return
    known = set(sealed)
    strangers = [item for item, is_ in zip(items, found, strict=True) if is_ not in known]
    yield from (BadRow(Item._meta.db_table, item.pk, "not among what its intake lists") for item in strangers)
    gone = len(known - set(found))
    if gone:
        yield BadRow(Intake._meta.db_table, pk, f"{gone} of its items missing or altered")


def _bodies(chain: int | None) -> Iterator[BadRow]:
    """Compare bodies that were not erased with their items' commitments to them."""
    of_queue = Item.objects.filter(_of(chain, "queue")).order_by("pk")
    for (pk,) in streams.tuples(of_queue.filter(body=None).values_list("pk")):
        yield BadRow(Body._meta.db_table, pk, "missing")
    whole = of_queue.filter(body__content__isnull=False, body__salt__isnull=False)
    for pk, sealed, content, salt in streams.tuples(
        whole.values_list("pk", "body_digest", "body__content", "body__salt")
    ):
        if digest.commitment(bytes(salt), content.encode()) != bytes(sealed):
            yield BadRow(Body._meta.db_table, pk, "altered", ("content", "salt"))


def _notes(chain: int | None) -> Iterator[BadRow]:
    """Compare notes with their commitments, while the salt is there."""
    for model in (Decision, Ruling, Evidence):
        rows: QuerySet[Any, Any] = model._default_manager.filter(_of(chain, "queue"), item__body__salt__isnull=False)
        with_note = rows.exclude(note="", note_digest=None).order_by("pk")
        for pk, note, sealed, salt in streams.tuples(
            with_note.values_list("pk", "note", "note_digest", "item__body__salt")
        ):
            if sealed is None or digest.commitment(bytes(salt), note.encode()) != bytes(sealed):
                yield BadRow(model._meta.db_table, pk, "altered", ("note", "note_digest"))


def _quietly_emptied(chain: int | None) -> Iterator[BadRow]:
    """Find bodies that were emptied without an event of it."""
    erased = Event.objects.filter(item=OuterRef("item"), kind=Event.Kind.ITEM_ERASED)
    empty = Body.objects.filter(_of(chain, "item__queue")).filter(Q(content=None) | Q(salt=None))
    for (pk,) in streams.tuples(empty.filter(~Exists(erased)).order_by("pk").values_list("pk")):
        yield BadRow(Body._meta.db_table, pk, "emptied, and no event says so", ("content", "salt"))


def _draws(chain: int | None) -> Iterator[BadRow]:
    """Hold each frame's draws against the digest that the entry of its closing has."""
    events = Event.objects.filter(_of(chain, "chain"), kind=Event.Kind.FRAME_CLOSED).order_by("chain", "seq")
    for (text,) in streams.tuples(events.values_list("entry")):
        entry = orjson.loads(text)
        for name, pk, _sealed in entry["rows"]:
            if name == Frame._meta.model_name and draws.of_frame(pk) != entry["draws"]:
                yield BadRow(Frame._meta.db_table, pk, "its draws are not those that were recorded")


def _of(chain: int | None, column: str) -> Q:
    """Return the condition that keeps to one chain, or none."""
    return Q() if chain is None else Q(**{column: chain})


def _batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows in lists of bounded length."""
    remaining = iter(rows)
    while batch := list(islice(remaining, CHUNK)):
        yield batch
