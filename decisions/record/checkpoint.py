"""Signed heads of the chains, to be kept outside: with them truncation and a full rewrite show too."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from decisions.exceptions import Invalid
from decisions.models import Event, Queue
from decisions.record import digest
from decisions.record.proof import BadEntry, Head, What

FORMAT = "reviewqueue-checkpoint-1"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """The heads of all chains at one time, signed."""

    made_at: str
    heads: tuple[Head, ...]
    public_key: str
    signature: str

    @property
    def key(self) -> str:
        """The name of the key: 16 hex digits of its SHA-256."""
        return hashlib.sha256(bytes.fromhex(self.public_key)).hexdigest()[:16]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON document that leaves the house."""
        return {**_signed_part(self.made_at, self.heads, self.public_key), "signature": self.signature}


def _signed_part(made_at: str, heads: Sequence[Head], public_key: str) -> dict[str, Any]:
    key = hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]
    listed = [asdict(head) for head in heads]
    return {"format": FORMAT, "made_at": made_at, "heads": listed, "key": key, "public_key": public_key}


def heads() -> tuple[Head, ...]:
    """Return the last entry of each chain that has one, by one index look-up a chain."""
    found = []
    for chain in [Event.SITE, *Queue.objects.order_by("pk").values_list("pk", flat=True)]:
        last = Event.objects.filter(chain=chain).order_by("-seq").values_list("seq", "hash").first()
        if last:
            found.append(Head(chain, last[0], bytes(last[1]).hex()))
    return tuple(found)


def make(at: datetime) -> Checkpoint:
    """Sign the heads with CHECKPOINT_KEY; refuses where there is no such key."""
    if not settings.CHECKPOINT_KEY:
        raise Invalid(_("CHECKPOINT_KEY is not set, so nothing can be signed."))
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.CHECKPOINT_KEY))
    public, made_at, last = private.public_key().public_bytes_raw().hex(), digest.moment(at), heads()
    signature = private.sign(digest.canonical(_signed_part(made_at, last, public)))
    return Checkpoint(made_at, last, public, signature.hex())


def deposit(at: datetime) -> Path | None:
    """Write a checkpoint to CHECKPOINT_DIR and to the log, at most one an hour; return the new file.

    None without a key, where the hour has its checkpoint, and where no chain has grown since the newest one. The log
    line carries the whole document, so that wherever the log goes there is a copy.
    """
    folder = settings.CHECKPOINT_DIR
    file = folder / f"{at.astimezone(UTC):%Y-%m-%dT%H}.json"
    if not settings.CHECKPOINT_KEY or file.exists() or _newest(folder) == heads():
        return None
    document = make(at).document()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{secrets.token_hex(8)}"
    draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    try:
        file.hardlink_to(draft)  # whole or not at all, and never over an earlier one
    except FileExistsError:
        return None
    finally:
        draft.unlink()
    logger.info("record.checkpoint", checkpoint=document)
    return file


def _newest(folder: Path) -> tuple[Head, ...] | None:
    """Return the heads in the newest checkpoint of a folder, None where there is none that holds."""
    names = sorted(folder.glob("*.json"))
    try:
        return parse(names[-1].read_bytes()).heads if names else None
    except Invalid:
        return None


def parse(text: bytes, public_key: str = "") -> Checkpoint:
    """Return a checkpoint whose signature holds, by the given key where one is given, else by the one it names."""
    try:
        document = orjson.loads(text)
        heads_ = tuple(Head(int(one["chain"]), int(one["seq"]), str(one["hash"])) for one in document["heads"])
        found = Checkpoint(document["made_at"], heads_, document["public_key"], document["signature"])
        if public_key and public_key.lower() != found.public_key:
            raise Invalid(_("The checkpoint is signed by another key, %(key)s.") % {"key": found.key})
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.public_key))
        key.verify(
            bytes.fromhex(found.signature), digest.canonical(_signed_part(found.made_at, heads_, found.public_key))
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(_("This is not a checkpoint.")) from error
    except InvalidSignature as error:
        raise Invalid(_("The signature of the checkpoint does not hold.")) from error
    return found


def compare(checkpoint: Checkpoint, chain: int | None = None) -> list[BadEntry]:
    """Return the chains that no longer hold what they held when the checkpoint was made."""
    bad = []
    for head in checkpoint.heads:
        if chain is not None and head.chain != chain:
            continue
        now = Event.objects.filter(chain=head.chain, seq=head.seq).values_list("hash", flat=True).first()
        if now is None:
            bad.append(BadEntry(head.chain, head.seq, What.TRUNCATED))
        elif bytes(now).hex() != head.hash:
            bad.append(BadEntry(head.chain, head.seq, What.REWRITTEN))
    return bad
