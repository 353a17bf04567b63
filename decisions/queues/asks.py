"""What is wrong with what a queue asks of people: skills, what is sensitive, and what the crowd may take."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.models import Task
from decisions.queues import needs
from decisions.queues.spec import FieldType, Need, Spec

TYPES = (FieldType.CATEGORY, FieldType.TEXT)
LONGEST = 60  # characters of a skill or of a value that names one
CROWD = (Task.Purpose.SOFT, Task.Purpose.CONTROL, Task.Purpose.AUDIT, Task.Purpose.SECOND)
Faults = Iterator[Fault]


def skills(spec: Spec) -> Faults:
    for n, need in enumerate(spec.needs):
        path = f"needs[{n}]"
        if bool(need.skill) == bool(need.field):
            yield Fault(f"{path}.skill", "one", _("names either a skill or a field, not both and not neither"))
        elif need.field:
            yield from field(path, need, spec)
        else:
            yield from words(f"{path}.skill", (need.skill,))
            if need.values:
                yield Fault(f"{path}.values", "unused", _("only a field has values"))
    yield from short("needs", spec)


def sensitive(spec: Spec) -> Faults:
    for n, need in enumerate(spec.sensitive):
        path = f"sensitive[{n}]"
        if need.skill or not need.field:
            yield Fault(f"{path}.field", "one", _("what is sensitive is named by a field"))
        else:
            yield from field(path, need, spec)


def crowd(spec: Spec) -> Faults:
    for n, purpose in enumerate(spec.crowd.purposes):
        if purpose not in CROWD:
            yield Fault(f"crowd.purposes[{n}]", "choice", _("must be one of: %(words)s") % {"words": ", ".join(CROWD)})
    if spec.crowd.up_to is not None and spec.crowd.up_to < 0:
        yield Fault("crowd.up_to", "range", _("must not be below zero"))


def field(path: str, need: Need, spec: Spec) -> Faults:
    """Say what is wrong with a field whose values ask for something."""
    found = spec.payload_field(need.field)
    if found is None:
        yield Fault(f"{path}.field", "reference", _("is not a field of the payload"))
        return
    if found.type not in TYPES:
        yield Fault(f"{path}.field", "type", _("must be a category or a text"))
        return
    if found.type is FieldType.TEXT and not need.values:
        yield Fault(f"{path}.values", "missing", _("a text field needs the values that count"))
    if found.type is FieldType.CATEGORY and not set(need.values) <= set(found.categories):
        yield Fault(f"{path}.values", "choice", _("must be one of: %(words)s") % {"words": ", ".join(found.categories)})
    yield from words(f"{path}.values", need.values or found.categories)


def words(path: str, given: tuple[str, ...]) -> Faults:
    for word in given:
        if not word.isprintable() or not word.strip() or len(word) > LONGEST or word.startswith(needs.SENSITIVE):
            yield Fault(
                path, "form", _("must have 1 to %(most)d printable characters and no ! first") % {"most": LONGEST}
            )


def short(path: str, spec: Spec) -> Faults:
    """Refuse what no task could carry: all that one item may ask for, together."""
    most = 0
    for need in (*spec.needs, *spec.sensitive):
        found = spec.payload_field(need.field)
        values = need.values or (found.categories if found else ())
        most += max((len(value) for value in values), default=0) + len(need.field) + len(need.skill) + 3
    if most > needs.LONGEST:
        yield Fault(path, "range", _("asks for more than a task can carry; use shorter words or fewer fields"))
