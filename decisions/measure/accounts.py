"""Whether everything that was accepted is somewhere: passed, acted on, or with people in a state that has a name.

The law of trust.md: sum(states) = accepted. Both sides are counted apart: what each intake call said it accepted, and
where its items are now. What is found is kept as figures, by the hour in which the calls came.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from decisions.measure.counts import floor_hour
from decisions.models import Queue, Rollup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(minutes=5)  # after an hour: calls that began in it have committed by then
MOST_HOURS = 48  # that one run closes, so that it ends soon
ACCOUNT, ACCEPTED, CHECKED = "account", "accepted", "balanced"
LOST = "lost"  # an item for people without a task of its own

# Where the items of an hour's calls are. Of an item for people its newest first task says so: a later purpose (a
# second opinion, an audit) is other work on an item that has its place already.
STATES = """
SELECT CASE WHEN i.reason = 'imported' THEN 'imported' WHEN i.route = 'pass' THEN 'passed'
    WHEN i.route = 'hard' THEN 'acted' ELSE coalesce(task.state, 'lost') END,
    count(*)
FROM decisions_intake n JOIN decisions_item i ON i.intake_id = n.id LEFT JOIN LATERAL (
    SELECT t.state FROM decisions_task t
    WHERE t.item_id = i.id AND t.purpose IN ('soft', 'control') AND i.route = 'soft' ORDER BY t.id DESC LIMIT 1
) task ON TRUE
WHERE n.queue_id = %(queue)s AND n.at >= %(start)s AND n.at < %(end)s GROUP BY 1"""
SAID = """
SELECT coalesce(sum(accepted), 0) FROM decisions_intake
WHERE queue_id = %(queue)s AND at >= %(start)s AND at < %(end)s"""


@dataclass(frozen=True)
class Account:
    """What was accepted in the hour that starts at `hour`, and in which states it is; `lost` is among no state."""

    hour: datetime
    accepted: int
    states: dict[str, int]
    lost: int = 0

    @property
    def missing(self) -> int:
        """How many accepted items are in no state; below 0 where more are there than were accepted."""
        return self.accepted - sum(self.states.values())


def check(queue: Queue, at: datetime) -> list[Account]:
    """Count the hours that closed since the last time and, after them, one older day; return those that do not add up.

    Which older day: the one that was looked at longest ago.
    """
    closed = list(_closed(queue, at))
    hours = [*closed, *(_older(queue.pk, at) if closed else ())]
    return [found for hour in hours if (found := _count(queue.pk, hour, at)).missing]


def of(queue_id: int, at: datetime) -> dict[str, Any] | None:
    """Return the accounts of the last 24 closed hours, as each was found when it was checked; None before the first.

    `checked_to` is the end of the newest hour that was checked; `missing` are in no state. An older hour that does not
    add up is an alert.
    """
    checked = Rollup.objects.filter(queue=queue_id, figure=CHECKED)
    newest = checked.filter(at__lte=at).order_by("-at").first()
    if newest is None:
        return None
    end = newest.at + HOUR
    rows = Rollup.objects.filter(queue=queue_id, figure__in=(ACCOUNT, ACCEPTED), at__gte=end - DAY, at__lt=end)
    sums: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows.values("figure", "key").annotate(total=Sum("value")):
        sums[row["figure"]][row["key"]] = int(row["total"])
    accepted = sums[ACCEPTED].get("", 0)
    return {
        "since": end - DAY,
        "checked_to": end,
        "checked_at": newest.made_at,
        "accepted": accepted,
        "states": sums[ACCOUNT],
        "missing": accepted - sum(sums[ACCOUNT].values()),
    }


def _closed(queue: Queue, at: datetime) -> Iterator[datetime]:
    """Yield the hours that are over and were not checked yet, oldest first."""
    newest = Rollup.objects.filter(queue=queue, figure=CHECKED).order_by("-at").first()
    hour = newest.at + HOUR if newest else floor_hour(queue.created_at)
    for _ in range(MOST_HOURS):
        if hour + HOUR + GRACE > at:
            return
        yield hour
        hour += HOUR


def _older(queue_id: int, at: datetime) -> list[datetime]:
    """Return the hours of the day that was checked longest ago, of those that are over for a day."""
    checked = Rollup.objects.filter(queue=queue_id, figure=CHECKED, at__lt=floor_hour(at) - DAY)
    oldest = checked.order_by("made_at", "at").first()
    if oldest is None:
        return []
    return list(checked.filter(at__gte=oldest.at, at__lt=oldest.at + DAY).order_by("at").values_list("at", flat=True))


@transaction.atomic
def _count(queue_id: int, hour: datetime, at: datetime) -> Account:
    """Count one hour and keep what was found, in place of what was found before."""
    asked: dict[str, int | datetime] = {"queue": queue_id, "start": hour, "end": hour + HOUR}
    with connection.cursor() as cursor:
        cursor.execute(SAID, asked)
        accepted = int(cursor.fetchone()[0])
        cursor.execute(STATES, asked)
        states = dict(cursor.fetchall())
    lost = states.pop(LOST, 0)
    account = Account(hour, accepted, states, lost)
    figures = [(ACCEPTED, "", accepted), *((ACCOUNT, state, n) for state, n in states.items())]
    Rollup.objects.filter(queue=queue_id, figure__in=(ACCOUNT, ACCEPTED), at=hour).delete()
    Rollup.objects.bulk_create(
        [
            Rollup(queue_id=queue_id, figure=figure, key=key, at=hour, value=n, made_at=at)
            for figure, key, n in figures
            if n
        ]
    )
    Rollup.objects.update_or_create(
        queue_id=queue_id, figure=CHECKED, key="", at=hour, defaults={"value": account.missing, "made_at": at}
    )
    return account
