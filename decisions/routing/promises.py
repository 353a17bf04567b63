"""What a check on known data found, in words that a business reader understands."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.learning.frozen import FEWEST
from decisions.measure.sentences import percent

Figures = Mapping[str, Any]  # as a check stores them


def precision(figures: Figures, noun: str) -> str:
    """Say how much of what the machine would do by itself is right; `noun` is the positive outcome's label."""
    share = figures["precision"]
    if share["value"] is None:
        return _("the machine would act on none of these rows")
    text = ngettext(
        "the machine would act on %(of)d row, and %(hits)d of it is %(noun)s: %(value)s",
        "the machine would act on %(of)d rows, and %(hits)d of them are %(noun)s: %(value)s",
        share["of"],
    )
    return text % {**_shown(share), "noun": noun}


def recall(figures: Figures, noun: str) -> str:
    """Say how much of what there is would be caught, by the machine or by people."""
    share = figures["recall"]
    if share["value"] is None:
        return _("none of these rows is %(noun)s") % {"noun": noun}
    text = ngettext(
        "%(of)d row is %(noun)s, and the machine or a person would see %(hits)d of it: %(value)s",
        "%(of)d rows are %(noun)s, and the machine or a person would see %(hits)d of them: %(value)s",
        share["of"],
    )
    return text % {**_shown(share), "noun": noun}


def carries(share: Mapping[str, Any]) -> str:
    """Say how far a figure goes beyond these rows, "" where there is none."""
    if share["value"] is None:
        return ""
    text = _("on other rows of the same kind it could as well be %(low)s to %(high)s")
    return text % {"low": percent(share["low"]), "high": percent(share["high"], up=True)}


def left_out(figures: Figures) -> list[str]:
    """Say which rows of the set say nothing about the model."""
    learnt, told = figures["learnt"], []
    if learnt is None:
        told.append(_("whether the model learnt from some of these rows is not known here: ask who made it"))
    elif learnt:
        text = ngettext(
            "%(count)d row is left out, for the model learnt from one with the very same content",
            "%(count)d rows are left out, for the model learnt from others with the very same content",
            learnt,
        )
        told.append(text % {"count": learnt})
    if sent_back := figures["sent_back"]:
        text = ngettext(
            "%(count)d row would be sent back to be mended",
            "%(count)d rows would be sent back to be mended",
            sent_back,
        )
        told.append(text % {"count": sent_back})
    if failed := figures["failed_checks"]:
        text = ngettext(
            "%(count)d row fails a check of its input or score and is not counted for the machine's precision",
            "%(count)d rows fail a check of their input or score and are not counted for the machine's precision",
            failed,
        )
        told.append(text % {"count": failed})
    return told


def missed(figures: Figures, noun: str) -> str:
    """Say which promises are broken, and by how much; "" where every one is kept."""
    if not figures["is_enough"]:
        text = _(
            "only %(positives)d positive and %(negatives)d negative rows can be judged; %(fewest)d of each are needed"
        )
        return text % {"positives": figures["positives"], "negatives": figures["negatives"], "fewest": FEWEST}
    parts = []
    for name, tell in (("precision", precision), ("recall", recall)):
        if not figures[name]["is_kept"]:
            promised = _("promised is at least %(share)s") % {"share": percent(figures[name]["promised"])}
            parts.append(f"{tell(figures, noun)}; {promised}")
    return "; ".join(parts)


def _shown(share: Mapping[str, Any]) -> dict[str, Any]:
    whole = _("all of them") if share["hits"] == share["of"] else percent(share["value"])
    return {"of": share["of"], "hits": share["hits"], "value": whole}
