"""What a spec may say of its filter."""

from collections.abc import Iterator
from dataclasses import fields

from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.queues.spec import Spec
from decisions.queues.spec_filter import Filter

FEWEST_LABELS, MOST_LABELS = 50, 10_000_000
NEEDED = ("cut", "cost_block", "cost_error")


def rules(spec: Spec) -> Iterator[Fault]:
    """Check that a filter is whole: a cut, both costs, and a model here whose errors it can learn."""
    given = spec.filter
    if given == Filter():
        return
    for name in NEEDED:
        if getattr(given, name) is None:
            yield Fault(f"filter.{name}", "missing", _("is needed"))
    if not spec.model.pipeline:
        told = next(field.name for field in fields(given) if getattr(given, field.name) != field.default)
        yield Fault(f"filter.{told}", "order", _("needs a pipeline: scores of this queue come from outside"))
    for name in ("cut", "let_through"):
        share = getattr(given, name)
        if share is not None and not 0 < share < 1:
            yield Fault(f"filter.{name}", "range", _("must be above 0 and below 1"))
    for name in ("cost_block", "cost_error"):
        cost = getattr(given, name)
        if cost is not None and cost <= 0:
            yield Fault(f"filter.{name}", "range", _("must be above 0"))
    if not FEWEST_LABELS <= given.min_labels <= MOST_LABELS:
        words = {"low": FEWEST_LABELS, "high": MOST_LABELS}
        yield Fault("filter.min_labels", "range", _("must be from %(low)d to %(high)d") % words)
