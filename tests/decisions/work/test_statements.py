"""How many statements a claim and a decision take: the bench runs them on both sides and would not notice more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from decisions.work import claim, decide
from tests.decisions.work.makers import HAM, answered, desk
from tests.factories import make_task

pytestmark = pytest.mark.django_db


def statements(call: Callable[[], Any]) -> tuple[Any, int]:
    """Return what a call returns, and how many statements it ran besides those that bound its transaction."""
    texts: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *given: Any) -> Any:
        texts.append(sql)
        return execute(sql, *given)

    with connection.execute_wrapper(note):
        result = call()
    return result, sum("SAVEPOINT" not in text for text in texts)


def test_a_claim_and_a_decision_take_few_statements() -> None:
    queue, person = desk()
    for _ in range(2):
        make_task(queue)
    answered(person, queue)  # what is read once in a process has been read
    (task,), claiming = statements(lambda: claim.next_tasks(queue_id=queue.pk, person=person))
    _, deciding = statements(lambda: decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=HAM))
    assert (claiming, deciding) == (6, 16)
