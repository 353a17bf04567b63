"""What differs between two versions of a spec, key by key, as people read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from decisions.queues import dump
from decisions.queues.spec import PolicySpec, Spec

IDENTITIES = ("key", "day", "name", "code")  # what tells the tables of a list apart


@dataclass(frozen=True)
class Change:
    """One key that changes; None = it is not there."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: {shown(self.old)} -> {shown(self.new)}"


def shown(value: Any) -> str:
    """Return a value as a queue file writes it."""
    return "(nothing)" if value is None else dump.literal(tuple(value) if isinstance(value, list) else value)


def of_spec(old: Spec | None, new: Spec) -> tuple[Change, ...]:
    """Return what changes outside the policy; everything where there is no old spec."""
    return between(_without_policy(old), _without_policy(new))


def of_policy(old: PolicySpec | None, new: PolicySpec) -> tuple[Change, ...]:
    """Return what changes in the policy."""
    return between({"policy": dump.plain(old)} if old else {}, {"policy": dump.plain(new)})


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs between two tables, in the order of the new one, then what is gone."""
    before, after = flat(old), flat(new)
    pairs = [(key, before.get(key), after.get(key)) for key in {**after, **before}]
    return tuple(
        Change(*pair) for pair in pairs if pair[1] != pair[2] and not (_is_void(pair[1]) and _is_void(pair[2]))
    )


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the values at the ends of a table by path, such as `fields[Income].high`, and the order of its lists."""
    if isinstance(value, Mapping):
        return _merged({f"{path}.{key}" if path else str(key): inner for key, inner in value.items()})
    if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
        return {path: value}
    names = [next((str(item[name]) for name in IDENTITIES if name in item), "") for item in value]
    parts = {f"{path}[{name or index}]": item for index, (name, item) in enumerate(zip(names, value, strict=True))}
    return {**({path: names} if all(names) else {}), **_merged(parts)}


def _merged(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: end for path, inner in parts.items() for key, end in flat(inner, path).items()}


def _is_void(value: Any) -> bool:
    return value is None or value is False or value in ("", [])


def _without_policy(spec: Spec | None) -> dict[str, Any]:
    return {key: value for key, value in dump.content(spec).items() if key != "policy"} if spec else {}
