"""One's own work: what one may take, does not judge and would rather not see, and how the day has been."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from decisions.measure.capacity import HORIZON
from decisions.models import Exclusion, Queue, User
from decisions.queues import needs
from decisions.record import log
from decisions.rights import Act
from decisions.work import fitness, mine, shifts
from reviewqueue.web import queues
from reviewqueue.web.floor.forms import AwayForm
from reviewqueue.web.people import signed_in

WHYS = (
    (Exclusion.Why.OWN.value, gettext_lazy("It is my own")),
    (Exclusion.Why.RELATED.value, gettext_lazy("I know who is concerned")),
)


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show one's own work on each queue."""
    return render(request, "account/work.html", _page(signed_in(request)))


def _page(person: User, form: AwayForm | None = None) -> dict[str, Any]:
    at = log.now()
    rows = [_row(person, queue) for queue in queues.where(person, Act.CLAIM)]
    told_to: Queue | None = rows[0]["queue"] if rows else None  # an absence holds everywhere, and is in one record
    zone = shifts.zone_of(person, told_to) if told_to else None
    return {
        "rows": rows,
        "is_due": any(row["is_due"] for row in rows),
        "own_zone": person.timezone,
        "kinds": Exclusion.Kind.choices,
        "whys": WHYS,
        "told_to": told_to,
        "zone": zone,
        "away": shifts.own(person.pk, [], at, at + HORIZON).absences,
        "away_form": form or (AwayForm(zone=zone) if zone else None),
    }


@login_required
@require_POST
def enter_absence(request: HttpRequest, slug: str) -> HttpResponse:
    """Say when one is away oneself; what was wrong is shown beside the field."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    form = AwayForm(request.POST, zone=shifts.zone_of(person, queue))
    if not form.is_valid():
        return render(request, "account/work.html", _page(person, form), status=422)
    shifts.enter_absence(queue=queue, person_id=person.pk, by=person, **form.cleaned_data)
    messages.success(request, _("Your absence is entered: nobody counts on you then."))
    return redirect("account:work")


@login_required
@require_POST
def remove_absence(request: HttpRequest, slug: str, absence_id: int) -> HttpResponse:
    """Take an absence of one's own back."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    shifts.remove_absence(queue=queue, absence_id=absence_id, by=person)
    messages.success(request, _("The absence is taken out."))
    return redirect("account:work")


@login_required
@require_POST
def opt_out(request: HttpRequest, slug: str) -> HttpResponse:
    """Set out of which categories one opts: `category`, as often as needed."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    fitness.opt_out(queue=queue, person=person, tags=request.POST.getlist("category"))
    messages.success(request, _("You are not given what you left out. Nobody else sees this."))
    return redirect("account:work")


@login_required
@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    """Set the clock on which one's shifts and absences are read."""
    shifts.set_zone(person=signed_in(request), zone=request.POST.get("timezone", "").strip())
    messages.success(request, _("Your time zone is kept."))
    return redirect("account:work")


@login_required
@require_POST
def exclude(request: HttpRequest, slug: str) -> HttpResponse:
    """Name a subject or an item that is one's own."""
    person, sent = signed_in(request), request.POST
    queue = queues.one(person, slug, Act.CLAIM)
    given = {"kind": sent.get("kind", ""), "name": sent.get("name", ""), "why": sent.get("why", "")}
    fitness.exclude(queue=queue, person_id=person.pk, by=person, **given)
    messages.success(request, _("You are not given this one."))
    return redirect("account:work")


def _row(person: User, queue: Queue) -> dict[str, Any]:
    at, out = log.now(), fitness.opted_out(queue, person)
    row, labels = fitness.member(queue, person.pk), needs.sensitive(queue.spec)
    known, strain = needs.skills(queue.spec), mine.strain(person, queue, at)
    return {
        "queue": queue,
        "role": row.get_role_display(),
        "limit": row.value_limit,
        "skills": [known.get(tag, tag) for tag in row.skills],
        "day": mine.day(person, queue, at),
        "strain": strain,
        "seen_all": sum(strain.seen.values()),
        "seen": [(labels.get(tag, tag), count) for tag, count in sorted(strain.seen.items())],
        "is_due": strain.needs_break(at),
        "categories": [(tag, label, tag in out) for tag, label in labels.items()],
        "exclusions": fitness.exclusions(queue.pk, person.pk),
    }
