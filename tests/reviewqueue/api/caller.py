"""A caller of the API, as tests speak: one person with one token."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.test import Client

from decisions.models import Queue, Token, User
from tests.factories import make_token, make_user
from tests.reviewqueue.api import contract

V1 = "/api/v1/"
SCOPES = tuple(Token.Scope.values)


@dataclass
class Caller:
    """Sends JSON and returns the answer, checked against the schema.

    `path` is below /api/v1/ unless it starts with a slash.
    """

    user: User
    secret: str
    token: Token
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, b"", **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.send("POST", path, orjson.dumps({} if data is None else data), **headers)

    def lines(self, path: str, *rows: Any, **headers: str) -> Any:
        """Send one JSON object a line."""
        body = b"\n".join(orjson.dumps(row) for row in rows)
        return self.send("POST", path, body, content_type="application/x-ndjson", **headers)

    def send(self, method: str, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        answer = self.client.generic(
            method,
            path if path.startswith("/") else V1 + path,
            body,
            content_type=content_type,
            headers={"Authorization": f"Bearer {self.secret}", **headers},
        )
        contract.check(method, answer)
        return answer


def caller(role: str = "", queue: Queue | None = None, *scopes: str, user: User | None = None, **person: Any) -> Caller:
    """Return a person in this role with a token of these scopes (none named = all)."""
    user = user or make_user(role, queue, **person)
    token, secret = make_token(user, *(scopes or SCOPES))
    return Caller(user, secret, token)
