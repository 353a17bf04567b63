"""Commands about what goes out and comes back: they parse, call and print."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from decisions.effects import endpoints
from decisions.learning import datasets, labels
from decisions.models import Action, DataSet, Queue
from tests.decisions.effects.world import make_action, make_ruling
from tests.factories import NOON, make_item, make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def run(*words: str) -> tuple[str, str]:
    """Run a command; return what it wrote on standard output and standard error."""
    out, err = StringIO(), StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_set_endpoint_prints_the_secret_alone_and_once(queue: Queue) -> None:
    out, _ = run("set_endpoint", queue.slug, "https://8.8.8.8/")
    (target,) = endpoints.targets(timezone.now())
    assert target.keys == (endpoints.key(out.strip()),)
    assert out.count("\n") == 1
    assert run("set_endpoint", queue.slug, "https://8.8.8.8/other")[0] == ""


def test_set_endpoint_rotates(queue: Queue) -> None:
    first, _ = run("set_endpoint", queue.slug, "https://8.8.8.8/")
    second, _ = run("set_endpoint", queue.slug, "https://8.8.8.8/", "--rotate")
    keys = endpoints.targets(timezone.now())[0].keys
    assert keys == (endpoints.key(second.strip()), endpoints.key(first.strip()))


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://8.8.8.8/", "nonsense"])
def test_set_endpoint_refuses_addresses_that_may_not_be_called(queue: Queue, url: str) -> None:
    with pytest.raises(CommandError):
        run("set_endpoint", queue.slug, url)


def test_replay_deliveries_sends_dead_letters_again(queue: Queue) -> None:
    dead = make_action(queue, NOON, state="dead", attempts=10)
    told = make_action(queue, NOON, state="delivered", delivered_at=NOON)
    assert run("replay_deliveries", queue.slug)[0] == "1 will be sent again.\n"
    assert run("replay_deliveries", queue.slug, "--action", str(told.pk))[0] == "1 will be sent again.\n"
    assert set(Action.objects.filter(pk__in=[dead.pk, told.pk]).values_list("state", flat=True)) == {"pending"}


def test_freeze_data_set_prints_its_folder(queue: Queue, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="no labels"):
        run("freeze_data_set", queue.slug)
    ruling = make_ruling(make_item(queue), NOON)
    labels.plan(ruling)
    labels.feed_due(ruling.final_at)
    out, _ = run("freeze_data_set", queue.slug)
    assert Path(out.strip()) == datasets.path(DataSet.objects.get())


@pytest.mark.parametrize(
    "words", [("set_endpoint", "none", "https://8.8.8.8/"), ("replay_deliveries", "none"), ("freeze_data_set", "none")]
)
def test_an_unknown_queue_is_said(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="no queue"):
        run(*words)
