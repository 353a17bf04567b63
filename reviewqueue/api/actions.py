"""What the outside world was told, and what it says it did."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions import rights
from decisions.effects import results
from decisions.exceptions import Fault, Invalid
from decisions.models import Action
from decisions.redact import Sight
from decisions.rights import Act, Standing
from reviewqueue.api import auth, shapes, shapes_record
from reviewqueue.api.door import QUEUE, Door, answer, once, within
from reviewqueue.api.lists import Listing

COLUMNS = (
    *("id", "name", "state", "attempts", "due_at", "delivered_at", "result", "result_detail", "result_at"),
    "created_at",
)
TOLD, DEAD = "told", "dead"
STATE = OpenApiParameter(
    "state", enum=[TOLD, DEAD], default=TOLD, description="Told but not said to be done, or given up."
)


@extend_schema_view(
    get=extend_schema(operation_id="list_actions", summary="Told but not done", parameters=[QUEUE, STATE])
)
class Actions(Listing):
    """For those who read the record, and for the systems that say what they did."""

    scopes = frozenset({"read", "manage", "audit"})
    serializer_class = shapes_record.ActionShape
    filter_backends = []
    queryset = Action.objects.none()

    @cached_property
    def state(self) -> str:
        state: str = self.request.query_params.get("state", TOLD)
        if state not in (TOLD, DEAD):
            raise Invalid(faults=[Fault("state", "choice", _("State is told or dead."))])
        return state

    def key(self) -> tuple[str, ...]:
        return ("delivered_at", "id") if self.state == TOLD else ("id",)

    @cached_property
    def standing(self) -> Standing:
        queue = self.chain
        stands = rights.require(auth.of(self.request).user, Act.READ_QUEUE, queue_id=queue)
        if not rights.may(stands, Act.RECORD_RESULT):
            rights.demand(stands, Act.READ_RECORD, queue_id=queue)
        return stands

    def everything(self) -> QuerySet[Action]:
        return self.rows() if self.standing else Action.objects.none()

    def rows(self) -> QuerySet[Action]:
        actions = Action.objects.filter(queue=self.chain).select_related("item")
        return actions.told_but_not_done() if self.state == TOLD else actions.filter(state=Action.State.DEAD)

    def shown(self, row: Action, sight: Sight) -> dict[str, Any]:  # noqa: ARG002 - who may read this may see it
        told = {name: getattr(row, name) for name in COLUMNS}
        return {**told, "item": row.item_id, "external_id": row.item.external_id, "ruling": row.ruling_id}


class Result(Door):
    """What the outside world says it really did."""

    scopes = frozenset({"intake", "manage"})

    @extend_schema(
        operation_id="record_result",
        summary="Say what was really done",
        description="The same again changes nothing; another result replaces it, and the record keeps both.",
        request=shapes_record.Result,
        responses=shapes_record.Resulted,
    )
    @once
    def post(self, request: Request, action: int) -> HttpResponse:
        asked = shapes.read(shapes_record.Result, request)
        within(request, Action.objects.all(), action)
        made = results.record(action_id=action, person=auth.of(request).user, at=timezone.now(), **asked)
        return answer(
            {"id": made.pk, "result": made.result, "result_detail": made.result_detail, "result_at": made.result_at}
        )
