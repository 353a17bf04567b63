"""What was won and lost, in sentences: each amount with its limits, what it rests on, or why it is not known."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure import sentences
from decisions.measure.supposed.prospects import Figure
from decisions.measure.value import Beside, Money, Route, Why


def sentence(money: Money, beside: Beside, currency: str, route: Route | None = None) -> str:
    """Say what a route (None: all of them) won or lost against one of the two ways to do without."""
    figure = money.beside[beside]
    said = {"what": _what(route), "other": other(beside)}
    if not money.items:
        return _("Nothing took this way in this window.") if route else _("Nothing arrived in this window.")
    if figure.value is None or figure.low is None or figure.high is None:
        return _("%(what)s against %(other)s: not measured, %(why)s.") % {**said, "why": why(figure)}
    if figure.value == figure.low == figure.high == 0:
        return _("%(what)s against %(other)s: no difference, for the same would be done.") % said
    said |= {"amount": sentences.money(figure.value, currency), "n": _count(figure.labels or 0)}
    return (_won(figure) % said) + _limits(figure, currency)


def other(beside: Beside) -> str:
    """Return what an amount is held against, in words."""
    return _("no model") if beside == Beside.NO_MODEL else _("people deciding everything")


def why(figure: Figure) -> str:
    """Say why an amount is not measured."""
    known: dict[str, str] = {
        Why.NO_TIME: _("for nobody's time at a decision was measured"),
        Why.NO_RATES: _("for too few gold items and second opinions say how often people err"),
    }
    return known.get(figure.why) or _("for it rests on fewer than 30 labels' worth")


def signed(value: float, currency: str) -> str:
    """Return an amount with its sign."""
    sign = "\N{MINUS SIGN}" if value < 0 else "+" if value > 0 else ""
    return sign + sentences.money(value, currency)


def _what(route: Route | None) -> str:
    return {
        Route.HARD: _("Hard actions"),
        Route.SOFT: _("People's decisions"),
        Route.PASS: _("Passes"),
        None: _("All of it together"),
    }[route]


def _won(figure: Figure) -> str:
    """Return what is said of an amount by its sign; one whose limits lie on both sides of nothing may be either."""
    assert figure.value is not None
    if (figure.low or 0.0) < 0 < (figure.high or 0.0):
        return _("%(what)s against %(other)s: %(amount)s, a gain or a loss; the labels cannot tell which")
    if figure.value >= 0:
        return _("%(what)s won %(amount)s against %(other)s")
    return _("%(what)s lost %(amount)s against %(other)s")


def _limits(figure: Figure, currency: str) -> str:
    assert figure.low is not None
    assert figure.high is not None
    labels = figure.labels or 0
    if figure.low == figure.high:
        text = ngettext(", counted from %(n)s answer.", ", counted from %(n)s answers.", labels)
        return text % {"n": _count(labels)}
    text = ngettext(
        ": 95 %% between %(low)s and %(high)s, by %(n)s label.",
        ": 95 %% between %(low)s and %(high)s, by %(n)s labels.",
        labels,
    )
    return text % {"low": signed(figure.low, currency), "high": signed(figure.high, currency), "n": _count(labels)}


def _count(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))
