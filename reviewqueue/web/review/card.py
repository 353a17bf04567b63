"""What one card shows: the evidence, the suggestion where it may be seen, the answers and the ways out."""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions import redact, rights
from decisions.exceptions import NotFound
from decisions.models import Item, Queue, Task, User
from decisions.queues.spec import FieldType, Outcome, Spec
from decisions.record import log
from decisions.redact import Sight
from decisions.rights import Act
from decisions.work import appeals, claim, past, why
from reviewqueue.web import evidence, examples, pushed, words

HISTORY_SHOWN = 8
HOUR = timedelta(hours=1)


def build(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    """Return the card of a task this person holds; what they must not see yet is left out."""
    spec, item = queue.spec, task.item
    standing = rights.standing(person, queue.pk)
    if standing is None:
        raise NotFound
    sight = redact.for_person(item, standing=standing, user=person, spec=spec)
    seen = redact.item(item, sight, spec=spec)
    appeal = _appeal(task, sight, spec)
    suggested = "" if appeal else seen.get("suggestion", "")
    outcomes = [_answer(outcome, suggested, is_appeal=appeal is not None) for outcome in spec.outcomes]
    return {
        "task": task,
        "item": item,
        "simulated": task.is_demo,
        "purpose": redact.purpose(task, sight),
        "appeal": appeal,
        "is_erased": seen["is_erased"],
        "fields": evidence.rows(seen["payload"] or {}, spec, seen.get("failures", ())),
        "suggestion": _suggestion(item, spec, suggested),
        "pushed": pushed.told(seen["explanation"], spec) if suggested else None,
        "why": "" if appeal else _why(item, sight, spec),
        "history": past.of_subject(item, sight=sight, standing=standing, user=person, spec=spec, count=HISTORY_SHOWN),
        "alike": examples.panel(item, sight=sight, standing=standing, user=person, spec=spec, at=log.now()),
        "outcomes": outcomes,
        "override": _override(task, outcomes, suggested),
        "asks": _asks(task, queue),
        "may_escalate": rights.may(standing, Act.ESCALATE, rights.case_of(task, person)),
        "has_image": any(field.type == FieldType.IMAGE for field in spec.fields),
        "says": _("Next item: %(name)s") % {"name": item.external_id},
    }


def _appeal(task: Task, sight: Sight, spec: Spec) -> dict[str, Any] | None:
    """Return what an appeal says and is against, where this person may see it."""
    row = appeals.of_task(task)
    seen = redact.appeal(row, sight) if row else None
    if seen is None:
        return None
    held = spec.outcome(seen["was"])
    return {"statement": seen["statement"], "held": held.label if held else seen["was"], "due_at": seen["due_at"]}


def _answer(outcome: Outcome, suggested: str, *, is_appeal: bool) -> dict[str, Any]:
    """Return an outcome as a button.

    It asks for a reason where it goes against the suggestion that the person sees, and always to an appeal.
    """
    return {
        "key": outcome.key,
        "label": outcome.label,
        "is_other": bool(suggested) and outcome.key != suggested,
        "hotkey": outcome.hotkey,
        "reasons": outcome.reasons,
        "asks": bool(outcome.reasons and (is_appeal or (suggested and outcome.key != suggested))),
    }


def _suggestion(item: Item, spec: Spec, suggested: str) -> dict[str, str] | None:
    """Return the suggestion in words: how many of ten such items are positive by the model's own estimate.

    It claims nothing about what was measured: what the model believes and how often it is right are two things.
    """
    outcome, positive = spec.outcome(suggested), spec.outcome(spec.routes.positive)
    if outcome is None or positive is None:
        return None
    if item.p is None:
        return {"key": outcome.key, "label": outcome.label, "words": ""}
    tenths = round(item.p * 10)
    said = {"n": tenths, "outcome": positive.label}
    if tenths == 0:
        told = _("By its own estimate fewer than 1 in 20 such items are “%(outcome)s”.") % said
    elif tenths == 10:
        told = _("By its own estimate more than 19 in 20 such items are “%(outcome)s”.") % said
    else:
        told = _("By its own estimate about %(n)s in 10 such items are “%(outcome)s”.") % said
    return {"key": outcome.key, "label": outcome.label, "words": told}


def _why(item: Item, sight: Sight, spec: Spec) -> str:
    if not sight.machine or not sight.history:
        return ""
    said = {
        Item.RouteReason.SCORE: _("the score is between the cuts"),
        Item.RouteReason.CONTROL: _("drawn for control"),
        Item.RouteReason.INPUT_CHECK: _("a check of what was sent failed"),
        Item.RouteReason.OUTPUT_CHECK: _("a check of the score failed"),
        Item.RouteReason.FALLBACK: _("the model could not score it"),
        Item.RouteReason.FILTER: _("the filter expects the model to be wrong here"),
    }
    text = said[Item.RouteReason(item.reason)]
    if not item.failures:
        return text
    return _("%(text)s (%(failed)s)") % {"text": text, "failed": words.failures(item.failures, spec)}


def _override(task: Task, outcomes: list[dict[str, Any]], suggested: str) -> str:
    """Return the dialog that `x` opens: the reasons of the other outcome, or the choice where there are several."""
    others = [number for number, outcome in enumerate(outcomes, 1) if suggested and outcome["key"] != suggested]
    if len(others) == 1 and outcomes[others[0] - 1]["asks"]:
        return f"reasons-{task.pk}-{others[0]}"
    return f"override-{task.pk}" if others else ""


def _spans() -> list[tuple[int, str]]:
    """Return for how many hours a task can be put on hold, the first one unless somebody says otherwise."""
    return [
        (hours, ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
        for hours in (1, 4, 24, int(claim.LONGEST_HOLD / HOUR))
    ]


def _asks(task: Task, queue: Queue) -> list[dict[str, Any]]:
    """Return the dialogs that ask why a task is left."""
    titles = {
        "skip": (_("Skip: why?"), why.Skip),
        "hold": (_("Hold: for how long, and why?"), why.Hold),
        "escalate": (_("Escalate: why?"), why.Escalate),
    }
    return [
        {
            "name": name,
            "title": title,
            "choices": codes.choices,
            "spans": _spans() if name == "hold" else [],
            "url": reverse(f"review:{name}", args=[queue.slug, task.pk]),
        }
        for name, (title, codes) in titles.items()
    ]
