"""The way from raw rows to a live model, as named steps with what tells each one's result from another."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from decisions.learning import told
from decisions.models import ModelVersion, Policy, TrainingRun

State = TrainingRun.State
Step = TrainingRun.Step
POLICY, LIVE = "policy", "live"


class Mark(StrEnum):
    """How a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    WARNED = "warned"  # done, and there is something to look at
    KEPT = "kept"  # not done again: the same rows and recipe had come to the same before
    FAILED = "failed"
    CANCELLED = "cancelled"


MARKS: dict[Mark, Promise] = {
    Mark.WAITING: _("not yet"),
    Mark.RUNNING: _("at work"),
    Mark.DONE: _("done"),
    Mark.WARNED: _("done, look at it"),
    Mark.KEPT: _("as before"),
    Mark.FAILED: _("broke here"),
    Mark.CANCELLED: _("cancelled here"),
}
TITLES: dict[str, Any] = {**{step.value: step.label for step in Step}, POLICY: _("Policy"), LIVE: _("Live")}


@dataclass(frozen=True)
class Node:
    """One step. `version` names its result: a hash, a name or a number; `figures` are what it counted."""

    key: str
    mark: Mark
    version: str = ""
    seconds: float | None = None
    error: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(TITLES[self.key])

    @property
    def word(self) -> str:
        return str(MARKS[self.mark])


def of(run: TrainingRun) -> list[Node]:
    """Return the steps of a run in their order, then the policy that pins its model and whether that is live."""
    return [*(_step(run, step) for step in Step), *_use(run.model)]


def _step(run: TrainingRun, step: Step) -> Node:
    kept = run.steps.get(step)
    if kept is None:
        return Node(step.value, Mark.KEPT if run.state == State.DONE else Mark.WAITING)
    mark = Mark(kept["state"])
    if mark == Mark.RUNNING and run.state == State.QUEUED:  # its worker died, and no other has it yet
        mark = Mark.WAITING
    return Node(
        key=step.value,
        mark=mark,
        version=kept.get("version", ""),
        seconds=kept.get("seconds"),
        error=told.failure(run) if mark == Mark.FAILED else "",
        figures=kept.get("figures", {}),
    )


def _use(model: ModelVersion | None) -> tuple[Node, Node]:
    """Return how far the model came: the newest policy that pins it, and the one of them that is live."""
    if model is None:
        return Node(POLICY, Mark.WAITING), Node(LIVE, Mark.WAITING)
    policies = Policy.objects.filter(queue=model.queue_id, model=model)
    newest, live = policies.order_by("-no").first(), policies.live().first()
    return (
        Node(POLICY, Mark.DONE, str(newest.no), figures={"state": newest.state})
        if newest
        else Node(POLICY, Mark.WAITING),
        Node(LIVE, Mark.DONE, str(live.no)) if live else Node(LIVE, Mark.WAITING),
    )
