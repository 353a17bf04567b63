"""The record is whole, or the first bad entry and every bad row are named."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from decisions.models import Event, Queue
from decisions.record import checkpoint, deep, log, proof
from decisions.record.proof import BadEntry, What
from tests.databases import Clone
from tests.decisions.record import owner
from tests.decisions.record.makers import arrive, decide
from tests.factories import NOON, make_queue, make_user

EVENT = "decisions_event"


@pytest.fixture
def queue(committed_db: Clone) -> Queue:
    """A queue with two decided items of three, and some refusals."""
    queue = make_queue()
    first, second, _third = arrive(queue, "one", "two", "three")
    decide(first)
    decide(second, note="")
    for reason in ("claim", "decide", "export"):
        log.append(Event.Kind.RIGHT_REFUSED, chain=queue.pk, actor=None, at=log.now(), reason=reason)
    log.append(Event.Kind.PERSON_MADE, chain=Event.SITE, actor=None, at=NOON, entry={"person": 7})
    return queue


def verify_log(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_log", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def complaints(*arguments: str) -> str:
    """Return what the command says when the record does not hold."""
    out = StringIO()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_log", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_a_whole_record_verifies_down_to_its_rows(queue: Queue) -> None:
    report = proof.verify()
    assert (report.entries, report.bad) == (7, ())
    assert [(head.chain, head.seq) for head in report.heads] == [(Event.SITE, 1), (queue.pk, 6)]
    assert list(deep.verify()) == []
    assert "The record holds." in verify_log("--deep")


def test_the_command_says_what_it_cannot_show(queue: Queue) -> None:
    assert "newest entries were cut off" in verify_log("--queue", queue.slug)


def test_an_unknown_queue_is_named(committed_db: Clone) -> None:
    with pytest.raises(CommandError, match="no queue “nowhere”"):
        call_command("verify_log", "--queue", "nowhere")


SWAP = (
    "UPDATE decisions_event SET seq = CASE seq WHEN 2 THEN -5 ELSE -2 END WHERE chain = %s AND seq IN (2, 5);"
    "UPDATE decisions_event SET seq = -seq WHERE seq < 0"
)
BY_THE_OWNER = {
    "a reason is changed": ("UPDATE decisions_event SET reason = 'x' WHERE chain = %s AND seq = 5", 5, What.ALTERED),
    "an actor is changed": ("UPDATE decisions_event SET actor_id = NULL WHERE chain = %s AND seq = 2", 2, What.ALTERED),
    "an entry is changed": ("UPDATE decisions_event SET entry = '{{}}' WHERE chain = %s AND seq = 1", 1, What.ALTERED),
    "a time is changed": (
        "UPDATE decisions_event SET at = at + interval '1 microsecond' WHERE chain = %s AND seq = 4",
        4,
        What.ALTERED,
    ),
    "the newest is changed": ("UPDATE decisions_event SET kind = 'x' WHERE chain = %s AND seq = 6", 6, What.ALTERED),
    "a hash is changed": ("UPDATE decisions_event SET hash = '\\x00' WHERE chain = %s AND seq = 3", 3, What.HASH),
    "an entry is removed": ("DELETE FROM decisions_event WHERE chain = %s AND seq = 3", 3, What.MISSING),
    "the first is removed": ("DELETE FROM decisions_event WHERE chain = %s AND seq = 1", 1, What.MISSING),
    "two are swapped": (SWAP, 2, What.REORDERED),
    "one is moved to the end": (
        "UPDATE decisions_event SET seq = 7 WHERE chain = %s AND seq = 4",
        4,
        What.MISSING,
    ),
}


@pytest.mark.parametrize(("statement", "seq", "what"), BY_THE_OWNER.values(), ids=BY_THE_OWNER)
def test_the_first_bad_entry_is_named(queue: Queue, statement: str, seq: int, what: What) -> None:
    owner.tamper(EVENT, statement.replace("{{}}", "{}"), queue.pk)
    assert proof.verify().bad == (BadEntry(queue.pk, seq, what),)
    assert f"chain {queue.pk}, entry {seq}: {what}" in complaints()


def test_a_bad_chain_does_not_hide_the_others(queue: Queue) -> None:
    owner.tamper(EVENT, "UPDATE decisions_event SET reason = 'x' WHERE chain = 0")
    report = proof.verify()
    assert [bad.chain for bad in report.bad] == [Event.SITE]
    assert [head.chain for head in report.heads] == [queue.pk]


def test_an_entry_that_the_application_forged_shows(queue: Queue) -> None:
    Event.objects.create(chain=queue.pk, seq=7, kind="items.arrived", entry="{}", hash=b"h" * 32, at=NOON)
    assert proof.verify(queue.pk).bad == (BadEntry(queue.pk, 7, What.ALTERED),)


ROWS = {
    # table, statement, the row that is named
    "a decision": ("decision", "UPDATE decisions_decision SET outcome = 'ham'", "altered"),
    "who decided": (
        "decision",
        "UPDATE decisions_decision SET person_id = (SELECT min(id) FROM decisions_user)",
        "altered",
    ),
    "a ruling": ("ruling", "UPDATE decisions_ruling SET truth = 'negative'", "altered"),
    "an item": ("item", "UPDATE decisions_item SET score = 0.7", "altered"),
    "an intake": ("intake", "UPDATE decisions_intake SET rejected = 1", "altered"),
    "a note": ("decision", "UPDATE decisions_decision SET note = 'He knows me'", "altered"),
    "a note that is emptied": ("ruling", "UPDATE decisions_ruling SET note = ''", "altered"),
    "a body": ("body", "UPDATE decisions_body SET content = '{\"payload\": {}}'", "altered"),
    "a body that is emptied": ("body", "UPDATE decisions_body SET content = NULL, salt = NULL", "emptied"),
    "a body that is removed": ("body", "DELETE FROM decisions_body", "missing"),
    "a ruling that is removed": ("ruling", "DELETE FROM decisions_ruling", "missing"),
}


@pytest.mark.parametrize(("name", "statement", "what"), ROWS.values(), ids=ROWS)
def test_a_tampered_row_is_found_and_named(queue: Queue, name: str, statement: str, what: str) -> None:
    key = "item_id" if name == "body" else "id"
    table = f"decisions_{name}"
    pk = owner.value(f"SELECT min({key}) FROM {table}")
    owner.tamper(table, f"{statement} WHERE {key} = %s", pk)
    assert proof.verify().bad == ()
    (bad,) = deep.verify(queue.pk)
    assert (bad.table, bad.pk) == (table, pk)
    assert bad.what.startswith(what)
    assert f"{table}, row {pk}: {what}" in complaints("--deep")


def test_an_item_that_is_removed_shows_in_its_intake(queue: Queue) -> None:
    item = owner.value("SELECT id FROM decisions_item WHERE external_id = 'three'")
    intake = owner.value("SELECT intake_id FROM decisions_item WHERE id = %s", item)
    owner.tamper("decisions_body", "DELETE FROM decisions_body WHERE item_id = %s", item)
    owner.tamper("decisions_item", "DELETE FROM decisions_item WHERE id = %s", item)
    (bad,) = deep.verify()
    assert str(bad) == f"decisions_intake, row {intake}: 1 of its items missing or altered"


def copied(table: str, **changes: str) -> str:
    """Return the statement that adds a row like an existing one, with other values in some columns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        columns = [row[0] for row in cursor.fetchall() if row[0] != "id"]
    values = ", ".join(changes.get(column, column) for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} ORDER BY id LIMIT 1 RETURNING id"


@pytest.mark.parametrize(
    ("table", "changes", "what"),
    [
        ("decisions_decision", {"round": "2"}, "no event speaks of it"),
        ("decisions_ruling", {"no": "2"}, "no event speaks of it"),
        ("decisions_intake", {"digests": "''"}, "no event speaks of it"),
        ("decisions_item", {"external_id": "'four'"}, "not among what its intake lists"),
    ],
)
def test_a_row_that_the_application_slipped_in_is_found(
    queue: Queue, table: str, changes: dict[str, str], what: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(copied(table, **changes))
        (pk,) = cursor.fetchone()
    assert str(next(deep.verify())) == f"{table}, row {pk}: {what}"


@pytest.fixture
def kept(queue: Queue, tmp_path: Path) -> Path:
    """A checkpoint of the record as it is."""
    path = tmp_path / "heads.json"
    call_command("checkpoint", "--out", str(path), stdout=StringIO())
    return path


def test_a_checkpoint_holds_while_the_record_only_grows(queue: Queue, kept: Path) -> None:
    log.append(Event.Kind.RIGHT_REFUSED, chain=queue.pk, actor=None, at=log.now(), reason="claim")
    assert "signed by key" in verify_log("--checkpoint", str(kept))


def test_truncation_shows_against_a_checkpoint_only(queue: Queue, kept: Path) -> None:
    owner.tamper(EVENT, "DELETE FROM decisions_event WHERE chain = %s AND seq > 4", queue.pk)
    assert proof.verify().bad == ()
    assert f"chain {queue.pk}, entry 6: truncated since" in complaints("--checkpoint", str(kept))


def test_a_full_rewrite_shows_against_a_checkpoint_only(queue: Queue, kept: Path) -> None:
    owner.tamper(EVENT, "DELETE FROM decisions_event WHERE chain = %s", queue.pk)
    for _ in range(6):
        log.append(Event.Kind.RIGHT_REFUSED, chain=queue.pk, actor=None, at=log.now())
    assert proof.verify().bad == ()
    assert f"chain {queue.pk}, entry 6: rewritten since" in complaints("--checkpoint", str(kept))


def forge(document: dict[str, Any]) -> None:
    document["heads"] = []


def other_key(document: dict[str, Any]) -> None:
    document["public_key"] = "00" * 32


def cut_off(document: dict[str, Any]) -> None:
    del document["signature"]


@pytest.mark.parametrize("change", [forge, other_key, cut_off])
def test_a_checkpoint_that_was_tampered_with_is_refused(kept: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = orjson.loads(kept.read_bytes())
    change(document)
    kept.write_bytes(orjson.dumps(document))
    with pytest.raises(CommandError, match=r"signature|not a checkpoint"):
        call_command("verify_log", "--checkpoint", str(kept))


def test_a_checkpoint_of_another_key_is_refused(kept: Path) -> None:
    with pytest.raises(CommandError, match="another key"):
        call_command("verify_log", "--checkpoint", str(kept), "--public-key", "ab" * 32)
    assert "holds" in verify_log(
        "--checkpoint", str(kept), "--public-key", checkpoint.parse(kept.read_bytes()).public_key
    )


def test_a_checkpoint_is_not_overwritten(kept: Path) -> None:
    with pytest.raises(CommandError, match="exists"):
        call_command("checkpoint", "--out", str(kept))


def test_without_a_key_nothing_is_signed(committed_db: Clone, settings: Any) -> None:
    settings.CHECKPOINT_KEY = ""
    with pytest.raises(CommandError, match="CHECKPOINT_KEY"):
        call_command("checkpoint")


def test_two_that_append_at_once_leave_a_chain_without_a_gap(committed_db: Clone) -> None:
    both = threading.Barrier(2)

    def append(times: int) -> None:
        try:
            both.wait(timeout=10)
            for _ in range(times):
                with transaction.atomic():
                    log.append(Event.Kind.RIGHT_REFUSED, chain=5, actor=None, at=log.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(append, [100, 100]))
    report = proof.verify()
    assert (report.entries, report.bad) == (200, ())


def test_an_append_waits_for_the_one_before_it_and_follows_it(committed_db: Clone) -> None:
    def append_elsewhere() -> int:
        try:
            return log.append(Event.Kind.RIGHT_REFUSED, chain=5, actor=None, at=log.now()).seq
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = log.append(Event.Kind.RIGHT_REFUSED, chain=5, actor=None, at=log.now())
            second = pool.submit(transaction.atomic(append_elsewhere))
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
        assert (first.seq, second.result(timeout=10)) == (1, 2)
    assert proof.verify().bad == ()


@pytest.mark.django_db
def test_refusals_are_noted_sixty_times_an_hour_for_one_person_and_right() -> None:
    from decisions.exceptions import Forbidden

    person = make_user()
    for _ in range(70):
        log.refuse(person, Forbidden(right="erase"), NOON)
    log.refuse(person, Forbidden(right="export"), NOON)
    assert Event.objects.filter(kind=Event.Kind.RIGHT_REFUSED, reason="erase").count() == 60
    assert Event.objects.filter(kind=Event.Kind.RIGHT_REFUSED, reason="export").count() == 1
