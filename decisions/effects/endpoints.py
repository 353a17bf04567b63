"""Where a queue's actions go: the address, its sealed secrets, and whether it is in use."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.dateparse import parse_datetime

from decisions import hints, rights
from decisions.effects import outbound
from decisions.exceptions import NotFound
from decisions.models import Endpoint, Event, Queue, User
from decisions.record import log
from decisions.rights import Act

logger = structlog.get_logger(__name__)

PREFIX = "whsec_"
SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)  # how long the secret before still signs after a rotation


@dataclass(frozen=True)
class Target:
    """An endpoint as a sender needs it: where to, and the keys that sign, newest first."""

    queue_id: int
    url: str
    keys: tuple[bytes, ...]


@transaction.atomic
def put(*, queue: Queue, url: str, by: User | None, at: datetime, rotate: bool = False) -> str:
    """Set where a queue's actions go; return the new secret, "" where the one in use stays.

    A first endpoint gets a secret; `rotate` gives a new one, beside which the one before signs for another 24 hours.
    It switches a disabled endpoint on again. Refuses addresses that may not be called.
    """
    _require(by, queue)
    outbound.check(url)
    endpoint = _locked(queue.pk)
    before = _state(endpoint)
    endpoint = endpoint or Endpoint(queue=queue)
    secret = "" if endpoint.secrets and not rotate else new_secret()
    if secret:
        endpoint.secrets = [_sealed(secret), *_fading(endpoint.secrets[:1], at)]
    endpoint.url, endpoint.is_active, endpoint.disabled_reason = url, True, ""
    endpoint.save()
    _log(endpoint, before, by, at, reason="rotated" if before and secret else "set")
    return secret


@transaction.atomic
def enable(*, queue_id: int, by: User | None, at: datetime) -> Endpoint:
    """Let actions leave again; what waited goes first."""
    return _switch(queue_id, by, at, is_active=True, reason="")


@transaction.atomic
def disable(*, queue_id: int, by: User | None, at: datetime, reason: str = "by_hand") -> Endpoint:
    """Hold actions back until the endpoint is enabled again: nothing is lost, they wait. `reason` is a code."""
    return _switch(queue_id, by, at, is_active=False, reason=reason)


def targets(at: datetime) -> list[Target]:
    """Return the endpoints that are in use; one whose secrets no box key opens any more is logged and left out."""
    found = []
    for endpoint in Endpoint.objects.filter(is_active=True).order_by("queue_id"):
        try:
            found.append(Target(endpoint.queue_id, endpoint.url, keys(endpoint.secrets, at)))
        except InvalidToken:
            logger.exception("endpoint_sealed", queue=endpoint.queue_id)
    return found


def keys(kept: list[dict[str, Any]], at: datetime) -> tuple[bytes, ...]:
    """Return the keys that sign at that time, newest first."""
    box = _box()
    return tuple(key(box.decrypt(one["box"]).decode()) for one in kept if _signs(one, at))


def new_secret() -> str:
    """Return a fresh signing secret as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key(secret: str) -> bytes:
    """Return the key that a secret stands for."""
    return base64.b64decode(secret.removeprefix(PREFIX))


def _switch(queue_id: int, by: User | None, at: datetime, *, is_active: bool, reason: str) -> Endpoint:
    endpoint = _locked(queue_id)
    if endpoint is None:
        raise NotFound
    _require(by, endpoint.queue)
    before = _state(endpoint)
    if endpoint.is_active != is_active:
        endpoint.is_active, endpoint.disabled_reason = is_active, reason
        endpoint.save()
        _log(endpoint, before, by, at, reason=reason or "enabled")
    return endpoint


def _require(by: User | None, queue: Queue) -> None:
    """Refuse who may not; nobody (a command of the operator, the machine itself) is not asked."""
    if by is not None:
        rights.require(by, Act.MANAGE_ENDPOINT, queue_id=queue.pk)


def _locked(queue_id: int) -> Endpoint | None:
    Queue.objects.select_for_update(no_key=True).get(pk=queue_id)  # two that set the first one take turns
    return Endpoint.objects.filter(queue=queue_id).select_related("queue").first()


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRET_BOX_KEYS])


def _sealed(secret: str) -> dict[str, Any]:
    return {"box": _box().encrypt(secret.encode()).decode(), "until": None}


def _fading(kept: list[dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """Return the newest secret so far, which signs for a while longer."""
    return [{**one, "until": (at + OVERLAP).isoformat()} for one in kept]


def _signs(one: Mapping[str, Any], at: datetime) -> bool:
    until = parse_datetime(one["until"]) if one["until"] else None
    return until is None or until > at


def _state(endpoint: Endpoint | None) -> dict[str, Any]:
    """Return what the record says of an endpoint: the host, and digests of what may hold a name or a key."""
    if endpoint is None:
        return {}
    boxes = "|".join(one["box"] for one in endpoint.secrets)
    return {
        "host": urlsplit(endpoint.url).netloc,
        "url": hashlib.sha256(endpoint.url.encode()).hexdigest(),
        "secrets": hashlib.sha256(boxes.encode()).hexdigest(),
        "is_active": endpoint.is_active,
        "disabled": endpoint.disabled_reason,
    }


def _log(endpoint: Endpoint, before: dict[str, Any], by: User | None, at: datetime, *, reason: str) -> None:
    entry = {"before": before, "after": _state(endpoint)}
    hints.on_commit("deliver_due")  # what waited for it
    log.append(Event.Kind.ENDPOINT_CHANGED, chain=endpoint.queue_id, actor=by, at=at, reason=reason, entry=entry)
