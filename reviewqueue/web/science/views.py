"""The model owner's desk: the versions of a policy, drafting, publishing and going back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import Invalid, NotFound
from decisions.measure import volumes
from decisions.models import ModelVersion, Policy, PolicyChange, Queue, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import publish as policies
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.forms import DraftForm, WhyForm

SHOWN = 50


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the live policy of each queue this person routes."""
    found = queues.where(signed_in(request), Act.DRAFT_POLICY)
    live = {policy.queue_id: policy for policy in Policy.objects.live().select_related("model")}
    return render(request, "science/index.html", {"rows": [{"queue": q, "policy": live.get(q.pk)} for q in found]})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's policy in force, its versions and how it changed."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    return render(request, "science/show.html", _desk(person, queue))


@login_required
@require_POST
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Store a draft; what does not fit is shown beside its field."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    form = DraftForm(request.POST, queue=queue, live=_live(queue))
    if form.is_valid() and (made := _draft(form, queue, person)):
        messages.success(
            request, _("Draft %(no)s is stored. It routes nothing until it is published.") % {"no": made.no}
        )
        return redirect("science:show", slug)
    return render(request, "science/show.html", {**_desk(person, queue), "form": form}, status=422)


@login_required
@require_POST
def publish(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Let a draft route from now on."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    policies.publish(policy=_policy(queue, no), by=person, why=_why(request), at=log.now())
    messages.success(request, _("Policy %(no)s is live.") % {"no": no})
    return redirect("science:show", slug)


@login_required
@require_POST
def roll_back(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Let an earlier policy route again."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    policies.roll_back(queue=queue, to=_policy(queue, no), by=person, why=_why(request), at=log.now())
    messages.success(request, _("Policy %(no)s is live again.") % {"no": no})
    return redirect("science:show", slug)


def _draft(form: DraftForm, queue: Queue, person: User) -> Policy | None:
    """Store the draft, or put what the core refuses beside the field it names."""
    told = dict(form.cleaned_data)
    objective, why = told.pop("objective"), told.pop("why")
    try:
        return policies.draft(
            queue=queue,
            changes=policies.Changes(**told),  # type: ignore[typeddict-item]  # the form's fields are its keys
            by=person,
            why=why,
            objective=objective,
            at=log.now(),
        )
    except Invalid as error:
        for fault in error.faults:
            name = fault.field.rpartition(".")[2]
            form.add_error(name if name in form.fields else None, fault.detail)
        return None


def _desk(person: User, queue: Queue) -> dict[str, Any]:
    live = _live(queue)
    versions = Policy.objects.filter(queue=queue).select_related("model", "author").order_by("-no")[:SHOWN]
    return {
        "queue": queue,
        "live": live,
        "versions": versions,
        "volumes": volumes.by_policy(queue.pk, [policy.pk for policy in versions]),
        "models": ModelVersion.objects.filter(queue=queue).order_by("-pk")[:SHOWN],
        "changes": PolicyChange.objects.filter(queue=queue)
        .select_related("policy", "replaced", "person")
        .order_by("-pk")[:SHOWN],
        "form": DraftForm(queue=queue, live=live),
        "why_form": WhyForm(),
        "may_publish": queues.may(person, queue, Act.PUBLISH_POLICY),
        "may_roll_back": queues.may(person, queue, Act.ROLL_BACK_POLICY),
    }


def _live(queue: Queue) -> Policy | None:
    return Policy.objects.live().select_related("model").filter(queue=queue).first()


def _policy(queue: Queue, no: int) -> Policy:
    found = Policy.objects.filter(queue=queue, no=no).select_related("queue__version").first()
    if found is None:
        raise NotFound
    return found


def _why(request: HttpRequest) -> str:
    form = WhyForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("Say why: it is written into the record."))
    return str(form.cleaned_data["why"])
