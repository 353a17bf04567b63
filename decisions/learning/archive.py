"""What the bytes of a model file must be before skops parses them: a plain zip of bounded size with our schema."""

import io
import json
import zipfile
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from skops.io._protocol import PROTOCOL

from decisions.learning.seal import ModelFileRefused

MAGIC = b"PK\x03\x04"
MOST_MEMBERS = 20_000
CHUNK = 1 << 16
LONGEST_SCHEMA = 32 << 20  # bytes of schema.json, unpacked
PARTS = frozenset({"estimator", "features", "slope", "intercept", "edge"})
PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
SCHEMA = "schema.json"


def most_bytes() -> int:
    """Return how large a model file may be."""
    return int(settings.MODEL_FILE_MB) << 20


def most_memory() -> int:
    """Return how much memory (bytes) a model may take, and all that a process keeps together."""
    return int(settings.MODEL_MEMORY_MB) << 20


def check(data: bytes) -> None:
    """Refuse what is too large, no archive, an archive that unpacks to too much, or one that is no model of ours.

    Nothing is built from what it holds: members are unpacked in small pieces and counted, the schema is read as JSON.
    """
    if len(data) > most_bytes():
        raise ModelFileRefused(_("The file is larger than %(most)s MB.") % {"most": settings.MODEL_FILE_MB})
    if not data.startswith(MAGIC):
        raise ModelFileRefused(_("This is not a model's archive. Pickles and other formats are never read."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            _check_members(file)
            _check_schema(json.loads(file.read(SCHEMA)))
    except (zipfile.BadZipFile, EOFError, OSError, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelFileRefused(_("The archive cannot be read: %(error)s") % {"error": error}) from error


def _check_members(file: zipfile.ZipFile) -> None:
    """Refuse members that lie about their size or together take more than a model may."""
    members = file.infolist()
    names = {member.filename for member in members}
    if len(members) > MOST_MEMBERS or len(names) < len(members):
        raise ModelFileRefused(_("The archive has too many files, or two of one name."))
    left = most_memory()
    for member in members:
        if member.compress_type not in PACKED or member.flag_bits & 1:
            raise ModelFileRefused(_("The archive is packed in a way that is not read here."))
        most = min(left, LONGEST_SCHEMA) if member.filename == SCHEMA else left
        left -= _unpacked(file, member, most)


def _unpacked(file: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> int:
    """Return how many bytes a member unpacks to; refuses it as soon as they are more than `most`."""
    size = 0
    with file.open(member) as stream:
        while piece := stream.read(CHUNK):
            size += len(piece)
            if size > most:
                words = {"most": settings.MODEL_MEMORY_MB}
                raise ModelFileRefused(_("The archive unpacks to more than %(most)s MB.") % words)
    return size


def _check_schema(schema: Any) -> None:
    """Refuse a schema of another protocol, or one of something else than a scorer."""
    if not isinstance(schema, dict) or schema.get("protocol") != PROTOCOL:
        raise ModelFileRefused(_("The archive's schema is of another version than this one reads."))
    content = schema.get("content")
    if schema.get("__class__") != "dict" or not isinstance(content, dict) or not content.keys() >= PARTS:
        raise ModelFileRefused(_("The archive holds no model of ours."))
