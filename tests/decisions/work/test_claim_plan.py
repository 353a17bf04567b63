"""How the database finds the next task."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from decisions import rights
from decisions.rights import Act, Reach
from decisions.work import claim
from tests.databases import Clone
from tests.decisions.record import owner
from tests.decisions.work.makers import desk
from tests.factories import make_item


@pytest.mark.slow
@pytest.mark.parametrize("role", ["reviewer", "lead"])
def test_a_claim_reads_the_index_from_its_start_however_long_the_queue(committed_db: Clone, role: str) -> None:
    """The plan among 30,000 waiting tasks: the partial index, no sort, and as many rows as are claimed."""
    queue, person = desk(role)
    item = make_item(queue)
    _many_waiting(queue.pk, item.pk, 30_000)
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    reach = Reach.of(stands, person, Act.CLAIM)
    statement = claim.CLAIM.format(reach=reach.sql, rested=claim.RESTED)
    params: tuple[Any, ...] = (queue.pk, *reach.params, person.pk, claim.SKIP_REST, 2, person.pk, timedelta(minutes=5))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", params)
        (plan,) = cursor.fetchone()[0]
    nodes = [node for node in _nodes(plan["Plan"]) if node["Actual Loops"]]  # what was planned and never run is cheap
    scans = [node for node in nodes if node.get("Relation Name") == "decisions_task" and "Scan" in node["Node Type"]]
    assert {node["Index Name"] for node in scans} == {"task_claim", "decisions_task_pkey"}
    (picking,) = [node for node in scans if node["Index Name"] == "task_claim"]
    assert picking["Actual Rows"] == 2
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 200


def _many_waiting(queue_id: int, item_id: int, count: int) -> None:
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
                due_step, priority, skips, lease)
            SELECT %s, id, 'soft', 'waiting', 1, 1, false, arrived_at, arrived_at, arrived_at, random(), 0, 0 FROM items
            """,
            [count, item_id, queue_id],
        )
    with owner.session() as cursor:
        cursor.execute("ANALYZE decisions_task")  # as the server does by itself; the app's role may not


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]
