"""The label feed: by number, narrowed down, as three kinds of file."""

import csv
import io
from datetime import timedelta
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from decisions.learning import feed, labels
from decisions.learning.feed import Form, Wanted
from decisions.models import Decision, Evidence, Item, Queue
from tests.decisions.effects.world import make_ruling
from tests.decisions.work.makers import HAM, answered, gold_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

HOUR = timedelta(hours=1)
LATER = NOON + timedelta(days=3650)
pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def labelled(queue: Queue, item: Item | None = None, hours: int = 0, **ruling: Any) -> Item:
    item = item or make_item(queue)
    labels.plan(make_ruling(item, NOON + hours * HOUR, **ruling))
    labels.feed_due(NOON + (hours + 1) * HOUR)
    return item


def numbers(queues: list[Queue], after: int = 0, **wanted: Any) -> list[int]:
    pieces = feed.after(after, [queue.pk for queue in queues], Wanted(**wanted))
    return [row["no"] for piece in pieces for row in piece]


def test_the_feed_of_queues_goes_on_after_a_number(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PIECE", 2)
    other = make_queue()
    for number in range(5):
        labelled(other if number == 2 else queue)
    assert [[row["no"] for row in piece] for piece in feed.after(0, [queue.pk])] == [[1, 2], [4, 5]]
    assert numbers([queue], after=2) == [4, 5]
    assert numbers([queue, other], after=2) == [3, 4, 5]
    assert numbers([queue], after=5) == []


def test_it_can_be_narrowed_down(queue: Queue) -> None:
    item = labelled(queue)
    labelled(queue, item, 1, outcome="ham", truth="negative")
    labelled(queue, None, 2, outcome="unclear", truth="none")
    labelled(queue, None, 3, source="outside")
    assert numbers([queue], value="1") == [1, 4]
    assert numbers([queue], value="0") == [2]
    assert numbers([queue], value="none") == [3]
    assert numbers([queue], outcome="ham") == [2]
    assert numbers([queue], provenance="outside") == [4]
    assert numbers([queue], final=True) == [2, 3, 4]
    assert numbers([queue], since=NOON + 2 * HOUR, until=NOON + 4 * HOUR) == [2, 3]
    assert numbers([queue], final=True, value="1", after=3) == [4]


def test_a_line_says_weight_correction_and_what_users_say(queue: Queue) -> None:
    item = labelled(queue)
    labelled(queue, item, 1, outcome="ham", truth="negative", source="outside")
    labelled(queue, item, 2, outcome="ham", truth="negative", source="outside")
    for number, said in enumerate(("right", "wrong", "wrong")):
        Evidence.objects.create(
            queue=queue,
            item=item,
            kind="feedback",
            said=said,
            source="app",
            reference=str(number),
            told_by=make_user(),
            occurred_at=NOON,
            at=NOON,
        )
    ((first, second, third),) = feed.after(0, [queue.pk])
    assert [line["weight"] for line in (first, second, third)] == [0.81, 1.0, 1.0]
    assert [line["corrects"] for line in (first, second, third)] == [False, True, False]
    assert (third["replaces"], third["weak_right"], third["weak_wrong"]) == (2, 1, 2)


def test_it_is_written_as_lines_csv_and_parquet(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PIECE", 2)
    for name in ("=1+1", "b", "c"):
        labelled(queue, make_item(queue, external_id=name))

    def file(form: Form) -> bytes:
        return b"".join(feed.written(form, feed.after(0, [queue.pk])))

    lines = [orjson.loads(line) for line in file(Form.NDJSON).splitlines()]
    assert [line["external_id"] for line in lines] == ["=1+1", "b", "c"]
    assert tuple(lines[0]) == feed.COLUMNS
    cells = list(csv.DictReader(io.StringIO(file(Form.CSV).decode())))
    assert [cell["external_id"] for cell in cells] == ["'=1+1", "b", "c"]
    assert cells[0]["weight"] == "0.81"
    read = pq.ParquetFile(io.BytesIO(file(Form.PARQUET)))
    assert read.num_row_groups == 2
    table = read.read()
    assert table.column_names == list(feed.COLUMNS)
    assert table["no"].to_pylist() == [1, 2, 3]
    assert table["at"].to_pylist()[0] == NOON + HOUR


def test_an_empty_feed_is_a_whole_file(queue: Queue) -> None:
    empty = {form: b"".join(feed.written(form, feed.after(0, [queue.pk]))) for form in Form}
    assert empty[Form.NDJSON] == b""
    assert empty[Form.CSV].decode().strip() == ",".join(feed.COLUMNS)
    assert pq.ParquetFile(io.BytesIO(empty[Form.PARQUET])).metadata.num_rows == 0


def test_answers_to_gold_items_make_no_labels_of_their_own() -> None:
    queue = make_queue(undo=timedelta(0))
    item = gold_item(queue)
    for _ in range(2):
        person = make_user("reviewer", queue)
        make_task(queue, item, purpose="gold", only_for=person)
        answered(person, queue, HAM)
    labels.feed_due(LATER)
    assert Decision.objects.filter(item=item).count() == 3
    assert numbers([queue]) == numbers([queue], final=True) == [1]
