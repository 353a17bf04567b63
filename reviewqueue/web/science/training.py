"""The training pages: runs, what starts them, and one run as a graph, a log and a comparison."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import Conflict, NotFound
from decisions.learning import graph, runs, told
from decisions.learning.selection import Weighting
from decisions.models import Queue, TrainingRun, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import publish
from reviewqueue.templatetags import figures
from reviewqueue.web import queues
from reviewqueue.web.conditional import unchanged_is_304
from reviewqueue.web.people import signed_in

PAGE = 20
DAY = timedelta(days=1)


class StartForm(forms.Form):
    """Why a model is trained."""

    why = forms.CharField(label=gettext_lazy("Why it is trained"), max_length=500, required=False)


class DraftForm(forms.Form):
    """Why a policy shall pin the model."""

    why = forms.CharField(label=gettext_lazy("Why it shall be used"), max_length=500)


@login_required
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's runs, newest first; `after` is the number of the last one of the page before."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    rows = TrainingRun.objects.filter(queue=queue).select_related("person", "model").order_by("-pk")
    after = request.GET.get("after", "")
    if after.isascii() and after.isdecimal() and len(after) < 19:
        rows = rows.filter(pk__lt=int(after))
    shown = list(rows[: PAGE + 1])
    context = {
        "queue": queue,
        "rows": shown[:PAGE],
        "first": request.path if after else "",
        "next": f"?after={shown[PAGE - 1].pk}" if len(shown) > PAGE else "",
        "is_open": TrainingRun.objects.open().filter(queue=queue).exists(),
        "every": _every(queue.spec.training.every),
        "may_train": queues.may(person, queue, Act.TRAIN),
        "form": StartForm(),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/training.html", context)


@login_required
@require_POST
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a run."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.TRAIN)
    form = StartForm(request.POST)
    why = form.cleaned_data["why"] if form.is_valid() else ""
    run = runs.start(queue=queue, by=person, why=why, at=log.now())
    messages.success(request, _("The run waits for a worker."))
    return redirect("science:training_run", slug, run.pk)


@login_required
@require_safe
def show(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Show a run."""
    return render(request, "science/training_run.html", _run(request, slug, run_id))


@login_required
@require_safe
@unchanged_is_304
def live(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Show the moving part of a run's page; polled until it is over, when the whole page is loaded anew."""
    told = _run(request, slug, run_id)
    response = render(request, "science/training_live.html", told)
    if not told["run"].is_open:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Cancel a run."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.TRAIN)
    runs.cancel(run_id=_one(queue, run_id).pk, by=person, at=log.now())
    messages.success(request, _("The run is cancelled, or will be in a moment."))
    return redirect("science:training_run", slug, run_id)


@login_required
@require_POST
def draft(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Make a policy draft that pins the model of a run."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    run = _one(queue, run_id)
    if run.model is None:
        raise Conflict(_("This run has made no model."))
    form = DraftForm(request.POST)
    if not form.is_valid():
        return render(request, "science/training_run.html", {**_told(person, queue, run), "form": form}, status=422)
    why = form.cleaned_data["why"]
    made = publish.draft(queue=queue, changes={"model": run.model}, by=person, why=why, at=log.now())
    said = {"no": made.no}
    messages.success(
        request, _("Draft %(no)s pins the model. It routes nothing until it is approved and published.") % said
    )
    return redirect("science:show", slug)


def _run(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    return _told(person, queue, _one(queue, run_id))


def _every(span: timedelta | None) -> str:
    """Return how often a run is due, in words; "" for never."""
    if span is None:
        return ""
    if span % DAY:
        return _("every %(span)s") % {"span": figures.span(span)}
    return ngettext("every day", "every %(n)s days", span // DAY) % {"n": span // DAY}


def _one(queue: Queue, pk: int) -> TrainingRun:
    found = TrainingRun.objects.filter(queue=queue, pk=pk).select_related("person", "model", "data_set").first()
    if found is None:
        raise NotFound
    return found


def _told(person: User, queue: Queue, run: TrainingRun) -> dict[str, Any]:
    """Return what a run's page shows."""
    weighting = run.model.metrics.get("weighting") if run.model else None
    may_draft = queues.may(person, queue, Act.DRAFT_POLICY)
    return {
        "queue": queue,
        "run": run,
        "failure": told.failure(run),
        "nodes": graph.of(run),
        "lines": [(line, told.line(line)) for line in runs.lines(run)],
        "weighting": weighting,
        "verdict": told.weighting_log(weighting["why"], weighting) if weighting else "",
        "candidates": [_candidate(one, weighting["kept"]) for one in weighting["candidates"]] if weighting else [],
        "may_cancel": run.is_open and not run.is_being_cancelled and queues.may(person, queue, Act.TRAIN),
        "may_draft": may_draft and run.model is not None,
        "form": DraftForm(),
        "is_reader": not may_draft,
    }


def _candidate(one: dict[str, Any], kept: str) -> dict[str, Any]:
    """Return one weighting as the page shows it; rows that count alike are what the others are held against."""
    weighting = Weighting(one["weighting"])
    is_base = weighting == Weighting.UNWEIGHTED
    return {**one, "title": told.WEIGHTINGS[weighting], "is_kept": one["weighting"] == kept, "is_base": is_base}
