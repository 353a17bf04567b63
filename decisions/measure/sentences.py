"""What a figure says in words, and how many more labels would let us say more."""

import math
from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure import intervals
from decisions.measure.estimates import Count, Estimate, Why
from decisions.measure.segments import Parity

STEP = 4  # by how much the limit is to shrink


def goal(found: Count) -> float | None:
    """Return the next upper limit worth reaching: a quarter of the way from the estimate to the limit of today."""
    if found.value is None or found.high is None or found.high <= found.value:
        return None
    return found.value + (found.high - found.value) / STEP


def labels_needed(found: Count, limit: float) -> int | None:
    """Return how many more audits bring the upper limit of the misses down to `limit`, if they find at the same rate.

    More audits make every weight smaller and leave the estimate where it is, so None where the limit is not above the
    estimate. The answer is rounded up to two digits, for it is a forecast.
    """
    if found.value is None or found.high is None or limit <= found.value:
        return None
    if found.high <= limit:
        return 0
    low, high = 1.0, 2.0
    while _limit(found, high) > limit:
        low, high = high, high * 2
        if high > 1e9:
            return None
    for _step in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _limit(found, middle) <= limit else (middle, high)
    return int(_up(found.n * (high - 1)))


def _limit(found: Count, times: float) -> float:
    """Return the upper limit that so many times the audits would give."""
    return found.sure + intervals.count(found.weights, found.squares / times, found.unseen / times, found.level)[1]


def missed_sentence(found: Count, *, passes: int, noun: str, limit: float | None = None) -> str:
    """Say what the audits of `passes` items found, at most how many were missed, and what more audits would say.

    `noun` is the label of the queue's positive outcome. `limit` is the upper limit to reach, else the next one.
    """
    if found.value is None or found.high is None or found.low is None:
        return _why(found.why)
    told = {
        "found": _number(found.found),
        "audits": _number(found.n),
        "passes": _number(passes),
        "noun": noun,
        "value": _number(min(passes, _near(found.value))),
        "low": _number(_down(found.low)),
        "high": _number(min(passes, _up(found.high))),
    }
    if found.found == 0:
        text = ngettext(
            "found 0 in %(audits)s audit: at most %(high)s of %(passes)s passes were %(noun)s",
            "found 0 in %(audits)s audits: at most %(high)s of %(passes)s passes were %(noun)s",
            found.n,
        )
    else:
        text = ngettext(
            "found %(found)s in %(audits)s audit: about %(value)s of %(passes)s passes were %(noun)s, "
            "between %(low)s and %(high)s",
            "found %(found)s in %(audits)s audits: about %(value)s of %(passes)s passes were %(noun)s, "
            "between %(low)s and %(high)s",
            found.n,
        )
    return text % told + _more(found, goal(found) if limit is None else limit)


def harm_sentence(found: Count, *, currency: str) -> str:
    """Say what the misses cost, in the money of the queue's value formula."""
    if found.value is None or found.high is None or found.low is None:
        return _("what the misses cost is not measured")
    told = {"value": _number(_near(found.value)), "low": _number(_down(found.low)), "high": _number(_up(found.high))}
    if found.found == 0:
        text = _("what was missed cost at most %(high)s %(currency)s")
    else:
        text = _("what was missed cost about %(value)s %(currency)s, between %(low)s and %(high)s")
    return text % {**told, "currency": currency}


def _more(found: Count, limit: float | None) -> str:
    """Say what more audits would let us say; nothing where they would not help."""
    more = labels_needed(found, limit) if limit is not None else None
    if not more or limit is None or (found.of is not None and found.n + more > found.of):
        return ""
    text = ngettext(
        "; with %(more)s more audit we could say at most %(limit)s",
        "; with %(more)s more audits we could say at most %(limit)s",
        more,
    )
    return text % {"more": _number(more), "limit": _number(_up(limit))}


def recall_sentence(recall: Estimate, *, noun: str) -> str:
    """Say how much of what there was is caught: a range, or only the least where no miss was found; never 100 %."""
    if recall.low is None or recall.high is None or recall.why == Why.NO_POSITIVES:
        return _why(recall.why)
    told = {"low": percent(recall.low), "noun": noun}
    if recall.value is None:
        return _("at least %(low)s of all %(noun)s was caught") % told
    told |= {"value": percent(recall.value), "high": percent(recall.high, up=True)}
    return _("about %(value)s of all %(noun)s was caught, between %(low)s and %(high)s") % told


def parity_sentence(parity: Parity) -> str:
    """Say how many comparisons were made, which groups differ, and which have too few labels."""
    differing = [gap.group for gap in parity.gaps if gap.differs]
    silent = [gap.group for gap in parity.gaps if gap.differs is None]
    parts = [
        ngettext(
            "%(count)s comparison was made",
            "%(count)s comparisons were made; the intervals are wide enough for all of them to hold at once",
            parity.compared,
        )
        % {"count": _number(parity.compared)}
    ]
    if differing:
        parts.append(_("%(groups)s: the rate differs from that of all others") % {"groups": ", ".join(differing)})
    elif parity.compared:
        parts.append(_("no difference can be shown, which does not show that there is none"))
    if silent:
        parts.append(_("%(groups)s: too few labels to say") % {"groups": ", ".join(silent)})
    return "; ".join(parts)


def percent(share: float, *, up: bool = False) -> str:
    """Return a share in per cent, rounded down (or up), with one digit, or with three from 99.9 % on; never 100 %."""
    scale = 1_000 if share >= 0.999 else 10
    shown = (math.ceil if up else math.floor)(round(share * 100 * scale, 6))
    digits = len(str(scale)) - 1
    return f"{number_format(min(shown, 100 * scale - 1) / scale, digits, use_l10n=True)} %"


def money(value: float, currency: str) -> str:
    """Return an amount without its sign: two digits behind the point below 100, none above."""
    size = abs(value)
    places = 2 if size < 100 else 0
    number = number_format(round(size, places), decimal_pos=places, use_l10n=True, force_grouping=True)
    return f"{number}\N{NO-BREAK SPACE}{currency}"


def _why(why: Why | None) -> str:
    """Say why a figure is not measured."""
    texts: dict[Why | None, str] = {
        Why.NO_LABELS: _("not measured: nothing was audited"),
        Why.NO_TRUTH: _("not measured: no audit was answered with a yes or no"),
        Why.NO_CONTROL: _("not measured: hard actions have no control group"),
        Why.NO_POSITIVES: _("not measured: none was caught and none was found"),
        Why.FEW: _("not measured: too few labels to say"),
        Why.NO_GOLD: _("not corrected: no gold items tell how often reviewers err"),
        Why.DROWNED: _("not corrected: reviewers' own false positives could explain at least half of what was found"),
        Why.BLURRED: _("not corrected: on gold items reviewers hardly tell positives from negatives"),
    }
    return texts.get(why, _("not measured"))


def _number(value: float) -> str:
    return str(number_format(int(value), use_l10n=True, force_grouping=True))


def _near(value: float) -> float:
    return _rounded(value, round)


def _up(value: float) -> float:
    return _rounded(value, math.ceil)


def _down(value: float) -> float:
    return _rounded(value, math.floor)


def _rounded(value: float, how: Callable[[float], int]) -> float:
    """Round to two digits; below 100 to a whole number."""
    step = 10 ** max(0, math.floor(math.log10(value)) - 1) if value >= 1 else 1
    return float(how(round(value / step, 9)) * step)
