"""Champion and challenger in the API: two models on the very same items."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.measure import comparison, comparison_words
from decisions.measure.comparison import Comparison, Contender
from decisions.measure.paired import Estimate, Figure
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes_comparison
from reviewqueue.api.door import Door, answer, queue_named

LONGEST = 3  # digits of a window
QUERY = [
    OpenApiParameter("champion", str, description="A model by its name; the live one unless said otherwise."),
    OpenApiParameter("challenger", str, description="A model by its name; the one in shadow unless said otherwise."),
    OpenApiParameter("days", int, description=f"1 to {comparison.LONGEST}; {comparison.DAYS} unless said otherwise."),
]


class Compared(Door):
    scopes = frozenset({"read", "manage", "audit"})
    refusals = ("400", "409")

    @extend_schema(
        operation_id="compare_models",
        summary="Two models on the very same labelled items, each at its own cuts",
        description="Answers 409 where the queue has only one model.",
        parameters=QUERY,
        responses=shapes_comparison.ComparedModels,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        query = request.query_params
        made = comparison.compare(
            found,
            champion=query.get("champion", ""),
            challenger=query.get("challenger", ""),
            days=_days(query.get("days", "")),
            at=log.now(),
        )
        if made is None:
            raise Conflict(_("This queue has only one model, so there is nothing to compare it with."))
        return answer(_shown(made))


def _days(text: str) -> int:
    if not text:
        return comparison.DAYS
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST):
        raise Invalid(faults=[Fault("days", "type", _("must be a whole number of days"))])
    return int(text)


def _shown(found: Comparison) -> dict[str, Any]:
    rests = found.rests
    names = ("asked", "unscored", "learnt", "answers", "apart", "backfilled", "simulated", "per_day")
    return {
        "sentence": comparison_words.sentence(found),
        "needs": comparison_words.needs(found),
        "verdict": found.verdict.value,
        "more_labels": found.more,
        "champion": _contender(found.champion),
        "challenger": _contender(found.challenger),
        "window": {"start": found.start, "end": found.end},
        "currency": found.queue.spec.value.currency,
        "rests_on": {**{name: getattr(rests, name) for name in names}, "unknown": list(rests.unknown)},
        "figures": [_figure(one) for one in found.figures],
        "segments": [
            {"segment": name, "answers": answers, "figures": [_figure(one) for one in figures]}
            for name, answers, figures in found.segments
        ],
        "advised": {name: found.advised.get(name) for name in ("hard", "soft", "suggest")},
    }


def _contender(one: Contender) -> dict[str, Any]:
    policy = one.policy.no if one.policy else None
    return {"model": one.model.name, "policy": policy, "hard": one.hard, "soft": one.soft}


def _figure(one: Figure) -> dict[str, Any]:
    return {
        "figure": one.key,
        "champion": _estimate(one.live),
        "challenger": _estimate(one.new),
        "difference": _estimate(one.gap),
        "effective_labels": one.n_eff,
        "is_enough": one.is_enough,
        "more_labels": one.more,
    }


def _estimate(one: Estimate) -> dict[str, float | None]:
    return {"value": one.value, "low": one.low, "high": one.high}
