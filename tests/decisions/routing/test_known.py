"""The contract on known data: what is frozen, how a policy is checked on it, and what may not go live."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from decisions.exceptions import Conflict, Forbidden, Invalid
from decisions.learning import frozen, training
from decisions.learning.training import Example
from decisions.models import Event, Item, KnownCheck, KnownSet, ModelVersion, Policy, Queue, QueueVersion
from decisions.queues import dump
from decisions.queues.spec import ModelSpec, Promise, Remedy
from decisions.routing import known, promises, publish
from decisions.routing.policy import Routing
from decisions.routing.terms import Changes
from tests.decisions.routing.known_rows import COLUMNS, TRUTH, Cells, lines, write
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "known.csv", lines())


def promising(precision: float | None = 0.9, recall: float | None = 0.9, **changes: Any) -> Queue:
    return make_queue(promise=Promise(precision, recall), **changes)


def live(queue: Queue) -> Policy:
    return Policy.objects.live().get(queue=queue)


def freeze(queue: Queue, file: Path, **given: Any) -> KnownSet:
    return known.freeze(queue=queue, file=file, truth=TRUTH, at=NOON, **given)


def test_a_set_is_named_by_the_hash_of_its_file_and_leaves_one_event(file: Path) -> None:
    queue, by = make_queue(), make_user("manager")
    made = freeze(queue, file, note="from the archive of 2025", by=by)
    assert (made.rows, made.positives, made.note, made.author) == (100, 40, "from the archive of 2025", by)
    row = frozen.load(made)[1]
    assert (row.line, row.is_positive, row.scores) == (3, True, {"external": 0.95})
    assert row.payload == {"text": "m 1", "words": 1, "amount": 1.5, "kind": "mail"}
    event = Event.objects.get(kind="known_set.made")
    assert (event.chain, event.actor, orjson.loads(event.entry)["sha256"]) == (queue.pk, by, made.name)


def test_the_same_rows_are_the_same_set_and_other_rows_replace_it(file: Path, tmp_path: Path) -> None:
    queue = make_queue()
    first, again = freeze(queue, file), freeze(queue, file)
    assert first == again
    other = freeze(queue, write(tmp_path / "other.csv", lines(110)))
    assert known.newest(queue.pk) == other
    assert Event.objects.filter(kind="known_set.made").count() == 2
    with pytest.raises(Conflict, match="replaced"):
        freeze(queue, file)


def test_a_set_never_changes(file: Path) -> None:
    made = freeze(make_queue(), file)
    for change in ("UPDATE decisions_knownset SET rows = 1", "DELETE FROM decisions_knownset"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert KnownSet.objects.get(pk=made.pk).rows == 100


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes() + b"\n")])
def test_a_file_that_is_gone_or_altered_is_refused(file: Path, data_dir: Path, harm: Callable[[Path], object]) -> None:
    queue = promising()
    made = freeze(queue, file)
    harm(data_dir / made.file)
    with pytest.raises(Conflict, match="known data"):
        known.check(live(queue), NOON)
    with pytest.raises(Conflict, match="known data"):
        known.require(live(queue), NOON)
    assert known.check_draft(live(queue), NOON) is None


def spoilt(line: int, **cells: Any) -> list[Cells]:
    rows = lines()
    rows[line - 2].update(cells)
    return rows


# the rows, the columns of the file, and where and why it is refused
UNFIT: list[tuple[list[Cells], tuple[str, ...], str, str]] = [
    (spoilt(7, words="many"), COLUMNS, "line 7, column “words”", "type"),
    (spoilt(9, truth=""), COLUMNS, "line 9, column “truth”", "missing"),
    (spoilt(4, score="1.5"), COLUMNS, "line 4, column “score”", "range"),  # outside the model's range
    (spoilt(4, score="nan"), COLUMNS, "line 4, column “score”", "range"),
    (spoilt(4, score=""), COLUMNS, "line 4, column “score”", "range"),
    (lines(), COLUMNS[1:], "line 1, column “text”", "missing"),  # no such column
    (lines(), (*COLUMNS, "words"), "line 1, column “words”", "twice"),
    (lines(), COLUMNS[:-1], "line 1, column “score”", "missing"),  # nobody else scores this queue's items
    (lines(60, 12), COLUMNS, "rows", "too_few"),
    (lines(50, 40), COLUMNS, "rows", "too_few"),
]


@pytest.mark.parametrize(("rows", "columns", "place", "code"), UNFIT)
def test_a_file_that_does_not_fit_is_refused_by_line_and_column(
    tmp_path: Path, rows: list[Cells], columns: tuple[str, ...], place: str, code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        freeze(make_queue(), write(tmp_path / "known.csv", rows, columns))
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [(place, code)]
    assert not KnownSet.objects.exists()


def test_many_faults_are_told_in_part(tmp_path: Path) -> None:
    rows = [{**row, "words": "many"} for row in lines()]
    with pytest.raises(Invalid) as caught:
        freeze(make_queue(), write(tmp_path / "known.csv", rows))
    assert len(caught.value.faults) == frozen.FAULTS_TOLD + 1
    assert caught.value.faults[-1].code == "more"


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"text,words\n1,2,3,4\n", b""])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "known.csv"
    path.write_bytes(data)
    with pytest.raises(Invalid):
        freeze(make_queue(), path)


def test_a_line_of_another_length_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "known.csv", lines())
    path.write_text(path.read_text() + "short,1\n")
    with pytest.raises(Invalid) as caught:
        freeze(make_queue(), path)
    assert [fault.field for fault in caught.value.faults] == ["line 102"]


def test_a_queue_that_names_no_truth_is_refused(file: Path) -> None:
    with pytest.raises(Invalid) as caught:
        known.freeze(queue=make_queue(), file=file, at=NOON)
    assert [fault.field for fault in caught.value.faults] == ["truth"]


@pytest.mark.parametrize(("role", "may"), [("reviewer", False), ("lead", False), ("auditor", False), ("manager", True)])
def test_freezing_is_for_those_who_may_apply_the_queue(file: Path, role: str, may: bool) -> None:
    queue = make_queue()
    if may:
        assert freeze(queue, file, by=make_user(role, queue)).rows == 100
        return
    with pytest.raises(Forbidden):
        freeze(queue, file, by=make_user(role, queue))


# hits and rows, the promise, and whether it is kept
KEPT = [
    (9, 10, 0.9, True),  # exactly what was promised
    (8, 10, 0.9, False),
    (0, 0, 0.9, True),  # nothing is acted on: nothing can be broken
    (1, 10, None, True),  # nothing is promised
]


@pytest.mark.parametrize(("hits", "of", "promised", "is_kept"), KEPT)
def test_a_promise_is_kept_where_the_point_reaches_it(
    hits: int, of: int, promised: float | None, is_kept: bool
) -> None:
    share = known.Kept.count(hits, of, promised)
    assert share.is_kept == is_kept
    assert share.low <= (share.value or 0.0) <= share.high


def test_the_interval_is_the_exact_one() -> None:
    share = known.Kept.count(18, 20, None)
    assert (share.low, share.high) == pytest.approx((0.6830, 0.9877), abs=1e-4)  # Clopper and Pearson


def test_figures_count_what_the_model_makes_hard_and_what_people_see() -> None:
    def words(*given: str) -> Any:
        return np.array(given, dtype=object)

    routing = Routing(
        band=words("hard", "hard", "soft", "none", "pass", "hard"),
        route=words("hard", "hard", "soft", "soft", "pass", "hard"),
        reason=words("score", "score", "score", "input_check", "score", "input_check"),
        propensity=np.ones(6),
        p=np.ones(6),
        q=np.ones(6),
        v=np.ones(6),
        level=np.zeros(6, dtype=np.int64),
    )
    truth = np.array([True, False, True, True, True, True])
    found = known.figures(truth, routing, Promise(0.5, 0.9), rows=8, learnt=1, sent_back=1)
    assert (found.precision.hits, found.precision.of) == (1, 2)  # what failed a check is not the model's doing
    assert (found.recall.hits, found.recall.of) == (4, 5)
    assert (found.routes, found.failed_checks) == ({"hard": 3, "soft": 2, "pass": 1}, 2)
    assert (found.precision.is_kept, found.recall.is_kept) == (True, False)


def test_a_check_routes_the_rows_as_the_policy_would_and_leaves_one_event(file: Path) -> None:
    queue, by = promising(precision=0.9, recall=0.99), make_user("manager")
    made = known.check(set_and_policy(queue, file), NOON, by=by)
    told = made.figures
    assert told["routes"] == {"hard": 22, "soft": 20, "pass": 58}
    assert (told["precision"]["hits"], told["precision"]["of"]) == (20, 22)
    assert (told["recall"]["hits"], told["recall"]["of"]) == (40, 40)
    assert (made.is_kept, told["learnt"], promises.missed(told, "Spam")) == (True, None, "")
    event = Event.objects.get(kind="known_set.checked")
    assert (event.actor, orjson.loads(event.entry)["is_kept"]) == (by, True)


def set_and_policy(queue: Queue, file: Path) -> Policy:
    freeze(queue, file)
    return live(queue)


def test_a_broken_promise_keeps_a_policy_from_going_live_and_is_named(file: Path) -> None:
    queue = promising(precision=0.95, recall=0.5)
    policy = set_and_policy(queue, file)
    with pytest.raises(Conflict, match=r"act on 22 rows, and 20 of them are Spam: 90\.9 %; promised is at least 95"):
        known.require(policy, NOON)
    stricter = publish.draft(queue=queue, changes={"hard": 0.96}, by=None, why="stricter", at=NOON)
    known.require(stricter, NOON)  # nothing is automatic any more
    blind = publish.draft(queue=queue, changes={"hard": 0.96, "soft": 0.96, "suggest": 0.96}, by=None, why="x", at=NOON)
    with pytest.raises(Conflict, match="40 rows are Spam, and the machine or a person would see 0 of them"):
        known.require(blind, NOON)


def test_without_a_promise_nothing_is_asked() -> None:
    queue = make_queue()
    known.require(live(queue), NOON)
    assert not KnownCheck.objects.exists()


def test_a_promise_without_a_set_is_refused() -> None:
    with pytest.raises(Conflict, match="freeze_known_set"):
        known.require(live(promising()), NOON)


def test_a_check_counts_on_the_newest_set_and_the_version_in_force_only(file: Path, tmp_path: Path) -> None:
    queue = promising()
    policy = set_and_policy(queue, file)
    known.require(policy, NOON)
    known.require(policy, NOON)
    assert KnownCheck.objects.count() == 1  # the first one stands
    freeze(queue, write(tmp_path / "other.csv", lines(110)))
    known.require(policy, NOON)
    assert KnownCheck.objects.count() == 2
    harder = replace(queue.spec, promise=Promise(0.99, 0.5))
    queue.version = QueueVersion.objects.create(queue=queue, no=2, content=dump.content(harder), created_at=NOON)
    queue.save(update_fields=["version"])
    with pytest.raises(Conflict):
        known.require(policy, NOON)


def test_rows_that_fail_a_check_go_to_people_and_what_must_be_mended_is_left_out(tmp_path: Path) -> None:
    queue = promising()
    rows = [
        {**row, "words": "" if i < 3 else row["words"], "kind": "fax" if 3 <= i < 5 else "mail"}
        for i, row in enumerate(lines())
    ]
    fields = tuple(replace(f, if_missing=Remedy.PEOPLE) if f.name == "words" else f for f in queue.spec.fields)
    queue = promising(fields=tuple(replace(f, if_invalid=Remedy.ASK) if f.name == "kind" else f for f in fields))
    made = known.check(set_and_policy(queue, write(tmp_path / "gaps.csv", rows)), NOON)
    assert (made.figures["failed_checks"], made.figures["sent_back"]) == (3, 2)
    assert made.figures["recall"]["of"] == 38
    assert sum(made.figures["routes"].values()) == 98


def test_a_model_without_scores_in_the_set_cannot_be_checked(file: Path) -> None:
    queue = promising()
    freeze(queue, file)
    other = ModelVersion.objects.create(queue=queue, name="v2", kind="external", app_version="t", created_at=NOON)
    policy = publish.draft(queue=queue, changes={"model": other}, by=None, why="new", at=NOON)
    with pytest.raises(Conflict, match="score:v2"):
        known.check(policy, NOON)


def test_each_model_has_its_own_column_of_scores(tmp_path: Path) -> None:
    queue = promising()
    ModelVersion.objects.create(
        queue=queue, name="v2", kind="external", score_high=100, app_version="t", created_at=NOON
    )
    rows = [{**row, "score:v2": 100 if row["truth"] == "spam" else 0} for row in lines()]
    freeze(queue, write(tmp_path / "two.csv", rows, (*COLUMNS, "score:v2")))
    v2 = ModelVersion.objects.get(name="v2")
    changes = Changes(model=v2, hard=90, soft=50, suggest=60)
    policy = publish.draft(queue=queue, changes=changes, by=None, why="new", at=NOON)
    made = known.check(policy, NOON)
    assert made.figures["precision"]["value"] == made.figures["recall"]["value"] == 1.0


def trained(rows: list[Cells]) -> tuple[Queue, Policy]:
    """Return a queue with a draft whose model learnt from these rows."""
    queue = promising(precision=None, recall=0.5, model=ModelSpec(pipeline="boosting", label="truth", positive="spam"))
    read = frozen.Reader.of(queue, None)
    examples = []
    for i, cells in enumerate(rows):
        row = read._row({name: str(value) for name, value in cells.items()}, i, [])
        assert row
        examples.append(Example(str(i), row.payload, row.is_positive))
    model = training.train(queue=queue, examples=examples, in_time=False, by=None, at=NOON)
    return queue, publish.draft(queue=queue, changes={"model": model}, by=None, why="trained", at=NOON)


def test_rows_that_the_model_learnt_from_are_left_out_and_counted(tmp_path: Path) -> None:
    queue, policy = trained(lines(60, 30))
    fresh = [{**row, "text": f"new {i}"} for i, row in enumerate(lines(80, 30))]
    freeze(queue, write(tmp_path / "mixed.csv", [*fresh, *lines(60, 30)[20:40]]))
    made = known.check(policy, NOON)
    assert (made.figures["rows"], made.figures["learnt"]) == (100, 20)
    assert (made.figures["positives"], made.figures["negatives"]) == (30, 50)


def test_a_model_is_not_judged_by_what_it_learnt(tmp_path: Path) -> None:
    queue, policy = trained(lines(60, 30))
    freeze(queue, write(tmp_path / "same.csv", lines(60, 30)))
    with pytest.raises(Conflict, match="20 of each"):
        known.require(policy, NOON)


def test_the_command_freezes_and_names_line_and_column(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = make_queue()
    call_command("freeze_known_set", queue.slug, str(file), truth="truth", positive="spam", note="archive")
    assert "100 rows, 40 of them positive" in capsys.readouterr().out
    bad = write(tmp_path / "bad.csv", spoilt(7, words="many"))
    with pytest.raises(CommandError, match="line 7, column “words”: “many” is not a number"):
        call_command("freeze_known_set", queue.slug, str(bad), truth="truth", positive="spam")
    call_command("freeze_known_set", queue.slug, str(file), truth="truth", positive="spam", where=["words<90"])
    assert "90 rows, 40 of them positive" in capsys.readouterr().out
    with pytest.raises(CommandError, match="go together"):
        call_command("freeze_known_set", queue.slug, str(file), truth="truth")


def test_checking_is_for_those_who_draft(file: Path) -> None:
    queue = promising()
    policy = set_and_policy(queue, file)
    with pytest.raises(Forbidden):
        known.check(policy, NOON, by=make_user("auditor", queue))
    assert Item.objects.count() == 0  # known rows are no items


def test_a_step_towards_live_is_refused_while_a_promise_is_broken(file: Path) -> None:
    queue = promising(precision=0.95, recall=0.5)
    freeze(queue, file)
    draft = publish.draft(queue=queue, changes={"hard": 0.94}, by=None, why="try", at=NOON)
    assert KnownCheck.objects.get().policy == draft  # checked as it is drafted
    with pytest.raises(Conflict, match="breaks a promise"):
        publish.approve(policy=draft, by=None, why="go", at=NOON)
    Policy.objects.filter(pk=draft.pk).update(state=Policy.State.APPROVED)
    draft.refresh_from_db()
    for step in (publish.publish, partial(publish.canary, share=0.1)):
        with pytest.raises(Conflict, match="breaks a promise"):
            step(policy=draft, by=None, why="go", at=NOON)
    assert live(queue).no == 1


def test_going_back_is_not_held_up_by_a_promise(file: Path) -> None:
    queue = promising(precision=0.5, recall=0.5)
    freeze(queue, file)
    draft = publish.draft(queue=queue, changes={"hard": 0.94}, by=None, why="try", at=NOON)
    publish.approve(policy=draft, by=None, why="go", at=NOON)
    publish.publish(policy=draft, by=None, why="go", at=NOON)
    harder = replace(queue.spec, promise=Promise(0.99, 0.99))
    queue.version = QueueVersion.objects.create(queue=queue, no=2, content=dump.content(harder), created_at=NOON)
    queue.save(update_fields=["version"])
    publish.roll_back(queue=queue, by=None, why="it hurts", at=NOON)
    assert live(queue).no == 1
