"""The schema (OpenAPI 3.1, made from the code) and its page."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from reviewqueue.api.auth import TokenAuthentication


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


class DocsView(SpectacularSwaggerSplitView):
    """The schema as a page. Its script is a file of its own: our content security policy allows no inline ones."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [IsAuthenticated]
    template_name = "api/docs.html"
