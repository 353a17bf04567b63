"""Models from outside: a sealed file that a key we trust answers for becomes a model version of a queue."""

import re
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.learning import archive, registry, rehearsal, seal
from decisions.models import Event, ModelVersion, Queue, User
from decisions.record import log
from decisions.rights import Act

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def bring(*, queue: Queue, file: Path, sealed: Path, by: User | None, at: datetime) -> ModelVersion:
    """Store a model file under the name in its seal; it routes nothing until a policy pins it.

    Refuses, before anything parses it: a file without a seal of a key we trust, other bytes than the sealed ones, a
    file that is too large, unpacks to too much or is no archive of ours; and then one that a process of its own cannot
    read within its limits, fields that the queue does not have, and a name that is taken. `by` None is whoever holds
    the server's shell.
    """
    if by is not None:
        rights.require(by, Act.DRAFT_POLICY, queue_id=queue.pk)
    made, data = _checked(file, sealed)
    told = rehearsal.rehearse(file)
    lacking = [one["name"] for one in told["features"] if queue.spec.payload_field(one["name"]) is None]
    if lacking:
        detail = _("The model reads fields that this queue does not have: %(names)s.")
        raise Invalid(detail % {"names": ", ".join(lacking)})
    model = ModelVersion(
        queue=queue,
        name=made.name,
        kind=ModelVersion.Kind.PIPELINE,
        parameters={"imported": True, "features": told["features"], "sealed_by": made.key},
        file=f"{made.name}.skops",
        sha256=made.sha256,
        app_version=settings.APP_VERSION,
        created_at=at,
    )
    return _stored(model, made, data, by)


def _checked(file: Path, sealed: Path) -> tuple[seal.Seal, bytes]:
    """Return the seal and the bytes it speaks of; nothing is parsed."""
    try:
        if file.stat().st_size > archive.most_bytes():
            raise seal.ModelFileRefused(_("The file is larger than %(most)s MB.") % {"most": settings.MODEL_FILE_MB})
        made = seal.parse(sealed.read_bytes()[: seal.LONGEST + 1])
        data = file.read_bytes()
    except OSError as error:
        detail = _("The file cannot be read: %(error)s") % {"error": error}
        raise Invalid(faults=[Fault("file", "format", detail)]) from error
    if not NAME.fullmatch(made.name):
        raise seal.ModelFileRefused(_("The seal's name is not one that a model may have."))
    registry.require(made, name=made.name, data=data)
    return made, data


@transaction.atomic
def _stored(model: ModelVersion, made: seal.Seal, data: bytes, by: User | None) -> ModelVersion:
    """Store the version with its event, and its file where every process finds it."""
    if ModelVersion.objects.filter(name=model.name).exists():
        raise Conflict(_("There is a model “%(name)s” already.") % {"name": model.name})
    model.save(force_insert=True)
    registry.keep(made, data)
    entry = {"model": model.pk, "sha256": model.sha256, "key": made.key}
    log.append(
        Event.Kind.MODEL_IMPORTED, chain=model.queue_id, actor=by, at=model.created_at, entry=entry, rows=(model,)
    )
    return model
