"""How the database finds samples and traffic among many items: by indexes, never by reading the whole table."""

from typing import Any

import pytest
from django.db import connection

from decisions.measure import counts, sample
from decisions.measure.rollups import BANDED
from decisions.models import Queue
from tests.databases import Clone
from tests.decisions.measure import crowd
from tests.decisions.measure.measured import DAY, HOUR, MIDNIGHT
from tests.factories import make_queue

ITEMS = 300_000


@pytest.mark.slow
def test_no_reading_scans_the_items(committed_db: Clone) -> None:
    queue = make_queue()
    crowd.fill(queue, ITEMS, end=MIDNIGHT)
    whole = {"queue": queue.pk, "start": MIDNIGHT - DAY * 7, "end": MIDNIGHT, "at": MIDNIGHT}
    shares = {"soft_share": 0.5, "control_share": 1.0}
    part = {**whole, "start": MIDNIGHT - HOUR / 2}
    soft, control, drawn = (plan(statement, {**whole, **shares}) for statement in sample.STATEMENTS)
    traffic = plan(sample.SOME_TRAFFIC.format(item=sample.ITEM), {**whole, "step": 10, "first": 5})
    counted = plan(counts.PART_OF_HOUR.format(key=BANDED), part)
    assert [scanned(one) for one in (soft, control, drawn, traffic, counted)] == [set()] * 5
    assert index_of(soft) == {"item_soft"}
    assert index_of(control) == {"item_control"}
    assert index_of(counted) == {"item_arrived"}
    assert "decisions_item_pkey" in index_of(traffic)


@pytest.mark.slow
def test_one_queue_does_not_pay_for_another(committed_db: Clone) -> None:
    crowded, quiet = make_queue(), make_queue()
    crowd.fill(crowded, ITEMS // 10, end=MIDNIGHT)
    asked = {"queue": quiet.pk, "start": MIDNIGHT - DAY * 7, "end": MIDNIGHT, "at": MIDNIGHT}
    for statement in sample.STATEMENTS:
        assert plan(statement, {**asked, "soft_share": 1.0, "control_share": 1.0})[0]["Shared Hit Blocks"] < 100
    assert Queue.objects.count() == 2


def plan(statement: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a statement and return the nodes of its plan that ran."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", params)
        (found,) = cursor.fetchone()[0]
    return [node for node in nodes(found["Plan"]) if node["Actual Loops"]]


def nodes(of: dict[str, Any]) -> list[dict[str, Any]]:
    return [of, *(node for child in of.get("Plans", []) for node in nodes(child))]


def scanned(found: list[dict[str, Any]]) -> set[str]:
    """Return how items were read, if not by an index."""
    items = [node for node in found if node.get("Relation Name") == "decisions_item"]
    return {
        node["Node Type"] for node in items if "Index" not in node["Node Type"] and "Bitmap" not in node["Node Type"]
    }


def index_of(found: list[dict[str, Any]]) -> set[str]:
    return {
        node["Index Name"]
        for node in found
        if "item" in node.get("Index Name", "") and "ruling" not in node["Index Name"]
    }
