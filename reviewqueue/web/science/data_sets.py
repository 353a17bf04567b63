"""The data sets' pages: what was frozen to learn from, what is in it, two beside each other."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import NotFound
from decisions.learning import checkup, datasets
from decisions.learning.checkup import Warn
from decisions.learning.feed import Form
from decisions.models import DataSet, Label, Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

PAGE = 20
SEGMENTS = 20  # shown
SHORT = 12  # of a name
WARNINGS = {
    "earlier": gettext_lazy("It was frozen by an earlier version and cannot be learnt from: freeze another one."),
    "after_field": gettext_lazy(
        "“%(field)s” is known only after the decision, as the queue's file says: nothing may be learnt from it."
    ),
    "telling_field": gettext_lazy(
        "“%(field)s” alone nearly gives the answer away (AUC %(auc).3f). Is it known before the decision?"
    ),
    "label_before_item": gettext_lazy("%(count)d rows have an answer that was known before the item occurred."),
    "known_rows": gettext_lazy("%(count)d rows are in the known set too: who learns from them is not judged on them."),
    "contradicting": gettext_lazy("%(count)d rows have a payload that came with both answers."),
    "repeated": gettext_lazy("%(count)d of the last fifth of the rows have a payload that an earlier one has too."),
    "late_labels": gettext_lazy(
        "%(count)d earlier rows were answered only after the last fifth begins: nobody could train on them then."
    ),
    "few": gettext_lazy("One of the answers has %(count)d rows only: too few to train."),
    "simulated": gettext_lazy("%(count)d answers are of simulated people, beside real ones."),
}
GRAVE = frozenset({"earlier", "after_field", "telling_field", "label_before_item"})
FIGURES = {
    "rows": gettext_lazy("Rows"),
    "classes.positive": gettext_lazy("Positive"),
    "classes.negative": gettext_lazy("Negative"),
    "classes.none": gettext_lazy("Can't tell"),
    "query.last_no": gettext_lazy("Up to label"),
    "query.last_word": gettext_lazy("Up to the word of an end user"),
    "weights.all.sum": gettext_lazy("Sum of weights"),
    "weights.all.effective": gettext_lazy("Worth as many equal labels"),
    "queue_version": gettext_lazy("Queue version"),
    "weighting": gettext_lazy("Version of the weights"),
    "writer": gettext_lazy("Written by"),
    "file.bytes": gettext_lazy("Bytes"),
}


@login_required
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's data sets, the newest first."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.FEED_LABELS)
    rows = DataSet.objects.filter(queue=queue).order_by("-pk")
    after = request.GET.get("after", "")
    if after.isascii() and after.isdecimal() and len(after) < 19:
        rows = rows.filter(pk__lt=int(after))
    shown = list(rows[: PAGE + 1])
    context = {
        "queue": queue,
        "rows": [_line(one) for one in shown[:PAGE]],
        "first": request.path if after else "",
        "next": f"?after={shown[PAGE - 1].pk}" if len(shown) > PAGE else "",
        "ripe": datasets.RIPE,
        "may_freeze": queues.may(person, queue, Act.FREEZE_DATA_SET),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/data_sets.html", context)


@login_required
@require_POST
def freeze(request: HttpRequest, slug: str) -> HttpResponse:
    """Freeze the latest label of each item now."""
    person, at = signed_in(request), log.now()
    queue = queues.one(person, slug, Act.FREEZE_DATA_SET)
    made = datasets.freeze(queue, at, person)
    if made.created_at == at:
        messages.success(request, _("A data set of %(rows)d rows is frozen.") % {"rows": made.rows})
    else:
        messages.info(request, _("Nothing has changed since: this is the data set that is already there."))
    return redirect("science:data_set", slug, made.name)


@login_required
@require_safe
def show(request: HttpRequest, slug: str, data_set: str) -> HttpResponse:
    """Show one data set; `?other=NAME` puts another one of the queue beside it."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.FEED_LABELS)
    one, asked = _named(queue, data_set), request.GET.get("other", "")
    other = _named(queue, asked) if asked else None
    may_take = all(queues.may(person, queue, act) for act in (Act.FREEZE_DATA_SET, Act.SEE_PERSONAL))
    context = {
        "queue": queue,
        "one": _line(one),
        "state": datasets.state(one),
        "other": other and _line(other),
        "others": [_line(row) for row in DataSet.objects.filter(queue=queue).exclude(pk=one.pk).order_by("-pk")[:PAGE]],
        "figures": _figures(one.manifest, other.manifest if other else None),
        "answers": answers(one.manifest),
        "segments": sorted(one.manifest["segments"].items(), key=lambda pair: (-pair[1], pair[0]))[:SEGMENTS],
        "more_segments": max(0, len(one.manifest["segments"]) - SEGMENTS),
        "fields": one.manifest.get("fields", []),
        "times": one.manifest.get("times", {}),
        "may_take": may_take,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/data_set_show.html", context)


@login_required
@require_safe
def rows(request: HttpRequest, slug: str, data_set: str) -> FileResponse:
    """Send a data set's rows as a Parquet file."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.FEED_LABELS)
    data = datasets.opened(_named(queue, data_set), person)
    kind, filename = Form.PARQUET.media_type, f"{slug}-{data_set[:SHORT]}.parquet"
    return FileResponse(data, content_type=kind, filename=filename, as_attachment=True)


def _named(queue: Queue, name: str) -> DataSet:
    found = DataSet.objects.filter(queue=queue, name=name).select_related("queue").first()
    if found is None:
        raise NotFound
    return found


def _line(one: DataSet) -> dict[str, Any]:
    """Return a data set as lists show it."""
    classes, warned = one.manifest["classes"], checkup.warnings(one.manifest)
    says = classes.get("positive", 0) + classes.get("negative", 0)
    return {
        "set": one,
        "short": one.name[:SHORT],
        "share": classes.get("positive", 0) / says if says else None,
        "says": says,
        "last_no": one.manifest["query"]["last_no"],
        "warnings": [_told(warn) for warn in warned],
    }


def _told(warn: Warn) -> dict[str, Any]:
    """Return a warning in words."""
    words = {"field": warn.field, "count": warn.count, "auc": warn.auc or 0.0}
    return {"text": WARNINGS[warn.code] % words, "tone": "bad" if warn.code in GRAVE else "warn"}


def _figures(one: dict[str, Any], other: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the manifest's figures, beside another one's where there is one."""
    lines = []
    for key, label in FIGURES.items():
        pair = [_at(manifest, key) for manifest in (one, other) if manifest is not None]
        lines.append({"label": label, "one": pair[0], "other": pair[-1], "differs": pair[0] != pair[-1]})
    return lines


def _at(manifest: dict[str, Any], key: str) -> Any:
    """Return the figure at a path such as `weights.all.sum`; rows are those of the file. None where there is none."""
    found: Any = manifest
    for part in ("file.rows" if key == "rows" else key).split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return round(found, 2) if isinstance(found, float) else found


def answers(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answers and weights by provenance."""
    names, weights = dict(Label.Provenance.choices), manifest.get("weights", {})
    return [
        {"name": names[word], "of": of, "weights": weights.get(word)}
        for word, of in manifest.get("answers", {}).items()
    ]
