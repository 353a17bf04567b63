"""What the core keeps as a code, people read in words, and in their language."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Field
from django.utils import translation
from django.utils.functional import Promise

from decisions.intake import checks, ladder
from decisions.record.proof import BadEntry, What
from decisions.work import why
from reviewqueue.web import words
from tests.factories import make_spec

# Kinds of events are codes everywhere: on pages, in the API and on the command line they are the same word.
CODES = {"decisions.event.kind"}


@pytest.fixture
def _in_chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def choices() -> Iterator[tuple[str, "Field[object, object]"]]:
    """The fields of our models that hold one of a set of codes."""
    for model in apps.get_app_config("decisions").get_models():
        for field in model._meta.get_fields():
            if isinstance(field, Field) and field.choices:
                yield f"{model._meta.label_lower}.{field.name}", field


def test_every_choice_has_a_label_that_is_translated() -> None:
    found = {name: field for name, field in choices() if name not in CODES}
    assert found
    bare = [
        name for name, field in found.items() if not all(isinstance(label, Promise) for _, label in field.choices or ())
    ]
    assert bare == []


@pytest.mark.usefixtures("_in_chinese")
def test_every_choice_is_said_in_chinese() -> None:
    labels = [str(label) for name, field in choices() if name not in CODES for _, label in field.choices or ()]
    assert [label for label in labels if re.search("[A-Za-z]", label)] == []


def test_every_code_of_a_machine_that_failed_has_words() -> None:
    broken = {
        f"{rung}:{what}" for rung in ("model", "simpler", "filter") for what in (*ladder.FAULTS.values(), "error")
    }
    made = {checks.NAN, checks.RANGE, checks.WRONG_MODEL, *broken}
    assert made == words.MACHINE.keys()


@pytest.mark.usefixtures("_in_chinese")
def test_failed_checks_name_the_field_as_its_queue_does() -> None:
    spec = make_spec()
    name, label = spec.fields[0].name, spec.fields[0].label
    assert words.failures([f"range:{name}", "model:timeout"], spec) == f"{label}：超出预期范围；模型用时过长"


def test_a_code_that_has_no_words_stays() -> None:
    assert words.failures(["new:thing"], make_spec()) == "new:thing"
    assert words.left("override") == "override"
    assert words.form_field("payload.Age") == "payload.Age"


@pytest.mark.usefixtures("_in_chinese")
def test_reasons_for_leaving_and_broken_entries_are_said_in_chinese() -> None:
    said = [words.left(code) for codes in (why.Skip, why.Escalate, why.Hold) for code in codes.values]
    said += [str(words.broken(BadEntry(1, 7, what))) for what in What]
    assert [text for text in said if re.search("[A-Za-z]", text)] == []
