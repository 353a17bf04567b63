"""For those who run the site: is it alive, is it ready, how is it doing."""

from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework.request import Request

from reviewqueue.api import auth, shapes
from reviewqueue.api.door import Open, answer


class Live(Open):
    @extend_schema(operation_id="livez", summary="Is the process alive", responses=shapes.Alive)
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 - the framework's signature
        return answer({"status": "alive", "version": settings.APP_VERSION})


class Ready(Open):
    @extend_schema(
        operation_id="readyz", summary="Can the process work", responses={200: shapes.Ready, 503: shapes.Ready}
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 - the framework's signature
        database = _database()
        is_ready = database == "ready"
        found = {"status": "ready" if is_ready else "not_ready", "database": database, "redis": _redis()}
        return answer(found, 200 if is_ready else 503)


def _database() -> str:
    """Say whether the database answers and holds all the tables this code needs."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return "unreachable"
    return "ready" if all(leaf in applied for leaf in _leaves()) else "not_migrated"


@cache
def _leaves() -> tuple[tuple[str, str], ...]:
    """Return the last migration of each app, as the code has them."""
    return tuple(MigrationLoader(None).graph.leaf_nodes())


def _redis() -> str:
    """Say whether Redis answers; without it work goes on, only wake-ups wait for the next sweep."""
    try:
        auth.redis().ping()
    except RedisError:
        return "unreachable"
    return "ready"
