"""Models that a process keeps in memory: the ones used last, and never more than fit within its bound together."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Shelf(Generic[Kept]):
    """Things by key, each with its size in bytes; the ones not used for longest go when a new one needs the room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], tuple[Kept, int]], most: int) -> Kept:
        """Return what is kept under a key, read if it is not there; one that hangs while it is read holds up no other.

        `most` is how many bytes may stay on the shelf.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        made = read()
        with self._lock:
            kept = self._kept.setdefault(key, made)[0]
            while len(self._kept) > 1 and sum(size for _thing, size in self._kept.values()) > most:
                self._kept.popitem(last=False)
        return kept
