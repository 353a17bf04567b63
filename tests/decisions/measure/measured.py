"""A queue with a week behind it, put together row by row: who was asked, what they said, what was drawn."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from decisions.measure import rollups
from decisions.models import Draw, Frame, Item, Policy, Queue, Rollup, Ruling, Task, User
from tests.factories import NOON, make_item, make_queue, make_task, make_user

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)
POSITIVE, NEGATIVE, NONE = "spam", "ham", "unclear"
TRUTHS = {POSITIVE: "positive", NEGATIVE: "negative", NONE: "none", "": "none"}


def queue_of_last_week(**spec: Any) -> Queue:
    """Make a queue that began ten days before noon."""
    queue = make_queue(**spec)
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - DAY * 10)
    return queue


def soft(queue: Queue, outcome: str | None = None, **fields: Any) -> Item:
    """Make an item that people were asked about, and what they said."""
    return ruled(make_item(queue, **{"arrived_at": NOON - DAY, **fields}), outcome)


def many(queue: Queue, positive: int, negative: int, **fields: Any) -> None:
    """Let people answer so many soft items."""
    for k in range(positive + negative):
        soft(queue, POSITIVE if k < positive else NEGATIVE, **{"u": (k + 0.5) / (positive + negative), **fields})


def control(queue: Queue, outcome: str | None = None, share: float = 0.1, **fields: Any) -> Item:
    """Make an item of the control group, and what people said."""
    given = {"band": "hard", "reason": "control", "propensity": share, "score": 0.95, "p": 0.95}
    return soft(queue, outcome, **{**given, **fields})


def hard(queue: Queue, **fields: Any) -> Item:
    """Make an item on which the machine acted."""
    given = {"band": "hard", "route": "hard", "propensity": 0.1, "score": 0.95, "p": 0.95, "arrived_at": NOON - DAY}
    return make_item(queue, **{**given, **fields})


def passed(queue: Queue, **fields: Any) -> Item:
    """Make an item that was passed."""
    given = {"band": "pass", "route": "pass", "propensity": None, "score": 0.1, "p": 0.1, "q": 0.3}
    return make_item(queue, **{"arrived_at": NOON - DAY, **given, **fields})


def ruled(item: Item, outcome: str | None, *, source: str = "decision", by: User | None = None, **fields: Any) -> Item:
    """Let an outcome hold for an item an hour after it arrived; None: nobody said anything."""
    if outcome is None:
        return item
    at = fields.pop("at", item.arrived_at + HOUR)
    last = Ruling.objects.filter(item=item).order_by("-no").first()
    given = {"no": last.no + 1 if last else 1, "truth": TRUTHS[outcome], "final_at": at, **fields}
    Ruling.objects.create(
        queue=item.queue, item=item, outcome=outcome, source=source, person=by, replaces=last, at=at, **given
    )
    return item


def frame(queue: Queue, *items: Item, pi: float = 0.1, starts: datetime = MIDNIGHT - DAY, **fields: Any) -> Frame:
    """Close a day's frame (yesterday's unless said otherwise) that drew these items."""
    given = {
        "ends_at": starts + DAY,
        "budget": 10,
        "passes": Item.objects.filter(queue=queue, route="pass", arrived_at__gte=starts).count(),
        "drawn": len(items),
        "mean_p": 0.01,
        "beta": 0.25,
        **fields,
    }
    made = Frame.objects.create(queue=queue, starts_at=starts, at=given["ends_at"], **given)
    for item in items:
        Draw.objects.create(frame=made, item=item, pi=pi)
        make_task(queue, item, purpose=Task.Purpose.AUDIT, due_at=given["ends_at"] + DAY, opened_at=given["ends_at"])
    return made


def audited(queue: Queue, *outcomes: str | None, pi: float = 0.1, **fields: Any) -> Frame:
    """Pass an item for each outcome, draw all of them, and let the audits say so."""
    return frame(queue, *(ruled(passed(queue, **fields), outcome) for outcome in outcomes), pi=pi)


def next_policy(queue: Queue, **fields: Any) -> Policy:
    """Let another policy like the live one route what is made from now on."""
    live = Policy.objects.live().get(queue=queue)
    Policy.objects.filter(pk=live.pk).update(state=Policy.State.RETIRED)
    names = ("model", "hard", "soft", "suggest", "control_share", "audit_budget", "objective", "why")
    given = {**{name: getattr(live, name) for name in names}, "state": "live", "created_at": NOON, **fields}
    return Policy.objects.create(queue=queue, no=live.no + 1, **given)


def counted(at: datetime = NOON) -> datetime:
    """Count the hourly figures up to a time from the beginning, and return it."""
    Rollup.objects.all().delete()
    rollups.roll_up(at)
    return at


def simulated_person() -> User:
    """Make a simulated reviewer."""
    return make_user(kind=User.Kind.SIMULATED)


def yesterday_measured() -> Queue:
    """Make a queue of now, with a day behind it: people, control and audits have answered, and all is counted."""
    queue, now = make_queue(), timezone.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    Queue.objects.filter(pk=queue.pk).update(created_at=today - DAY * 3)
    at = today - DAY + HOUR
    for k in range(6):
        soft(queue, POSITIVE if k < 3 else NEGATIVE, arrived_at=at, segment="north" if k % 2 else "")
        hard(queue, arrived_at=at)
        control(queue, POSITIVE, arrived_at=at)
    items = [ruled(passed(queue, arrived_at=at), NEGATIVE if k else POSITIVE) for k in range(4)]
    frame(queue, *items, pi=0.5, starts=today - DAY)
    rollups.roll_up(now)
    return queue
