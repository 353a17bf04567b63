"""Figures by segment, and between the groups that a queue names."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import groups, segmented
from decisions.measure.estimates import Estimate
from decisions.measure.groups import Cell, Comparison
from decisions.measure.segmented import SegmentRow
from decisions.models import Queue
from decisions.rights import Act
from reviewqueue.api import auth, shapes_contract
from reviewqueue.api.door import Door, answer, queue_named


class Segments(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="queue_segments",
        summary="Precision, misses and overrides by segment, over 28 days",
        responses=shapes_contract.SegmentsShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = segmented.by_segment(_readable(request, queue).pk, timezone.now())
        return answer(
            {
                "start": found.window.start if found else None,
                "end": found.window.end if found else None,
                "fresh_at": found.window.fresh_at if found else None,
                "audit_budget": found.budget if found else 0,
                "segments": [_segment(row) for row in found.rows] if found else [],
            }
        )


class Fairness(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="queue_fairness",
        summary="Errors, overrides and automatic actions between groups, over 28 days",
        responses=shapes_contract.FairnessShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        asked = _readable(request, queue)
        found = groups.fairness(asked.pk, asked.spec, timezone.now())
        fields = [
            {"field": one.group.field, "comparisons": [_comparison(each) for each in one.comparisons]}
            for one in found or []
        ]
        return answer({"days": groups.DAYS, "is_counted": found is not None, "fields_compared": fields})


def _readable(request: Request, slug: str) -> Queue:
    found = queue_named(request, slug)
    rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
    return found


def _segment(row: SegmentRow) -> dict[str, Any]:
    return {
        "segment": row.name,
        "items": row.items,
        "precision": _estimate(row.precision.share) if row.precision else None,
        "missed": _estimate(row.missed.rate) if row.missed else None,
        "overrides": _estimate(row.overrides.share) if row.overrides else None,
        "is_blind": row.is_blind,
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "figure": one.figure,
        "compared": one.parity.compared,
        "level": one.parity.level,
        "groups": [_cell(cell) for cell in one.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    gap = cell.gap
    return {
        "group": cell.group,
        "is_hidden": cell.is_hidden,
        "rate": _estimate(gap.rate) if gap else None,
        "difference": gap.difference if gap else None,
        "low": gap.low if gap else None,
        "high": gap.high if gap else None,
        "differs": gap.differs if gap else None,
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "labels": one.n,
        "effective_labels": one.n_eff,
        "why": one.why,
    }
