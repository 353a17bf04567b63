"""The part of a queue's spec that says when its model is trained again without anybody asking."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Training:
    """What starts a training run; none of it = only people do.

    A run is due when `after_labels` labels came since the last one was asked for, when `every` has gone by since then,
    or when `on_drift` and an alert says that data moved. `rest` lies between two runs that nobody asked for.
    """

    after_labels: int | None = None
    every: timedelta | None = None
    on_drift: bool = False
    rest: timedelta = timedelta(hours=1)

    @property
    def is_by_itself(self) -> bool:
        """Whether anything but a person starts a run."""
        return self.after_labels is not None or self.every is not None or self.on_drift
