"""The digest of a frame's draws, which its entry in the record holds."""

import hashlib
from collections.abc import Iterable

from decisions.models import Draw
from decisions.record import digest


def of(draws: Iterable[tuple[int, float]]) -> str:
    """Return the SHA-256, as hex, of each drawn item's id and the exact probability with which it was drawn."""
    exact = [[item_id, pi.hex()] for item_id, pi in sorted(draws)]
    return hashlib.sha256(digest.canonical(exact)).hexdigest()


def of_frame(frame_id: int) -> str:
    """Return the same from the stored rows."""
    return of(Draw.objects.filter(frame=frame_id).values_list("item_id", "pi"))
