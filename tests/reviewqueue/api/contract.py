"""The schema as a judge: whether an answer is one that it documents."""

from functools import cache
from typing import Any

import orjson
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

JSON = ("application/json", "application/problem+json")
ELSEWHERE = {405, 500}  # a method that is not there, and what must not happen


@cache
def schema() -> dict[str, Any]:
    """Return the schema as the code gives it."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    plain: dict[str, Any] = orjson.loads(orjson.dumps(made))
    return plain


@cache
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return method, path and operation of each call by its id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in schema()["paths"].items()
        for method, operation in methods.items()
    }


@cache
def _by_route() -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): operation for method, path, operation in operations().values()}


@cache
def _validator(text: bytes) -> Draft202012Validator:
    return Draft202012Validator({**orjson.loads(text), "components": schema()["components"]})


def check(method: str, answer: Any) -> None:
    """Assert that an answer has a documented status, media type and shape."""
    operation = _by_route().get((method, template(answer)))
    if operation is None or answer.status_code in ELSEWHERE:
        return
    documented = operation["responses"].get(str(answer.status_code))
    assert documented is not None, f"{operation['operationId']} does not document {answer.status_code}"
    content = documented.get("content")
    if content is None:
        assert answer.content == b""
        return
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in content, f"{operation['operationId']} does not document {kind}"
    if kind in JSON:
        _validator(orjson.dumps(content[kind]["schema"])).validate(orjson.loads(answer.content))


def template(answer: Any) -> str:
    """Return the path that was called as the schema writes it: `<id:task>` is `{task}`."""
    parts = resolve(answer.wsgi_request.path).route.split("/")
    return "/" + "/".join("{" + part[1:-1].partition(":")[2] + "}" if part[:1] == "<" else part for part in parts)
