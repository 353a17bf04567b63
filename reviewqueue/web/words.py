"""Codes that the core keeps, in words for people."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.queues.spec import Spec
from decisions.record.proof import BadEntry, What
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
    "model:refused": _("the model's file was refused"),
    "model:error": _("the model failed"),
    "simpler:timeout": _("the simpler model took too long"),
    "simpler:missing": _("the simpler model's file is missing"),
    "simpler:refused": _("the simpler model's file was refused"),
    "simpler:error": _("the simpler model failed"),
    "filter:timeout": _("the filter took too long"),
    "filter:missing": _("the filter's file is missing"),
    "filter:refused": _("the filter's file was refused"),
    "filter:error": _("the filter failed"),
}
BROKEN = {
    What.MISSING: pgettext_lazy("entry", "missing"),
    What.ALTERED: pgettext_lazy("entry", "altered"),
    What.HASH: pgettext_lazy("entry", "its hash is altered"),
    What.REORDERED: pgettext_lazy("entry", "out of order"),
    What.TRUNCATED: pgettext_lazy("entry", "cut off"),
    What.REWRITTEN: pgettext_lazy("entry", "rewritten"),
}
FORM = {
    "active_seconds": _("Active seconds"),
    "control_share": _("Control share"),
    "factor": _("Stop at a factor of"),
    "model": _("Model"),
    "note": _("Note"),
    "outcome": _("Outcome"),
    "people": _("People"),
    "rate": _("Decisions per person and hour"),
    "reason": _("Reason"),
    "share": _("Share of the traffic"),
    "why": _("Why"),
}
LEFT = {code: label for codes in (why.Skip, why.Escalate, why.Hold, why.Expiry) for code, label in codes.choices}


def failures(codes: Iterable[str], spec: Spec) -> str:
    """Return failed checks such as `range:Age` or `model:timeout` in words."""
    labels = {field.name: field.label for field in spec.fields}
    return str(pgettext_lazy("between parts of a list", "; ")).join(_failure(code, labels) for code in codes)


def left(code: str) -> str:
    """Return why a task was left; a code of another kind as it is."""
    return str(LEFT.get(code, code))


def broken(entry: BadEntry) -> str:
    """Return which entry of a record doesn't hold, and what is wrong with it."""
    return _("entry %(seq)s, %(what)s") % {"seq": entry.seq, "what": BROKEN[entry.what]}


def form_field(name: str) -> str:
    """Return the name that a form shows for a field; any other is its path in what was sent."""
    return str(FORM.get(name, name))


def _failure(code: str, labels: dict[str, str]) -> str:
    if code in MACHINE:
        return str(MACHINE[code])
    kind, _colon, name = code.partition(":")
    if kind not in FIELD:
        return code
    return _("%(field)s: %(what)s") % {"field": labels.get(name, name), "what": FIELD[kind]}
