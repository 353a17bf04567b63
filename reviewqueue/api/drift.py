"""What came in one time, or taught a model, against what came in another."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import shift_words, shifted
from decisions.measure.drift import Mix, Share
from decisions.measure.shift import FieldShift
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes_drift
from reviewqueue.api.door import Door, answer, queue_named

QUERY = [
    OpenApiParameter("one", str, enum=["training", "days"], description="The first side; what the model learnt from."),
    OpenApiParameter("one_from", OpenApiTypes.DATE, description="First day of it, by the queue's clock."),
    OpenApiParameter("one_to", OpenApiTypes.DATE),
    OpenApiParameter("one_model", str, description="The model whose training set or scores it is."),
    OpenApiParameter("other_from", OpenApiTypes.DATE, description="First day of the second side; today if not said."),
    OpenApiParameter("other_to", OpenApiTypes.DATE),
    OpenApiParameter("other_model", str),
    OpenApiParameter("segment", str, description="Only this segment of both."),
]


class Drift(Door):
    scopes = frozenset({"read", "manage", "audit"})
    refusals = ("400",)

    @extend_schema(
        operation_id="queue_drift",
        summary="Gaps, ranges, unseen categories and distributions of each field, two sides compared",
        parameters=QUERY,
        responses=shapes_drift.DriftShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        at = log.now()
        one, other, segment = shifted.asked(found, request.query_params.dict(), at)
        told = shifted.compare(found, one, other, segment=segment, at=at)
        personal = {field.name for field in found.spec.fields if field.personal}
        return answer(
            {
                "sentence": shift_words.sentence(told),
                "level": told.level,
                "one": shift_words.side(one),
                "other": shift_words.side(other),
                "segment": segment,
                "items_one": told.rows[0],
                "items_other": told.rows[1],
                "absent": told.absent,
                "scores": _mix(told.scores),
                "segment_mix": _mix(told.mix),
                "field_shifts": [_field(each, is_personal=each.name in personal) for each in told.fields],
                "segments": [
                    {
                        "segment": each.name,
                        "items_before": each.rows[0],
                        "items_now": each.rows[1],
                        "level": each.level,
                        "off": [field.name for field in each.off],
                    }
                    for each in told.segments
                ],
            }
        )


def _field(one: FieldShift, *, is_personal: bool) -> dict[str, Any]:
    told = None if is_personal else one.quantiles
    return {
        "name": one.name,
        "level": one.level,
        "missing": _share(one.missing),
        "misfit": _share(one.misfit),
        "unseen": _share(one.unseen),
        "mix": _mix(one.mix),
        "quantiles": {"before": list(told[0]), "now": list(told[1])} if told else None,
    }


def _share(one: Share | None) -> dict[str, Any] | None:
    return {"before": one.before, "now": one.now, "p": one.p, "level": one.level} if one else None


def _mix(one: Mix | None) -> dict[str, Any] | None:
    return {"psi": one.psi, "p": one.p, "level": one.level} if one else None
