"""Exports: everything that matches, in constant memory, with a manifest that proves it."""

import csv
import hashlib
import io
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from decisions.exceptions import Forbidden, Invalid
from decisions.models import Event, Label, Queue, Ruling, User
from decisions.record import export, log
from decisions.record.export import Form, Kind
from decisions.record.history import Wanted
from tests.decisions.record.makers import arrive, decide
from tests.factories import NOON, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def auditor(queue: Queue) -> User:
    return make_user("auditor", queue, email="auditor@example.org")


def document(kind: Kind, form: Form, queue: Queue | None, by: User, **wanted: Any) -> bytes:
    made = export.begin(kind=kind, form=form, queue=queue, wanted=Wanted(**wanted), by=by, at=log.now())
    return b"".join(made.lines())


def rows_of(text: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the rows of a document of JSON lines, and its manifest."""
    *rows, last = [orjson.loads(line) for line in text.splitlines()]
    return rows, last["manifest"]


def cells_of(text: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV document."""
    body = text[: text.rindex(b"# {")].decode()
    return list(csv.DictReader(io.StringIO(body, newline="")))


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("kind", Kind)
def test_the_manifest_counts_and_seals_what_is_before_it(queue: Queue, auditor: User, kind: Kind, form: Form) -> None:
    for item in arrive(queue, "one", "two"):
        ruling = decide(item)
        Label.objects.create(
            no=item.pk, queue=queue, item=item, ruling=ruling, outcome="spam", provenance="soft", ruled_at=NOON, at=NOON
        )
    text = document(kind, form, queue, auditor)
    before, last = text[: text.rindex(b"\n", 0, -1) + 1], text.splitlines()[-1]
    manifest = orjson.loads(last.removeprefix(b"# "))["manifest"]
    assert manifest["sha256"] == hashlib.sha256(before).hexdigest()
    assert manifest["rows"] == {Kind.EVENTS: 3}.get(kind, 2)
    assert (manifest["kind"], manifest["queue"], manifest["withheld"]) == (kind, queue.slug, 0)


def test_every_row_comes_once_whatever_the_size_of_a_chunk(
    queue: Queue, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 3)
    for place, item in enumerate(arrive(queue, *(f"item-{i}" for i in range(10)))):
        decide(item, at=NOON + timedelta(seconds=place // 4))  # several at the same time
    rows, _ = rows_of(document(Kind.OVERRIDES, Form.JSONL, queue, auditor))
    assert [row["external_id"] for row in rows] == [f"item-{i}" for i in range(10)]
    events, _ = rows_of(document(Kind.EVENTS, Form.JSONL, queue, auditor))
    assert [row["seq"] for row in events] == list(range(1, 13))  # the first export's own entry too


def test_events_are_exported_so_that_others_can_verify_them(queue: Queue, auditor: User) -> None:
    (item,) = arrive(queue, "one")
    decide(item)
    rows, _ = rows_of(document(Kind.EVENTS, Form.JSONL, queue, auditor))
    assert [row["kind"] for row in rows] == ["items.arrived", "decision.made"]
    previous = log.GENESIS
    for row in rows:
        line = [*(row[name] for name in ("chain", "seq", "kind", "actor", "item", "reason", "entry", "at"))]
        previous = hashlib.sha256(bytes([row["version"]]) + previous + orjson.dumps(line)).digest()
        assert previous.hex() == row["hash"]


def test_the_filter_narrows_and_is_named(queue: Queue, auditor: User) -> None:
    first, second = arrive(queue, "one", "two")
    decide(first)
    decide(second, outcome="ham")
    rows, manifest = rows_of(document(Kind.OVERRIDES, Form.JSONL, queue, auditor, outcome="ham", text="know"))
    assert [row["external_id"] for row in rows] == ["two"]
    assert manifest["filter"] == {"which": "overrides", "outcome": "ham", "text": "know"}


def test_an_export_is_entered_in_the_record_without_the_words_that_were_searched(queue: Queue, auditor: User) -> None:
    document(Kind.OVERRIDES, Form.CSV, queue, auditor, text="Ann", outcome="ham")
    event = Event.objects.get(kind=Event.Kind.RECORD_EXPORTED)
    assert (event.chain, event.actor) == (queue.pk, auditor)
    assert orjson.loads(event.entry) == {
        "kind": "overrides",
        "form": "csv",
        "filter": {"which": "overrides", "outcome": "ham"},
        "searched_notes": True,
    }


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"])
def test_a_cell_that_starts_a_formula_is_quoted(queue: Queue, auditor: User, note: str) -> None:
    decide(*arrive(queue, "one"), note=note)
    (row,) = cells_of(document(Kind.DECISIONS, Form.CSV, queue, auditor))
    assert row["note"] == f"'{note}"


def test_cells_keep_commas_quotes_line_breaks_and_negative_numbers(queue: Queue, auditor: User) -> None:
    note = 'He said: "no, never"\nand left'
    ruling = decide(*arrive(queue, "one"), note=note)
    Label.objects.create(
        no=1, queue=queue, item=ruling.item, ruling=ruling, outcome="spam", propensity=-0.5, provenance="soft",
        ruled_at=NOON, at=NOON,
    )  # fmt: skip
    (row,) = cells_of(document(Kind.DECISIONS, Form.CSV, queue, auditor))
    assert (row["note"], row["was_shown"], row["at"]) == (note, "false", "2026-03-02T12:00:00Z")
    (label,) = cells_of(document(Kind.LABELS, Form.CSV, queue, auditor))
    assert label["propensity"] == "-0.5"


@pytest.mark.parametrize("role", ["reviewer", "lead", "admin"])
def test_who_lacks_the_right_exports_nothing(queue: Queue, role: str) -> None:
    with pytest.raises(Forbidden) as refused:
        document(Kind.EVENTS, Form.CSV, queue, make_user(role, queue))
    assert refused.value.right == "export"


def test_only_events_belong_to_the_site(queue: Queue) -> None:
    auditor = make_user("auditor")
    log.append(Event.Kind.PERSON_MADE, chain=Event.SITE, actor=None, at=NOON)
    rows, manifest = rows_of(document(Kind.EVENTS, Form.JSONL, None, auditor))
    assert ([row["kind"] for row in rows], manifest["queue"]) == (["person.made"], None)
    with pytest.raises(Invalid):
        document(Kind.LABELS, Form.JSONL, None, auditor)


def test_a_manager_who_must_stay_blind_to_an_item_learns_nothing_of_it(queue: Queue) -> None:
    blind, free = arrive(queue, "blind", "free")
    for item in (blind, free):
        decide(item)
    make_task(queue, blind, purpose="second")
    rows, manifest = rows_of(document(Kind.OVERRIDES, Form.JSONL, queue, make_user("manager", queue)))
    assert ([row["external_id"] for row in rows], manifest["withheld"]) == (["free"], 1)
    rows, manifest = rows_of(document(Kind.OVERRIDES, Form.JSONL, queue, make_user("auditor", queue)))
    assert (len(rows), manifest["withheld"]) == (2, 0)


def test_memory_does_not_grow_with_the_rows(queue: Queue, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 100)
    (item,) = arrive(queue, "one")
    Ruling.objects.bulk_create(
        Ruling(
            queue=queue, item=item, no=no, outcome="spam", truth="positive", source="override", note="x" * 500,
            is_override=True, at=NOON, final_at=NOON,
        )
        for no in range(1, 5001)
    )  # fmt: skip
    made = export.begin(kind=Kind.OVERRIDES, form=Form.JSONL, queue=queue, wanted=Wanted(), by=auditor, at=log.now())
    tracemalloc.start()
    size = sum(len(piece) for piece in made.lines())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 4_000_000
    assert peak < 2_000_000


def test_the_command_writes_a_file_and_does_not_overwrite_one(queue: Queue, auditor: User, tmp_path: Path) -> None:
    decide(*arrive(queue, "one"))
    given: dict[str, Any] = {"queue": queue.slug, "person": auditor.email, "out": tmp_path / "overrides.jsonl"}
    call_command("export", "overrides", since="2026-03-01T00:00:00Z", **given)
    rows, manifest = rows_of(given["out"].read_bytes())
    assert (len(rows), manifest["rows"]) == (1, 1)
    with pytest.raises(CommandError, match="exists"):
        call_command("export", "overrides", **given)
