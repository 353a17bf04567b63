"""Celery's doors: every one that beat opens is there, may run twice, and a slow one does not run beside itself."""

import pytest
from celery import current_app
from django.conf import settings

from decisions import tasks
from decisions.effects import deliver

NAMES = sorted(str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.django_db
def test_each_task_of_the_schedule_is_there_and_does_no_harm_twice(name: str) -> None:
    task = current_app.tasks[name]
    task()
    task()


def test_the_schedule_and_the_doors_are_the_same() -> None:
    assert sorted(name for name in current_app.tasks if name.startswith("decisions.tasks.")) == NAMES


@pytest.mark.django_db
def test_deliveries_leave_a_run_that_is_under_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[object] = []
    monkeypatch.setattr(deliver, "deliver_due", runs.append)
    with tasks.turn("deliver_due") as is_mine:
        assert is_mine
        tasks.deliver_due()
    assert runs == []
    tasks.deliver_due()
    assert len(runs) == 1


@pytest.mark.django_db
def test_a_run_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), tasks.turn("deliver_due"):
        raise ZeroDivisionError
    with tasks.turn("deliver_due") as is_mine:
        assert is_mine
