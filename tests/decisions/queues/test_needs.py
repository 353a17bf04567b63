"""What items ask of people, as tags; and what a queue file says wrongly about it."""

from dataclasses import replace
from typing import Any

import pytest

from decisions.models import Task
from decisions.queues import checks, needs
from decisions.queues.spec import Crowd, FieldType, Need, PayloadField, Spec
from tests.factories import make_spec

ASKING = {
    "fields": (
        PayloadField("language", FieldType.CATEGORY, "Language", categories=("en", "fr", "de")),
        PayloadField("topic of it", FieldType.TEXT, "Topic"),
        PayloadField("amount", FieldType.MONEY, "Amount"),
    ),
    "value_field": "amount",
    "needs": (Need(skill="law"), Need(field="language", values=("fr", "de"))),
    "sensitive": (Need(field="topic of it", values=("war", "gore")),),
    "crowd": Crowd(("soft", "control"), 10.0),
}


def spec(**changes: Any) -> Spec:
    return make_spec(**{**ASKING, **changes})


@pytest.mark.parametrize(
    ("payload", "tags"),
    [
        ({}, "law"),
        ({"language": "en"}, "law"),  # everybody reads it
        ({"language": "fr"}, "language=fr\nlaw"),
        ({"language": "xx"}, "law"),  # not a language of the queue
        ({"language": ["fr"]}, "law"),  # not a text at all
        ({"topic of it": "war", "language": "de"}, "!topic of it=war\nlanguage=de\nlaw"),
        ({"topic of it": "peace"}, "law"),
    ],
)
def test_an_item_carries_what_its_payload_asks_for(payload: dict[str, Any], tags: str) -> None:
    assert needs.of(payload, spec()) == tags


def test_a_category_without_values_asks_for_each_of_its_categories() -> None:
    asking = spec(needs=(Need(field="language"),), sensitive=())
    assert needs.of({"language": "en"}, asking) == "language=en"
    assert needs.skills(asking) == {f"language={word}": f"Language: {word}" for word in ("en", "fr", "de")}


def test_skills_and_sensitive_categories_are_told_by_their_label() -> None:
    assert needs.skills(spec()) == {"law": "law", "language=fr": "Language: fr", "language=de": "Language: de"}
    assert needs.sensitive(spec()) == {"topic of it=war": "Topic: war", "topic of it=gore": "Topic: gore"}


@pytest.mark.parametrize(
    ("purpose", "value", "rank"),
    [
        ("soft", 10.0, Task.Rank.CROWD),
        ("control", 0.0, Task.Rank.CROWD),
        ("soft", 10.1, Task.Rank.REVIEWER),
        ("soft", None, Task.Rank.REVIEWER),  # an unknown value is above every limit
        ("audit", 1.0, Task.Rank.REVIEWER),
    ],
)
def test_the_crowd_gets_the_purposes_and_values_that_the_queue_names(
    purpose: str, value: float | None, rank: Task.Rank
) -> None:
    assert needs.rank(purpose, value, spec()) == rank


def test_without_a_word_about_the_crowd_it_gets_nothing() -> None:
    assert needs.rank("soft", 0.0, make_spec()) == Task.Rank.REVIEWER


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"needs": (Need(),)}, "needs[0].skill", "one"),
        ({"needs": (Need(skill="law", field="language"),)}, "needs[0].skill", "one"),
        ({"needs": (Need(skill="law", values=("a",)),)}, "needs[0].values", "unused"),
        ({"needs": (Need(skill="!law"),)}, "needs[0].skill", "form"),
        ({"needs": (Need(field="tongue"),)}, "needs[0].field", "reference"),
        ({"needs": (Need(field="amount"),)}, "needs[0].field", "type"),
        ({"needs": (Need(field="topic of it"),)}, "needs[0].values", "missing"),
        ({"needs": (Need(field="language", values=("it",)),)}, "needs[0].values", "choice"),
        ({"needs": tuple(Need(skill=f"{n:060}") for n in range(9))}, "needs", "range"),
        ({"sensitive": (Need(skill="gore"),)}, "sensitive[0].field", "one"),
        ({"sensitive": (Need(field="gore"),)}, "sensitive[0].field", "reference"),
        ({"crowd": Crowd(("soft", "appeal"))}, "crowd.purposes[1]", "choice"),
        ({"crowd": Crowd(("soft",), -1.0)}, "crowd.up_to", "range"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], place: str, code: str) -> None:
    found = checks.faults(replace(spec(), **changes))
    assert [(fault.field, fault.code) for fault in found] == [(place, code)]


def test_a_good_one_has_no_fault() -> None:
    assert not checks.faults(spec())
