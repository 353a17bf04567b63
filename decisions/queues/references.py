"""References in a spec that lead nowhere."""

from collections.abc import Iterable
from difflib import get_close_matches

from django.utils.translation import gettext as _

from decisions.exceptions import Fault


def missing(path: str, name: str, known: Iterable[str]) -> Fault:
    """Return the fault of a name that is not known, with the one that may be meant."""
    near = get_close_matches(name, list(known), 1)
    if near:
        detail = _("there is no “%(name)s”; do you mean “%(near)s”?") % {"name": name, "near": near[0]}
    else:
        detail = _("there is no “%(name)s”") % {"name": name}
    return Fault(path, "reference", detail)
