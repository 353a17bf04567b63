"""How the database finds the next task."""

from typing import Any

import pytest
from django.db import connection

from decisions import rights
from decisions.models import Queue, User
from decisions.rights import Reach
from decisions.work import pick
from tests.databases import Clone
from tests.decisions.record import owner
from tests.decisions.work.makers import answered, desk
from tests.factories import make_item, make_task

pytestmark = pytest.mark.slow
MANY = 30_000
FEW = 200  # blocks


@pytest.mark.parametrize("role", ["reviewer", "lead"])
def test_a_claim_reads_few_blocks_however_long_the_queue(committed_db: Clone, role: str) -> None:
    queue, person = desk(role)
    _many_waiting(queue.pk, make_item(queue).pk, MANY)
    assert _blocks(queue, person) < FEW


@pytest.mark.parametrize(("rank", "needs"), [(0, "language=fr"), (1, "!kind=chat"), (1, "a"), (3, "")])
def test_what_nobody_here_may_take_costs_a_claim_nothing(committed_db: Clone, rank: int, needs: str) -> None:
    """Tens of thousands out of reach, all of them more urgent, before the one that is in reach."""
    queue, person = desk("reviewer")
    User.objects.filter(pk=person.pk).update(opt_outs=[f"{queue.pk}:kind=chat"])
    _many_waiting(queue.pk, make_item(queue).pk, MANY, rank, needs)
    mine = make_task(queue)
    assert _blocks(queue, person) < FEW
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    assert pick.claim(Reach.of(stands, person), _place(queue)) == mine


def test_a_subject_with_many_items_costs_a_claim_nothing(committed_db: Clone) -> None:
    queue, person = desk("reviewer")
    item = make_item(queue, subject="f" * 32)
    make_task(queue, item)
    answered(person, queue)
    _many_waiting(queue.pk, item.pk, MANY)
    assert _blocks(queue, person) < FEW + 5 * pick.SAME


def _place(queue: Queue) -> pick.Place:
    return pick.Place(queue.pk, queue.spec.lease, queue.spec.sla_step)


def _blocks(queue: Queue, person: User) -> int:
    """Return how many blocks a claim reads; the claim is taken back."""
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    place = _place(queue)
    with connection.cursor() as cursor:
        for _ in range(2):  # the first call in a session reads the catalogue too
            cursor.execute("BEGIN")
            cursor.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {pick.TAKE}", pick.values(Reach.of(stands, person), place)
            )
            (plan,) = cursor.fetchone()[0]
            cursor.execute("ROLLBACK")
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


def _many_waiting(queue_id: int, item_id: int, count: int, rank: int = 1, needs: str = "") -> None:
    """Fill a queue in one statement; each has an item of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH items AS (
                INSERT INTO decisions_item (queue_id, external_id, intake_id, queue_version_id, policy_id, model_id,
                    source, subject, segment, arrived_at, body_digest, score, p, rung, band, route, reason, failures,
                    propensity, u, u_secret)
                SELECT queue_id, 'bulk-' || n, intake_id, queue_version_id, policy_id, model_id, source, subject,
                    segment, arrived_at, body_digest, score, p, rung, band, route, reason, failures, propensity, u,
                    u_secret
                FROM decisions_item, generate_series(1, %s) n WHERE id = %s
                RETURNING id, arrived_at
            )
            INSERT INTO decisions_task (queue_id, item_id, purpose, state, rank, round, is_demo, opened_at, due_at,
                due_step, priority, skips, lease, needs)
            SELECT %s, id, 'soft', 'waiting', %s, 1, false, arrived_at, arrived_at, arrived_at, random(), 0, 0, %s
            FROM items
            """,
            [count, item_id, queue_id, rank, needs],
        )
    with owner.session() as cursor:
        cursor.execute("ANALYZE decisions_task")  # as the server does by itself; the app's role may not


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]
