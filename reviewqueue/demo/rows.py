"""The demo's real rows: which a model learns from, which policies are checked on, which arrive as live traffic."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from decisions.learning import rows
from decisions.learning.rows import Condition, FileRow, Part
from decisions.learning.training import Example
from decisions.models import Queue
from decisions.queues.spec import Spec, Truth

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Demo:
    """One demo queue: its file, what of it is history, and the column that tells when a row happened.

    A model learns from the `training` part of the `history`; the rest of it is the known data on which policies are
    checked. What is no history arrives as live traffic.
    """

    file: str
    history: Part
    training: Part
    in_time: bool
    time: str = ""

    def is_known(self, row: FileRow) -> bool:
        """Tell whether a row is of the known data: history that no model learns from."""
        return self.history.holds(row) and not self.training.holds(row)


def _before(day: str) -> Part:
    return Part((Condition("time", "<", day),))


DEMOS = {
    "emails": Demo("emails.csv.gz", _before("2012-02-15"), _before("2012-02-01"), in_time=True, time="time"),
    "credit": Demo(
        "credit_applications.csv.gz", Part(share=0.5, salt="demo"), Part(share=0.35, salt="demo"), in_time=False
    ),
}


@dataclass(frozen=True)
class DemoRow:
    """A row as it arrives: the payload has no truth in it."""

    queue: str
    external_id: str
    payload: dict[str, Any]
    occurred_at: str


def live(slug: str) -> list[DemoRow]:
    """Return the rows that are no history, in the order of the file."""
    demo, spec = DEMOS[slug], Queue.objects.select_related("version").get(slug=slug).spec
    return [
        DemoRow(slug, row.external_id, rows.payload(row.cells, spec.fields), row.cells.get(demo.time, ""))
        for row in _rows(slug, lambda row: not demo.history.holds(row))
    ]


def examples(slug: str, spec: Spec) -> list[Example]:
    """Return the rows that the queue's model learns from, in the order of the file."""
    return [
        Example(row.external_id, rows.payload(row.cells, spec.fields), _is_positive(row, spec))
        for row in _rows(slug, DEMOS[slug].training.holds)
    ]


def truths(slug: str, spec: Spec) -> dict[str, Truth]:
    """Return what every row really is, by external id."""
    return {
        row.external_id: Truth.POSITIVE if _is_positive(row, spec) else Truth.NEGATIVE
        for row in _rows(slug, lambda _row: True)
    }


def _rows(slug: str, wanted: Callable[[FileRow], bool]) -> Iterator[FileRow]:
    return (row for row in rows.read(FOLDER / DEMOS[slug].file, slug) if wanted(row))


def _is_positive(row: FileRow, spec: Spec) -> bool:
    return row.cells[spec.model.label] == spec.model.positive
