"""Bytes in, bytes out: strict JSON, NDJSON, gzip."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import orjson
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from decisions.exceptions import Invalid, Refused, TooBig
from decisions.intake import parse

JSON = "application/json"
NDJSON = "application/x-ndjson"
MOST_BYTES = 1024 * 1024  # of a call that brings no items


class Malformed(Invalid):
    """This is not JSON as we read it."""

    code = "malformed"


class NoLength(Refused):
    """Say with Content-Length how much you send: a body in chunks would be taken for an empty one."""

    code = "no_length"


class JSONRenderer(BaseRenderer):
    """JSON by orjson."""

    media_type = JSON
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:  # noqa: ARG002
        return b"" if data is None else write(data)


class JSONParser(BaseParser):
    """Strict JSON: no NaN, no lone surrogate, no NUL, no deeper than 20."""

    media_type = JSON

    def parse(self, stream: IO[bytes], media_type: Any = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        raw = stream.read(MOST_BYTES + 1)  # the framework sets no limit on what a parser reads
        if len(raw) > MOST_BYTES:
            raise TooBig
        return read(raw)


class AlwaysJSON(BaseContentNegotiation):
    """Each call answers in its one format, whatever the Accept header says (RFC 9110, section 12.4.1, allows it)."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = media_type(request)
        return next((parser for parser in parsers if kind == parser.media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


def write(data: Any) -> bytes:
    """Return a value as JSON; times in UTC."""
    return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


def read(raw: bytes) -> Any:
    """Return the value of a JSON text; no text at all is an empty object."""
    if not raw.strip():
        return {}
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(_("This is not valid JSON: %(error)s") % {"error": error}) from error
    _check(data)
    return data


def _check(data: Any) -> None:
    """Refuse text that holds NUL, which the database cannot store, and nesting deeper than 20."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > parse.MAX_DEPTH + 1:
            raise Malformed(_("This JSON is nested more than %(depth)s levels deep.") % {"depth": parse.MAX_DEPTH})
        if any(isinstance(value, str) and "\0" in value for value in level):
            raise Malformed(_("Text must not hold the character NUL."))
        level = [inner for value in level for inner in _inside(value)]


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def media_type(request: Request) -> str:
    """Return the media type of what was sent, without its parameters."""
    return str(request.content_type or "").partition(";")[0].strip().lower()


def body(request: Request, *media_types: str) -> bytes:
    """Return the bytes that were sent as one of these media types, unpacked if they came as gzip."""
    if media_type(request) not in media_types:
        raise UnsupportedMediaType(request.content_type, detail=_("Send this as %(type)s.") % {"type": media_types[0]})
    raw = bytes(request._request.body)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        return parse.unpack(raw)
    if encoding != "identity":
        raise UnsupportedMediaType(encoding, detail=_("Only gzip is known as a content encoding."))
    return raw


def stream(chunks: Iterable[list[dict[str, Any]]]) -> StreamingHttpResponse:
    """Answer with one JSON object a line, as the chunks come."""
    lines = (b"".join(write(row) + b"\n" for row in chunk) for chunk in chunks)
    return StreamingHttpResponse(lines, content_type=NDJSON)
