"""System checks: what would break trust in production stops every command, `migrate` first of all."""

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

KEY_LENGTH, SECRET_BYTES = 50, 32


@register()
def secrets(**_: Any) -> list[CheckMessage]:
    """Refuse weak secrets and a single database role, unless DEBUG is set."""
    return [] if settings.DEBUG else list(_faults())


def _faults() -> Iterator[CheckMessage]:
    if len(settings.SECRET_KEY) < KEY_LENGTH or len(set(settings.SECRET_KEY)) < 5:
        yield Error(f"SECRET_KEY is weak: {KEY_LENGTH} random characters at least.", id="reviewqueue.E001")
    weak = [str(number) for number, secret in settings.AUDIT_SECRETS.items() if len(secret) < SECRET_BYTES]
    if weak or not settings.AUDIT_SECRETS:
        message = f"AUDIT_SECRETS needs {SECRET_BYTES} random bytes in hex under each number. Weak: {', '.join(weak)}"
        yield Error(message, id="reviewqueue.E002")
    if len(settings.SUBJECT_SECRET) < SECRET_BYTES:
        yield Error(f"SUBJECT_SECRET needs {SECRET_BYTES} random bytes in hex.", id="reviewqueue.E003")
    if not settings.SECRET_BOX_KEYS or not all(_is_fernet(key) for key in settings.SECRET_BOX_KEYS):
        yield Error("SECRET_BOX_KEYS needs Fernet keys: 32 random bytes in base64.", id="reviewqueue.E004")
    if settings.DATABASES["default"]["USER"] == settings.DATABASES["owner"]["USER"] and settings.IS_OWNER_NAMED:
        message = "DATABASE_URL and DATABASE_OWNER_URL name the same role: then the record is not safe from the app."
        yield Error(message, id="reviewqueue.E005")


def _is_fernet(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
