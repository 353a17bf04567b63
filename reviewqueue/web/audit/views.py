"""The auditor's desk: who decided what, why and when, and the proof that nobody changed it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions import redact, rights
from decisions.effects import letters, results
from decisions.exceptions import Fault, Invalid, NotFound
from decisions.models import Action, Event, Item, PendingOverride, Queue, Ruling, User
from decisions.record import export as exports
from decisions.record import history, log, proof
from decisions.record.export import Form, Kind
from decisions.rights import Act
from decisions.work import rule, second
from decisions.work.answer import Answer
from reviewqueue.web import evidence, examples, pushed, queues, words
from reviewqueue.web.audit import appeals, gold, life
from reviewqueue.web.audit import second as pending
from reviewqueue.web.audit.forms import HistoryForm, OverrideForm
from reviewqueue.web.people import signed_in

ACTIONS_SHOWN = 200


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the queues whose record this person reads, and how far each chain was verified."""
    found = queues.where(signed_in(request), Act.READ_RECORD)
    rows = [{"queue": queue, "head": _head(queue), "verified": cache.get(_verified(queue))} for queue in found]
    return render(request, "audit/index.html", {"rows": rows})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's override history; the filter and the page are in the address."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = HistoryForm(request.GET or {"which": "overrides"}, queue=queue)
    after = request.GET.get("after", "")
    page = history.page(
        history.rulings(queue.pk, form.wanted()), after=int(after) if after.isdecimal() and len(after) < 19 else None
    )
    context = {
        "queue": queue,
        "form": form,
        "rows": _lines(page.rows, person, queue),
        "next": _address(request.GET, after=page.after) if page.after else "",
        "first": _address(request.GET) if after else "",
        "chips": _chips(request.GET, form),
        "clear": _address({"which": request.GET.get("which", "")}),
        "filters": [(name, request.GET[name]) for name in form.fields if request.GET.get(name)],
        "head": _head(queue),
        "verified": cache.get(_verified(queue)),
        "may_export": queues.may(person, queue, Act.EXPORT),
        "may_label": queues.may(person, queue, Act.FEED_LABELS),
        "may_verify": queues.may(person, queue, Act.VERIFY),
        "kinds": [(Kind.OVERRIDES, _("Rulings")), (Kind.DECISIONS, _("Decisions")), (Kind.EVENTS, _("Record"))],
    }
    return render(request, "audit/show.html", context)


@login_required
@require_POST
def export(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Send all that matches, as CSV or JSON lines, with its manifest at the end."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.EXPORT)
    form = HistoryForm(request.POST, queue=queue)
    if not form.is_valid():  # else more would leave than was asked for
        faults = [Fault(name, "filter", str(text)) for name, texts in form.errors.items() for text in texts]
        raise Invalid(faults=faults)
    try:
        kind, shape = Kind(request.POST.get("kind", "")), Form(request.POST.get("form", ""))
    except ValueError:
        raise Invalid(faults=[Fault("kind", "choice", _("Choose what to export, as csv or jsonl."))]) from None
    made = exports.begin(kind=kind, form=shape, queue=queue, wanted=form.wanted(), by=person, at=log.now())
    media = "text/csv; charset=utf-8" if shape == Form.CSV else "application/x-ndjson"
    response = StreamingHttpResponse(made.lines(), content_type=media)
    response["Content-Disposition"] = f'attachment; filename="{slug}-{kind}.{shape}"'
    return response


@login_required
@require_POST
def verify(request: HttpRequest, slug: str) -> HttpResponse:
    """Check the queue's whole chain now."""
    queue = queues.one(signed_in(request), slug, Act.VERIFY)
    report = proof.verify(queue.pk)
    if report.bad:
        messages.error(request, _("The record does not hold: %(where)s.") % {"where": words.broken(report.bad[0])})
    else:
        kept = {"entries": report.entries, "at": log.now(), "hash": report.heads[0].hash if report.heads else ""}
        cache.set(_verified(queue), kept, timeout=None)
        messages.success(
            request,
            _("%(n)s entries hold, checked in %(s).1f s.") % {"n": report.entries, "s": report.seconds},
        )
    return redirect("audit:show", slug)


@login_required
@require_safe
def item(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Show an item's whole life."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD, item_id=item_id)
    return render(request, "audit/item.html", _dossier(person, queue, item_id))


@login_required
@require_POST
def override(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Replace what holds for an item by what this person concludes."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD, item_id=item_id)
    form = OverrideForm(request.POST, spec=queue.spec)
    made = _override(form, item_id, person) if form.is_valid() else None
    if made:
        waits = _("It waits for a second person; until then what held goes on to hold.")
        holds = _("It holds from now on; what is due is told to the outside.")
        messages.success(request, waits if isinstance(made, PendingOverride) else holds)
        return redirect("audit:item", slug, item_id)
    return render(request, "audit/item.html", {**_dossier(person, queue, item_id), "form": form}, status=422)


@login_required
@require_safe
def actions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the outside world was told and has not done, and what never arrived."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    dead = Action.objects.filter(queue=queue, state=Action.State.DEAD).defer("body").select_related("item")
    told = results.told_but_not_done(queue.pk, log.now(), most=ACTIONS_SHOWN)
    context = {
        "queue": queue,
        "post": letters.post(queue.pk),
        "dead": dead.order_by("-pk")[:ACTIONS_SHOWN],
        "told": told,
        "shown": ACTIONS_SHOWN,
        "may_replay": queues.may(person, queue, Act.REPLAY_DELIVERY),
    }
    return render(request, "audit/actions.html", context)


@login_required
@require_POST
def replay(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the dead letters again."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    again = letters.replay(queue_id=queue.pk, by=person, at=log.now())
    messages.success(request, _("%(n)s actions are sent again.") % {"n": len(again)})
    return redirect("audit:actions", slug)


def _override(form: OverrideForm, item_id: int, person: User) -> Ruling | PendingOverride | None:
    """Override, or put what the core refuses beside the field it names."""
    try:
        return second.override(item_id=item_id, person=person, answer=Answer(**form.cleaned_data))
    except Invalid as error:
        for fault in error.faults:
            form.add_error(fault.field if fault.field in form.fields else None, fault.detail)
        return None


def _dossier(person: User, queue: Queue, item_id: int) -> dict[str, Any]:
    found = (
        Item.objects.filter(queue=queue, pk=item_id)
        .select_related("queue", "body", "policy", "model", "intake__sender", "queue_version")
        .first()
    )
    standing = rights.standing(person, queue.pk)
    if found is None or standing is None:
        raise NotFound
    spec = queue.spec
    sight = redact.for_person(found, standing=standing, user=person, spec=spec)
    seen = redact.item(found, sight, spec=spec)
    holds, waits = rule.current(found.pk), second.of_item(found.pk)
    return {
        "queue": queue,
        "item": found,
        "seen": seen,
        "sight": sight,
        "fields": evidence.rows(seen["payload"] or {}, spec, seen.get("failures", ())),
        "pushed": pushed.told(seen["explanation"], spec) if sight.machine else None,
        "alike": examples.panel(found, sight=sight, standing=standing, user=person, spec=spec, at=log.now()),
        "life": life.entries(found, sight=sight, user=person, spec=spec),
        "holds": spec.outcome(holds.outcome) if holds and sight.history else None,
        "form": OverrideForm(spec=spec),
        "gold": gold.panel(found, holds, person, queue) if sight.history else None,
        "waits": pending.line(waits, person, spec) if waits and sight.history else None,
        "appeals": appeals.panel(found, holds, sight, person, queue) if sight.history else None,
        "may_override": sight.history and queues.may(person, queue, Act.TAKE_OVER),
    }


def _lines(rulings: list[Ruling], person: User, queue: Queue) -> list[dict[str, Any]]:
    """Return the rulings as lines; of items to which the person is blind only that there is one."""
    standing = rights.standing(person, queue.pk)
    if standing is None:
        return []
    ids = [ruling.item_id for ruling in rulings]
    sights = redact.for_many(ids, standing=standing, user=person, spec=queue.spec)
    labels = {outcome.key: outcome.label for outcome in queue.spec.outcomes}
    reasons = {reason.code: reason.label for outcome in queue.spec.outcomes for reason in outcome.reasons}
    return [
        {
            "ruling": ruling,
            "seen": redact.ruling(ruling, sights[ruling.item_id], user=person),
            "was": labels.get(ruling.was, ruling.was),
            "outcome": labels.get(ruling.outcome, ruling.outcome),
            "reason": reasons.get(ruling.reason, ruling.reason),
        }
        for ruling in rulings
    ]


def _chips(query: QueryDict, form: HistoryForm) -> list[dict[str, str]]:
    """Return each filter in force with the address that lacks it."""
    given = [name for name in form.fields if query.get(name) and name != "which"]
    return [
        {
            "label": f"{form.fields[name].label}: {_in_words(form, name, str(query[name]))}",
            "url": _address({key: value for key, value in query.items() if key != name}),
        }
        for name in given
    ]


def _in_words(form: HistoryForm, name: str, value: str) -> str:
    """Return a filter's value as the form shows it."""
    return str(dict(getattr(form.fields[name], "choices", ())).get(value, value))


def _address(query: Any, **changes: Any) -> str:
    """Return the address of the same list with other parameters; it starts from the first page unless told."""
    kept = {name: value for name, value in query.items() if value and name != "after"}
    return "?" + urlencode({**kept, **changes})


def _head(queue: Queue) -> Event | None:
    return Event.objects.filter(chain=queue.pk).order_by("-seq").first()


def _verified(queue: Queue) -> str:
    return f"verified:{queue.pk}"
