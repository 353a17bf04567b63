"""What goes in and out, as the schema shows it; what comes in is read with the same shapes."""

from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from decisions import redact
from decisions.effects.results import LONGEST as LONGEST_RESULT
from decisions.intake.parse import LENGTHS
from decisions.learning.explain import State
from decisions.models import Action, Appeal, Event, Item, Membership, PendingOverride, Ruling, Task
from decisions.queues.spec import Truth
from decisions.record.history import What
from decisions.work import why
from decisions.work.answer import LONGEST_ACTIVE, LONGEST_NOTE
from decisions.work.factors import Source

MOST_CLAIMED = 50
BIGGEST = 2**31 - 1


class Shape(serializers.Serializer[Any]):
    """A JSON object. In what comes in, a name that nobody knows is refused rather than passed over."""

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError({name: _("This is not known here.") for name in sorted(unknown)})
        return given


def read(shape: type[Shape], request: Request) -> dict[str, Any]:
    """Return what was sent, in this shape; refuses what does not fit it."""
    return dict(_reader(shape).run_validation(request.data))


def asked(shape: type[Shape], request: Request) -> dict[str, Any]:
    """Return what the address asks for, in this shape; refuses what does not fit it."""
    return dict(_reader(shape).run_validation(request.query_params.dict()))


@cache
def _reader(shape: type[Shape]) -> Shape:
    """Return the one reader of a shape: it keeps nothing of what it reads, and making one takes longer than reading."""
    return shape()


class Fault(Shape):
    field = serializers.CharField(help_text="Where: a path; empty for the whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Shape):
    """Why a call was refused (RFC 9457, application/problem+json)."""

    type = serializers.CharField(help_text="urn:reviewqueue:problem:CODE")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="In words, for a person.")
    code = serializers.CharField(help_text="For a program; docs/api.md lists them.")
    errors = Fault(many=True)  # type: ignore[assignment]  # a field, as below
    right = serializers.CharField(required=False, help_text="With 403: the right that is missing.")


class NewItem(Shape):
    """One thing to be decided. All that is not named here belongs into `payload`."""

    external_id = serializers.CharField(max_length=LENGTHS["external_id"], help_text="Your name for it.")
    payload = serializers.DictField(help_text="The fields of the queue; at most 256 kB and 20 levels deep.")
    score = serializers.FloatField(required=False, allow_null=True, help_text="In the units of the model.")
    model = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["model"])
    source = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["source"])  # type: ignore[assignment]
    subject = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["subject"])
    segment = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["segment"])
    value = serializers.FloatField(required=False, allow_null=True, help_text="What is at stake.")
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)


class RoutedItem(Shape):
    """How the machine routed an item."""

    id = serializers.IntegerField()
    external_id = serializers.CharField()
    route = serializers.ChoiceField(Item.Route.choices)
    band = serializers.ChoiceField(Item.Band.choices)
    reason = serializers.ChoiceField(Item.RouteReason.choices)
    score = serializers.FloatField(allow_null=True)
    policy_version = serializers.IntegerField()
    model_version = serializers.CharField(allow_null=True)
    propensity = serializers.FloatField(allow_null=True, help_text="The probability that a person sees it.")
    duplicate = serializers.BooleanField()


class BadLine(Shape):
    line = serializers.IntegerField()
    external_id = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


RouteCounts = inline_serializer("RouteCounts", {route.value: serializers.IntegerField() for route in Item.Route})


class QueueShape(Shape):
    """A queue that the caller belongs to."""

    slug = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField()
    version = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    role = serializers.ChoiceField(Membership.Role.choices)


class Queues(Shape):
    queues = QueueShape(many=True)


class Batch(Shape):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    routes = RouteCounts
    results = RoutedItem(many=True, required=False, help_text="Left out with `?results=none`.")
    errors = BadLine(many=True)  # type: ignore[assignment]


def _number(help_text: str = "", *, can_be_unknown: bool = False) -> serializers.FloatField:
    return serializers.FloatField(allow_null=can_be_unknown, help_text=help_text)


class Backlog(Shape):
    total = _number()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When this was counted.")
    by_purpose = serializers.DictField(child=_number())
    by_state = serializers.DictField(child=_number())
    by_age = serializers.DictField(child=serializers.DictField(child=_number()), help_text="Age band, then purpose.")
    overdue = _number()


class QueueRate(Shape):
    per_hour = _number("Items an hour that go to people.")
    share = _number("Of all items.", can_be_unknown=True)
    interval = serializers.ListField(child=_number(), allow_null=True, help_text="Of the share, 95 %.")
    items = serializers.IntegerField()
    of = serializers.IntegerField()


class Overrides(Shape):
    count = serializers.IntegerField()
    of = serializers.IntegerField()


class Capacity(Shape):
    per_hour = _number("Decisions in the next hour.")
    next_24_hours = _number()
    people = serializers.IntegerField(help_text="At work now.")
    pace = _number("Decisions per person and hour, as measured.", can_be_unknown=True)
    source = serializers.ChoiceField(["shifts", "seen"])  # type: ignore[assignment]


class PurposeFigures(Shape):
    waiting = _number("Open tasks.")
    opened_per_hour = _number("Opened, or reopened by an undo.")
    decided_per_hour = _number()
    ended_per_hour = _number("Escalated, expired or cancelled.")
    mean_age = _number(can_be_unknown=True)
    p90_age = _number(can_be_unknown=True)
    handling_seconds = _number(can_be_unknown=True)
    p90_handling_seconds = _number(can_be_unknown=True)


class Accounts(Shape):
    """Of the last 24 closed hours that were checked: accepted = the sum of all states."""

    since = serializers.DateTimeField()
    checked_to = serializers.DateTimeField()
    checked_at = serializers.DateTimeField()
    accepted = serializers.IntegerField()
    states = serializers.DictField(
        child=serializers.IntegerField(), help_text="Passed, acted, or the state of the task, as found when checked."
    )
    missing = serializers.IntegerField(help_text="In no state. Anything but 0 is an alert.")


class Outlook(Shape):
    """What is to come, in short; `forecast/` has all of it."""

    sentence = serializers.CharField(help_text="In the language asked for, to be shown as it is.")
    breach_at = serializers.DateTimeField(
        allow_null=True, help_text="By when half of the futures (or a tenth, if no half does) break a deadline."
    )
    risk = _number("The part of futures that break a deadline, 0 to 1.", can_be_unknown=True)
    people_needed = serializers.IntegerField(allow_null=True, help_text="More people that alone would keep it.")
    threshold_needed = _number("The soft threshold that alone would keep it.", can_be_unknown=True)


class Status(Shape):
    """The figures of a queue; rates are per hour, times in seconds, null is unknown."""

    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True)
    window_hours = _number()
    backlog = Backlog()
    arrivals_per_hour = serializers.DictField(child=_number(), help_text="By route.")
    queue_rate = QueueRate()
    decisions_per_hour = _number()
    overrides = Overrides()
    handling_seconds = _number(can_be_unknown=True)
    p90_handling_seconds = _number("Within 4.5 %.", can_be_unknown=True)
    capacity = Capacity()
    utilisation = _number("Above 1 the backlog grows.", can_be_unknown=True)
    time_to_empty = _number(can_be_unknown=True)
    mean_age = _number("Of what waits.", can_be_unknown=True)
    p90_age = _number("Nine in ten tasks that wait are younger; within 4.5 %.", can_be_unknown=True)
    expected_wait = _number("Backlog over decisions per hour (Little's law).", can_be_unknown=True)
    purposes = serializers.DictField(child=PurposeFigures(), help_text="By purpose.")
    accounts = Accounts(allow_null=True)
    outlook = Outlook()


class Nothing(Shape):
    """An empty object, or no body at all."""


class Claim(Shape):
    count = serializers.IntegerField(default=1, min_value=1, max_value=MOST_CLAIMED)


class FactorShown(Shape):
    """What one field, or one word of a text field, added to the calibrated log odds of the positive outcome."""

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    word = serializers.CharField(help_text="Of a text field the word; else empty.")
    value = serializers.JSONField(allow_null=True, help_text="As it was sent; null for a word and where it is missing.")
    state = serializers.ChoiceField([state.value for state in State], help_text="How the model read the value.")
    weight = serializers.FloatField()


class ExplanationShown(Shape):
    """What pushed a score: `base`, the factors and `rest` add up to `total`, its calibrated log odds.

    Only `source` is there where no factors can be told.
    """

    source = serializers.ChoiceField([source.value for source in Source])  # type: ignore[assignment]
    base = serializers.FloatField(required=False)
    factors = FactorShown(many=True, required=False, help_text="The strongest first.")
    rest = serializers.FloatField(required=False, help_text="What the factors added that are not listed.")
    total = serializers.FloatField(required=False)


class ItemShown(Shape):
    """An item as you may see it. What is hidden from you is missing, and `redacted` names it."""

    id = serializers.IntegerField()
    queue = serializers.CharField()
    external_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    segment = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True, required=False)
    arrived_at = serializers.DateTimeField(required=False)
    payload = serializers.DictField(allow_null=True, help_text="Null once erased.")
    subject = serializers.CharField(allow_null=True)
    is_erased = serializers.BooleanField()
    score = serializers.FloatField(allow_null=True, required=False)
    p = serializers.FloatField(allow_null=True, required=False, help_text="Recalibrated probability of positive.")
    rung = serializers.ChoiceField(Item.Rung.choices, required=False)
    band = serializers.ChoiceField(Item.Band.choices, required=False)
    route = serializers.ChoiceField(Item.Route.choices, required=False)
    reason = serializers.ChoiceField(Item.RouteReason.choices, required=False)
    failures = serializers.ListField(child=serializers.CharField(), required=False)
    propensity = serializers.FloatField(allow_null=True, required=False)
    policy_version = serializers.IntegerField(required=False)
    model_version = serializers.CharField(allow_null=True, required=False)
    suggestion = serializers.CharField(required=False, help_text="An outcome; empty when nothing scored it.")
    explanation = ExplanationShown(required=False)
    redacted = serializers.ListField(child=serializers.ChoiceField(["machine", "history", "personal"]))


class TaskShown(Shape):
    """A task that you hold: what you send under its `lease` counts until `lease_until`."""

    id = serializers.IntegerField()
    lease = serializers.IntegerField()
    lease_until = serializers.DateTimeField()
    purpose = serializers.ChoiceField([*Task.Purpose.values, redact.REVIEW])
    round = serializers.IntegerField()
    due_at = serializers.DateTimeField(required=False)
    item = ItemShown()


class Claimed(Shape):
    tasks = TaskShown(many=True)


class Lease(Shape):
    lease = serializers.IntegerField(min_value=0, max_value=BIGGEST, help_text="As the claim gave it.")


class Decide(Lease):
    outcome = serializers.CharField(max_length=50)
    reason = serializers.CharField(max_length=50, allow_blank=True, default="")
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, trim_whitespace=False, default="")
    active_seconds = serializers.FloatField(allow_null=True, min_value=0, max_value=LONGEST_ACTIVE, default=None)


class Skip(Lease):
    reason = serializers.ChoiceField(why.Skip.choices)


class Escalate(Lease):
    reason = serializers.ChoiceField(why.Escalate.choices)


class Hold(Lease):
    reason = serializers.ChoiceField(why.Hold.choices, allow_blank=True, default="")
    until = serializers.DateTimeField(allow_null=True, default=None, help_text="At most 72 hours ahead; else an hour.")


class Override(Shape):
    outcome = serializers.CharField(max_length=50)
    reason = serializers.CharField(max_length=50, allow_blank=True, default="")
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, trim_whitespace=False, default="")


class Step(Shape):
    """Where a task stands after a step."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(Task.State.choices)
    round = serializers.IntegerField()
    lease = serializers.IntegerField()
    lease_until = serializers.DateTimeField(allow_null=True)


class OwnDecision(Shape):
    id = serializers.IntegerField()
    item = serializers.IntegerField()
    task = serializers.IntegerField()
    round = serializers.IntegerField()
    outcome = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class OwnRuling(Shape):
    """What holds from now on. Until `final_at` it can be undone, and nobody is told."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    no = serializers.IntegerField()
    outcome = serializers.CharField(help_text="Empty: nothing holds.")
    source = serializers.ChoiceField(Ruling.Source.choices)  # type: ignore[assignment]
    at = serializers.DateTimeField()
    final_at = serializers.DateTimeField()


class Decided(Shape):
    decision = OwnDecision()
    ruling = OwnRuling(allow_null=True, help_text="Null where the answer only measures.")


class Undone(Shape):
    task = Step()
    ruling = OwnRuling(allow_null=True)


class Overridden(Shape):
    ruling = OwnRuling()


class PendingOverrideShape(Shape):
    """An override that waits, or waited, for a second person. What one asked for oneself is never hidden."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    act = serializers.CharField(help_text="The right under which it is made, which the second person needs too.")
    was = serializers.CharField(help_text="The outcome that was in force when it was asked for.")
    outcome = serializers.CharField()
    reason = serializers.CharField()
    note = serializers.CharField()
    person = serializers.IntegerField()
    person_name = serializers.CharField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(PendingOverride.State.choices)
    closer = serializers.IntegerField(allow_null=True)
    closer_name = serializers.CharField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reply = serializers.CharField(help_text="Why it was confirmed, refused or withdrawn.")
    ruling = serializers.IntegerField(allow_null=True, help_text="What holds since it was confirmed.")


class OverrideWaits(Shape):
    pending = PendingOverrideShape()


class AppealShape(Shape):
    """An objection to what held for an item, and how it ended. A new one is `open`."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    task = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(Appeal.State.choices)
    was = serializers.CharField(help_text="The outcome that it is against.")
    statement = serializers.CharField()
    filed_by = serializers.IntegerField()
    filed_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By then it is to be judged; it never ends by itself.")
    closed_at = serializers.DateTimeField(allow_null=True)
    decision = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="What was concluded.")
    reason = serializers.CharField(allow_null=True)


class FileAppeal(Shape):
    statement = serializers.CharField(max_length=4000, help_text="What is objected to, in the words of who appeals.")
    reference = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="Your name for it: sent again, it is the same appeal."
    )


class ConfirmOverride(Shape):
    why = serializers.CharField(max_length=500, allow_blank=True, default="")


class TurnDownOverride(Shape):
    why = serializers.CharField(max_length=500)


class DecisionShape(Shape):
    """What somebody answered to a task round. `suggested` and `was_shown` are missing while hidden from you."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    task = serializers.IntegerField()
    round = serializers.IntegerField()
    purpose = serializers.ChoiceField([*Task.Purpose.values, redact.REVIEW])
    person = serializers.IntegerField()
    person_name = serializers.CharField(help_text="As they are called now.")
    outcome = serializers.CharField()
    reason = serializers.CharField()
    note = serializers.CharField()
    suggested = serializers.CharField(required=False)
    was_shown = serializers.BooleanField(required=False)
    active_seconds = serializers.FloatField(allow_null=True)
    claimed_at = serializers.DateTimeField()
    at = serializers.DateTimeField()


class RulingShape(Shape):
    """What held for an item from `at` on, until a later one."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    no = serializers.IntegerField()
    outcome = serializers.CharField(help_text="Empty: nothing holds any more.")
    truth = serializers.ChoiceField([truth.value for truth in Truth])
    source = serializers.ChoiceField(Ruling.Source.choices)  # type: ignore[assignment]
    decision = serializers.IntegerField(allow_null=True)
    person = serializers.IntegerField(allow_null=True)
    person_name = serializers.CharField(allow_null=True)
    replaces = serializers.IntegerField(allow_null=True)
    was = serializers.CharField(required=False, help_text="What held, or what the machine suggested or did.")
    is_override = serializers.BooleanField(required=False)
    is_reversal = serializers.BooleanField(required=False)
    reason = serializers.CharField()
    note = serializers.CharField()
    policy_version = serializers.IntegerField(required=False)
    model_version = serializers.CharField(allow_null=True, required=False)
    at = serializers.DateTimeField()
    final_at = serializers.DateTimeField()


class EventShape(Shape):
    """One line of the record; `hash` seals it and all lines before it."""

    id = serializers.IntegerField()
    chain = serializers.IntegerField(help_text="The queue's id; 0 for the site.")
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(Event.Kind.choices)
    actor = serializers.IntegerField(allow_null=True)
    actor_name = serializers.CharField(allow_null=True)
    item = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    entry = serializers.DictField(allow_null=True, help_text="Null while it would tell what is hidden from you.")
    version = serializers.IntegerField()
    hash = serializers.RegexField("^[0-9a-f]{64}$")
    at = serializers.DateTimeField()


class ActionShape(Shape):
    """One thing that the outside world is told; `result` is what it says it really did."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    ruling = serializers.IntegerField(allow_null=True, help_text="Null: the machine did it.")
    name = serializers.CharField()
    state = serializers.ChoiceField(Action.State.choices)
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    result = serializers.ChoiceField(Action.Result.choices, allow_blank=True)
    result_detail = serializers.CharField()
    result_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class Alive(Shape):
    status = serializers.ChoiceField(["alive"])
    version = serializers.CharField()


class Ready(Shape):
    status = serializers.ChoiceField(["ready", "not_ready"])
    database = serializers.ChoiceField(["ready", "not_migrated", "unreachable"])
    redis = serializers.ChoiceField(["ready", "unreachable"], help_text="Work goes on without it.")


class Result(Shape):
    result = serializers.ChoiceField(Action.Result.choices)
    detail = serializers.CharField(max_length=LONGEST_RESULT, allow_blank=True, default="")


class Resulted(Shape):
    id = serializers.IntegerField()
    result = serializers.ChoiceField(Action.Result.choices)
    result_detail = serializers.CharField()
    result_at = serializers.DateTimeField()


class StepShown(Shape):
    """One step of an item's life; `details` are those of the row that tells of it."""

    at = serializers.DateTimeField()
    what = serializers.ChoiceField([what.value for what in What])
    person = serializers.IntegerField(allow_null=True)
    person_name = serializers.CharField(allow_null=True)
    details = serializers.DictField()


class AlikeShown(Shape):
    """An item that people decided and that is like another one."""

    id = serializers.IntegerField()
    external_id = serializers.CharField()
    outcome = serializers.CharField()
    at = serializers.DateTimeField()
    is_simulated = serializers.BooleanField()


class Life(Shape):
    item = ItemShown()
    similar = AlikeShown(many=True, help_text="Like items that people decided, the most alike first; up to five.")
    ruling = RulingShape(allow_null=True, help_text="What holds; null where nothing does, or it is hidden from you.")
    life = StepShown(many=True, help_text="Oldest first.")
