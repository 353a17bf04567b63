"""A bounded memory of answers in a process: what was used longest ago goes first."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Up to `size` answers by key, safe to share between threads. `hits` and `misses` count what was asked for."""

    def __init__(self, size: int) -> None:
        self.size, self.hits, self.misses = size, 0, 0
        self._answers: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return a kept answer, None where there is none."""
        with self._lock:
            if key not in self._answers:
                self.misses += 1
                return None
            self.hits += 1
            self._answers.move_to_end(key)
            return self._answers[key]

    def put(self, key: K, answer: V) -> None:
        """Keep an answer."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self.size:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        """Forget all answers and counts."""
        with self._lock:
            self._answers.clear()
            self.hits = self.misses = 0
