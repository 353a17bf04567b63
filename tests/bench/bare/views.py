"""Three bare endpoints: insert the rows of an item, and run the statements of a claim and of a decision."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


@cache
def facts() -> Any:
    """Return what the bench wrote down for us, read once."""
    return json.loads(Path(os.environ["BENCH_FACTS"]).read_text())


def read(request: Request) -> Any:
    """Return the JSON that was sent."""
    return request.data


class Items(APIView):
    """Insert what an item of the same route left in the product: the same tables and columns, one statement a row."""

    def post(self, request: Request) -> Response:
        sent: dict[str, Any] = read(request)
        route = next(route for route, low in facts()["cuts"] if sent["score"] >= low)
        ids: dict[str, Any] = {
            "external_id": sent["external_id"],
            "content": json.dumps({"payload": sent["payload"]}, separators=(",", ":")),
            "score": sent["score"],
        }
        with transaction.atomic(), connection.cursor() as cursor:
            for name, statement, values in facts()["rows"][route]:
                cursor.execute(statement, {**values, **ids})
                if cursor.description:
                    ids[name] = cursor.fetchone()[0]
        return Response({"id": ids["item"], "external_id": sent["external_id"], "route": route}, status=201)


class Claim(APIView):
    """Run the statements that the product runs for a claim."""

    def post(self, request: Request) -> Response:
        return Response(run("claim", read(request)))


class Decide(APIView):
    """Run the statements that the product runs for a decision."""

    def post(self, request: Request) -> Response:
        return Response(run("decide", read(request)["ids"]), status=201)


@transaction.atomic
def run(name: str, ids: dict[str, int]) -> dict[str, int]:
    """Run the statements of a call with these ids; return them with those that the statements gave."""
    ids = dict(ids)
    with connection.cursor() as cursor:
        for step in facts()[name]:
            cursor.execute(step["text"] % ids)
            if step["gives"]:
                learn(cursor, step["gives"], ids)
    return ids


def learn(cursor: CursorWrapper, gives: dict[str, tuple[str, int]], ids: dict[str, int]) -> None:
    """Take ids from the first row of an answer: by the name of the column, with what is to be added."""
    row, names = cursor.fetchone(), [column.name for column in cursor.description]
    for name, (column, more) in gives.items():
        ids[name] = row[names.index(column)] + more


urlpatterns = [
    path("items/", Items.as_view()),
    path("claim/", Claim.as_view()),
    path("decide/", Decide.as_view()),
]
