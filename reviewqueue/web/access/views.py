"""The rights on pages: the table, changing a row of it after a look at who gains and loses, versions, and back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions import rights
from decisions.exceptions import Invalid, NotFound
from decisions.models import Membership, Queue, RightsVersion, User
from decisions.record import log
from decisions.rights import Act, changes, edit, stored
from decisions.rights.words import Cells
from reviewqueue.web import queues
from reviewqueue.web.access import shown, words
from reviewqueue.web.access.forms import CellForm, WhyForm
from reviewqueue.web.people import signed_in

SITE = "-"
KNOWN = {act.value: act for act in Act}


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the site and each queue of which this person may see the rights."""
    person = signed_in(request)
    site: list[Queue | None] = [None] if queues.may(person, None, Act.SEE_RIGHTS) else []
    places = [*site, *queues.where(person, Act.SEE_RIGHTS)]
    rows = [{"queue": queue, "current": edit.in_force(queue), "waits": edit.waiting(queue)} for queue in places]
    return render(request, "access/index.html", {"rows": rows})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the rights in force somewhere, what waits, and how they came to be."""
    person = signed_in(request)
    queue = place(person, slug, Act.SEE_RIGHTS)
    current, waits = edit.in_force(queue), edit.waiting(queue)
    context = {
        **_context(person, queue, slug),
        "roles": shown.roles(),
        "groups": shown.matrix(rights.table(_id(queue)), shown.below(queue)),
        "current": current,
        "waits": waits,
        "waits_told": shown.told(edit.differences(waits), queue) if waits else [],
        "is_mine": waits is not None and waits.author_id == person.pk,
        "seconds": _seconds(queue, waits) if waits else [],
        "history": shown.history(queue),
    }
    return render(request, "access/show.html", context)


@login_required
@require_safe
def version(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Show what one version changed, or what tells it from another one (`with`, its number; 0 = as in code)."""
    person = signed_in(request)
    queue = place(person, slug, Act.SEE_RIGHTS)
    found = edit.numbered(queue, no)
    other = request.GET.get("with", "")
    if other and not other.isdecimal():
        raise NotFound
    against = edit.numbered(queue, int(other)) if other and int(other) else None
    if other:
        differ = changes.between(shown.table_of(against, queue), shown.table_of(found, queue))
    else:
        differ = edit.differences(found)
    context = {
        **_context(person, queue, slug),
        "version": found,
        "state": edit.state(found),
        "told": shown.told(differ, queue),
        "versions": edit.versions(queue),
        "other": int(other) if other else None,
    }
    return render(request, "access/version.html", context)


@login_required
@require_safe
def change(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """Show one right for every role, and, once chosen, who would gain and lose what."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_RIGHTS)
    chosen = request.GET if request.GET else None
    forms = _forms(queue, _act(act), chosen)
    context = {**_context(person, queue, slug), "act": act, "name": words.name(act), "forms": forms}
    if chosen is None:
        return render(request, "access/change.html", context)
    if not all(form.is_valid() for form in forms):
        return render(request, "access/change.html", context, status=422)
    proposal = edit.preview(queue=queue, cells=_cells(queue, _act(act), forms), by=person)
    current = edit.in_force(queue)
    context |= {
        "proposal": proposal,
        "told": shown.told(proposal.changes, queue),
        "chosen": [(name, value) for name, values in chosen.lists() for value in values],
        "base": current.no if current else 0,
        "why": WhyForm(),
    }
    return render(request, "access/change.html", context)


@login_required
@require_POST
def propose(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """Change the rights as they were chosen; refuses when they moved since the look."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_RIGHTS)
    forms = _forms(queue, _act(act), request.POST)
    base = request.POST.get("base", "")
    if not all(form.is_valid() for form in forms) or not base.isdecimal():
        raise Invalid
    made = edit.propose(
        queue=queue,
        cells=_cells(queue, _act(act), forms),
        by=person,
        why=_why(request),
        at=log.now(),
        base=int(base),
    )
    _tell(request, made)
    return redirect("access:show", slug)


@login_required
@require_POST
def roll_back(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring back the rights that were in force before."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_RIGHTS)
    _tell(request, edit.roll_back(queue=queue, by=person, why=_why(request), at=log.now()))
    return redirect("access:show", slug)


@login_required
@require_POST
def agree(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Let somebody else's change come into force."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_RIGHTS)
    _tell(request, edit.agree(version=edit.numbered(queue, no), by=person, why=_why(request), at=log.now()))
    return redirect("access:show", slug)


@login_required
@require_POST
def turn_down(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Refuse somebody else's change, or withdraw one's own."""
    person = signed_in(request)
    queue = place(person, slug, Act.MANAGE_RIGHTS)
    edit.turn_down(version=edit.numbered(queue, no), by=person, why=_why(request), at=log.now())
    messages.success(request, _("Version %(no)s does not come into force.") % {"no": no})
    return redirect("access:show", slug)


def place(person: User, slug: str, act: Act) -> Queue | None:
    """Return the queue that an address names, None for the site, where the person has the right."""
    if slug != SITE:
        return queues.one(person, slug, act)
    rights.require(person, act, queue_id=None)
    return None


def _context(person: User, queue: Queue | None, slug: str) -> dict[str, Any]:
    """Return what all pages of a place need."""
    return {
        "queue": queue,
        "slug": slug,
        "may_change": queues.may(person, queue, Act.MANAGE_RIGHTS),
        "may_members": queues.may(person, queue, Act.MANAGE_PEOPLE),
    }


def _forms(queue: Queue | None, act: Act, said: QueryDict | None) -> list[CellForm]:
    table, own = rights.table(_id(queue)), _own(queue)
    return [
        CellForm(
            said,
            act=act,
            role=role,
            limit=table.limit(act, role),
            is_own=role in own.get(act, {}),
            has_below=queue is not None,
        )
        for role in Membership.Role.values
    ]


def _cells(queue: Queue | None, act: Act, forms: list[CellForm]) -> Cells:
    """Return all that a place has of its own, with this right as it was chosen."""
    kept = _own(queue) if queue else edit.whole(rights.table(None))
    row = {role: cell for form in forms for role, cell in form.cell().items()}
    return {**kept, act: row}


def _own(queue: Queue | None) -> Cells:
    current = edit.in_force(queue)
    return stored.load(current.content) if current else {}


def _act(word: str) -> Act:
    if word not in KNOWN:
        raise NotFound
    return KNOWN[word]


def _why(request: HttpRequest) -> str:
    form = WhyForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("Say why: it is written into the record."))
    return str(form.cleaned_data["why"])


def _seconds(queue: Queue | None, waits: RightsVersion) -> list[User]:
    return [user for user in rights.holders(Act.MANAGE_RIGHTS, _id(queue)) if user.pk != waits.author_id]


def _tell(request: HttpRequest, made: RightsVersion) -> None:
    said = {"no": made.no}
    if edit.state(made) == "enacted":
        messages.success(request, _("Version %(no)s of the rights is in force.") % said)
    else:
        messages.info(request, _("Version %(no)s waits for a second person: somebody gains by it.") % said)


def _id(queue: Queue | None) -> int | None:
    return queue.pk if queue else None
