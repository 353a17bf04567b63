"""Pages by key: the cost of a page does not grow with what lies before it."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from decisions.exceptions import Fault, Invalid

USUAL, MOST = 100, 1000
NEWEST, OLDEST = "newest", "oldest"


class Keyset(BasePagination):
    """`?order=newest|oldest&limit=&after=ID`: the rows that follow the row with this id.

    The view says by `key()` which columns order its rows, and by `everything()` which rows there are.
    """

    next: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        order, limit, after = _asked(request.query_params)
        if after is not None:
            queryset = queryset.filter(_beyond(_row(view.everything(), after), view.key(), order))
        sign = "-" if order == NEWEST else ""
        rows = list(queryset.order_by(*(sign + column for column in view.key()))[: limit + 1])
        if len(rows) > limit:
            rows.pop()
            self.next = _address(request, after=rows[-1].pk)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": ["string", "null"], "format": "uri", "description": "The next page; null at the end."}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": following},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002 - the framework's
        return [
            _parameter("after", "The id of the last row of the page before.", type="integer", minimum=0),
            _parameter("limit", "Rows on a page.", type="integer", minimum=1, maximum=MOST, default=USUAL),
            _parameter("order", "Which rows come first.", type="string", enum=[NEWEST, OLDEST], default=NEWEST),
        ]


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _asked(query: QueryDict) -> tuple[str, int, int | None]:
    """Return the order, the limit and the row after which the page starts."""
    order = query.get("order", NEWEST)
    if order not in (NEWEST, OLDEST):
        raise Invalid(faults=[Fault("order", "unknown", _("Order is newest or oldest."))])
    limit = number(query, "limit", USUAL, low=1, high=MOST)
    return order, limit, number(query, "after", 0) if "after" in query else None


def number(query: QueryDict, name: str, usual: int, *, low: int = 0, high: int = 10**18) -> int:
    """Return a whole number of the query."""
    text = query.get(name, "")
    if not text:
        return usual
    # isdecimal() alone takes digits of other scripts, and int() reads any length of them.
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        wrong = _("This is a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
        raise Invalid(faults=[Fault(name, "range", wrong)])
    return int(text)


def _row(rows: QuerySet[Any], after: int) -> Model:
    """Return the row that the page follows; it need not match the filters."""
    found: Model | None = rows.filter(pk=after).first()
    if found is None:
        raise Invalid(faults=[Fault("after", "unknown", _("There is no such row to continue from."))])
    return found


def _beyond(row: Model, key: tuple[str, ...], order: str) -> Q:
    """Return the condition for the rows that come after this one."""
    less = "lt" if order == NEWEST else "gt"
    values = {column: getattr(row, column) for column in key}
    # The first column stands alone as well, for the planner takes no range from an OR.
    bound = Q(**{f"{key[0]}__{less}e": values[key[0]]})
    condition, same = Q(), Q()
    for column in key:
        condition |= same & Q(**{f"{column}__{less}": values[column]})
        same &= Q(**{column: values[column]})
    return bound & condition


def _address(request: Request, **changes: Any) -> str:
    """Return this call's own address with other parameters."""
    query = {**request.query_params.dict(), **changes}
    return f"{request.build_absolute_uri(request.path)}?{urlencode(query)}"
