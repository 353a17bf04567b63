"""Statements of the product become statements of the bare site."""

from tests.bench import facts


def test_ids_are_left_open_and_percent_signs_survive() -> None:
    texts = [
        "SELECT * FROM decisions_caller('x', '2026-01-01', 'emails')",
        "SELECT * FROM decisions_task WHERE id = 30000012 AND note LIKE '10%'",
        """INSERT INTO "decisions_decision" (task_id) VALUES (30000012) RETURNING "decisions_decision"."id" """,
        "SELECT 300000120",
    ]
    steps = facts._opened(texts, {30000012: "task"})
    assert [step["text"] % {"task": 7} for step in steps] == [
        "SELECT * FROM decisions_task WHERE id = 7 AND note LIKE '10%'",
        """INSERT INTO "decisions_decision" (task_id) VALUES (7) RETURNING "decisions_decision"."id" """,
        "SELECT 300000120",
    ]
    assert [step["gives"] for step in steps] == [{}, {"decision": ("id", 0)}, {}]
