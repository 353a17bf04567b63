"""How figures are written: counts, rates, shares and spans, each with a dash for what is not known."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import template
from django.utils import formats
from django.utils.translation import gettext as _

register = template.Library()
DASH = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def count(value: float | None) -> str:
    """A whole number with its thousands marked."""
    return DASH if value is None else formats.number_format(int(value), use_l10n=True, force_grouping=True)


@register.filter
def rate(value: float | None) -> str:
    """A rate: two digits under ten, none above."""
    if value is None:
        return DASH
    places = 1 if abs(value) < 10 else 0
    return formats.number_format(round(value, places), decimal_pos=places, use_l10n=True, force_grouping=True)


@register.filter
def percent(value: float | None) -> str:
    """A share in [0, 1] as a percentage."""
    if value is None:
        return DASH
    shown = value * 100
    places = 1 if shown < 10 else 0
    number = formats.number_format(round(shown, places), decimal_pos=places, use_l10n=True)
    return _("%(n)s\N{NO-BREAK SPACE}%%") % {"n": number}


@register.filter
def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return DASH
    number = formats.number_format(abs(round(value * 100, 1)), decimal_pos=1, use_l10n=True)
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return _("%(sign)s%(n)s points") % {"sign": sign, "n": number}


@register.filter
def percents(interval: Sequence[float] | None) -> str:
    """An interval of shares, 95 %."""
    if interval is None:
        return DASH
    return _("95 %%: %(low)s to %(high)s") % {"low": percent(interval[0]), "high": percent(interval[1])}


@register.filter
def span(value: timedelta | float | None, waiting: float = 0) -> str:
    """A span of time in its two largest units; "never" where something waits and there is no end to it."""
    if value is None:
        return _("never") if waiting else DASH
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < MINUTE:
        return _("%(n)s s") % {"n": round(seconds)}
    if seconds < HOUR:
        return _("%(n)s min") % {"n": round(seconds / MINUTE)}
    if seconds < DAY:
        hours, rest = divmod(round(seconds / MINUTE), 60)
        return _("%(h)s h %(m)s min") % {"h": hours, "m": rest}
    days, rest = divmod(round(seconds / HOUR), 24)
    return _("%(d)s d %(h)s h") % {"d": days, "h": rest}


@register.filter
def hours(value: float | None) -> str:
    """A span of time given in hours."""
    return span(None if value is None else value * HOUR)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has under a key that is itself a variable."""
    return mapping.get(key)
