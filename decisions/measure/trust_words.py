"""Warnings and proposals in sentences, each with what it rests on."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from decisions.measure import proposals, sentences
from decisions.measure.accuracy import Rate
from decisions.measure.proposals import Proposal
from decisions.measure.reliance import Gap, Kind, Warned
from decisions.queues.spec import Spec


def warning(told: Warned) -> str:
    """Say what is amiss and by which numbers; of a person or of all alike."""
    said = {"one": _share(told.one), "other": _share(told.other) if told.other else ""}
    texts = {
        Kind.BIAS: _(
            "Wrong suggestions are followed because they are shown: %(one)s when shown, %(other)s when hidden."
        ),
        Kind.HASTE: _(
            "Most agreements take less than a third of the time of an answer given without the suggestion: %(one)s."
        ),
        Kind.DISUSE: _("Right suggestions are overridden: %(one)s."),
        Kind.DISTRUST: _("Overrides are far more than the suggestions are wrong: %(one)s overridden, %(other)s wrong."),
    }
    return texts[told.kind] % said


def gap(found: Gap) -> str:
    """Say how much more often people agree when they see the suggestion."""
    if found.value is None or found.low is None or found.high is None:
        return _("Not measured: fewer than 30 decisions with the suggestion, or without it, on items alike.")
    said = {
        "value": _points(found.value),
        "low": _points(found.low),
        "high": _points(found.high),
        "covered": sentences.percent(found.covered) if found.covered < 1 else "100 %",
    }
    if found.low <= 0 <= found.high:
        text = _(
            "Whether they see the suggestion makes no difference that can be shown: %(value)s points (%(low)s to "
            "%(high)s), on %(covered)s of what was shown."
        )
    elif found.value > 0:
        text = _(
            "People agree %(value)s points more often when they see the suggestion (%(low)s to %(high)s), on items "
            "with scores alike; they are %(covered)s of what was shown."
        )
    else:
        text = _(
            "People agree %(value)s points, so less often, when they see the suggestion (%(low)s to %(high)s), on "
            "items with scores alike; they are %(covered)s of what was shown."
        )
    return text % said


def proposal(one: Proposal, spec: Spec) -> str:
    """Say what is to be mended, and by which numbers."""
    said = {
        "reason": reason(one.reason, spec),
        "segment": one.segment,
        "one": _share(one.one),
        "other": _share(one.other),
        "cut": f"{one.cut:g}" if one.cut is not None else "",
    }
    texts = {
        proposals.Kind.FEATURE: _(
            "The model may lack what people see in segment %(segment)s: %(one)s of the overrides for “%(reason)s” are "
            "there, and %(other)s of its suggestions are overridden. Look for a field that tells them apart."
        ),
        proposals.Kind.GUIDELINE: _(
            "The guideline may not settle “%(reason)s”: of answers with that reason the second opinion differed in "
            "%(one)s, of the others in %(other)s."
        ),
        proposals.Kind.THRESHOLD: _(
            "Suggestions beside the threshold are mostly overridden: %(one)s up to %(cut)s, %(other)s beyond. "
            "Try %(cut)s."
        ),
    }
    return texts[one.kind] % said


def reason(code: str, spec: Spec) -> str:
    """Return a reason as people read it."""
    labels = {one.code: one.label for outcome in spec.outcomes for one in outcome.reasons}
    return labels.get(code, code)


def _share(rate: Rate) -> str:
    """Return a share with its limits and what it is of."""
    if not rate.n:
        return _("0 of 0")
    said = {
        "share": _percent(rate.hits / rate.n),
        "low": _percent(rate.low),
        "high": _percent(rate.high),
        "hits": number_format(rate.hits, use_l10n=True, force_grouping=True),
        "n": number_format(rate.n, use_l10n=True, force_grouping=True),
    }
    return _("%(share)s (95 %%: %(low)s to %(high)s; %(hits)s of %(n)s)") % said


def _percent(share: float) -> str:
    return f"{number_format(round(share * 100, 1), 1, use_l10n=True)} %"


def _points(value: float) -> str:
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return sign + str(number_format(abs(round(value * 100, 1)), 1, use_l10n=True))
