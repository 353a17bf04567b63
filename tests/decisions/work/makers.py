"""Short ways to a claimed and a decided task."""

from datetime import timedelta
from typing import Any

from decisions.models import Decision, Item, Move, Queue, Ruling, Task, User
from decisions.work import claim, decide, gold
from decisions.work.answer import Answer
from tests.factories import NOON, make_item, make_queue, make_task, make_user

SPAM = Answer("spam", "content")
HAM = Answer("ham", "content")


def claimed(person: User, queue: Queue) -> Task:
    """Claim the next task."""
    (task,) = claim.next_tasks(queue_id=queue.pk, person=person)
    return task


def answered(person: User, queue: Queue, answer: Answer = SPAM) -> Decision:
    """Claim the next task and decide it."""
    task = claimed(person, queue)
    return decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)


def desk(role: str = "reviewer", **spec: Any) -> tuple[Queue, User]:
    """Make a queue and somebody who works on it."""
    queue = make_queue(**spec)
    return queue, make_user(role, queue)


def scored_item(queue: Queue, score: float, **fields: Any) -> Item:
    """Make an item with a score."""
    return make_item(queue, score=score, p=score, **fields)


def hard_item(queue: Queue, **fields: Any) -> Item:
    """Make an item on which the machine acted."""
    return scored_item(queue, 0.95, band="hard", route="hard", **fields)


def passed_item(queue: Queue, **fields: Any) -> Item:
    """Make an item that was passed."""
    return scored_item(queue, 0.1, band="pass", route="pass", propensity=None, q=0.5, **fields)


def control_task(queue: Queue) -> Task:
    """Make a control: what the machine would have done, sent to people."""
    item = scored_item(queue, 0.95, band="hard", route="soft", reason="control", propensity=0.1)
    return make_task(queue, item, purpose="control")


def decided_item(queue: Queue, answer: Answer = SPAM, *, by: User | None = None, **fields: Any) -> Item:
    """Make an item that somebody decided, who does nothing else unless it is said who."""
    item = make_item(queue, **fields)
    make_task(queue, item, due_step=NOON - timedelta(days=9))  # before whatever else waits
    answered(by or make_user("reviewer", queue), queue, answer)
    return item


def gold_item(queue: Queue, outcome: str = "spam", **fields: Any) -> Item:
    """Make a decided item that is gold."""
    item = decided_item(queue, **fields)
    gold.mark(item_id=item.pk, person=None, outcome=outcome, reason="expert")
    return item


def moves(task: Task) -> list[str]:
    """Return the kinds of a task's moves, oldest first."""
    return list(Move.objects.filter(task=task).order_by("id").values_list("kind", flat=True))


def rulings(item: Item) -> list[tuple[int, str, str]]:
    """Return number, outcome and source of an item's rulings."""
    return list(Ruling.objects.filter(item=item).order_by("no").values_list("no", "outcome", "source"))
