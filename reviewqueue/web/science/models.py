"""The registry of a queue's models: how each stands, where it came from, and which score beside the live one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import Invalid
from decisions.learning import lineage, shadows
from decisions.learning.lineage import Known, Standing
from decisions.measure import volumes
from decisions.models import ModelVersion, Queue, Shadow
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.forms import faults_of

ENDED = 10  # shadows that are over, shown
STANDING = {
    Standing.LIVE: (gettext_lazy("Live"), "good", "check"),
    Standing.CANARY: (gettext_lazy("Canary"), "info", "eye"),
    Standing.SHADOW: (gettext_lazy("In shadow"), "info", "eye"),
    Standing.DRAFTED: (gettext_lazy("On the way"), "info", ""),
    Standing.RETIRED: (gettext_lazy("Retired"), "", ""),
    Standing.UNUSED: (gettext_lazy("Never used"), "", ""),
}


class ShadowForm(forms.Form):
    """Why a model is put in shadow, and of how many days before now the labelled items are scored too."""

    why = forms.CharField(label=gettext_lazy("Why"), max_length=500)
    back_days = forms.IntegerField(
        label=gettext_lazy("Days back"), min_value=0, max_value=shadows.MOST_BACK, initial=shadows.BACK_DAYS
    )


class StopForm(forms.Form):
    """Why a model is taken out of shadow."""

    why = forms.CharField(label=gettext_lazy("Why"), max_length=500)


@login_required
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show every model of a queue, and the shadows."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    rows = Shadow.objects.filter(queue=queue).select_related("model", "person", "ender").order_by("-pk")
    context = {
        "queue": queue,
        "rows": [_row(one) for one in lineage.of_queue(queue, log.now())],
        "running": [(one, shadows.behind(one)) for one in rows.filter(ended_at=None)],
        "ended": rows.exclude(ended_at=None)[:ENDED],
        "days": lineage.DAYS,
        "may_shadow": queues.may(person, queue, Act.RUN_SHADOW),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/models.html", context)


@login_required
@require_safe
def show(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show one model: where it came from, what it is made of, which policies pin it and what they routed."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    known = lineage.one(queue, name, log.now())
    routed = volumes.by_policy(queue.pk, [policy.pk for policy in known.policies], since=known.model.created_at)
    context = {
        "queue": queue,
        "row": _row(known),
        "known": known,
        "policies": [(policy, routed[policy.pk]) for policy in known.policies],
        "parameters": _flat(known.model.parameters),
        "behind": shadows.behind(known.shadow) if known.shadow else None,
        "form": ShadowForm(),
        "can_shadow": _can_shadow(known) and queues.may(person, queue, Act.RUN_SHADOW),
        "may_shadow": queues.may(person, queue, Act.RUN_SHADOW),
        "live": _live_name(queue),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/model.html", context)


@login_required
@require_POST
def start(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Put a model in shadow."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.RUN_SHADOW)
    form = ShadowForm(request.POST)
    if not form.is_valid():
        raise Invalid(faults=faults_of(form))
    model = lineage.one(queue, name, log.now()).model
    shadows.start(queue=queue, model=model, by=person, at=log.now(), **form.cleaned_data)
    messages.success(request, _("%(name)s is in shadow. It scores what arrives and routes nothing.") % {"name": name})
    return redirect("science:model", slug, name)


@login_required
@require_POST
def stop(request: HttpRequest, slug: str, shadow_id: int) -> HttpResponse:
    """Take a model out of shadow."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.RUN_SHADOW)
    form = StopForm(request.POST)
    if not form.is_valid():
        raise Invalid(faults=faults_of(form))
    shadow = shadows.stop(shadow=shadows.one(queue, shadow_id), by=person, why=form.cleaned_data["why"], at=log.now())
    messages.success(request, _("%(name)s is out of shadow. Its scores stay.") % {"name": shadow.model.name})
    return redirect("science:model", slug, shadow.model.name)


def _row(known: Known) -> dict[str, Any]:
    label, tone, icon = STANDING[known.standing]
    return {"known": known, "model": known.model, "label": label, "tone": tone, "icon": icon}


def _can_shadow(known: Known) -> bool:
    is_ours = known.model.kind == ModelVersion.Kind.PIPELINE
    return is_ours and known.shadow is None and known.standing != Standing.LIVE


def _live_name(queue: Queue) -> str:
    found = ModelVersion.objects.filter(queue=queue, policies__state="live").values_list("name", flat=True).first()
    return found or ""


def _flat(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Return parameters as lines of names and values; features by their names."""
    lines = []
    for name, value in parameters.items():
        if name == "features":
            shown = ", ".join(str(one.get("name", "")) for one in value)
        elif isinstance(value, dict):
            shown = ", ".join(f"{key} = {inner}" for key, inner in value.items())
        else:
            shown = str(value)
        lines.append((name, shown))
    return lines
