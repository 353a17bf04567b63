"""Data sets: frozen, listed, told with their manifest, and taken along."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import NotFound
from decisions.learning import checkup, datasets
from decisions.learning.feed import Form
from decisions.models import DataSet
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes, shapes_labels
from reviewqueue.api.door import Door, answer, once, queue_named
from reviewqueue.api.lists import OfQueue


class DataSets(OfQueue):
    changing = frozenset({"manage"})
    act = Act.FEED_LABELS
    serializer_class = shapes_labels.DataSetShape
    queryset = DataSet.objects.none()

    def key(self) -> tuple[str, ...]:
        return "created_at", "id"

    def rows(self) -> QuerySet[DataSet]:
        return DataSet.objects.filter(queue=self.chain).select_related("queue")

    def line(self, row: DataSet) -> dict[str, Any]:
        return _shown(row)

    @extend_schema(operation_id="list_data_sets", summary="What was frozen to learn from")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="freeze_data_set",
        summary="Freeze the latest label of each item",
        description="The same labels give the data set that is already there.",
        request=shapes.Nothing,
        responses={201: shapes_labels.DataSetWhole, 200: shapes_labels.DataSetWhole},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        at = log.now()
        made = datasets.freeze(queue_named(request, queue), at, auth.of(request).user)
        return answer(_whole(made), 201 if made.created_at == at else 200)


class One(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="get_data_set", summary="A data set and its manifest", responses=shapes_labels.DataSetWhole
    )
    def get(self, request: Request, data_set: str) -> HttpResponse:
        found = _named(request, data_set)
        rights.require(auth.of(request).user, Act.FEED_LABELS, queue_id=found.queue_id)
        return answer(_whole(found))


class Rows(Door):
    scopes = frozenset({"manage"})
    refusals = ("409",)

    @extend_schema(
        operation_id="download_data_set",
        summary="The rows of a data set",
        description="A Parquet file with labels and payloads, without what was erased.",
        responses={(200, Form.PARQUET.media_type): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
    )
    def get(self, request: Request, data_set: str) -> FileResponse:
        found = _named(request, data_set)
        return FileResponse(
            datasets.opened(found, auth.of(request).user),
            content_type=Form.PARQUET.media_type,
            filename=f"{found.queue.slug}-{found.name[:12]}.parquet",
            as_attachment=True,
        )


def _named(request: Request, name: str) -> DataSet:
    found = DataSet.objects.filter(name=name).select_related("queue").first()
    if found is None:
        raise NotFound
    auth.of(request).require(found.queue_id)
    return found


def _shown(row: DataSet) -> dict[str, Any]:
    return {
        "name": row.name,
        "queue": row.queue.slug,
        "rows": row.rows,
        "last_no": row.manifest["query"]["last_no"],
        "created_at": row.created_at,
    }


def _whole(row: DataSet) -> dict[str, Any]:
    state = datasets.state(row)
    warnings = [asdict(one) for one in checkup.warnings(row.manifest)]
    return {
        **_shown(row),
        "manifest": row.manifest,
        "warnings": warnings,
        "erased": state.erased,
        "is_there": state.is_there,
    }
