"""The operating point's page: what the model and its policy really do, and how that is known."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from decisions.measure import operating, sample, summary
from decisions.measure.operating import OperatingPoint
from decisions.measure.window import DAY, Filters
from decisions.models import Item, ModelVersion, Policy, Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.audit.forms import ANY
from reviewqueue.web.people import signed_in
from reviewqueue.web.science import operating_charts as charts

WINDOWS = (1, 7, 28, 90)
DAYS = 28
MOST_CHOICES = 200
REASONS = dict(Item.RouteReason.choices)


class PointForm(forms.Form):
    """What the figures are narrowed to; sent by GET, so that the address holds it."""

    mark_optional = False

    window = forms.ChoiceField(label=_("Window"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    policy = forms.ChoiceField(label=_("Policy"), required=False)
    segment = forms.ChoiceField(label=_("Segment"), required=False)

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models = ModelVersion.objects.filter(queue=queue).order_by("-pk").values_list("name", flat=True)
        policies = Policy.objects.filter(queue=queue).order_by("-no").values_list("no", flat=True)
        self._choose("window", [(f"{n}d", ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in WINDOWS])
        self._choose("model", [ANY, *((name, name) for name in models[:MOST_CHOICES])])
        self._choose("policy", [ANY, *((str(no), str(no)) for no in policies[:MOST_CHOICES])])
        self._choose("segment", [ANY, *((name, name) for name in segments(queue))])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def days(self) -> int:
        """Return the window in days; what is not valid does not count."""
        return int(self._given().get("window", f"{DAYS}d").removesuffix("d"))

    def filters(self) -> Filters:
        """Return the filters as the core takes them; what is not valid does not narrow."""
        given = self._given()
        no = given.get("policy")
        return Filters(given.get("model"), int(no) if no else None, given.get("segment"))

    def _given(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}


def segments(queue: Queue) -> list[str]:
    """Return the queue's recent segments, the largest first."""
    end = log.now()
    counts = sample.bands(queue.pk, sample.floor_hour(end) - DAY * DAYS, end, by_segment=True, hourly=False)
    sizes: dict[str, float] = {}
    for name, n in zip(counts.segment, counts.n, strict=True):
        sizes[name] = sizes.get(name, 0.0) + n
    sizes.pop("", None)
    return sorted(sizes, key=lambda name: -sizes[name])[:MOST_CHOICES]


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the operating point of a queue; the address says of which window, model, policy and segment."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = PointForm(request.GET or {"window": f"{DAYS}d"}, queue=queue)
    page = operating.page(queue.pk, log.now(), days=form.days(), filters=form.filters())
    zone = queue.spec.zone
    context = {
        **_said(page.point, queue),
        "queue": queue,
        "zone": zone,
        "form": form,
        "days": form.days(),
        "point": page.point,
        "over_time": charts.over_time(page.moments, zone),
        "plane": charts.plane(page.plane),
        "calibration": charts.calibration(page.calibration, page.calibrators),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/operating.html", context)


def _said(point: OperatingPoint, queue: Queue) -> dict[str, Any]:
    return {
        "sentence": summary.sentence(point, queue.spec),
        "precision": summary.precision(point, queue.spec),
        "noun": summary.noun(queue.spec),
        "currency": queue.spec.value.currency,
        "advice": summary.advice(point),
        "apart": [(REASONS[one.reason], one) for one in point.apart],
        "control_share": point.policy.control_share if point.policy else None,
    }
