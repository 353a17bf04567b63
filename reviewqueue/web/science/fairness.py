"""Fairness: whether groups are treated alike, as far as that can be told."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions.measure import groups, sentences
from decisions.measure.groups import TO, UNKNOWN, Comparison, Fairness, Figure
from decisions.queues.spec import FieldType, PayloadField, Spec
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show errors, overrides and automatic actions between the groups that the queue's spec names."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    spec = queue.spec
    found = groups.fairness(queue.pk, spec, log.now()) if spec.groups else []
    told = [_field(one, spec) for one in found or []]
    context = {
        "queue": queue,
        "names_groups": bool(spec.groups),
        "is_counted": found is not None,
        "fields": told,
        "tables": sum(len(field["tables"]) for field in told),
        "days": groups.DAYS,
        "fewest": groups.FEWEST_PEOPLE,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/fairness.html", context)


def titles() -> dict[Figure, tuple[str, str]]:
    """Return what is compared: its name, and of what it is a share."""
    return {
        Figure.FALSE_POSITIVES: (_("Acted on without cause"), _("of what is truly negative")),
        Figure.MISSED: (_("Missed"), _("of what is truly positive")),
        Figure.PRECISION: (_("Automatic and right"), _("of what the machine acts on")),
        Figure.OVERRIDES: (_("Overridden by people"), _("of what people decided")),
        Figure.AUTOMATIC: (_("Acted on by the machine"), _("of all items")),
    }


def _field(one: Fairness, spec: Spec) -> dict[str, Any]:
    field = spec.payload_field(one.group.field)
    return {
        "label": field.label if field else one.group.field,
        "is_personal": bool(field and field.personal),
        "tables": [_table(comparison, field) for comparison in one.comparisons],
    }


def _table(comparison: Comparison, field: PayloadField | None) -> dict[str, Any]:
    title, of_what = titles()[comparison.figure]
    gaps = tuple(replace(gap, group=name(gap.group, field)) for gap in comparison.parity.gaps)
    return {
        "id": comparison.figure.value,
        "title": title,
        "of_what": of_what,
        "counts": comparison.figure == Figure.AUTOMATIC,
        "sentence": sentences.parity_sentence(replace(comparison.parity, gaps=gaps)),
        "rows": [(name(cell.group, field), cell) for cell in comparison.cells],
    }


def name(group: str, field: PayloadField | None) -> str:
    """Return a group's name as it is shown: a category, a band of numbers, or that it is not known."""
    if group == UNKNOWN:
        return _("Not known")
    if field is None or field.type in (FieldType.CATEGORY, FieldType.BOOLEAN):
        return group
    low, _to, high = group.partition(TO)
    words = {"low": low, "high": high}
    if low and high:
        return _("%(low)s to under %(high)s") % words
    return _("%(low)s and over") % words if low else _("under %(high)s") % words
