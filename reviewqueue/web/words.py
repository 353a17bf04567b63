"""Codes that the core keeps, in words for people."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.queues.spec import Spec
from decisions.work import why

FIELD = {
    "missing": pgettext_lazy("field", "missing"),
    "type": _("not of the expected type"),
    "range": _("outside the expected range"),
    "unseen": _("a category not seen before"),
    "format": _("not in the expected form"),
}
MACHINE = {
    "output:nan": _("the score is not a number"),
    "output:range": _("the score is out of range"),
    "output:model": _("the score is another model's"),
    "model:timeout": _("the model took too long"),
    "model:missing": _("the model's file is missing"),
    "model:error": _("the model failed"),
}
LEFT = {code: label for codes in (why.Skip, why.Escalate, why.Hold) for code, label in codes.choices}


def failures(codes: Iterable[str], spec: Spec) -> str:
    """Return failed checks such as `range:Age` or `model:timeout` in words."""
    labels = {field.name: field.label for field in spec.fields}
    return "; ".join(_failure(code, labels) for code in codes)


def left(code: str) -> str:
    """Return why a task was left; a code of another kind as it is."""
    return str(LEFT.get(code, code))


def _failure(code: str, labels: dict[str, str]) -> str:
    if code in MACHINE:
        return str(MACHINE[code])
    kind, _colon, name = code.partition(":")
    return f"{labels.get(name, name)}: {FIELD[kind]}" if kind in FIELD else code
