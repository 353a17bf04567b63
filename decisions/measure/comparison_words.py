"""What a comparison of two models comes to, in words that need no statistics."""

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from decisions.measure import sentences
from decisions.measure.comparison import Comparison, Verdict
from decisions.measure.paired import BRINGS, Figure


def sentence(found: Comparison) -> str:
    """Return the verdict in one or two sentences."""
    names = {"new": found.challenger.model.name, "old": found.champion.model.name}
    if found.verdict == Verdict.NOTHING:
        return _nothing(found)
    if found.verdict == Verdict.SAME:
        return _("%(new)s and %(old)s treat every item that was looked at alike.") % names
    worth = found.figure(BRINGS)
    if worth is not None and worth in found.main:
        return _by_money(found, worth, names)
    return _by_shares(found, names)


def needs(found: Comparison) -> str:
    """Return how many labels would tell more; "" where the two are told apart."""
    if found.verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.MIXED, Verdict.SAME):
        return ""
    if found.more is None:
        return _("They hardly differ: no number of labels that could be had would tell them apart.")
    n = formats.number_format(found.more, force_grouping=True)
    return ngettext(
        "Not enough yet: about %(n)s more label.", "Not enough yet: about %(n)s more labels.", found.more
    ) % {"n": n}


def money(value: float | None, currency: str) -> str:
    """Return an amount of money with its currency; large ones without cents."""
    if value is None:
        return "–"
    return ("\N{MINUS SIGN}" if value < 0 else "") + sentences.money(value, currency)


def _nothing(found: Comparison) -> str:
    if not found.has_frames:
        return _("Nothing can be said yet: no frame of passes was closed and audited in this window.")
    if not found.rests.answers:
        return _("Nothing can be said yet: no item that people answered was scored by both models.")
    n = formats.number_format(found.rests.answers, force_grouping=True)
    return ngettext(
        "Nothing can be said yet: people answered %(n)s item that both models scored.",
        "Nothing can be said yet: people answered %(n)s items that both models scored.",
        found.rests.answers,
    ) % {"n": n}


def _by_money(found: Comparison, worth: Figure, names: dict[str, str]) -> str:
    currency = found.queue.spec.value.currency
    gap = worth.gap
    words = {
        **names,
        "gap": money(abs(gap.value or 0.0), currency),
        "low": money(gap.low, currency),
        "high": money(gap.high, currency),
    }
    if found.verdict == Verdict.BETTER:
        return (
            _("%(new)s is better than %(old)s: it would bring about %(gap)s a day more (95 %%: %(low)s to %(high)s).")
            % words
        )
    if found.verdict == Verdict.WORSE:
        return (
            _("%(new)s is worse than %(old)s: it would bring about %(gap)s a day less (95 %%: %(low)s to %(high)s).")
            % words
        )
    return (
        _("%(new)s and %(old)s are not told apart yet: the difference lies between %(low)s and %(high)s a day.") % words
    )


def _by_shares(found: Comparison, names: dict[str, str]) -> str:
    told = {
        Verdict.BETTER: _("%(new)s is better than %(old)s: %(what)s."),
        Verdict.WORSE: _("%(new)s is worse than %(old)s: %(what)s."),
        Verdict.MIXED: _("%(new)s is better than %(old)s in one thing and worse in another: %(what)s."),
        Verdict.OPEN: _("%(new)s and %(old)s are not told apart yet."),
    }
    parts = [text for one in found.main if (text := _part(one))]
    return told[found.verdict] % {**names, "what": pgettext("between names", ", ").join(parts)}


def _part(figure: Figure) -> str:
    """Return what a figure says where it tells the two apart."""
    if not figure.gap.sign or figure.gap.value is None:
        return ""
    n = formats.number_format(abs(round(figure.gap.value * 100, 1)), decimal_pos=1)
    texts = {
        ("precision", 1): _("%(n)s points more of its automatic actions are right"),
        ("precision", -1): _("%(n)s points fewer of its automatic actions are right"),
        ("recall", 1): _("it catches %(n)s points more of the positives"),
        ("recall", -1): _("it catches %(n)s points fewer of the positives"),
    }
    return texts[figure.key, figure.gap.sign] % {"n": n}
