"""Checkpoints that the worker leaves outside: one an hour in which the record grew, whole, and never overwritten."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from decisions import tasks
from decisions.models import Event
from decisions.record import checkpoint, log
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.CHECKPOINT_DIR = tmp_path / "kept"
    return tmp_path / "kept"


def grow() -> None:
    log.append(Event.Kind.RIGHT_REFUSED, chain=Event.SITE, actor=None, at=log.now())


def test_one_an_hour_that_holds_and_shows_what_is_cut_off(folder: Path) -> None:
    grow()
    first = checkpoint.deposit(NOON)
    assert first == folder / f"{NOON:%Y-%m-%dT%H}.json"
    found = checkpoint.parse(first.read_bytes())
    assert found.heads == checkpoint.heads()
    assert checkpoint.compare(found) == []
    grow()
    assert checkpoint.deposit(NOON + HOUR / 2) is None
    later = checkpoint.deposit(NOON + HOUR)
    assert later
    assert checkpoint.parse(later.read_bytes()).heads != found.heads
    assert sorted(folder.iterdir()) == sorted([first, later])


def test_a_record_that_did_not_grow_needs_none(folder: Path) -> None:
    grow()
    assert checkpoint.deposit(NOON)
    assert checkpoint.deposit(NOON + HOUR) is None


def test_a_file_that_was_spoilt_is_no_reason_to_stay_away(folder: Path) -> None:
    grow()
    first = checkpoint.deposit(NOON)
    assert first
    first.write_text("{}")
    assert checkpoint.deposit(NOON + HOUR)
    assert first.read_text() == "{}"


def test_without_a_key_nothing_is_signed(settings: LazySettings, folder: Path) -> None:
    settings.CHECKPOINT_KEY = ""
    grow()
    tasks.sign_heads()
    assert not folder.exists()
