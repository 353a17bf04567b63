"""The seal of a model file: ed25519 by a key of the site over its name, hash, sizes and schema; checked before parsing.

A seal lies beside its file as canonical JSON. `memory` is what the model took when it was read at the time of sealing,
so that whoever reads it later knows beforehand.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from decisions.exceptions import Invalid
from decisions.record import digest

FORMAT = "reviewqueue-model-1"
SCHEMA = 1  # of what a model file holds
LONGEST = 4096  # bytes of a seal


class ModelFileRefused(Invalid):
    """The file of a model is not the one that was stored, or not one of ours."""

    code = "model_refused"


@dataclass(frozen=True)
class Seal:
    """What is said of a file: the model's `name`, the SHA-256, the `size` in bytes, `memory` in bytes, the `schema`."""

    name: str
    sha256: str
    size: int
    memory: int
    schema: int
    public_key: str
    signature: str = ""

    @property
    def key(self) -> str:
        """The name of the key: 16 hex digits of its SHA-256."""
        return key_name(self.public_key)

    @property
    def signed_part(self) -> bytes:
        said = {name: value for name, value in asdict(self).items() if name != "signature"}
        return digest.canonical({"format": FORMAT, **said})

    def document(self) -> bytes:
        """Return it as the JSON that lies beside the file."""
        return digest.canonical({"format": FORMAT, **asdict(self)})


def key_name(public_key: str) -> str:
    """Return the short name of a key."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]


def make(*, name: str, data: bytes, memory: int) -> Seal:
    """Seal a file with MODEL_KEY; refuses where there is no such key."""
    if not settings.MODEL_KEY:
        raise Invalid(_("MODEL_KEY is not set, so no model can be sealed."))
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.MODEL_KEY))
    public = private.public_key().public_bytes_raw().hex()
    bare = Seal(name, hashlib.sha256(data).hexdigest(), len(data), memory, SCHEMA, public)
    return Seal(**{**asdict(bare), "signature": private.sign(bare.signed_part).hex()})


def parse(text: bytes) -> Seal:
    """Return a seal whose signature holds and whose key the site trusts; refuses any other, and another schema."""
    if len(text) > LONGEST:
        raise ModelFileRefused(_("This is not a model's seal."))
    try:
        document: dict[str, Any] = orjson.loads(text)
        if document.pop("format") != FORMAT:
            raise ValueError(FORMAT)
        found = Seal(**document)
        if found.public_key not in trusted():
            words = {"key": found.key}
            raise ModelFileRefused(_("It is sealed with the key %(key)s, which this site does not trust.") % words)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.public_key))
        key.verify(bytes.fromhex(found.signature), found.signed_part)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileRefused(_("This is not a model's seal.")) from error
    except InvalidSignature as error:
        raise ModelFileRefused(_("The seal's signature does not hold.")) from error
    if found.schema != SCHEMA:
        versions = {"schema": found.schema, "ours": SCHEMA}
        raise ModelFileRefused(_("It is a file of schema %(schema)s; this version reads schema %(ours)s.") % versions)
    return found


def trusted() -> frozenset[str]:
    """Return the public keys (hex) whose seals hold here: the site's own, and those of MODEL_PUBLIC_KEYS."""
    keys = {key.lower() for key in settings.MODEL_PUBLIC_KEYS}
    if settings.MODEL_KEY:
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.MODEL_KEY))
        keys.add(private.public_key().public_bytes_raw().hex())
    return frozenset(keys)
