"""The schema (OpenAPI 3.1, made from the code) and its page."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from reviewqueue.api import problems, shapes
from reviewqueue.api.auth import TokenAuthentication

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 200 printable ASCII characters. The same call with the same key happens once, for 24 hours.",
)
REFUSALS = {
    "400": "What was sent is not valid; `errors` says where.",
    "401": "No token, or one that is not valid any more.",
    "403": "The token lacks the scope, or its person the right that `right` names.",
    "404": "There is no such thing, or it is not yours to see.",
    "409": "The state has changed, so this no longer fits; `code` says how.",
    "411": "A body in chunks, without Content-Length.",
    "413": "Too big: more than 1 MB, or with items 20 MB or 10,000 lines.",
    "415": "Not a media type or content encoding that this call takes.",
    "422": "This Idempotency-Key was used before, for another call.",
    "429": "Too many calls with this token; `Retry-After` says when to go on.",
}


class Schema(AutoSchema):
    """Adds to each call what all calls have: how it is refused, its Idempotency-Key, its tag."""

    def get_description(self) -> str:  # type: ignore[override]  # as this library calls it
        return ""  # a class's own docstring is for those who read the code

    def get_extensions(self) -> dict[str, Any]:
        scopes_of = getattr(self.view, "scopes_of", None)
        scopes: frozenset[str] = scopes_of(self.method) if scopes_of else frozenset()
        return {"x-scopes": sorted(scopes)} if scopes else {}

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part and "{" not in part]
        return [parts[-1] if parts[-1] in ("items", "batch") else parts[2]] if parts[0] == "api" else ["operation"]

    def get_override_parameters(self) -> list[Any]:
        return [KEY] if self.method == "POST" else []

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return str(super().get_serializer_name(serializer, direction)).removesuffix("Shape")

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = dict(super()._get_response_bodies(direction))
        problem = self.resolve_serializer(shapes.Problem, direction).ref
        for status in self._refusals():
            content = {problems.MEDIA_TYPE: {"schema": problem}}
            bodies[status] = {"description": REFUSALS[status], "content": content}
        return bodies

    def _refusals(self) -> list[str]:
        """Return the statuses with which this call may be refused."""
        if not self.view.authentication_classes:
            return []
        statuses = ["401", "403", "429"]
        if "{" in self.path:
            statuses.append("404")
        if self.method == "POST":
            statuses += ["400", "409", "411", "413", "415", "422"]
        return sorted({*statuses, *getattr(self.view, "refusals", ())})


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names our tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the framework's signature
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made by `manage.py create_token`, with scopes and, if wanted, queues and an end.",
        }


class SchemaView(SpectacularAPIView):
    """The schema itself: for whoever is signed in or holds a token."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    metadata_class = None


class DocsView(SpectacularSwaggerSplitView):
    """The schema as a page. Its script is a file of its own: our content security policy allows no inline ones."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    metadata_class = None
    template_name = "api/docs.html"
