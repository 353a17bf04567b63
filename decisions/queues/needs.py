"""What an item asks of a person: skills that they bring, and what they have to look at.

A task carries it as tags, one a line: a skill by its name or as `field=value`; what is sensitive begins with `!`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from decisions.models import Task
from decisions.queues.spec import Need, Spec

SENSITIVE = "!"
LONGEST = 500  # characters of all the tags of a task


def of(payload: Mapping[str, Any], spec: Spec) -> str:
    """Return the tags of an item with this payload, in one order; "" where it asks nothing special."""
    skills = {tag for need in spec.needs if (tag := _tag(need, payload, spec))}
    sensitive = {SENSITIVE + tag for need in spec.sensitive if (tag := _tag(need, payload, spec))}
    return "\n".join(sorted(skills | sensitive))


def tags(needs: str) -> frozenset[str]:
    """Return the tags that a task carries."""
    return frozenset(needs.split("\n")) if needs else frozenset()


def skills(spec: Spec) -> dict[str, str]:
    """Return the skills that the queue's items can ask for: what people read, by tag."""
    return _known(spec.needs, spec)


def sensitive(spec: Spec) -> dict[str, str]:
    """Return the categories out of which a person may opt: what people read, by tag without its mark."""
    return _known(spec.sensitive, spec)


def rank(purpose: str, value: float | None, spec: Spec, *, is_called: bool = False) -> Task.Rank:
    """Return the least rank for a task: the crowd's for what the spec leaves to it. An unknown value is above all.

    Where overload calls the crowd, it may take what the score sends to people as well, up to the same value.
    """
    crowd = spec.crowd
    if is_called and purpose == Task.Purpose.SOFT:
        crowd = replace(crowd, purposes=(*crowd.purposes, purpose))
    fits = crowd.up_to is None or (value is not None and value <= crowd.up_to)
    return Task.Rank.CROWD if fits and purpose in crowd.purposes else Task.Rank.REVIEWER


def _tag(need: Need, payload: Mapping[str, Any], spec: Spec) -> str:
    if not need.field:
        return need.skill
    value = payload.get(need.field)
    return f"{need.field}={value}" if value in _values(need, spec) else ""


def _values(need: Need, spec: Spec) -> tuple[str, ...]:
    field = spec.payload_field(need.field)
    return need.values or (field.categories if field else ())


def _known(needs: Iterable[Need], spec: Spec) -> dict[str, str]:
    found = {}
    for need in needs:
        field = spec.payload_field(need.field)
        if field is None:
            found[need.skill] = need.skill
        else:
            found |= {f"{need.field}={value}": f"{field.label}: {value}" for value in _values(need, spec)}
    return found
