"""The only way out: no call leaves for an address that was not checked, and no answer takes longer or more than it may.

The name is resolved once and the line is opened to the very address that was checked, so that a name that changes its
mind in between (DNS rebinding) changes nothing. Redirects, proxies, cookies and passwords of the environment do not
take part.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from threading import Timer, local
from typing import Any
from urllib.parse import urlsplit

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from AntiSSRF._antissrf_agent import _AntiSSRFAdapter
from django.conf import settings
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from decisions.exceptions import Refused

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0  # between two pieces of an answer
TOTAL_SECONDS = 15.0  # for the whole call, once the name is resolved
MOST = 64 * 1024  # bytes of an answer that are read; more and the line is closed
LINES = 64  # kept open
LONGEST_URL = 500

# What the library's list lacks: IPv4-compatible addresses, which some systems still take for the IPv4 ones in them.
ALSO_DENIED = ["::/96"]
NUMBER = re.compile(r"(0x[0-9a-f]*|\d+)\Z")  # as old resolvers read a part of an IPv4 address
PLAIN = re.compile(r"[!-~]+\Z")

_here = local()  # `call`: the one that this thread is waiting for


class AddressRefused(Refused):
    """This address may not be called."""

    code = "address_refused"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, None when no whole answer came, and then why; `retry_after` as it was sent."""

    status: int | None
    error: str = ""
    retry_after: str = ""
    seconds: float = 0.0


class _Call:
    """A call under way. It hangs up when its time is over, for a socket's timeout bounds single reads only."""

    def __init__(self) -> None:
        self.line: HTTPConnection | None = None
        self.is_cut = False
        self._watch = Timer(TOTAL_SECONDS, self.hang_up)
        self._watch.daemon = True

    def __enter__(self) -> None:
        _here.call = self
        self._watch.start()

    def __exit__(self, *error: object) -> None:
        self._watch.cancel()
        if self.is_cut:
            message = f"no whole answer within {TOTAL_SECONDS:g} s"
            raise TimeoutError(message) from None

    def hang_up(self) -> None:
        self.is_cut = True
        sock = self.line.sock if self.line else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _PlainLine(HTTPConnection):
    """A connection that tells the call which uses it."""

    def request(self, *args: Any, **options: Any) -> None:
        _here.call.line = self
        super().request(*args, **options)


class _SecureLine(HTTPSConnection):
    """The same with TLS, whose handshake has a time limit of its own."""

    def request(self, *args: Any, **options: Any) -> None:
        _here.call.line = self
        super().request(*args, **options)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainLine


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureLine


class _Adapter(_AntiSSRFAdapter):  # type: ignore[misc]  # the library has no types
    """The library's adapter, with our lines, and with the port in the Host header, where it belongs."""

    def __init__(self, policy: AntiSSRFPolicy) -> None:
        super().__init__(policy, pool_connections=LINES, pool_maxsize=LINES)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        key: tuple[dict[str, Any], dict[str, Any]] = super().build_connection_pool_key_attributes(request, verify, cert)
        request.headers["Host"] = urlsplit(request.url or "").netloc
        return key


def check(url: str) -> str:
    """Return the address, or refuse what is no plain http(s) address, or leads where we do not go.

    A name that does not resolve now is let through: it is checked again, on each call, when it does.
    """
    prepared = _prepare(url, b"", {})
    try:
        _adapter(url).build_connection_pool_key_attributes(prepared, verify=True)
    except AntiSSRFError as error:
        raise AddressRefused(_("This address leads to a place that may not be called.")) from error
    except OSError:
        pass  # the name does not resolve now
    return url


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body and return what came back; never raises for what the other side or the way to it does."""
    began = time.monotonic()
    try:
        status, retry_after = _exchange(_prepare(url, body, headers))
    except (requests.RequestException, HTTPError, HTTPException, AntiSSRFError, Refused, OSError, ValueError) as error:
        return Answer(None, error=why(error), seconds=time.monotonic() - began)
    return Answer(status, retry_after=retry_after, seconds=time.monotonic() - began)


def _exchange(prepared: requests.PreparedRequest) -> tuple[int, str]:
    """Send the request and read its answer to the end, so that the line can be used again; or close it."""
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    with _Call():
        answer = _adapter(prepared.url or "").send(prepared, stream=True, timeout=timeout, verify=True, proxies={})
        if len(answer.raw.read(MOST, decode_content=False)) == MOST:
            answer.close()
        return answer.status_code, answer.headers.get("Retry-After", "")


def _prepare(url: str, body: bytes, headers: Mapping[str, str]) -> requests.PreparedRequest:
    _refuse_odd(url)
    try:
        return requests.Request("POST", url, data=body, headers=dict(headers)).prepare()
    except requests.RequestException as error:
        raise AddressRefused from error


def _refuse_odd(url: str) -> None:
    """Refuse what two readers of addresses could read in two ways."""
    if len(url) > LONGEST_URL or not PLAIN.match(url) or "\\" in url or "#" in url:
        raise AddressRefused(_("An address has at most 500 plain characters, no backslash and no fragment."))
    try:
        one, other = urlsplit(url), parse_url(url)
        port = one.port
    except (ValueError, HTTPError) as error:
        raise AddressRefused from error
    host = one.hostname or ""
    if one.scheme not in ("http", "https") or not host or host != (other.host or "").strip("[]") or port == 0:
        raise AddressRefused(_("An address starts with https:// and names one host."))
    if "@" in one.netloc:
        raise AddressRefused(_("An address carries no name and password."))
    if NUMBER.match(host.rstrip(".").rpartition(".")[2]) and not _is_plain_ipv4(host):
        raise AddressRefused(_("Write an IPv4 address as four plain numbers."))


def _is_plain_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _adapter(url: str) -> HTTPAdapter:
    return _adapters(tuple(settings.OUTBOUND_ALLOWED))[urlsplit(url).scheme.lower()]


@cache
def _adapters(allowed: tuple[str, ...]) -> dict[str, HTTPAdapter]:
    """Return the ways out by scheme: https to public and allowed addresses, plain http only to allowed ones."""
    public = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    public.add_denied_addresses(ALSO_DENIED)
    named = AntiSSRFPolicy(PolicyConfigOptions.INTERNAL_ONLY)
    named.allow_plain_text_http = True
    for policy in (public, named):
        policy.add_xff_header = False
        if allowed:
            policy.add_allowed_addresses(list(allowed))
    return {"https": _Adapter(public), "http": _Adapter(named)}


def why(error: BaseException) -> str:
    """Return a short reason, the innermost cause; it may quote the other side, so only what prints is kept."""
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    return "".join(letter if letter.isprintable() else "?" for letter in f"{type(error).__name__}: {error}")[:200]
