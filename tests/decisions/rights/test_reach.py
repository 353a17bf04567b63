"""Reach in SQL is the same rule as `may`."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions import rights
from decisions.models import (
    Decision,
    Item,
    Membership,
    Move,
    Ruling,
    Task,
    User,
)
from decisions.rights import DEFAULT, Act, Limit, Own, Reach, Standing
from tests.factories import NOON, make_item, make_queue, make_task, make_user

LIMITS = st.builds(
    Limit,
    is_valued=st.booleans(),
    rank=st.sampled_from(list(Task.Rank)),
    purposes=st.none() | st.frozensets(st.sampled_from(list(Task.Purpose))),
    own=st.sampled_from([Own.ANY, Own.INDEPENDENT]),
    up_to=st.none() | st.sampled_from([0.0, 5.0]),
)


def hands(queue_item: dict[str, Item], person: User) -> None:
    """Give the person another hand in each item, named by its key."""
    for kind, item in queue_item.items():
        other = make_task(item.queue, item, purpose="control", state="decided")
        answered = other if kind == "decided" else None
        if kind == "ruled":
            Ruling.objects.create(
                queue=item.queue,
                item=item,
                no=1,
                truth="none",
                source="override",
                person=person,
                at=NOON,
                final_at=NOON,
            )
        elif kind == "escalated":
            Move.objects.create(task=other, kind="escalated", person=person, at=NOON)
        elif kind == "here":
            answered = Task.objects.get(item=item, state="waiting")
        if answered:
            decide_on(answered, person)


def decide_on(task: Task, person: User) -> Decision:
    return Decision.objects.create(
        queue=task.queue,
        item=task.item,
        task=task,
        round=1,
        purpose=task.purpose,
        queue_version=task.item.queue_version,
        person=person,
        outcome="spam",
        claimed_at=NOON,
        at=NOON,
    )


@pytest.mark.django_db
def test_reach_in_sql_is_the_same_rule_as_may() -> None:
    """On random people, tables, tasks and values; `here` is a decision on the task itself, which was undone."""
    queue = make_queue()
    person = make_user("reviewer", queue)
    owners = {"nobody": None, "them": person, "another": make_user("reviewer", queue)}
    kinds = ("none", "decided", "ruled", "escalated", "here")
    tasks = {kind: make_task(queue, value=1.0) for kind in kinds}
    tasks["excluded"] = make_task(queue, make_item(queue, external_id="kept-out"))
    tasks["subject"] = make_task(queue, make_item(queue, subject="a" * 32))
    hands({kind: task.item for kind, task in tasks.items()}, person)
    seen: set[bool] = set()

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        role=st.sampled_from(Membership.Role.values),
        kind=st.sampled_from(list(User.Kind)),
        limit=st.none() | st.sampled_from([0.0, 5.0, 1e9]),
        act=st.sampled_from([Act.CLAIM, Act.DECIDE, Act.ESCALATE, Act.HOLD, Act.EXPORT]),
        other=st.none() | LIMITS,
        hand=st.sampled_from([*kinds, "excluded", "subject"]),
        purpose=st.sampled_from(list(Task.Purpose)),
        rank=st.sampled_from(list(Task.Rank)),
        value=st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([-1.0, 0.0, 5.0, 5.1]),
        is_demo=st.booleans(),
        only_for=st.sampled_from(["nobody", "them", "another"]),
        needs=st.sampled_from(["", "law", "language=fr\nlaw", "!topic=gore", "!topic=gore\nlaw", "!topic=war"]),
        skills=st.frozensets(st.sampled_from(["law", "language=fr"])),
        shuns=st.frozensets(st.sampled_from(["topic=gore", "topic=war", "law"])),
        excluded=st.frozensets(st.sampled_from(["item:kept-out", "subject:" + "a" * 32, "item:other"])),
    )
    def agree(
        *,
        role: str,
        kind: User.Kind,
        limit: float | None,
        act: Act,
        other: Limit | None,
        hand: str,
        purpose: Task.Purpose,
        rank: int,
        value: float | None,
        is_demo: bool,
        only_for: str,
        needs: str,
        skills: frozenset[str],
        shuns: frozenset[str],
        excluded: frozenset[str],
    ) -> None:
        Task.objects.filter(purpose="gold").update(purpose="soft")  # a person has one at a time
        task = tasks[hand]
        task.purpose, task.rank, task.value, task.is_demo = purpose, rank, value, is_demo
        task.only_for, task.needs = owners[only_for], needs
        task.save(update_fields=["purpose", "rank", "value", "is_demo", "only_for", "needs"])
        table = DEFAULT.under({act: {role: other}}, (1, "now")) if other else DEFAULT
        stands = Standing(role, limit, kind, table, skills, shuns, excluded)
        allowed = rights.may(stands, act, rights.case_of(task, person))
        reach = Reach.of(stands, person, act)
        assert Task.objects.filter(reach.condition, pk=task.pk).exists() is allowed
        seen.add(allowed)

    agree()
    assert seen == {True, False}
