"""A queue with as many items behind it as asked, put there by a few statements: for plans and for cost."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from decisions.models import Frame, Item, Queue
from tests.decisions.record import owner
from tests.factories import make_item

DAYS = 28
TABLES = ("item", "ruling", "draw", "frame", "rollup", "task", "decision")

# 14 % hard, of which a tenth is the control group, 5 % soft, the rest passed; positives follow the score.
ITEMS = """
INSERT INTO decisions_item (queue_id, external_id, intake_id, queue_version_id, policy_id, model_id, source, subject,
    segment, arrived_at, body_digest, score, p, rung, band, route, reason, failures, propensity, u, u_secret, q)
SELECT queue_id, 'crowd-' || n, intake_id, queue_version_id, policy_id, model_id, source, subject,
    'segment-' || n %% 5, %(start)s + n * %(step)s, body_digest, x.score, x.score, rung, x.band,
    CASE WHEN x.is_control THEN 'soft' ELSE x.band END, CASE WHEN x.is_control THEN 'control' ELSE 'score' END,
    failures, CASE x.band WHEN 'hard' THEN 0.1 WHEN 'soft' THEN 1.0 END, x.u, u_secret,
    CASE WHEN x.band = 'pass' THEN sqrt(0.75 * x.score + 0.0025) END
FROM decisions_item, generate_series(1, %(count)s) n, LATERAL (
    SELECT random() AS u, CASE WHEN n %% 100 < 14 THEN 0.9 + 0.1 * random() WHEN n %% 100 < 19 THEN 0.3 + 0.6 * random()
        ELSE 0.3 * random() * random() * random() END AS score, (n %% 100 = 0 OR n %% 1000 = 11) AS is_control,
        CASE WHEN n %% 100 < 14 THEN 'hard' WHEN n %% 100 < 19 THEN 'soft' ELSE 'pass' END AS band
) x WHERE id = %(like)s
"""
DRAWS = """
INSERT INTO decisions_draw (frame_id, item_id, pi)
SELECT f.id, i.id, least(1.0, i.q * 0.1) FROM decisions_frame f, LATERAL (
    SELECT id, q FROM decisions_item WHERE queue_id = f.queue_id AND route = 'pass' AND arrived_at >= f.starts_at
        AND arrived_at < f.ends_at ORDER BY u / q LIMIT %(budget)s) i WHERE f.queue_id = %(queue)s
"""
RULINGS = """
INSERT INTO decisions_ruling (queue_id, item_id, no, outcome, truth, source, reason, note, was, is_override,
    is_reversal, at, final_at)
SELECT i.queue_id, i.id, 1, x.outcome, CASE x.outcome WHEN 'spam' THEN 'positive' ELSE 'negative' END, 'decision', '',
    '', '', FALSE, FALSE, i.arrived_at, i.arrived_at
FROM decisions_item i LEFT JOIN decisions_draw d ON d.item_id = i.id,
    LATERAL (SELECT CASE WHEN i.score > random() THEN 'spam' ELSE 'ham' END AS outcome) x
WHERE i.queue_id = %(queue)s AND (i.route = 'soft' OR d.id IS NOT NULL)
"""


def fill(queue: Queue, count: int, *, end: datetime, budget: int = 100) -> None:
    """Let so many items arrive in the four weeks before `end`, audited to the budget a day, all answered."""
    start = end - timedelta(days=DAYS)
    like = make_item(queue, arrived_at=start)
    step = timedelta(days=DAYS) / (count + 1)
    Queue.objects.filter(pk=queue.pk).update(created_at=start)
    asked: dict[str, Any] = {
        "queue": queue.pk,
        "start": start,
        "end": end,
        "step": step,
        "count": count,
        "like": like.pk,
    }
    asked["budget"] = budget
    with connection.cursor() as cursor:
        cursor.execute(ITEMS, asked)
        Frame.objects.bulk_create(_frame(queue, start + timedelta(days=day), budget) for day in range(DAYS))
        for statement in (DRAWS, RULINGS):
            cursor.execute(statement, asked)
    analyze()


def _frame(queue: Queue, start: datetime, budget: int) -> Frame:
    end = start + timedelta(days=1)
    counts = {"budget": budget, "passes": budget * 10, "drawn": budget}
    return Frame(queue=queue, starts_at=start, ends_at=end, tau=0.1, mean_p=0.01, beta=0.25, at=end, **counts)


def analyze() -> None:
    """Let the planner know, as the server does by itself; the app's role may not."""
    with owner.session() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE decisions_{table}")


def items(queue: Queue) -> int:
    """Return how many items there are."""
    return Item.objects.filter(queue=queue).count()
