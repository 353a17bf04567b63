"""Champion against challenger: one sentence, three numbers, a picture, then the details; and the way to promote."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from decisions.measure import comparison, comparison_words, summary
from decisions.measure.comparison import Comparison, Verdict
from decisions.measure.paired import BRINGS, Estimate, Figure
from decisions.models import ModelVersion, Queue, User
from decisions.record import log
from decisions.rights import Act
from reviewqueue.templatetags.figures import DASH, percent, points
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science import life
from reviewqueue.web.science.forms import CanaryForm

WINDOWS = (1, 7, 28, 90)
MOST_CHOICES = 200
LONGEST_WHY = 500
FIRST = (BRINGS, "precision", "recall", "people", "automatic")
TONE = {Verdict.BETTER: "good", Verdict.WORSE: "bad", Verdict.MIXED: "warn"}


class ComparisonForm(forms.Form):
    """Which two models, over how many days; sent by GET, so that the address holds it."""

    mark_optional = False

    champion = forms.ChoiceField(label=gettext_lazy("Champion"), required=False)
    challenger = forms.ChoiceField(label=gettext_lazy("Challenger"), required=False)
    days = forms.ChoiceField(label=gettext_lazy("Window"), required=False)

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ModelVersion.objects.filter(queue=queue).order_by("-pk").values_list("name", flat=True)[:MOST_CHOICES]
        models = [(name, name) for name in names]
        self._choose("champion", [("", _("the live one")), *models])
        self._choose("challenger", [("", _("the one in shadow")), *models])
        self._choose("days", [(str(n), ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in WINDOWS])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def wanted(self) -> dict[str, Any]:
        """Return the filter as the core takes it; what is not valid does not count."""
        self.is_valid()
        given = {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}
        return {**given, "days": int(given.get("days", comparison.DAYS))}


@dataclass(frozen=True)
class Line:
    """One figure as it is written."""

    key: str
    title: str
    live: str
    new: str
    gap: str
    note: str
    tone: str


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show two models on the very same items; the address says which, and of how many days."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = ComparisonForm(request.GET or {"days": comparison.DAYS}, queue=queue)
    found = comparison.compare(queue, **form.wanted(), at=log.now())
    context: dict[str, Any] = {
        "queue": queue,
        "form": form,
        "found": found,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    if found is not None:
        context |= _told(found, queue) | _steps(found, queue, person)
    return render(request, "science/comparison.html", context)


def _told(found: Comparison, queue: Queue) -> dict[str, Any]:
    lines = [_line(one, queue) for one in _ordered(found.figures)]
    return {
        "sentence": comparison_words.sentence(found),
        "needs": comparison_words.needs(found),
        "tone": TONE.get(found.verdict, ""),
        "noun": summary.noun(queue.spec),
        "lines": lines,
        "main": lines[:3],
        "chart": _chart(found),
        "segments": [
            (name or _("No segment"), answers, [_line(one, queue) for one in _ordered(figures)[:3]])
            for name, answers, figures in found.segments
        ],
    }


def _steps(found: Comparison, queue: Queue, person: User) -> dict[str, Any]:
    """Return the policies of the challenger that are on the way, with their next steps, and where a draft begins."""
    mine = [line for line in life.open_lines(person, queue) if line.policy.model_id == found.challenger.model.pk]
    return {
        "policies": mine,
        "draft": urlencode(prefilled(found)),
        "canary_form": CanaryForm(auto_id=False),
        "back": life.back(queue) if queues.may(person, queue, Act.ROLL_BACK_POLICY) else None,
        "is_live": found.challenger.policy is not None and found.challenger.policy.state == "live",
    }


def prefilled(found: Comparison) -> dict[str, str]:
    """Return what a draft with the challenger begins with."""
    told = {"model": found.challenger.model.name, "why": comparison_words.sentence(found)[:LONGEST_WHY]}
    return {**told, **{name: f"{value:g}" for name, value in found.advised.items()}}


def _ordered(figures: tuple[Figure, ...]) -> list[Figure]:
    return sorted(figures, key=lambda one: FIRST.index(one.key))


def _titles() -> dict[str, str]:
    return {
        BRINGS: _("Money a day"),
        "precision": _("Automatic actions that are right"),
        "recall": _("Positives that are caught"),
        "people": _("Items for people"),
        "automatic": _("Done automatically"),
    }


def _line(figure: Figure, queue: Queue) -> Line:
    title = _titles()[figure.key]
    is_money, currency = figure.key == BRINGS, queue.spec.value.currency

    def shown(one: Estimate, *, is_gap: bool = False) -> str:
        if one.value is None:
            return DASH
        if is_money:
            plus = "+" if is_gap and one.value > 0 else ""
            return plus + comparison_words.money(one.value, currency)
        return points(one.value) if is_gap else percent(one.value)

    def limits(one: Estimate, *, is_gap: bool = False) -> str:
        if one.low is None or one.high is None:
            return ""
        low, high = (shown(Estimate(end), is_gap=is_gap) for end in (one.low, one.high))
        return _("%(low)s to %(high)s") % {"low": low, "high": high}

    if not figure.is_enough:
        return Line(figure.key, title, DASH, DASH, DASH, _("not measured: fewer than 30 labels' worth"), "")
    good = figure.gap.sign if figure.key in (BRINGS, "precision", "recall") else 0
    return Line(
        key=figure.key,
        title=title,
        live=f"{shown(figure.live)} ({limits(figure.live)})",
        new=f"{shown(figure.new)} ({limits(figure.new)})",
        gap=shown(figure.gap, is_gap=True),
        note=_("95 %%: %(limits)s") % {"limits": limits(figure.gap, is_gap=True)},
        tone={1: "good", -1: "bad"}.get(good, ""),
    )


def _chart(found: Comparison) -> dict[str, Any]:
    """Return shares of both models side by side."""
    shares = [one for one in _ordered(found.figures) if one.key != BRINGS]
    return {
        "id": "both",
        "title": _("Both models on the same items"),
        "note": _("each at its own cuts"),
        "low": True,
        "x": {"kind": "category", "label": _("Figure")},
        "y": {"min": 0, "max": 1, "percent": True},
        "series": [
            {"label": _("Champion"), "hue": "plain", "style": "bar"},
            {"label": _("Challenger"), "hue": "accent", "style": "bar"},
        ],
        "rows": [
            {
                "at": place,
                "text": _titles()[one.key],
                "values": [one.live.value, one.new.value] if one.is_enough else [None, None],
            }
            for place, one in enumerate(shares)
        ],
    }
