"""Drift: what came in one time, or taught a model, against what came in another."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from decisions.exceptions import Invalid
from decisions.measure import shift_words, shifted
from decisions.measure.dates import DAY
from decisions.measure.drift import Level
from decisions.measure.shifted import Asked, Shifted
from decisions.models import ModelVersion, Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.operating import MOST_CHOICES, segments

AS_ROUTED: tuple[str, Any] = ("", _("as it was routed"))
LEVELS = {
    Level.UNMEASURED: _("not measured"),
    Level.NONE: _("alike"),
    Level.WARN: _("differs"),
    Level.ACT: _("differs much"),
}
TONES = {Level.WARN: "warn", Level.ACT: "bad"}
CHARTED = 20


class DriftForm(forms.Form):
    """The two sides and a segment; sent by GET, so that a link holds the comparison."""

    mark_optional = False

    one = forms.ChoiceField(
        label=_("First"),
        required=False,
        choices=[("training", _("what the model learnt from")), ("days", _("these days:"))],
    )
    one_from = forms.CharField(label=pgettext_lazy("day", "From"), required=False)
    one_to = forms.CharField(label=_("To and including"), required=False)
    one_model = forms.ChoiceField(label=_("Model"), required=False)
    other_from = forms.CharField(label=_("Second, from"), required=False)
    other_to = forms.CharField(label=_("To and including"), required=False)
    other_model = forms.ChoiceField(label=_("Model"), required=False)
    segment = forms.ChoiceField(label=_("Segment"), required=False)

    def __init__(self, query: QueryDict, *, queue: Queue) -> None:
        self.queue, self.at = queue, log.now()
        super().__init__({**self._usual(), **{name: value for name, value in query.items() if value}})
        models = ModelVersion.objects.filter(queue=queue).order_by("-pk").values_list("name", flat=True)[:MOST_CHOICES]
        for name in ("one_model", "other_model"):
            self._choose(name, [AS_ROUTED, *((one, one) for one in models)])
        self._choose("segment", [("", _("all")), *((one, one) for one in segments(queue))])
        for name in ("one_from", "one_to", "other_from", "other_to"):
            self.fields[name].widget = forms.DateInput({"type": "date"})

    def clean(self) -> dict[str, Any]:
        """Refuse sides that make no sense, each beside its field."""
        told = self.cleaned_data
        try:
            told["sides"] = shifted.asked(self.queue, self._given(), self.at)
        except Invalid as refusal:
            for fault in refusal.faults:
                self.add_error(fault.field, fault.detail)
        return told

    def sides(self) -> tuple[Asked, Asked, str | None]:
        """Return the two sides; the usual ones where those asked for make no sense."""
        return self.cleaned_data["sides"] if self.is_valid() else shifted.asked(self.queue, {}, self.at)

    def _given(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.data.items() if value and name in self.fields}

    def _usual(self) -> dict[str, str]:
        one, other, _segment = shifted.asked(self.queue, {}, self.at)
        assert other.days is not None
        today = other.days.last
        days = one.days.first if one.days else today - DAY * 28
        return {
            "one": "training" if one.is_training else "days",
            "one_from": days.isoformat(),
            "one_to": (today - DAY).isoformat(),
            "other_from": today.isoformat(),
            "other_to": today.isoformat(),
        }

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the two sides that the address names, field by field and segment by segment."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = DriftForm(request.GET, queue=queue)
    one, other, segment = form.sides()
    found = shifted.compare(queue, one, other, segment=segment, at=form.at)
    context = {
        "queue": queue,
        "form": form,
        "found": found,
        "sentence": shift_words.sentence(found),
        "one": shift_words.side(one),
        "other": shift_words.side(other),
        "segment": segment,
        "presets": _presets(form),
        "lines": _lines(found, queue),
        "segments": [
            {
                "row": each,
                "word": LEVELS[each.level],
                "tone": TONES.get(each.level, ""),
                "url": _of(request.GET, each.name),
            }
            for each in found.segments
        ],
        "chart": chart(found) if found.fields else None,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/drift.html", context)


def _of(query: QueryDict, segment: str) -> str:
    return f"?{urlencode({**query.dict(), 'segment': segment})}"


def _presets(form: DriftForm) -> list[tuple[Any, str]]:
    """Return the usual comparisons as links."""
    today = form.at.astimezone(form.queue.spec.zone).date()
    day, month, yesterday = today.isoformat(), (today - DAY * 28).isoformat(), (today - DAY).isoformat()
    last = {"one": "days", "one_from": month, "one_to": yesterday}
    now, before = {"other_from": day, "other_to": day}, {"other_from": month, "other_to": yesterday}
    return [
        (_("Training set against today"), f"?{urlencode({'one': 'training', **now})}"),
        (_("Training set against last month"), f"?{urlencode({'one': 'training', **before})}"),
        (_("Last month against today"), f"?{urlencode({**last, **now})}"),
    ]


def _lines(found: Shifted, queue: Queue) -> list[dict[str, Any]]:
    spec = {field.name: field for field in queue.spec.fields}
    return [
        {
            "row": one,
            "label": spec[one.name].label or one.name,
            "word": LEVELS[one.level],
            "tone": TONES.get(one.level, ""),
            "is_personal": spec[one.name].personal,
            "names": [] if spec[one.name].personal or not one.unseen else [str(name) for name in one.unseen.names],
        }
        for one in found.fields
    ]


def chart(found: Shifted) -> dict[str, Any]:
    """Return the stability index of each field that has one, the largest first, beside where it is warned of."""
    told = sorted((one for one in found.fields if one.mix), key=lambda one: -(one.mix.psi if one.mix else 0.0))
    return {
        "id": "drift-psi",
        "title": str(_("Stability index by field")),
        "note": str(_("a warning from 0.1 on, action from 0.25 on, if beyond chance")),
        "x": {"kind": "category", "label": str(_("Field"))},
        "y": {"min": 0},
        "series": [{"label": "PSI", "hue": "accent", "style": "bar"}],
        "marks": [
            {"y": 0.1, "label": str(_("warn")), "hue": "warn"},
            {"y": 0.25, "label": str(_("act")), "hue": "bad"},
        ],
        "rows": [
            {"at": place, "text": one.name, "values": [round(one.mix.psi, 4) if one.mix else None]}
            for place, one in enumerate(told[:CHARTED])
        ],
    }
