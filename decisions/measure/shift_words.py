"""What a comparison of two sides says, in a sentence."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure.drift import Level
from decisions.measure.shifted import Asked, Shifted

OFF = (Level.WARN, Level.ACT)


def sentence(found: Shifted) -> str:
    """Say how many fields differ by more than chance, and the worst of them."""
    if found.absent:
        return found.absent
    if found.level == Level.UNMEASURED:
        return _("Not measured: fewer than 30 items on one of the two sides.")
    off = sorted((one for one in found.fields if one.level in OFF), key=lambda one: one.level != Level.ACT)
    if not off:
        if found.level in OFF:
            return _("No field differs, but the scores or the mix of segments do.")
        return _("Nothing differs by more than chance and by enough to matter.")
    text = ngettext(
        "%(n)s field of %(of)s differs by more than chance, and by enough to matter: %(names)s.",
        "%(n)s fields of %(of)s differ by more than chance, and by enough to matter: %(names)s.",
        len(off),
    )
    return text % {"n": len(off), "of": len(found.fields), "names": ", ".join(one.name for one in off[:5])}


def side(asked: Asked) -> str:
    """Return one side in words."""
    said = {"model": asked.model or ""}
    if asked.days is None:
        return _("what %(model)s learnt from") % said if asked.model else _("what the live model learnt from")
    said |= {"first": asked.days.first.isoformat(), "last": asked.days.last.isoformat()}
    if asked.model:
        return _("%(first)s to %(last)s, as %(model)s scored it") % said
    return _("%(first)s to %(last)s") % said
