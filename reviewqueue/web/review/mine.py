"""What a reviewer sees of their own answers, and what waits to be settled by them."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions import rights
from decisions.exceptions import NotFound
from decisions.measure import answering, trust, trust_words
from decisions.record import log
from decisions.rights import Act
from decisions.work import disputes, grading, mine
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

SHOWN = 50


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a person how often they were right and agreed with others: nobody else's figures."""
    person, at = signed_in(request), log.now()
    queue = queues.one(person, slug, Act.CLAIM)
    leaning = trust.of_person(queue, person, at - grading.COUNTED, at, at=at)
    context = {
        "queue": queue,
        "own": answering.of_person(queue, person, at),
        "reliance": leaning,
        "gap": trust_words.gap(leaning.gap),
        "warnings": [trust_words.warning(told) for told in leaning.warnings],
        "day": mine.day(person, queue, at),
        "days": grading.COUNTED.days,
    }
    return render(request, "review/mine.html", context)


@login_required
@require_safe
def adjudications(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the disagreements that this person may settle, without the answers."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    stands = rights.standing(person, queue.pk)
    if stands is None:
        raise NotFound
    found = list(disputes.waiting_for(queue.pk, stands, person)[: SHOWN + 1])
    context = {"queue": queue, "rows": found[:SHOWN], "has_more": len(found) > SHOWN, "now": log.now()}
    return render(request, "review/adjudications.html", context)
