"""Drift by call: the comparison of the core, and what is refused."""

import pytest

from decisions.measure import shifted
from decisions.queues.spec import FieldType, PayloadField
from tests.decisions.measure.measured import DAY, MIDNIGHT, queue_of_last_week
from tests.decisions.measure.test_shifted import came
from tests.factories import NOON, make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
BOTH = "one=days&one_from=2026-02-28&one_to=2026-02-28&other_from=2026-03-02&other_to=2026-03-02"


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON)
    shifted._compare.cache_clear()


def test_it_says_what_the_core_compared() -> None:
    fields = (
        PayloadField("words", FieldType.INTEGER, "Words"),
        PayloadField("kind", FieldType.CATEGORY, "Kind", personal=True),
    )
    queue = queue_of_last_week(fields=fields, value_field="")
    came(queue, MIDNIGHT - DAY * 2, 10)
    came(queue, MIDNIGHT, 500)
    told = caller("auditor", queue, "read").get(f"queues/{queue.slug}/drift/?{BOTH}").json()
    assert (told["level"], told["items_one"], told["items_other"]) == ("act", 40, 40)
    words, kind = told["field_shifts"]
    assert (words["level"], words["quantiles"]["now"][2]) == ("act", 500.5)
    assert (kind["level"], kind["quantiles"]) == ("none", None)


def test_without_a_training_set_it_says_so() -> None:
    queue = make_queue()
    told = caller("auditor", queue, "read").get(f"queues/{queue.slug}/drift/?one=training").json()
    assert "not kept here" in told["absent"]
    assert told["field_shifts"] == []


@pytest.mark.parametrize("query", ["one=x", "other_from=x", "one=days&one_to=2020-01-01", "one_model=nobody"])
def test_sides_that_make_no_sense_are_refused(query: str) -> None:
    queue = make_queue()
    assert caller("auditor", queue, "read").get(f"queues/{queue.slug}/drift/?{query}").status_code == 400
