"""Replays of the demo's real rows under audit secrets of their own: what was measured against what is known to be true.

The rows go the whole way: intake, frames, claims, answers by reviewers who err, second opinions, a lead who does not.
"""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.test import override_settings

from decisions.intake import parse as lines
from decisions.intake import submit
from decisions.learning import registry
from decisions.measure import operating, rollups
from decisions.measure.estimates import Estimate, Share
from decisions.measure.operating import OperatingPoint
from decisions.models import Item, Policy, Queue, User
from decisions.queues import apply, live, parse
from decisions.queues.spec import Truth
from decisions.record import digest, log
from decisions.routing import frames
from decisions.work import claim
from reviewqueue.demo import rows, setup
from reviewqueue.demo.reviewers import Crew
from tests.factories import make_user

BUDGET = 200  # audits of the day that is replayed
CONTROL = 0.3  # of HARD
CREW = ("reviewer",) * 4 + ("lead",) * 2
logger = logging.getLogger(__name__)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Script:
    """A demo queue ready to be replayed: its file, each live row as it is sent, and what every row really is."""

    slug: str
    file: str
    sent: tuple[bytes, ...]
    truths: dict[str, Truth]


@dataclass(frozen=True)
class Bracket:
    """What is true, and the limits that were measured."""

    true: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.true <= self.high

    def __str__(self) -> str:
        return f"{self.true:.3f} in [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Outcome:
    """A replay: the precision of HARD from so many control items, and recall from so many audits."""

    precision: Bracket
    recall: Bracket
    controls: int
    audits: int

    def __str__(self) -> str:
        return f"precision {self.precision} of {self.controls}, recall {self.recall} from {self.audits} audits"


def script(slug: str) -> Script:
    """Make the demo queue, train its model and let it score the rows that it has not seen."""
    queue = setup.queue(slug, logger.info)
    setup.model(queue, logger.info)
    model = Policy.objects.live().select_related("model").get(queue=queue).model
    assert model is not None
    found = rows.live(slug)
    scores = registry.load(model).score([row.payload for row in found]).tolist()
    sent = [
        {"external_id": row.external_id, "payload": row.payload, "score": score, "source": "demo"}
        for row, score in zip(found, scores, strict=True)
    ]
    file = (setup.QUEUES / f"{slug}.toml").read_text()
    return Script(slug, file, tuple(map(digest.canonical, sent)), rows.truths(slug, queue.spec))


@contextmanager
def rolled_back() -> Iterator[None]:
    """Leave nothing of what is stored meanwhile."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def replay(of: Script, secret: int) -> Outcome:
    """Replay the rows under an audit secret of this number; return what is true and what was measured."""
    with override_settings(AUDIT_SECRETS={1: secret.to_bytes(32)}), rolled_back():
        queue = _queue(of)
        yesterday = _noon_before(queue, log.now())
        sender = make_user("manager", queue)
        submit.many(queue=live.of(queue.slug), lines=lines.many(b"\n".join(of.sent)), sender=sender, at=yesterday)
        frames.close_due(log.now())
        _work(queue, of, random.Random(secret))
        at = log.now() + HOUR
        rollups.roll_up(at)
        return _outcome(operating.point(queue.pk, at), queue, of)


def _queue(of: Script) -> Queue:
    """Make a queue like the demo's that takes scores as they come, with audits and a control group to measure by."""
    spec = parse.toml(of.file, of.slug)
    policy = replace(spec.policy, audit_budget=BUDGET, control_share=CONTROL)
    slug = f"{of.slug}-again"
    plan = apply.preview(parse.Document(replace(spec, slug=slug, policy=policy, expire_to="", sla=timedelta(days=9))))
    queue = apply.apply(plan, by=None, why="Replay", at=log.now()).queue
    Queue.objects.filter(pk=queue.pk).update(created_at=log.now() - timedelta(days=2))  # its figures begin there
    return queue


def _noon_before(queue: Queue, at: datetime) -> datetime:
    zone = live.of(queue.slug).spec.zone
    return (at.astimezone(zone) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


def _work(queue: Queue, of: Script, chance: random.Random) -> None:
    """Let the crew answer all there is, with the demo's rate of errors; leads settle what the others dispute."""
    people = [make_user(role, queue) for role in CREW]
    crew = Crew(people, [queue], {queue.slug: of.truths}, chance)
    while sum(_turn(crew, person, queue) for person in people):
        pass


def _turn(crew: Crew, person: User, queue: Queue) -> bool:
    """Let one person claim and answer as much as they may hold; say whether there was anything."""
    spec = live.of(queue.slug).spec
    tasks = claim.next_tasks(queue_id=queue.pk, person=person, count=spec.cap)
    for task in tasks:
        crew.answer(task, person, spec)
    return bool(tasks)


def _outcome(point: OperatingPoint, queue: Queue, of: Script) -> Outcome:
    scored = Item.objects.filter(queue=queue, reason__in=[Item.RouteReason.SCORE, Item.RouteReason.CONTROL])
    found = [(of.truths[name] == Truth.POSITIVE, band) for name, band in scored.values_list("external_id", "band")]
    hard = [is_positive for is_positive, band in found if band == Item.Band.HARD]
    caught = [band != Item.Band.PASS for is_positive, band in found if is_positive]
    return Outcome(
        _bracket(sum(hard) / len(hard), point.hard),
        _bracket(sum(caught) / len(caught), point.recall),
        point.control.answered,
        point.audits.answered,
    )


def _bracket(true: float, measured: Share | Estimate) -> Bracket:
    assert measured.low is not None, "not measured"
    assert measured.high is not None
    return Bracket(true, measured.low, measured.high)
