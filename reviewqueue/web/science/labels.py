"""The labels' page: what training gets, narrowed down, and taken along as a file."""

from datetime import datetime, time
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from decisions import redact, rights
from decisions.exceptions import Fault, Invalid
from decisions.learning import datasets, feed
from decisions.learning.feed import Form, Wanted
from decisions.models import Label, Queue, User
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science import data_sets

PAGE = 50
ANY = ("", gettext_lazy("any"))


class LabelForm(forms.Form):
    """By what labels are narrowed down; sent by GET, so that the address holds it."""

    mark_optional = False

    provenance = forms.ChoiceField(
        label=gettext_lazy("Provenance"), required=False, choices=[ANY, *Label.Provenance.choices]
    )
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), required=False)
    value = forms.ChoiceField(
        label=gettext_lazy("Value"),
        required=False,
        choices=[
            ANY,
            ("1", gettext_lazy("positive")),
            ("0", gettext_lazy("negative")),
            ("none", gettext_lazy("can't tell")),
        ],
    )
    since = forms.DateField(label=gettext_lazy("Since"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=gettext_lazy("Before"), required=False, widget=forms.DateInput({"type": "date"}))
    final = forms.ChoiceField(
        label=gettext_lazy("Of each item"),
        required=False,
        choices=[("", gettext_lazy("every label")), ("yes", gettext_lazy("the latest only"))],
    )

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = queue.spec.zone
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        outcome.choices = [ANY, *((one.key, one.label) for one in queue.spec.outcomes)]

    def wanted(self) -> Wanted:
        """Return the filter as the core takes it; what is not valid does not narrow."""
        given: dict[str, Any] = dict(self.cleaned_data) if self.is_valid() else {}
        for name in ("since", "until"):
            if given.get(name):
                given[name] = timezone.make_aware(datetime.combine(given[name], time.min), self.zone)
        return Wanted(**{**given, "final": bool(given.get("final"))})


@login_required
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's labels, the newest first; filter and page are in the address."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.FEED_LABELS)
    form, after = LabelForm(request.GET or None, queue=queue), request.GET.get("after", "")
    before = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None
    found = feed.newest(queue.pk, form.wanted(), before=before, most=PAGE + 1)
    newest = datasets.newest(queue.pk)
    context = {
        "queue": queue,
        "form": form,
        "rows": _lines(found[:PAGE], person, queue),
        "next": _address(request.GET, after=found[PAGE - 1]["no"]) if len(found) > PAGE else "",
        "first": _address(request.GET) if after else "",
        "chips": _chips(request.GET, form),
        "clear": "?",
        "forms": [(one.value, name, _address(request.GET, format=one.value)) for one, name in NAMES.items()],
        "newest": newest,
        "counts": data_sets.answers(newest.manifest) if newest else [],
        "may_read": queues.may(person, queue, Act.READ_RECORD),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/label_list.html", context)


NAMES = {Form.NDJSON: "NDJSON", Form.CSV: "CSV", Form.PARQUET: "Parquet"}


@login_required
@require_safe
def file(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Send all labels that match, as a file."""
    queue = queues.one(signed_in(request), slug, Act.FEED_LABELS)
    form = LabelForm(request.GET, queue=queue)
    if not form.is_valid():  # else more would leave than was asked for
        faults = [Fault(name, "filter", str(text)) for name, texts in form.errors.items() for text in texts]
        raise Invalid(faults=faults)
    try:
        shape = Form(request.GET.get("format", ""))
    except ValueError:
        raise Invalid(faults=[Fault("format", "choice", _("Choose ndjson, csv or parquet."))]) from None
    lines = feed.written(shape, feed.after(0, [queue.pk], form.wanted()))
    response = StreamingHttpResponse(lines, content_type=shape.media_type)
    response["Content-Disposition"] = f'attachment; filename="{slug}-labels.{shape}"'
    return response


def _lines(found: list[dict[str, Any]], person: User, queue: Queue) -> list[dict[str, Any]]:
    """Return labels as lines; of items to which the person is blind only that there is one."""
    standing = rights.standing(person, queue.pk)
    assert standing is not None  # or the page was refused
    spec = queue.spec
    seen = redact.for_many({row["item"] for row in found}, standing=standing, user=person, spec=spec)
    labels, provenances = {one.key: one.label for one in spec.outcomes}, dict(Label.Provenance.choices)
    return [
        {
            **row,
            "outcome": labels.get(row["outcome"], row["outcome"]),
            "provenance_name": provenances[row["provenance"]],
            "is_seen": seen[row["item"]].history and seen[row["item"]].machine,
        }
        for row in found
    ]


def _chips(query: QueryDict, form: LabelForm) -> list[dict[str, str]]:
    """Return each filter in force with the address that lacks it."""
    given = [name for name in form.fields if query.get(name)]
    return [
        {
            "label": f"{form.fields[name].label}: {_in_words(form, name, str(query[name]))}",
            "url": _address({key: value for key, value in query.items() if key != name}),
        }
        for name in given
    ]


def _in_words(form: LabelForm, name: str, value: str) -> str:
    return str(dict(getattr(form.fields[name], "choices", ())).get(value, value))


def _address(query: Any, **changes: Any) -> str:
    """Return the address of the same list with other parameters; it starts from the first page unless told."""
    kept = {name: value for name, value in query.items() if value and name not in ("after", "format")}
    return "?" + urlencode({**kept, **changes})
