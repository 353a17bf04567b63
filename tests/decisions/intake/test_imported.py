"""An earlier tool's history: brought in once, with its own times, marked everywhere, and in no figure of ours."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from decisions.exceptions import Forbidden
from decisions.intake import imported, parse, submit
from decisions.learning import labels
from decisions.measure import accounts, floor, operating, outlook, rollups, sample, staff
from decisions.models import Action, Event, Intake, Item, Label, Move, Policy, Queue, Rollup, Ruling, Task, User
from decisions.queues import live
from decisions.queues.spec import PolicySpec
from decisions.record import deep, log, proof
from decisions.routing import frames, recount
from decisions.work import rule
from tests.decisions.work.makers import HAM, passed_item
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAST = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)  # a Monday


@pytest.fixture
def queue() -> Queue:
    policy = PolicySpec(hard=0.9, soft=0.3, suggest=0.5, control_share=0.1, objective="Keep it clean", audit_budget=24)
    return make_queue(timezone="Europe/Berlin", policy=policy)


@pytest.fixture
def sender(queue: Queue) -> User:
    return make_user("manager", queue)


def line(no: int, **changes: Any) -> dict[str, Any]:
    """Return a line: an item that people found to be spam twenty minutes after it came."""
    at = PAST + HOUR * no
    told = {
        "external_id": f"old-{no}",
        "arrived_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "outcome": "spam",
        "reason": "content",
        "decided_at": f"{at + timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}",
        "active_seconds": 30,
        "payload": {"text": "hello", "words": no},
    }
    return {key: value for key, value in {**told, **changes}.items() if value is not None}


@pytest.fixture
def bring(queue: Queue, sender: User, tmp_path: Path) -> Callable[..., imported.Outcome]:
    def bring(*rows: dict[str, Any], name: str = "old.ndjson") -> imported.Outcome:
        file = tmp_path / name
        file.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
        return imported.run(queue=queue, file=file, by=sender, at=log.now())

    return bring


def test_items_and_conclusions_come_with_their_own_times(queue: Queue, bring: Any) -> None:
    done = bring(
        line(1),
        line(2, outcome="ham", score=0.2),
        line(3, outcome=None, decided_at=None, reason=None, active_seconds=None, route="pass"),
    )
    assert (done.accepted, done.duplicates, done.bad) == (3, 0, ())
    one, two, three = Item.objects.filter(queue=queue).order_by("external_id")
    assert one.arrived_at == PAST + HOUR
    assert (one.source, one.reason, one.band, one.route, one.p, one.score) == (
        "imported",
        "imported",
        "none",
        "soft",
        None,
        None,
    )
    assert (three.route, three.rulings.count()) == ("pass", 0)
    ruling = Ruling.objects.get(item=two)
    assert (ruling.outcome, ruling.truth, ruling.source, ruling.person) == ("ham", "negative", "imported", None)
    assert ruling.at == PAST + HOUR * 2 + timedelta(minutes=20)
    assert orjson.loads(two.body.content or "")["imported"]["score"] == 0.2
    assert not Task.objects.filter(queue=queue).exists()
    assert not Action.objects.filter(queue=queue).exists()
    assert not Move.objects.exists()


def test_the_record_says_so_now_with_the_files_digest(queue: Queue, bring: Any, sender: User) -> None:
    before = log.now()
    done = bring(line(1), line(2))
    event = Event.objects.get(chain=queue.pk, kind="items.imported")
    entry = orjson.loads(event.entry)
    assert event.at >= before  # never dated back
    assert (entry["file"], entry["accepted"], entry["lines"]) == (done.sha256, 2, [1, 2])
    assert (entry["first"], entry["last"]) == ("2026-01-05T10:30:00Z", "2026-01-05T11:30:00Z")
    assert event.actor == sender
    intake = Intake.objects.get(queue=queue)
    assert (intake.accepted, intake.counts["imported"]) == (2, done.sha256)
    assert not proof.verify(queue.pk).bad
    assert list(deep.verify(queue.pk)) == []


def test_the_same_file_again_changes_nothing(queue: Queue, bring: Any) -> None:
    bring(line(1), line(2))
    first = (Rollup.objects.filter(queue=queue).count(), Event.objects.filter(chain=queue.pk).count())
    again = bring(line(1), line(2))
    assert (again.accepted, again.duplicates) == (0, 2)
    assert (Rollup.objects.filter(queue=queue).count(), Event.objects.filter(chain=queue.pk).count()) == first
    assert Item.objects.filter(queue=queue).count() == Ruling.objects.filter(queue=queue).count() == 2
    more = bring(line(1), line(2), line(3), line(3))
    assert (more.accepted, more.duplicates) == (1, 3)


def test_what_says_something_else_is_refused_with_its_line(bring: Any) -> None:
    bring(line(1))
    done = bring(line(7), line(1, outcome="ham"), line(7, outcome="ham"))
    assert done.accepted == 1
    assert [(bad.line, bad.external_id, bad.code) for bad in done.bad] == [
        (2, "old-1", "other_content"),
        (3, "old-7", "other_content"),
    ]


def test_an_item_of_our_own_is_not_taken_for_an_imported_one(queue: Queue, sender: User, bring: Any) -> None:
    row = parse.one(orjson.dumps({"external_id": "old-1", "payload": {"text": "hello", "words": 1}, "score": 0.6}))
    submit.one(queue=live.of(queue.slug), row=row, sender=sender, at=log.now())
    assert bring(line(1)).bad[0].code == "other_content"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"arrived_at": None}, "arrived_at", "missing"),
        ({"arrived_at": "yesterday"}, "arrived_at", "format"),
        ({"arrived_at": "2026-01-05T10:00:00"}, "arrived_at", "format"),  # without its offset it could be any time
        ({"arrived_at": "2199-01-01T00:00:00Z", "decided_at": "2199-01-02T00:00:00Z"}, "arrived_at", "range"),
        ({"decided_at": "2026-01-05T10:00:00Z"}, "decided_at", "order"),
        ({"decided_at": None}, "decided_at", "missing"),
        ({"outcome": None}, "decided_at", "alone"),
        ({"outcome": "maybe"}, "outcome", "reference"),
        ({"outcome": 7}, "outcome", "reference"),
        ({"reason": "mood"}, "reason", "reference"),
        ({"route": "left"}, "route", "choice"),
        ({"propensity": 0}, "propensity", "range"),
        ({"propensity": 1.5}, "propensity", "range"),
        ({"propensity": "half"}, "propensity", "type"),
        ({"active_seconds": -1}, "active_seconds", "range"),
        ({"decided_by": 7}, "decided_by", "type"),
        ({"payload": "text"}, "payload", "type"),
        ({"external_id": None}, "external_id", "missing"),
        ({"colour": "red"}, "colour", "unknown_key"),
    ],
)
def test_each_fault_has_its_line_and_field(bring: Any, changes: dict[str, Any], field: str, code: str) -> None:
    done = bring(line(1), line(2, **changes), line(3))
    assert done.accepted == 2
    (bad,) = done.bad
    assert bad.line == 2
    assert (bad.faults[0].field, bad.code) == (field, code)


def test_lines_that_are_no_json(queue: Queue, sender: User, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    file.write_bytes(orjson.dumps(line(1)) + b"\n\n{broken\n[1]\n" + orjson.dumps(line(2)))
    done = imported.run(queue=queue, file=file, by=sender, at=log.now())
    assert done.accepted == 2
    assert [(bad.line, bad.code) for bad in done.bad] == [(3, "invalid_json"), (4, "type")]


def test_a_table_packed_or_not(queue: Queue, sender: User, tmp_path: Path) -> None:
    table = (
        "external_id,arrived_at,route,outcome,decided_at,active_seconds,text,words,propensity\n"
        'a,2026-01-05T10:00:00+01:00,,spam,2026-01-05T10:10:00+01:00,12.5,"two\nlines",3,0.25\n'
        "b,2026-01-05T11:00:00+01:00,pass,,,,x,,\n"
        "c,2026-01-05T12:00:00+01:00,,maybe,2026-01-05T12:10:00+01:00,much,x,,\n"
        "d,2026-01-05T12:00:00+01:00\n"
    )
    file = tmp_path / "old.csv.gz"
    file.write_bytes(gzip.compress(table.encode()))
    done = imported.run(queue=queue, file=file, by=sender, at=log.now())
    assert done.accepted == 2
    assert [(bad.line, bad.external_id) for bad in done.bad] == [(5, "c"), (6, "d")]
    one = Item.objects.get(queue=queue, external_id="a")
    assert one.propensity == 0.25
    assert orjson.loads(one.body.content or "")["payload"] == {"text": "two\nlines", "words": 3}


def test_files_of_another_kind_and_strange_columns_are_refused(queue: Queue, sender: User, tmp_path: Path) -> None:
    for name, text, words in (("old.xlsx", "x", "must be one of"), ("old.csv", "external_id,colour\n", "colour")):
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(CommandError, match=words):
            call_command("import_history", queue.slug, str(file), "--as", sender.email)


def test_whoever_may_not_bring_items_in(queue: Queue, tmp_path: Path) -> None:
    file = tmp_path / "old.ndjson"
    file.write_bytes(orjson.dumps(line(1)))
    with pytest.raises(Forbidden):
        imported.run(queue=queue, file=file, by=make_user("reviewer", queue), at=log.now())
    assert not Policy.objects.filter(queue=queue, no=0).exists()


def test_the_command_tells_lines_and_fails_where_some_were_refused(
    queue: Queue, sender: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "old.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(one) for one in (line(1), line(2, route="left"))))
    with pytest.raises(CommandError, match="1 lines were refused; the others are in"):
        call_command("import_history", queue.slug, str(file), "--as", sender.email, "--dry-run")
    assert not Item.objects.filter(queue=queue).exists()
    with pytest.raises(CommandError, match="1 lines were refused; the others are in"):
        call_command("import_history", queue.slug, str(file), "--as", sender.email)
    said = capsys.readouterr()
    assert "line 2 (old-2): route is one of hard, soft, pass." in said.err
    assert "1 imported, 0 were here, 1 refused." in said.out
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_history", queue.slug, "nowhere.csv", "--as", sender.email)


def test_labels_are_imported_and_have_a_propensity_only_where_the_file_has(queue: Queue, bring: Any) -> None:
    bring(line(1), line(2, propensity=0.2), line(3, outcome="unclear"))
    labels.feed_due(log.now())
    told = (
        Label.objects.filter(queue=queue).order_by("item__external_id").values_list("provenance", "value", "propensity")
    )
    assert list(told) == [("imported", 1, None), ("imported", 1, 0.2), ("imported", None, None)]


def test_figures_of_our_own_leave_it_out(queue: Queue, sender: User, bring: Any) -> None:
    now = log.now()
    Queue.objects.filter(pk=queue.pk).update(created_at=now - DAY)
    recent = [line(n, arrived_at=moment(now - HOUR * n), decided_at=moment(now - HOUR * n / 2)) for n in (2, 3, 4)]
    bring(
        *recent,
        line(
            9,
            arrived_at=moment(now - HOUR * 5),
            route="pass",
            outcome=None,
            decided_at=None,
            reason=None,
            active_seconds=None,
        ),
    )
    at = log.now() + timedelta(seconds=1)
    rollups.roll_up(at)
    status = floor.status(queue.pk, at)
    assert status["queue_rate"]["of"] == 0
    assert status["overrides"]["of"] == 0
    assert len(sample.traffic(queue.pk, days=7, at=at)) == 0
    assert len(sample.labelled(queue.pk, start=at - DAY, end=at, at=at)) == 0
    assert frames.preview(queue.pk, at) is None
    assert accounts.check(Queue.objects.get(pk=queue.pk), at + HOUR * 2) == []
    found = accounts.of(queue.pk, at + HOUR * 2)
    assert found is not None
    assert found["states"] == {"imported": 4}


def test_a_frame_of_our_passes_has_none_that_was_imported(queue: Queue, bring: Any) -> None:
    now = log.now()
    ours = passed_item(queue, arrived_at=now - HOUR * 30)
    gone = {"outcome": None, "decided_at": None, "reason": None, "active_seconds": None}
    bring(*(line(n, arrived_at=moment(now - HOUR * 30 - timedelta(minutes=n)), route="pass", **gone) for n in range(5)))
    frame = frames.close(queue.pk, now, why="to see what is in it")
    assert frame.passes == 1
    assert list(frame.draws.values_list("item", flat=True)) == [ours.pk]
    assert not any("passes arrived" in one for one in recount.differences(frame))


def test_estimates_use_it_only_where_the_file_brings_propensities(queue: Queue, bring: Any) -> None:
    now = log.now()
    Queue.objects.filter(pk=queue.pk).update(created_at=now - DAY * 3)
    asked = [
        line(
            n,
            arrived_at=moment(now - HOUR * 20),
            decided_at=moment(now - HOUR),
            propensity=0.5 if n < 4 else None,
            outcome="spam" if n % 2 else "ham",
        )
        for n in range(10)
    ]
    bring(*asked)
    at = log.now() + timedelta(seconds=1)
    rollups.roll_up(at)
    rows = sample.labelled(queue.pk, start=at - DAY, end=at, at=at)
    assert rows.pi.tolist() == [0.5] * 4
    assert not rows.is_model.any()
    point = operating.point(queue.pk, at, days=2)
    assert [(one.reason, one.items, one.share.n, one.share.value) for one in point.apart] == [
        ("imported", 4, 4, 0.5)
    ] or (point.apart and point.apart[0].reason == "imported")
    assert point.hard_items == 0


def test_forecasts_work_from_the_first_day(queue: Queue, bring: Any) -> None:
    now = floor_of(log.now())
    rows = [
        line(
            n,
            external_id=f"w-{n}",
            arrived_at=moment(now - HOUR * n - timedelta(minutes=5)),
            decided_at=moment(now - HOUR * n),
        )
        for n in range(2, 400)
    ]
    bring(*rows, *(dict(row, external_id=f"{row['external_id']}b") for row in rows))
    at = log.now()
    found = outlook.of(Queue.objects.get(pk=queue.pk), at)
    assert found.arrivals.since is not None
    assert set(found.arrivals.forecast.middle.tolist()) == {2.0}
    assert set(found.arrivals.forecast.n.tolist()) == {2, 3}
    assert found.plan.pace == 120.0  # half a minute each
    assert staff.handling(queue.pk, at) == 30.0
    assert found.fan is not None


def test_people_may_still_rule_otherwise(queue: Queue, bring: Any) -> None:
    bring(line(1))
    item = Item.objects.get(queue=queue)
    lead = make_user("lead", queue)
    ruling = rule.override(item_id=item.pk, person=lead, answer=HAM)
    assert (ruling.no, ruling.outcome, ruling.was) == (2, "ham", "spam")


def test_the_policy_that_stands_for_the_earlier_tool_is_never_in_force(queue: Queue, bring: Any) -> None:
    bring(line(1))
    policy = Policy.objects.get(queue=queue, no=0)
    assert policy.state == "retired"
    assert live.of(queue.slug).policy.no == 1


@pytest.mark.slow
def test_many_lines_go_in_batches(queue: Queue, bring: Any) -> None:
    done = bring(*(line(n % 900, external_id=f"m-{n}") for n in range(4_500)))
    assert done.accepted == 4_500
    assert Event.objects.filter(chain=queue.pk, kind="items.imported").count() == 3
    counts = Rollup.objects.filter(queue=queue, figure="imported").values_list("value", flat=True)
    assert sum(counts) == 4_500
    assert list(deep.verify(queue.pk)) == []


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def floor_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
