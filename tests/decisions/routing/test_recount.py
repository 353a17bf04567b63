"""A closed frame follows from the log, to the last bit, also in another process; one that was changed does not."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from decisions.models import Frame, Item, ModelVersion
from decisions.record import deep
from decisions.routing import frames, recount
from tests.databases import Clone
from tests.decisions.record import owner
from tests.decisions.routing.framed import audited_queue, named, send
from tests.factories import NOON, make_frame, make_queue

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("blind", [(), ("new",)])
def test_a_frame_follows_from_the_log_bit_for_bit_in_another_process(
    committed_db: Clone, blind: tuple[str, ...]
) -> None:
    queue = audited_queue(61)
    send(queue, named(300, "a"), NOON)
    frames.close(queue.pk, NOON + timedelta(hours=2))
    send(queue, named(300, "b"), NOON + timedelta(hours=3))
    for k in range(20):  # each with a harm of its own
        send(queue, [f"d-{k}"], NOON + timedelta(hours=5), payload={"text": "x", "amount": 3.7 * 1.9**k})
    frames.close(queue.pk, NOON + timedelta(hours=6))
    ModelVersion.objects.create(queue=queue, name="other", kind="external", app_version="t", created_at=NOON)
    for k in range(20):
        send(
            queue,
            [f"e-{k}"],
            NOON + timedelta(hours=7),
            payload={"text": "x", "amount": 2.3 * 1.7**k},
            other=0.9 / (1 + k),
        )
    assert Item.objects.filter(p_other__gt=0, v__gt=0).count() == 20
    assert Frame.objects.filter(harm_square__gt=0).exists()
    send(queue, named(50, "c"), NOON + timedelta(hours=8), segment="new")
    frame = frames.close(queue.pk, NOON + timedelta(hours=12), blind=blind)
    assert len(frame.strata) == 1 + len(blind)
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_frame", queue.slug, str(frame.pk)],
        cwd=ROOT, env=committed_db.environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{frame.passes} passes, {frame.drawn} drawn" in done.stdout


# what somebody with the owner's rights changes, and what is said of it
@pytest.mark.parametrize(
    ("table", "statement", "said"),
    [
        ("decisions_draw", "UPDATE decisions_draw SET pi = pi * 0.999", "pi differs"),
        ("decisions_item", "UPDATE decisions_item SET u = u / 2 WHERE external_id = 'm-3'", "u differs"),
        (
            "decisions_item",
            "UPDATE decisions_item SET score = score / 2 WHERE external_id = 'm-3'",
            "p does not follow from its score",
        ),
        (
            "decisions_item",
            "UPDATE decisions_item SET p = p * 1.000000001 WHERE external_id = 'm-3'",
            "p does not follow from its score",
        ),
        (
            "decisions_item",
            "UPDATE decisions_item SET q = q * 1.5 WHERE external_id = 'm-3'",
            "q follows from no frame before",
        ),
        (
            "decisions_item",
            "UPDATE decisions_item SET p_other = 0.5 WHERE external_id = 'm-3'",
            "p_other does not follow",
        ),
        ("decisions_item", "UPDATE decisions_item SET v = 1.5 WHERE external_id = 'm-3'", "q follows from no frame"),
        ("decisions_item", "UPDATE decisions_item SET harm = 7 WHERE external_id = 'm-3'", "harm_square is"),
        ("decisions_frame", "UPDATE decisions_frame SET mean_p = 0.5", "mean_p is"),
        (
            "decisions_draw",
            "DELETE FROM decisions_draw WHERE id = (SELECT min(id) FROM decisions_draw)",
            "not drawn, and should be",
        ),
        (
            "decisions_item",
            "UPDATE decisions_item SET route = 'soft' WHERE external_id = 'm-3'",
            "passes arrived in its span",
        ),
        (
            "decisions_event",
            "UPDATE decisions_event SET entry = replace(entry, 'draws\":\"', 'draws\":\"0') WHERE kind ~ 'frame'",
            "other draws",
        ),
    ],
)
def test_a_frame_that_does_not_follow_is_told(committed_db: Clone, table: str, statement: str, said: str) -> None:
    queue = audited_queue(5)
    send(queue, named(20), NOON)
    frame = frames.close(queue.pk, NOON + timedelta(hours=12))
    call_command("verify_frame", queue.slug, frame.pk)
    owner.tamper(table, statement)
    assert any(said in line for line in recount.differences(Frame.objects.get()))
    with pytest.raises(CommandError, match="does not follow"):
        call_command("verify_frame", queue.slug, frame.pk)


def test_the_deep_check_of_the_record_finds_changed_draws_without_the_secret(committed_db: Clone) -> None:
    queue = audited_queue(5)
    send(queue, named(20), NOON)
    frame = frames.close(queue.pk, NOON + timedelta(hours=12))
    assert not list(deep.verify(queue.pk))
    owner.tamper("decisions_draw", "UPDATE decisions_draw SET pi = pi * 0.999 WHERE pi < 1")
    (bad,) = deep.verify(queue.pk)
    assert (bad.table, bad.pk, bad.what) == ("decisions_frame", frame.pk, "its draws are not those that were recorded")


def test_a_frame_that_no_event_speaks_of_is_found(committed_db: Clone) -> None:
    frame = make_frame(make_queue())
    (bad,) = deep.verify(frame.queue_id)
    assert (bad.pk, bad.what) == (frame.pk, "no event speaks of it")
