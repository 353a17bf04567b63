"""Sends rows that drifted, for the watch to find: more positives, a segment that shifts, a field that is lost."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from http import HTTPStatus

from decisions.models import Queue
from decisions.queues.spec import NUMERIC, Remedy, Spec, Truth
from reviewqueue.demo import replay, rows
from reviewqueue.demo.replay import Sender
from reviewqueue.demo.rows import DemoRow

COUNT = 600
DELAY = "The watch looks every five minutes; it finds the change within 500 drifted items and one look."
POSITIVES = 0.8  # of the rows, where there are more of them
LOST = 0.8  # of the rows, where a field goes missing


class Drift(StrEnum):
    """What changes."""

    POSITIVES = "positives"  # more of what the model looks for
    SEGMENT = "segment"  # one segment's scores rise
    FIELD = "field"  # one field goes missing


def run(sender: Sender, slug: str, drift: Drift, *, rate: float, name: str) -> int:
    """Send drifted rows under external ids that begin with `name`; return how many were accepted."""
    accepted = 0
    made = drifted(slug, drift, name=name, count=COUNT)
    for row in replay.paced(iter(made), rate, lambda: None):
        status, _ = sender.send(f"/queues/{slug}/items/", replay.line(row), "application/json")
        accepted += status == HTTPStatus.CREATED
    return accepted


def drifted(slug: str, drift: Drift, *, name: str, count: int) -> list[DemoRow]:
    """Return rows of the live traffic, drawn anew and changed; the same ones for the same name."""
    spec = Queue.objects.select_related("version").get(slug=slug).spec
    chance = random.Random(name)  # noqa: S311 - a simulation
    found, truths = rows.live(slug), rows.truths(slug, spec)
    positives = [row for row in found if truths[row.external_id] == Truth.POSITIVE]
    segment, field = shifted_segment(found, spec), lost_field(spec)
    of_segment = [row for row in positives if _segment(row, spec) == segment]
    made = []
    for number in range(count):
        row = chance.choice(found)
        if drift == Drift.POSITIVES and chance.random() < POSITIVES:
            row = chance.choice(positives)
        elif drift == Drift.SEGMENT and _segment(row, spec) == segment:
            row = chance.choice(of_segment)
        elif drift == Drift.FIELD and chance.random() < LOST:
            row = replace(row, payload={key: value for key, value in row.payload.items() if key != field})
        made.append(replace(row, external_id=f"{name}-{number}"))
    return made


def shifted_segment(found: Sequence[DemoRow], spec: Spec) -> str:
    """Return the segment whose scores rise: the largest."""
    return Counter(_segment(row, spec) for row in found).most_common(1)[0][0]


def lost_field(spec: Spec) -> str:
    """Return the field that goes missing: a number without which people look at an item."""
    return next(one.name for one in spec.fields if one.type in NUMERIC and one.if_missing == Remedy.PEOPLE)


def _segment(row: DemoRow, spec: Spec) -> str:
    return str(row.payload.get(spec.segment_field, ""))
