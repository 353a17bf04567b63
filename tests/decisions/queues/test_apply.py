"""A queue file in force: shown first, refused when the queue moved on, one event for each change."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, NotFound
from decisions.models import Event, ModelVersion, Policy, Queue, QueueVersion, User
from decisions.queues import apply, live, parse
from decisions.queues.apply import Applied, Plan
from decisions.queues.parse import Document, SpecError
from decisions.queues.spec import PolicySpec, Spec
from decisions.routing import publish
from tests.factories import NOON, make_spec, make_user

pytestmark = pytest.mark.django_db
STRICT = PolicySpec(hard=0.95, soft=0.3, suggest=0.5, control_share=0.1, objective="Fewer mistakes")


def put(spec: Spec, *, by: User | None = None, **carried: int) -> Applied:
    """Apply a spec as a file would that carries these versions."""
    return apply.apply(apply.preview(Document(spec, **carried)), by=by, why="it is better", at=NOON)


def kinds(queue: Queue) -> list[str]:
    return list(Event.objects.filter(chain=queue.pk).order_by("seq").values_list("kind", flat=True))


def test_a_new_queue_comes_with_its_model_and_a_live_policy() -> None:
    spec = make_spec()
    applied = put(spec)
    assert applied.queue.spec == spec
    external = ModelVersion.objects.get(queue=applied.queue)
    assert (external.name, external.kind, external.score_high) == ("external", "external", 1.0)
    policy = Policy.objects.live().get(queue=applied.queue)
    assert (policy.no, policy.hard, policy.model, policy.why) == (1, spec.policy.hard, external, "it is better")
    assert kinds(applied.queue) == ["queue.applied", "policy.published"]


def test_applying_the_same_again_changes_nothing() -> None:
    spec = make_spec()
    queue = put(spec).queue
    plan = apply.preview(Document(spec))
    assert plan.is_empty
    applied = apply.apply(plan, by=None, why="again", at=NOON)
    assert (applied.version, applied.policy) == (None, None)
    assert len(kinds(queue)) == 2


def test_a_plan_names_each_key_that_changes() -> None:
    spec = make_spec()
    put(spec)
    fields = (replace(spec.fields[0], label="The text"), *spec.fields[2:])
    plan = apply.preview(Document(replace(spec, sla=timedelta(hours=2), fields=fields, policy=STRICT)))
    shown = [str(change) for change in plan.changes]
    assert 'sla: "1 d" -> "2 h"' in shown
    assert 'fields: ["text", "words", "amount", "kind"] -> ["text", "amount", "kind"]' in shown
    assert 'fields[text].label: "Text" -> "The text"' in shown
    assert 'fields[words].type: "integer" -> (nothing)' in shown
    assert not [line for line in shown if line.startswith("fields[kind]")]
    assert [str(change) for change in plan.policy_changes] == [
        "policy.hard: 0.9 -> 0.95",
        'policy.objective: "Keep the mail box clean" -> "Fewer mistakes"',
    ]


def test_a_change_makes_a_version_and_one_event_that_names_its_keys() -> None:
    spec = make_spec()
    queue = put(spec).queue
    by = make_user("manager")
    applied = put(replace(spec, title="Posts", cap=7), by=by)
    assert applied.policy is None
    assert applied.version is not None
    assert (applied.version.no, applied.version.author, applied.version.why) == (2, by, "it is better")
    assert Queue.objects.get(pk=queue.pk).spec.title == "Posts"
    event = Event.objects.get(chain=queue.pk, kind=Event.Kind.QUEUE_APPLIED, seq=3)
    entry = orjson.loads(event.entry)
    assert entry["changed"] == ["title", "cap"]
    assert len(entry["before"]) == len(entry["after"]) == 64
    assert entry["before"] != entry["after"]
    assert event.actor == by


def test_a_changed_policy_becomes_a_draft_once() -> None:
    spec = make_spec()
    queue = put(spec).queue
    applied = put(replace(spec, policy=STRICT))
    assert applied.version is None
    assert applied.policy is not None
    assert (applied.policy.state, applied.policy.hard) == (Policy.State.DRAFT, 0.95)
    assert Policy.objects.live().get(queue=queue).no == 1
    assert kinds(queue)[2:] == ["policy.drafted"]
    assert apply.preview(Document(replace(spec, policy=STRICT))).is_empty


def test_a_file_from_an_older_version_is_refused() -> None:
    spec = make_spec()
    put(spec)
    put(replace(spec, title="Second"), version=1)
    with pytest.raises(SpecError, match="version 2 now"):
        put(replace(spec, title="Third"), version=1)
    with pytest.raises(SpecError, match="version 2 now"):
        put(replace(spec, title="Third"))  # a file that does not say counts as made from the first
    put(replace(spec, title="Third"), version=2)
    assert QueueVersion.objects.filter(queue__slug=spec.slug).count() == 3


def test_a_file_from_an_older_policy_is_refused_when_it_speaks_of_another() -> None:
    spec = make_spec()
    queue = put(spec).queue
    drafted = put(replace(spec, policy=STRICT)).policy
    assert drafted is not None
    publish.approve(policy=drafted, by=None, why="checked", at=NOON)
    publish.publish(policy=drafted, by=None, why="checked", at=NOON)
    with pytest.raises(SpecError, match="policy 2 is live now"):
        put(spec, policy=1)
    assert Policy.objects.filter(queue=queue).count() == 2


def test_a_file_that_was_dumped_elsewhere_makes_no_queue() -> None:
    with pytest.raises(SpecError, match="there is none here"):
        put(make_spec(), version=4)


def test_the_range_of_scores_stays() -> None:
    spec = make_spec()
    put(spec)
    with pytest.raises(SpecError, match=r"model\.high"):
        put(replace(spec, model=replace(spec.model, high=2.0)))


def test_a_plan_that_no_longer_holds_is_refused() -> None:
    spec = make_spec()
    put(spec)
    seen: Plan = apply.preview(Document(replace(spec, title="Mine")))
    put(replace(spec, title="Theirs"))
    with pytest.raises((Conflict, SpecError)):
        apply.apply(seen, by=None, why="late", at=NOON)
    assert live.of(spec.slug).spec.title == "Theirs"


def test_two_new_queues_of_one_name_are_one() -> None:
    spec = make_spec()
    seen = apply.preview(Document(spec))
    put(spec)
    with pytest.raises(Conflict, match="changed since you looked"):
        apply.apply(seen, by=None, why="late", at=NOON)


@pytest.mark.parametrize("role", ["reviewer", "lead", "auditor"])
def test_who_lacks_the_right_changes_nothing(role: str) -> None:
    spec = make_spec()
    put(spec)
    with pytest.raises(Forbidden, match="apply_queue"):
        put(replace(spec, title="Posts"), by=make_user(role))
    assert live.of(spec.slug).spec == spec


def test_an_administrator_changes_a_queue_and_drafts_no_policy() -> None:
    spec = make_spec()
    put(spec)
    by = make_user("admin")
    assert put(replace(spec, title="Posts"), by=by).version
    with pytest.raises(Forbidden, match="draft_policy"):
        put(replace(spec, title="Posts", policy=STRICT), by=by, version=2)


def test_a_role_on_one_queue_makes_no_other() -> None:
    queue = put(make_spec()).queue
    with pytest.raises(NotFound):
        put(make_spec(), by=make_user("manager", queue))


def test_a_dumped_queue_applies_without_any_change() -> None:
    spec = make_spec()
    put(spec)
    put(replace(spec, title="Second"), version=1)
    drafted = put(replace(spec, title="Second", policy=STRICT), version=2).policy
    assert drafted is not None
    publish.approve(policy=drafted, by=None, why="checked", at=NOON)
    publish.publish(policy=drafted, by=None, why="checked", at=NOON)
    document = parse.document(apply.source(spec.slug), "dumped.toml")
    assert (document.version, document.policy, document.spec.policy) == (2, 2, STRICT)
    assert apply.preview(document).is_empty


def test_a_queue_that_is_not_there_is_not_dumped() -> None:
    with pytest.raises(NotFound):
        apply.source("nowhere")
