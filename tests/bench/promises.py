"""Promises about numbers: what was found over many draws beside its bound, and the table that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("promise", "draws", "found", "target", "met")


@dataclass(frozen=True)
class Promise:
    """One line of the table; `at_least` and `at_most` bound what was found, neither: printed only."""

    name: str
    draws: int
    found: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether what was found keeps its bounds."""
        return (self.at_least is None or self.found >= self.at_least) and (
            self.at_most is None or self.found <= self.at_most
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as it is shown."""
        bounds = [
            f"{sign} {bound:g}" for sign, bound in ((">=", self.at_least), ("<=", self.at_most)) if bound is not None
        ]
        met = ("yes" if self.is_met else "NO") if bounds else ""
        return self.name, f"{self.draws:,}", f"{self.found:.3g}", " and ".join(bounds), met


def table(promises: Sequence[Promise]) -> str:
    """Return the promises as a Markdown table."""
    lines = [HEAD, *(promise.cells for promise in promises)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    shown = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])
