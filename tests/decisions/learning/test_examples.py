"""What a data set holds, read back to learn from."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from decisions.exceptions import Conflict
from decisions.learning import datasets, examples, labels
from decisions.models import DataSet, Item, Queue
from decisions.record import erase
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_item, make_queue, make_user

LATER = NOON + timedelta(days=365)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def labelled(queue: Queue, payload: dict[str, Any] | None = None, truth: str = "positive", **item: Any) -> Item:
    made = make_item(queue, payload, **item)
    labels.plan(make_ruling(made, NOON, outcome="spam" if truth == "positive" else "ham", truth=truth))
    labels.feed_due(LATER)
    return made


def test_rows_come_back_as_they_were_sent_in_the_order_of_time(queue: Queue) -> None:
    sent = {"text": "héllo", "words": 3, "amount": 1.5, "kind": "mail"}
    late = labelled(queue, {"words": "many"}, "negative", arrived_at=NOON + HOUR, score=None, p=None, propensity=0.25)
    early = labelled(queue, sent, arrived_at=NOON + 2 * HOUR, occurred_at=NOON, segment="retail", value=7.0)
    got = examples.load(datasets.freeze(queue, LATER))
    assert len(got) == 2
    assert list(got.item) == [early.pk, late.pk]  # by when they occurred
    assert list(got.external_id) == [early.external_id, late.external_id]
    assert list(got.truth) == [1, 0]
    assert list(got.at) == [NOON.timestamp(), (NOON + HOUR).timestamp()]
    assert list(got.arrived) == [(NOON + 2 * HOUR).timestamp(), (NOON + HOUR).timestamp()]
    assert list(got.weight) == [0.81, 0.81]
    assert list(got.propensity) == [1.0, 0.25]
    assert list(got.segment) == ["retail", ""]
    assert got.value[0] == 7.0
    assert got.score[0] == 0.6
    assert np.isnan(got.score[1])
    first, second = got.payloads()
    assert first == sent
    assert isinstance(first["words"], int)
    assert second == dict.fromkeys(("text", "words", "amount", "kind"))


def test_what_nobody_could_tell_teaches_nothing(queue: Queue) -> None:
    labelled(queue, truth="none")
    kept = labelled(queue)
    assert list(examples.load(datasets.freeze(queue, LATER)).item) == [kept.pk]


def test_erased_rows_are_gone_and_the_file_is_still_known(queue: Queue) -> None:
    gone, kept = labelled(queue), labelled(queue)
    made = datasets.freeze(queue, LATER)
    admin = make_user("admin", queue)
    erase.erase(item_id=gone.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=NOON)
    datasets.forget_erased()
    assert list(examples.load(made).item) == [kept.pk]


def test_another_file_a_missing_one_and_an_earlier_format_are_refused(queue: Queue) -> None:
    labelled(queue)
    made = datasets.freeze(queue, LATER)
    file = datasets.path(made) / datasets.ROWS
    data = file.read_bytes()
    file.write_bytes(data[:-9] + bytes(9))
    with pytest.raises(Conflict, match="not the one"):
        examples.load(made)
    file.unlink()
    with pytest.raises(Conflict, match="gone"):
        examples.load(made)
    with pytest.raises(Conflict, match="earlier version"):
        examples.load(DataSet(queue=queue, name=made.name, manifest={**made.manifest, "format": 1}))
