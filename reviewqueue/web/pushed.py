"""What pushed a score, in words: towards which outcome, how strongly, and by which value of which field."""

import math
from collections.abc import Mapping
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from decisions.learning.explain import State
from decisions.queues.spec import Spec
from decisions.redact import HIDDEN
from decisions.work.factors import Source
from reviewqueue.web import evidence

STRONG, CLEAR = math.log(3), math.log(1.5)  # of the odds
NOTES = {
    Source.OUTSIDE: gettext_lazy("No factors: the score comes from outside."),
    Source.RULE: gettext_lazy("No factors: a rule of the queue gave the score."),
    Source.NOTHING: gettext_lazy("No factors: nothing scored it."),
    Source.ERASED: gettext_lazy("No factors: what was scored has been erased."),
    Source.LOST: gettext_lazy("No factors: the model's file cannot be read."),
}


def told(explanation: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """Return the factors as lines, the strongest first, or `note`, why there are none."""
    source = Source(explanation["source"])
    if source != Source.MODEL:
        return {"note": NOTES[source], "factors": []}
    factors = [_line(factor, spec) for factor in explanation["factors"]]
    return {
        "note": "" if factors else _("No field pushed the score: the model answers the same for all."),
        "factors": factors,
    }


def _line(factor: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    is_up = factor["weight"] > 0
    outcome = spec.outcome(spec.routes.positive if is_up else spec.routes.negative)
    return {
        "is_up": is_up,
        "outcome": outcome.label if outcome else "",
        "strength": _strength(abs(factor["weight"])),
        "odds": _odds(factor["weight"]),
        "label": factor["label"],
        "value": _value(factor, spec),
        "unit": factor["unit"] if factor["state"] == State.KNOWN and not factor["word"] else "",
    }


def _strength(size: float) -> str:
    if size >= STRONG:
        return _("strongly")
    return _("clearly") if size >= CLEAR else _("slightly")


def _odds(weight: float) -> str:
    """Return by what a factor multiplies or divides the odds."""
    times = formats.number_format(math.exp(min(abs(weight), 50.0)), decimal_pos=1, use_l10n=True)
    return f"× {times}" if weight > 0 else f"÷ {times}"


def _value(factor: Mapping[str, Any], spec: Spec) -> str:
    if factor["word"]:
        return pgettext("a word of a text", "“%(word)s”") % {"word": factor["word"]}
    if factor["value"] == HIDDEN:
        return HIDDEN
    if factor["state"] == State.MISSING:
        return pgettext("field", "missing")
    field = spec.payload_field(factor["field"])
    value = (evidence.text(field, factor["value"], spec) if field else "") or str(factor["value"])
    if factor["state"] == State.UNSEEN:
        return _("%(value)s, which training did not show") % {"value": value}
    if factor["state"] == State.UNREAD:
        return _("%(value)s, which the model cannot read") % {"value": value}
    return value
