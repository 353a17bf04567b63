"""The queue as it is in force now: its spec, its live policy and its models, at the cost of one small query."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from decisions.exceptions import Conflict, NotFound
from decisions.models import Frame, ModelVersion, Policy, QueueVersion
from decisions.queues.relief import NONE, Relief
from decisions.queues.spec import Spec
from decisions.record import guards
from decisions.routing.policy import Cuts

# All that moves with an apply, a publish, a roll-back, a new model, a closed frame, an overload rule or a filter that
# is turned off. `created_at` tells databases apart. A function, so that a session plans it once: to plan it takes six
# times as long as to run it.
MOVES = """
    CREATE OR REPLACE FUNCTION public.decisions_moves(queue_slug text)
    RETURNS TABLE (
        slug varchar, queue_id bigint, created_at timestamptz, version_id bigint, policy_id bigint, is_paused boolean,
        model_id bigint, canary_id bigint, canary_share double precision, frame_id bigint, overload text,
        is_filter_off boolean
    ) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN QUERY
        SELECT q.slug, q.id, q.created_at, q.version_id, p.id, q.is_paused,
               (SELECT max(m.id) FROM public.decisions_modelversion m WHERE m.queue_id = q.id), c.id, c.canary_share,
               (SELECT f.id FROM public.decisions_frame f WHERE f.queue_id = q.id ORDER BY f.starts_at DESC LIMIT 1),
               q.overload::text, q.is_filter_off
        FROM public.decisions_queue q
        LEFT JOIN public.decisions_policy p ON p.queue_id = q.id AND p.state = 'live'
        LEFT JOIN public.decisions_policy c ON c.queue_id = q.id AND c.state = 'canary'
        WHERE q.slug = queue_slug;
    END
    $$
"""
SIMPLER, FILTER = ModelVersion.Kind.SIMPLER, ModelVersion.Kind.FILTER
MOVING = 12  # columns that `decisions_moves` answers with
Moves = tuple[Any, ...]  # their values
OF_SLUG = "SELECT * FROM decisions_moves(%s)"
OF_ID = "SELECT * FROM decisions_moves((SELECT slug FROM decisions_queue WHERE id = %s))"


@dataclass(frozen=True)
class Live:
    """A queue in force. The rows are shared by all who ask: read them only.

    `model` is the policy's, `external` the one whose scores come without a name; `models` has all, by name. `canary` is
    the policy that is tried on a share of the traffic, with its model. `pinned` has, by the id of a model, the
    policy of these two that says what its scores mean. `frame` is the newest one that was closed: audit sizes rest on
    it. `relief` is what its overload rules do; `is_filter_off` says that the filter was turned off.
    """

    queue_id: int
    slug: str
    version_id: int
    spec: Spec
    policy: Policy
    model: ModelVersion | None
    external: ModelVersion
    models: Mapping[str, ModelVersion]
    is_paused: bool
    canary: Policy | None = None
    frame: Frame | None = None
    pinned: Mapping[int, Policy] = field(default_factory=dict)
    relief: Relief = NONE
    is_filter_off: bool = False

    @cached_property
    def cuts(self) -> Cuts:
        """What of the policy and the spec decides routes now."""
        return Cuts.of(self.policy, self.spec, self.frame, self.relief)

    @cached_property
    def simpler(self) -> ModelVersion | None:
        """The simpler model that was trained along with the policy's, from the same rows."""
        if self.model is None or not self.model.data_set:
            return None
        kin = [m for m in self.models.values() if m.kind == SIMPLER and m.data_set == self.model.data_set]
        return max(kin, key=lambda m: m.pk, default=None)

    @cached_property
    def filter_ready(self) -> ModelVersion | None:
        """The filter that was trained along with the policy's model, on or off; None where the spec asks for none."""
        if self.model is None or self.spec.filter.cut is None:
            return None
        kin = [m for m in self.models.values() if m.kind == FILTER and m.parameters.get("of") == self.model.name]
        return max(kin, key=lambda m: m.pk, default=None)

    @property
    def filter(self) -> ModelVersion | None:
        """The filter in force."""
        return None if self.is_filter_off else self.filter_ready

    @cached_property
    def trial(self) -> "Live":
        """The queue as it is for items that the canary routes."""
        return replace(self, policy=self.canary or self.policy, model=(self.canary or self.policy).model, canary=None)


_known: dict[str, tuple[Moves, Live]] = {}  # by slug; replaced as a whole, so threads need no lock


def of(slug: str) -> Live:
    """Return the queue in force, right at once after a change in any process; refuses a queue that is not there."""
    return of_moves(_ask(OF_SLUG, slug), slug)


def of_id(queue_id: int) -> Live:
    """Return the same by the queue's id."""
    return of_moves(_ask(OF_ID, queue_id), queue_id)


def _ask(statement: str, name: str | int) -> Moves | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        found: Moves | None = cursor.fetchone()
        return found


def of_moves(moves: Moves | None, name: str | int) -> Live:
    """Return the same from what `decisions_moves` just answered about the queue of this name."""
    if moves is None or moves[3] is None:
        raise NotFound(_("There is no queue “%(slug)s”.") % {"slug": name})
    slug = moves[0]
    if moves[4] is None:
        raise Conflict(_("The queue “%(slug)s” has no live policy.") % {"slug": slug})
    known = _known.get(slug)
    if known is None or known[0] != moves:
        known = _known[slug] = (moves, _read(moves))
    return known[1]


def _read(moves: Moves) -> Live:
    slug, queue_id, _created_at, version_id, policy_id, is_paused, _model_id, canary_id, _share, *rest = moves
    frame_id, overload, is_filter_off = rest
    models = {model.name: model for model in ModelVersion.objects.filter(queue=queue_id)}
    policies = Policy.objects.select_related("model").in_bulk([pk for pk in (policy_id, canary_id) if pk])
    policy, canary = policies[policy_id], policies.get(canary_id)
    return Live(
        queue_id=queue_id,
        slug=slug,
        version_id=version_id,
        spec=QueueVersion.objects.get(pk=version_id).spec,
        policy=policy,
        model=policy.model,
        external=models["external"],
        models=models,
        is_paused=is_paused,
        canary=canary,
        frame=Frame.objects.get(pk=frame_id) if frame_id else None,
        pinned={one.model_id: one for one in (canary, policy) if one and one.model_id},
        relief=Relief.of(json.loads(overload)),
        is_filter_off=is_filter_off,
    )


def make_moves(connection: BaseDatabaseWrapper) -> None:
    """Make the function that `of` asks; migrations call this, and each one that changes it again."""
    guards.make_function(connection, "decisions_moves", MOVES)
