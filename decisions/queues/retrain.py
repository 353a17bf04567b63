"""What a spec may say of when its model is trained again."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.queues.spec import Spec

FEWEST_LABELS, MOST_LABELS = 50, 10_000_000
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=366)
SHORTEST_REST = timedelta(minutes=10)


def training(spec: Spec) -> Iterator[Fault]:
    """Check that a model is trained here at all, and that runs which nobody asks for leave each other time."""
    given = spec.training
    if given.is_by_itself and not spec.model.pipeline:
        name = next(name for name in ("after_labels", "every", "on_drift") if getattr(given, name))
        yield Fault(f"training.{name}", "order", _("needs a pipeline: scores of this queue come from outside"))
    if given.after_labels is not None and not FEWEST_LABELS <= given.after_labels <= MOST_LABELS:
        words = {"low": FEWEST_LABELS, "high": MOST_LABELS}
        yield Fault("training.after_labels", "range", _("must be from %(low)d to %(high)d") % words)
    if given.every is not None and not SHORTEST <= given.every <= LONGEST:
        yield Fault("training.every", "range", _("must be from 1 h to 366 d"))
    if not SHORTEST_REST <= given.rest <= LONGEST:
        yield Fault("training.rest", "range", _("must be from 10 min to 366 d"))
