"""An item's life as a page tells it: each step in words, what may not be seen left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from decisions import redact
from decisions.learning import weights
from decisions.models import Action, Event, Evidence, Item, ModelVersion, Task, User
from decisions.queues.spec import Spec
from decisions.record import history
from decisions.record.history import Step, What
from decisions.redact import Sight
from reviewqueue.web import words

ICONS = {
    What.ARRIVED: "inbox",
    What.ROUTED: "policy",
    What.SCORED: "policy",
    What.MOVED: "right",
    What.DECIDED: "check",
    What.RULED: "proof",
    What.HEARD: "inbox",
    What.TOLD: "send",
    What.DELIVERED: "send",
    What.ANSWERED: "check",
    What.LABELLED: "gold",
    What.NOTED: "audit",
}


@dataclass(frozen=True)
class Entry:
    """One step as shown."""

    at: datetime
    title: str
    icon: str
    who: User | None = None
    text: str = ""
    facts: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """A fact that leads to its page."""

    text: str
    url: str

    def __str__(self) -> str:
        return self.text


def entries(item: Item, *, sight: Sight, user: User, spec: Spec) -> list[Entry]:
    """Return the steps of an item's life that this person may see, oldest first."""
    seen = (step for step in history.life(item) if redact.is_seen(step, sight, user=user))
    told = (_entry(step, item, sight, user, spec) for step in seen)
    return [entry for entry in told if entry is not None]


def _entry(step: Step, item: Item, sight: Sight, user: User, spec: Spec) -> Entry | None:
    shown = SHOWN[step.what](step, item, sight, user, spec)
    if shown is None:
        return None
    title, text, facts = shown
    return Entry(step.at, title, ICONS[step.what], step.person, text, [(k, v) for k, v in facts if v not in (None, "")])


Shown = tuple[str, str, list[tuple[str, Any]]]


def _arrived(step: Step, item: Item, _sight: Sight, _user: User, _spec: Spec) -> Shown:
    facts = [(_("Source"), item.source), (_("Intake call"), step.row.pk), (_("App version"), step.row.app_version)]
    title = _("Arrived at an earlier tool") if item.reason == Item.RouteReason.IMPORTED else _("Arrived")
    return title, "", facts


def _routed(_step: Step, item: Item, sight: Sight, _user: User, spec: Spec) -> Shown | None:
    if not sight.machine:
        return None
    facts = [
        (_("Reason"), item.get_reason_display()),
        (_("Score"), item.score),
        (_("Recalibrated"), item.p),
        (_("Failed checks"), words.failures(item.failures, spec)),
        (_("Propensity"), redact.propensity(item)),
        (_("Overload level"), item.overload_level or ""),
        (_("Policy"), item.policy.no),
        (_("Model"), _model(item, item.model)),
        (_("Queue version"), item.queue_version.no),
    ]
    if item.reason == Item.RouteReason.IMPORTED:
        return _("Routed by an earlier tool: %(route)s") % {"route": item.get_route_display()}, "", facts
    return _("Routed: %(route)s") % {"route": item.get_route_display()}, "", facts


def _scored(step: Step, item: Item, sight: Sight, _user: User, _spec: Spec) -> Shown | None:
    if not sight.machine:
        return None
    facts = [(_("Model"), _model(item, step.row.model)), (_("Score"), step.row.score)]
    if step.row.is_backfill:
        facts.append((_("Made"), _("afterwards, to compare models")))
    return _("Scored by another model"), "", facts


def _model(item: Item, model: ModelVersion | None) -> Link | str:
    """Return a model with the way to its page, where its lineage is told."""
    return Link(model.name, reverse("science:model", args=[item.queue.slug, model.name])) if model else ""


def _moved(step: Step, _item: Item, sight: Sight, _user: User, _spec: Spec) -> Shown:
    purpose = redact.purpose(step.row.task, sight)
    shown = Task.Purpose(purpose).label if purpose in Task.Purpose else _("Review")
    facts = [(_("Task"), step.row.task_id), (_("Purpose"), shown), (_("Reason"), words.left(step.row.reason))]
    return str(step.row.get_kind_display()), "", facts


def _decided(step: Step, _item: Item, sight: Sight, user: User, spec: Spec) -> Shown | None:
    seen = redact.decision(step.row, sight, user=user)
    if seen is None:
        return None
    facts = [
        (_("Reason"), _reason(spec, seen["reason"])),
        (_("Suggested"), _outcome(spec, seen.get("suggested", ""))),
        (_("Suggestion shown"), _yes(seen.get("was_shown"))),
        (_("Active seconds"), seen["active_seconds"]),
    ]
    return _("Decided: %(outcome)s") % {"outcome": _outcome(spec, seen["outcome"])}, seen["note"], facts


def _ruled(step: Step, _item: Item, sight: Sight, user: User, spec: Spec) -> Shown | None:
    seen = redact.ruling(step.row, sight, user=user)
    if seen is None:
        return None
    facts = [
        (_("By"), step.row.get_source_display()),
        (_("Was"), _outcome(spec, seen.get("was", ""))),
        (_("Reason"), _reason(spec, seen["reason"])),
        (_("Override"), _yes(seen.get("is_override"))),
        (_("Reversal"), _yes(seen.get("is_reversal"))),
    ]
    holds = _outcome(spec, seen["outcome"]) or _("nothing")
    return _("Holds: %(outcome)s") % {"outcome": holds}, "", facts


def _action(step: Step, _item: Item, sight: Sight, _user: User, _spec: Spec) -> Shown | None:
    if not (sight.machine and sight.history):
        return None
    row: Action = step.row
    facts = [(_("Action"), row.name), (_("State"), row.get_state_display()), (_("Due"), row.due_at)]
    if step.what == What.ANSWERED:
        facts = [(_("Action"), row.name), (_("Result"), row.get_result_display()), ("", row.result_detail)]
    return str(step.what.label), "", facts


def _delivered(step: Step, _item: Item, sight: Sight, _user: User, _spec: Spec) -> Shown | None:
    if not (sight.machine and sight.history):
        return None
    facts = [(_("Attempt"), step.row.attempt), (_("Answer"), step.row.status), (_("Error"), step.row.error)]
    return _("Delivery tried"), "", facts


def _labelled(step: Step, _item: Item, sight: Sight, _user: User, spec: Spec) -> Shown | None:
    if not (sight.machine and sight.history):
        return None
    facts = [
        (_("Label"), step.row.no),
        (_("Outcome"), _outcome(spec, step.row.outcome)),
        (_("Provenance"), step.row.get_provenance_display()),
        (_("Propensity"), step.row.propensity),
        (_("Weight"), weights.of(step.row)),
        (_("Takes the place of label"), step.row.replaces.no if step.row.replaces else ""),
    ]
    if step.row.is_correction:
        words_ = {"was": _outcome(spec, step.row.replaces.outcome), "now": _outcome(spec, step.row.outcome)}
        return _("Label corrected: %(was)s → %(now)s") % words_, "", facts
    return _("Labelled"), "", facts


def _heard(step: Step, _item: Item, sight: Sight, _user: User, spec: Spec) -> Shown | None:
    if not (sight.machine and sight.history):
        return None
    row: Evidence = step.row
    seen = redact.evidence(row, sight)
    facts = [
        (_("Source"), row.source),
        (_("Reference"), row.reference),
        (_("Occurred"), row.occurred_at),
        (_("What held then"), _outcome(spec, row.held)),
    ]
    if row.kind == Evidence.Kind.TRUTH:
        late = "" if row.ruling_id else _("A truth of a later time was here already: it holds.")
        facts.append(("", late))
        return _("Outside truth: %(outcome)s") % {"outcome": _outcome(spec, row.said)}, seen["note"], facts
    facts.append((_("Weight"), weights.WEAK))
    is_right = row.said == Evidence.RIGHT
    title = _("An end user says: that was right") if is_right else _("An end user says: that was wrong")
    return title, seen["note"], [(_("Weak evidence"), _("it changes nothing that holds")), *facts]


def _noted(step: Step, _item: Item, sight: Sight, _user: User, _spec: Spec) -> Shown | None:
    event: Event = step.row
    said = redact.entry(event, sight)
    if said is None:
        return None
    facts = [(_("Entry"), f"{event.chain}/{event.seq}"), (_("Hash"), bytes(event.hash).hex()[:16])]
    return _("Recorded: %(kind)s") % {"kind": event.kind}, "", facts


SHOWN: dict[What, Callable[[Step, Item, Sight, User, Spec], Shown | None]] = {
    What.ARRIVED: _arrived,
    What.ROUTED: _routed,
    What.SCORED: _scored,
    What.MOVED: _moved,
    What.DECIDED: _decided,
    What.RULED: _ruled,
    What.HEARD: _heard,
    What.TOLD: _action,
    What.DELIVERED: _delivered,
    What.ANSWERED: _action,
    What.LABELLED: _labelled,
    What.NOTED: _noted,
}


def _outcome(spec: Spec, key: str) -> str:
    outcome = spec.outcome(key)
    return outcome.label if outcome else key


def _reason(spec: Spec, code: str) -> str:
    labels = {reason.code: reason.label for outcome in spec.outcomes for reason in outcome.reasons}
    return labels.get(code, code)


def _yes(value: bool | None) -> str:
    return "" if value is None else (_("yes") if value else _("no"))
