"""The floor's team: who is at work, what each has; assigning, giving back, balancing, and taking that back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from decisions import people
from decisions.models import Handover, Queue, Task, User
from decisions.queues import needs
from decisions.record import log
from decisions.rights import Act
from decisions.work import handover, team, why
from decisions.work.handover import Plan
from reviewqueue.web import queues
from reviewqueue.web.conditional import unchanged_is_304
from reviewqueue.web.floor.forms import AssignForm
from reviewqueue.web.people import signed_in

SHOWN = 25  # tasks that can be assigned, the most urgent first


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who is at work on a queue, and what can be handed over."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.SEE_TEAM)
    return render(request, "floor/team.html", _page(queue, person))


@login_required
@require_safe
@unchanged_is_304
def live(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the people of the team; polled."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.SEE_TEAM)
    return render(request, "floor/team_people.html", _people(queue, person))


@login_required
@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what would go from whom to whom: `kind`, and `person` where it is about one."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.ASSIGN)
    kind = request.GET.get("kind", Handover.Kind.BALANCE.value)
    whose = _person(request.GET.get("person", ""))
    plan = handover.plan(kind, queue=queue, by=by, at=log.now(), person=whose)
    context = {"queue": queue, "whose": whose, "plan": plan, "rows": _steps(plan), "reasons": why.Handover.choices}
    return render(request, "floor/handover.html", {**context, "title": _title(kind, whose)})


@login_required
@require_POST
def carry_out(request: HttpRequest, slug: str) -> HttpResponse:
    """Do what was previewed."""
    by, sent = signed_in(request), request.POST
    queue = queues.one(by, slug, Act.ASSIGN)
    whose = _person(sent.get("person", ""))
    plan = handover.plan(sent.get("kind", ""), queue=queue, by=by, at=log.now(), person=whose)
    handover.carry_out(plan, queue=queue, by=by, reason=sent.get("reason", ""), seen=sent.get("digest", ""))
    count = len(plan.steps)
    messages.success(request, ngettext("%(n)d task went over.", "%(n)d tasks went over.", count) % {"n": count})
    return redirect("floor:team", slug)


@login_required
@require_POST
def undo(request: HttpRequest, slug: str, handover_id: int) -> HttpResponse:
    """Put back what was handed over."""
    by = signed_in(request)
    queues.one(by, slug, Act.ASSIGN)
    _done, count = handover.undo(handover_id=handover_id, by=by)
    messages.success(request, ngettext("%(n)d task was put back.", "%(n)d tasks were put back.", count) % {"n": count})
    return redirect("floor:team", slug)


@login_required
@require_POST
def assign(request: HttpRequest, slug: str, task_id: int) -> HttpResponse:
    """Keep a task for a person; what was wrong is shown beside the field."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.ASSIGN)
    form = AssignForm(request.POST, members=team.of(queue, log.now()))
    if not form.is_valid():
        return render(request, "floor/team.html", {**_page(queue, by), "form": form}, status=422)
    chosen = form.cleaned_data
    until = form.until(log.now())
    task = handover.assign(task_id=task_id, to=chosen["person"], by=by, reason=chosen["reason"], until=until)
    said = {"item": task.item.external_id, "person": str(task.only_for)}
    messages.success(request, _("%(item)s is kept for %(person)s.") % said)
    return redirect("floor:team", slug)


@login_required
@require_POST
def give_back(request: HttpRequest, slug: str, task_id: int) -> HttpResponse:
    """Take a task from who has it, for everybody."""
    by = signed_in(request)
    queues.one(by, slug, Act.ASSIGN)
    handover.give_back(task_id=task_id, by=by, reason=request.POST.get("reason", ""))
    messages.success(request, _("It waits for everybody again."))
    return redirect("floor:team", slug)


def _page(queue: Queue, person: User) -> dict[str, Any]:
    shown = _people(queue, person)
    may_assign = queues.may(person, queue, Act.ASSIGN)
    undoable = handover.undoable(queue.pk, log.now()) if may_assign else []
    return {
        **shown,
        "may_assign": may_assign,
        "tasks": _tasks(queue),
        "form": AssignForm(members=shown["members"]),
        "undoable": [{"one": one, "count": len(one.steps)} for one in undoable],
        "minutes": int(handover.WINDOW.total_seconds() // 60),
        "reasons": why.Handover.choices,
    }


def _people(queue: Queue, person: User) -> dict[str, Any]:
    members, labels = team.of(queue, log.now()), needs.skills(queue.spec)
    return {
        "queue": queue,
        "zone": queue.spec.zone,
        "members": members,
        "rows": [{"member": one, "skills": [labels.get(tag, tag) for tag in one.skills]} for one in members],
        "at_work": sum(member.is_at_work for member in members),
        "cap": queue.spec.cap,
        "may_assign": queues.may(person, queue, Act.ASSIGN),
    }


def _tasks(queue: Queue) -> list[Task]:
    """Return open tasks, the first deadline first; without those that are for one person alone."""
    opened = Task.objects.open().filter(queue=queue).exclude(only_for__isnull=False, only_until=None)
    return list(opened.select_related("item", "holder", "only_for").order_by("due_at", "pk")[:SHOWN])


def _steps(plan: Plan) -> list[dict[str, Any]]:
    ids = {pk for step in plan.steps for pk in (step.source, step.to) if pk}
    names = User.objects.in_bulk(list(ids))
    return [
        {
            "step": step,
            "source": names[step.source] if step.source else None,
            "to": names[step.to] if step.to else None,
            "is_held": step.holder is not None,
        }
        for step in plan.steps
    ]


def _title(kind: str, whose: User | None) -> str:
    said = {"person": str(whose)}
    return {
        Handover.Kind.RELEASE.value: _("Give back what %(person)s has") % said,
        Handover.Kind.MOVE.value: _("Hand on what %(person)s has") % said,
        Handover.Kind.BALANCE.value: _("Balance what is assigned"),
    }[kind]


def _person(text: str) -> User | None:
    return people.find(pk=int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None
