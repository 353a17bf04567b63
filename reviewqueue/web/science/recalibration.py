"""What a new calibrator would change, before anybody drafts it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions.exceptions import NotFound
from decisions.measure import recalibrate
from decisions.measure.recalibrate import TooFew
from decisions.models import ModelVersion, Policy, Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

MOST_DIGITS = 18


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what recent labels make of a model's scores: `?model=3`, else the live one's; only that to a script."""
    queue = queues.one(signed_in(request), slug, Act.DRAFT_POLICY)
    model = _model(queue, request.GET.get("model"))
    found = recalibrate.fit(queue.pk, log.now(), model_id=model.pk) if model else None
    is_fragment = bool(getattr(request, "htmx", False))
    context = {
        "queue": queue,
        "model": model,
        "days": recalibrate.DAYS,
        "too_few": found if isinstance(found, TooFew) else None,
        "found": None if isinstance(found, TooFew) else found,
    }
    return render(request, f"science/recalibration{'_figures' if is_fragment else ''}.html", context)


def _model(queue: Queue, asked: str | None) -> ModelVersion | None:
    """Return the model that the address names ("": none), else the live policy's."""
    if asked is None:
        live = Policy.objects.live().select_related("model").filter(queue=queue).first()
        return live.model if live else None
    if not asked:
        return None
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= MOST_DIGITS
    found = ModelVersion.objects.filter(queue=queue, pk=int(asked)).first() if is_number else None
    if found is None:
        raise NotFound
    return found
