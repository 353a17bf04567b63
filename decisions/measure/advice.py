"""What a recommended threshold for HARD says in words."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure.label_counts import LEVEL
from decisions.measure.thresholds import Advice, Verdict

DIGITS = 4  # of a threshold; scores of 0.9995 and 0.9999 are far apart


def sentence(advice: Advice, *, target: float) -> str:
    """Say what is certified, or how many labels that takes, or that no number of labels will do."""
    told = {
        "threshold": "" if advice.at is None else number_format(round(advice.at, DIGITS)),
        "target": _percent(target),
        "goal": _percent(advice.goal),
        "precision": _percent(advice.precision or 0.0),
        "low": _percent(advice.low),
        "level": _percent(LEVEL),
    }
    if advice.verdict == Verdict.CERTIFIED:
        return (
            _(
                "Certified: from %(threshold)s up precision is at least %(target)s, at %(level)s confidence; "
                "%(precision)s were found."
            )
            % told
        )
    if advice.needed is None:
        return (
            _(
                "Cannot be certified: from %(threshold)s up %(precision)s were found, below the %(goal)s of target and "
                "buffer. As long as that holds, no number of labels will do at this threshold."
            )
            % told
        )
    told["needed"] = number_format(advice.needed, use_l10n=True, force_grouping=True)
    return (
        ngettext(
            "Cannot be certified yet: %(needed)s more label from %(threshold)s up, if precision stays as it is.",
            "Cannot be certified yet: %(needed)s more labels from %(threshold)s up, if precision stays as it is.",
            advice.needed,
        )
        % told
    )


def _percent(share: float) -> str:
    return _("%(percent)s %%") % {"percent": number_format(round(100 * share, 1))}
