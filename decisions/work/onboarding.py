"""The onboarding set: gold items that a person answers before their first item on a queue, enough of them right.

The set is given out one by one by the ordinary claim and looks like ordinary work. Who passes is given items from then
on, and is checked most. Who fails is paused; when a lead lifts that, another set of unseen items begins.
"""

from datetime import datetime

from django.db import connection

from decisions import rights
from decisions.exceptions import NotOnboarded
from decisions.models import Decision, Grade, Queue, Task, User
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act, Standing
from decisions.routing import sampling
from decisions.routing.sampling import Purpose
from decisions.work import gold, grading

DONE = """SELECT EXISTS (SELECT FROM decisions_grade WHERE queue_id = %s AND person_id = %s AND why = 'passed')
    OR EXISTS (SELECT FROM decisions_decision WHERE person_id = %s AND queue_id = %s AND purpose <> 'gold')"""


def is_due(queue_id: int, spec: Spec, stands: Standing, person: User) -> bool:
    """Tell whether a person has the set before them.

    Not who passed it, who decided an item of the queue before it asked for a set, or who says what is gold.
    """
    if not spec.quality.onboarding or rights.may(stands, Act.MARK_GOLD):
        return False
    with connection.cursor() as cursor:
        cursor.execute(DONE, [queue_id, person.pk, person.pk, queue_id])
        return not cursor.fetchone()[0]


def is_left(queue: Queue, person: User) -> bool | None:
    """Tell whether a gold item is left for a person who has the set before them; None: they have none before them."""
    stands = rights.standing(person, queue.pk)
    if stands is None or not is_due(queue.pk, queue.spec, stands, person):
        return None
    return gold.has_one(queue.pk, person.pk) or bool(gold.unseen(queue.pk, person.pk, stands, needs=""))


def prepare(queue: Live, stands: Standing, person: User) -> None:
    """See to it that an item of the set waits for the person; NotOnboarded where no unseen one is left."""
    if gold.has_one(queue.queue_id, person.pk):
        return
    unseen = gold.unseen(queue.queue_id, person.pk, stands, needs="")
    if not unseen:
        raise NotOnboarded
    at = log.now()
    (lot,) = sampling.lots(queue.slug, [f"{person.pk}.{len(unseen)}"], Purpose.GOLD)
    place = gold.Place(queue.queue_id, Task.Rank.CROWD, due_step=at, priority=0.0)
    gold.open_for(person, unseen[int(lot * len(unseen))], place, queue.spec, at)


def follow(decision: Decision, stands: Standing, spec: Spec) -> Grade | None:
    """Pass or fail a person with the last answer of their set; None for any other answer."""
    if decision.purpose != Task.Purpose.GOLD or not is_due(decision.queue_id, spec, stands, decision.person):
        return None
    last = grading.newest(decision.queue_id, decision.person_id)
    right, n = tally(decision, spec, last.since if last else None)
    if n < spec.quality.onboarding:
        return None
    return grading.conclude(decision, spec, right=right, n=n, is_passed=right >= spec.quality.pass_mark * n)


def tally(decision: Decision, spec: Spec, since: datetime | None) -> tuple[int, int]:
    """Return how many answers of a person's set were right, and of how many: "can't tell" is not."""
    given = Decision.objects.filter(person=decision.person, queue=decision.queue_id, purpose=Task.Purpose.GOLD)
    if since:
        given = given.filter(at__gte=since)
    said = list(given.values_list("item", "outcome"))
    truths = gold.truths([item for item, _outcome in said])
    known = [(truths[item], spec.outcome(key)) for item, key in said if truths.get(item, "none") != "none"]
    return sum(outcome is not None and outcome.truth == truth for truth, outcome in known), len(known)
