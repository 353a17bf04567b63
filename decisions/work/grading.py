"""How much of each person's work is checked, and pausing who errs too often: counted from what was checked.

A grade is a row that never changes; a new one is written when what follows from the count has moved, when somebody is
paused, and when a lead lifts that. After that only later answers count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Forbidden, NotFound
from decisions.measure import accuracy, answers
from decisions.models import Decision, Event, Grade, Queue, User
from decisions.queues import live
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from decisions.routing import sampling
from decisions.routing.sampling import Purpose

COUNTED = timedelta(days=28)  # answers older than that no longer tell how somebody works
MOVED = 0.1  # by so much of itself a share has to move before it is written anew
NEWEST = """SELECT DISTINCT ON (person_id) * FROM decisions_grade WHERE queue_id = %s ORDER BY person_id, no DESC"""


@dataclass(frozen=True)
class Drawn:
    """A lot that was drawn: the chance, the number below it, and the secret that made the number."""

    pi: float
    u: float
    u_secret: int


def lot(decision: Decision, spec: Spec, purpose: Purpose) -> Drawn | None:
    """Draw whether an answer is checked, with the share that is its person's; None where it is not below that.

    The person's own share is looked up only where the number is below the most that it can be.
    """
    number, secret = sampling.newest_secret()
    (u,) = sampling.u(secret, decision.queue.slug, [f"{decision.task_id}.{decision.round}"], purpose).tolist()
    least = getattr(spec.quality, SHARES[purpose])
    if not least or u >= max(least, spec.quality.most_share):
        return None
    held = newest(decision.queue_id, decision.person_id)
    pi = getattr(held, SHARES[purpose]) if held else _share(spec, least, 0, 0)
    return Drawn(pi, u, number) if u < pi else None


SHARES = {Purpose.GOLD: "gold_share", Purpose.CHECK: "second_share"}


def newest(queue_id: int, person_id: int) -> Grade | None:
    """Return how a person stands on a queue; None: nothing of theirs was counted yet."""
    return Grade.objects.filter(queue=queue_id, person=person_id).order_by("-no").first()


def all_newest(queue_id: int) -> dict[int, Grade]:
    """Return how each person stands on a queue, by their id."""
    return {grade.person_id: grade for grade in Grade.objects.raw(NEWEST, [queue_id])}


def regrade_all(at: datetime) -> int:
    """Count what was checked on every queue and write the grades that moved; returns how many."""
    slugs = Queue.objects.exclude(version=None).values_list("slug", flat=True)
    return sum(len(regrade(live.of(slug), at)) for slug in slugs)


def regrade(queue: Live, at: datetime) -> list[Grade]:
    """Count what was checked of each person on a queue; return the grades that moved. Two at once do no harm."""
    if not any(getattr(queue.spec.quality, name) for name in SHARES.values()):
        return []
    held = all_newest(queue.queue_id)
    seen = answers.checked(queue.queue_id, queue.spec, start=at - COUNTED, at=at)
    return [made for grade in _counted(queue, seen, held, at) if (made := _written(grade, held.get(grade.person_id)))]


@transaction.atomic
def lift(*, queue_id: int, person_id: int, by: User) -> Grade:
    """Let a paused person work again: from now on only what they answer next counts, and they are checked most.

    Refuses with Forbidden who may not, and who would lift their own pause; Conflict where nobody is paused.
    """
    rights.require(by, Act.LIFT_PAUSE, queue_id=queue_id)
    if by.pk == person_id:
        raise Forbidden(_("Somebody else has to lift your pause."), right=Act.LIFT_PAUSE, queue_id=queue_id)
    held = newest(queue_id, person_id)
    if held is None:
        raise NotFound
    if not held.is_paused:
        raise Conflict(_("This person is not paused."))
    queue, at = live.of_id(queue_id), log.now()
    grade = _grade(queue_id, queue.spec, person_id, (0, 0), since=at, at=at)
    grade.no, grade.why, grade.by = held.no + 1, Grade.Why.LIFTED, by
    return _store(grade, Event.Kind.PERSON_RESUMED)


def conclude(decision: Decision, spec: Spec, *, right: int, n: int, is_passed: bool) -> Grade:
    """Write how somebody did in their onboarding set: passed, or paused until a lead lifts that."""
    held = newest(decision.queue_id, decision.person_id)
    grade = _grade(decision.queue_id, spec, decision.person_id, (n - right, n), since=decision.at, at=decision.at)
    grade.no, grade.is_paused = held.no + 1 if held else 1, not is_passed
    grade.why = Grade.Why.PASSED if is_passed else Grade.Why.FAILED
    return _store(grade, Event.Kind.PERSON_GRADED if is_passed else Event.Kind.PERSON_PAUSED)


def _counted(queue: Live, seen: answers.Checked, held: dict[int, Grade], at: datetime) -> Iterator[Grade]:
    """Yield a grade for each person of whom something was checked, from what came since their last pause was lifted."""
    for person_id in sorted({*seen.person.tolist(), *held}):
        last = held.get(person_id)
        since = max(at - COUNTED, last.since) if last else at - COUNTED
        told = answers.tally(seen, person_id, since)
        grade = _grade(queue.queue_id, queue.spec, person_id, told, since=last.since if last else since, at=at)
        grade.is_paused = bool(last and last.is_paused) or accuracy.is_too_wrong(
            grade.wrong, grade.n, queue.spec.quality.error_limit
        )
        yield grade


def _grade(queue_id: int, spec: Spec, person_id: int, told: tuple[int, int], *, since: datetime, at: datetime) -> Grade:
    wrong, n = told
    shares = {name: _share(spec, getattr(spec.quality, name), wrong, n) for name in SHARES.values()}
    return Grade(queue_id=queue_id, person_id=person_id, no=1, n=n, wrong=wrong, since=since, at=at, **shares)


def _share(spec: Spec, least: float, wrong: int, n: int) -> float:
    quality = spec.quality
    return accuracy.share(wrong, n, least=least, most=quality.most_share, limit=quality.error_limit)


def _written(grade: Grade, last: Grade | None) -> Grade | None:
    """Store a grade that says something new; None for one that does not, or that another run stored meanwhile."""
    if last and last.is_paused == grade.is_paused and not any(_moved(grade, last, name) for name in SHARES.values()):
        return None
    is_news = grade.is_paused and not (last and last.is_paused)
    grade.no = last.no + 1 if last else 1
    grade.why = Grade.Why.ERRORS if is_news else Grade.Why.COUNTED
    try:
        with transaction.atomic():
            return _store(grade, Event.Kind.PERSON_PAUSED if is_news else Event.Kind.PERSON_GRADED)
    except Conflict:
        return None


def _moved(grade: Grade, last: Grade, name: str) -> bool:
    now, before = float(getattr(grade, name)), float(getattr(last, name))
    return abs(now - before) > MOVED * before


def _store(grade: Grade, kind: Event.Kind) -> Grade:
    """Store a grade and its entry, which says whose it is and no figure: the record has more readers than figures."""
    try:
        with transaction.atomic():
            grade.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("This was changed at the same time.")) from error
    entry = {"grade": grade.pk, "person": grade.person_id}
    log.append(kind, chain=grade.queue_id, actor=grade.by, at=grade.at, reason=grade.why, entry=entry, rows=(grade,))
    return grade
