"""The terms of a policy: all that decides what it does to scores, what differs between two, and what is unfit."""

from dataclasses import dataclass
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.models import ModelVersion, Policy
from decisions.queues import checks

TERMS = (
    *("model_id", "hard", "soft", "suggest", "control_share", "audit_budget", "precision_target"),
    *("calibration", "mean_p", "overload_soft", "control_floor", "audit_floor"),
)


class Changes(TypedDict, total=False):
    """What a draft has that the live policy has not; cuts are in score units."""

    model: ModelVersion | None
    hard: float | None
    soft: float | None
    suggest: float
    control_share: float
    audit_budget: int
    precision_target: float | None
    calibration: dict[str, Any]
    mean_p: float
    overload_soft: float | None
    control_floor: float | None
    audit_floor: int | None


@dataclass(frozen=True)
class Difference:
    """A term, by its name, that two policies do not share."""

    name: str
    one: Any
    other: Any


def described(policy: Policy | None) -> dict[str, Any] | None:
    """Return what a policy does to scores, for the record."""
    return None if policy is None else {"no": policy.no, **{name: getattr(policy, name) for name in TERMS}}


def copied(policy: Policy | None, changes: Changes) -> dict[str, Any]:
    """Return a policy's terms with changes; another model comes without the calibration of the old one."""
    terms: dict[str, Any] = {} if policy is None else {name: getattr(policy, name) for name in ("model", *TERMS[1:])}
    if "model" in changes and (policy is None or changes["model"] != policy.model):
        terms |= {"calibration": {}, "mean_p": 0.0}
    return {**terms, **changes}


def differences(one: Policy, other: Policy) -> list[Difference]:
    """Return the terms in which two policies differ; models by their names."""
    pairs = [(name, getattr(one, name), getattr(other, name)) for name in TERMS]
    named = [("model", one.model and one.model.name, other.model and other.model.name), *pairs[1:]]
    return [Difference(*pair) for pair in named if pair[1] != pair[2]]


def check(policy: Policy) -> None:
    """Refuse cuts outside the model's range or out of order, and a policy that does not say what it is for."""
    low, high = (policy.model.score_low, policy.model.score_high) if policy.model else (0.0, 1.0)
    faults = list(checks.cuts({"soft": policy.soft, "suggest": policy.suggest, "hard": policy.hard}, low, high))
    if not 0 <= policy.control_share <= 1:
        faults.append(Fault("control_share", "range", _("must be from 0 to 1")))
    faults += checks.aims(policy.audit_budget, policy.precision_target)
    faults += checks.bounds(policy)
    faults += [fault for name in ("objective", "why") for fault in blank(name, str(getattr(policy, name)))]
    if policy.model and policy.model.queue_id != policy.queue_id:
        faults.append(Fault("model", "reference", _("belongs to another queue")))
    if policy.model and policy.model.kind == ModelVersion.Kind.FILTER:
        faults.append(Fault("model", "reference", _("only foretells where another model errs")))
    if policy.model and policy.model.kind == ModelVersion.Kind.SIMPLER:
        faults.append(Fault("model", "reference", _("only stands in for a model that breaks")))
    if faults:
        raise Invalid(faults=faults)


def blank(name: str, text: str) -> list[Fault]:
    """Return the fault of a text that says nothing."""
    return [] if text.strip() else [Fault(name, "blank", _("must not be empty"))]
