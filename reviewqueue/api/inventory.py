"""Every queue, policy and model: who is accountable, what is measured and what is not."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions.measure import inventory
from decisions.measure.inventory import Change, Entry, Facts, Note, Person
from decisions.models import Policy
from reviewqueue.api import auth, shapes_contract
from reviewqueue.api.door import Door, answer

TERMS = ("no", "state", "objective", "why", "control_share", "audit_budget", "precision_target")


class Inventory(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="inventory",
        summary="Every queue, policy and model whose record you may read",
        responses=shapes_contract.InventoryShape,
    )
    def get(self, request: Request) -> HttpResponse:
        caller = auth.of(request)
        found = inventory.entries(caller.user, timezone.now(), only=caller.queues)
        return answer({"queues": [_shown(entry) for entry in found]})


def _shown(entry: Entry) -> dict[str, Any]:
    assert entry.queue.version is not None
    facts = entry.facts
    return {
        "slug": entry.queue.slug,
        "title": entry.spec.title,
        "version": entry.queue.version.no,
        "is_paused": entry.queue.is_paused,
        "accountable": _person(entry.owner),
        "watcher": _person(entry.watcher),
        "bears_cost": entry.spec.bears_cost,
        "policies": [_policy(policy, facts) for policy in facts.policies],
        "models": [{"name": m.name, "kind": m.kind, "created_at": m.created_at} for m in facts.models],
        "models_known": facts.models_known,
        "arrived": facts.arrived,
        "answers": facts.answers,
        "last_frame_at": facts.frame.ends_at if facts.frame else None,
        "open_alerts": facts.alerts,
        "measured": [_note(note) for note in entry.measured],
        "not_measured": [_note(note) for note in entry.not_measured],
        "last_change": _change(entry.last_change) if entry.last_change else None,
    }


def _policy(policy: Policy, facts: Facts) -> dict[str, Any]:
    check = facts.checks.get(policy.pk)
    return {
        **{name: getattr(policy, name) for name in TERMS},
        "model": policy.model.name if policy.model else None,
        "author": str(policy.author) if policy.author else None,
        "keeps_promise": check.is_kept if check else None,
    }


def _person(person: Person) -> dict[str, Any]:
    return {"email": person.email, "is_here": person.is_here}


def _note(note: Note) -> dict[str, Any]:
    return {"code": note.code, "text": note.text}


def _change(change: Change) -> dict[str, Any]:
    person = str(change.person) if change.person else None
    return {"what": change.what, "person": person, "at": change.at, "why": change.why}
