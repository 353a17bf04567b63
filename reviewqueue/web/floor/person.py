"""A person of the team: role, skills, what they do not judge, what they have. For leads and managers."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.measure.capacity import HORIZON
from decisions.models import Exclusion, Queue, User
from decisions.queues import needs
from decisions.record import log
from decisions.rights import Act
from decisions.work import fitness, shifts, team
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in


@login_required
@require_safe
def show(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show a person's place on a queue."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.SEE_TEAM)
    return render(request, "floor/person.html", _page(queue, person_id, by))


@login_required
@require_POST
def skills(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Set a person's skills: `skill`, as often as needed."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.MANAGE_TEAM)
    fitness.set_skills(queue=queue, person_id=person_id, skills=request.POST.getlist("skill"), by=by)
    messages.success(request, _("The skills are kept."))
    return redirect("floor:person", slug, person_id)


@login_required
@require_POST
def exclude(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Keep a person from judging a subject or an item."""
    by, sent = signed_in(request), request.POST
    queue = queues.one(by, slug, Act.MANAGE_TEAM)
    given = {"kind": sent.get("kind", ""), "name": sent.get("name", ""), "why": sent.get("why", "")}
    fitness.exclude(queue=queue, person_id=person_id, by=by, **given)
    messages.success(request, _("They are not given this one."))
    return redirect("floor:person", slug, person_id)


@login_required
@require_POST
def lift(request: HttpRequest, slug: str, person_id: int, exclusion_id: int) -> HttpResponse:
    """Let a person judge again what they were kept from."""
    by = signed_in(request)
    queues.one(by, slug, Act.MANAGE_TEAM)
    fitness.lift(exclusion_id=exclusion_id, by=by)
    messages.success(request, _("They may be given it again."))
    return redirect("floor:person", slug, person_id)


def _page(queue: Queue, person_id: int, by: User) -> dict[str, Any]:
    row = fitness.member(queue, person_id)
    known, at = needs.skills(queue.spec), log.now()
    shared = [one for one in queues.where(by, Act.SEE_TEAM) if one.pk != queue.pk]
    plan = shifts.own(person_id, [queue.pk, *(one.pk for one in shared)], at, at + HORIZON)
    return {
        "queue": queue,
        "zone": queue.spec.zone,
        "row": row,
        "known": [(tag, label, tag in row.skills) for tag, label in known.items()],
        "others": [tag for tag in row.skills if tag not in known],
        "had": team.had_by(queue.pk, [person_id]),
        "cap": queue.spec.cap,
        "plan": plan,
        "weeks": HORIZON.days // 7,
        "own_zone": shifts.zone_of(row.user, queue),
        "elsewhere": team.elsewhere(person_id, shared),
        "exclusions": fitness.exclusions(queue.pk, person_id),
        "kinds": Exclusion.Kind.choices,
        "whys": Exclusion.Why.choices,
        "may_manage": queues.may(by, queue, Act.MANAGE_TEAM),
        "is_me": by.pk == person_id,
    }
