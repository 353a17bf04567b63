"""Who belongs to a queue, as what, and up to which value; added, changed and removed."""

import secrets
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from decisions import people
from decisions.exceptions import Conflict, Invalid
from decisions.models import Membership, Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.access.forms import MemberForm, NewPersonForm
from reviewqueue.web.access.views import place
from reviewqueue.web.people import signed_in

NEW, USUAL = "new", {"role": Membership.Role.REVIEWER}
PASSWORD_BYTES = 12


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the members of a queue, or those of all queues."""
    return _page(request, slug, MemberForm(initial=USUAL))


@login_required
@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Give somebody who is here a role, another one, or none (`remove`)."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_PEOPLE)
    form = MemberForm(request.POST)
    is_fit = form.is_valid()
    if "remove" in request.POST:
        given: dict[str, Any] = {"role": ""}
        email = request.POST.get("email", "")
    elif is_fit:
        given = {"role": form.cleaned_data["role"], "value_limit": form.cleaned_data["value_limit"]}
        email = form.cleaned_data["email"]
    else:
        return _page(request, slug, form, status=422)
    try:
        user = people.find(email=email)
    except Invalid as refused:
        form.add_error("email", refused.faults[0].detail)
        return _page(request, slug, form, status=422)
    changed = people.change_role(user=user, queue=queue, by=person, at=log.now(), **given)
    messages.success(request, _told(str(user), is_changed=changed, role=given["role"]))
    return redirect("access:members", slug)


@login_required
@require_POST
@never_cache
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a person who is not here yet; their first password is on this answer and nowhere else."""
    by = signed_in(request)
    queue = place(by, slug, Act.MANAGE_PEOPLE)
    form = NewPersonForm(request.POST, prefix=NEW)
    if not form.is_valid():
        return _page(request, slug, MemberForm(initial=USUAL), form, status=422)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        user = people.make_user(**form.cleaned_data, queue=queue, password=password, by=by, at=log.now())
    except Conflict as refused:
        form.add_error("email", refused.detail)
        return _page(request, slug, MemberForm(initial=USUAL), form, status=422)
    return _page(request, slug, MemberForm(initial=USUAL), made={"user": user, "password": password})


def _page(
    request: HttpRequest,
    slug: str,
    form: MemberForm,
    new: NewPersonForm | None = None,
    *,
    made: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    person = signed_in(request)
    queue = place(person, slug, Act.SEE_RIGHTS)
    context = {
        "queue": queue,
        "slug": slug,
        "members": _members(queue),
        "roles": Membership.Role.choices,
        "form": form,
        "new": new or NewPersonForm(initial=USUAL, prefix=NEW),
        "made": made,
        "may_members": queues.may(person, queue, Act.MANAGE_PEOPLE),
    }
    return render(request, "access/members.html", context, status=status)


def _members(queue: Queue | None) -> list[dict[str, Any]]:
    """Return each member with whether the membership is one of this very place."""
    wanted = queue.pk if queue else None
    return [{"row": row, "is_here": row.queue_id == wanted} for row in people.members(queue)]


def _told(name: str, *, is_changed: bool, role: str) -> str:
    if not is_changed:
        return _("Nothing changed for %(name)s.") % {"name": name}
    if not role:
        return _("%(name)s is no longer a member here.") % {"name": name}
    return _("%(name)s is %(role)s here.") % {"name": name, "role": Membership.Role(role).label}
