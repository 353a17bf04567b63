"""What known data, segments, fairness and the inventory look like in JSON."""

from rest_framework import serializers

from decisions.measure.estimates import Why
from decisions.measure.groups import Figure
from decisions.models import ModelVersion, Policy
from reviewqueue.api.shapes import Shape


class Estimated(Shape):
    """A share in [0, 1] with its 95 % interval; null is not measured, and `why` says why."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    labels = serializers.IntegerField(help_text="Labels with a truth that it rests on.")
    effective_labels = serializers.FloatField(help_text="As many labels of a simple random sample are they worth.")
    why = serializers.ChoiceField(list(Why), allow_null=True)


class PromiseShape(Shape):
    """What a queue promises on known data; null is no promise."""

    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)


class KnownSetShape(Shape):
    sha256 = serializers.CharField()
    rows = serializers.IntegerField()
    positives = serializers.IntegerField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class KeptShape(Shape):
    """A share of known rows: a fact about them; the exact interval says how far it would carry to others."""

    hits = serializers.IntegerField()
    of = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()
    promised = serializers.FloatField(allow_null=True)
    is_kept = serializers.BooleanField()


class KnownFigures(Shape):
    """How a policy did on a known set."""

    rows = serializers.IntegerField()
    learnt = serializers.IntegerField(allow_null=True, help_text="Left out; null: it is not known which.")
    sent_back = serializers.IntegerField(help_text="Left out: their sender would be asked to mend them.")
    positives = serializers.IntegerField()
    negatives = serializers.IntegerField()
    routes = serializers.DictField(child=serializers.IntegerField(), help_text="By route.")
    failed_checks = serializers.IntegerField()
    precision = KeptShape()
    recall = KeptShape()
    is_enough = serializers.BooleanField()


class KnownCheckShape(Shape):
    policy = serializers.IntegerField()
    model = serializers.CharField(allow_null=True)
    known_set = serializers.CharField(help_text="Its SHA-256.")
    queue_version = serializers.IntegerField()
    is_kept = serializers.BooleanField()
    missed = serializers.CharField(allow_blank=True, help_text="In words; empty where every promise is kept.")
    figures = KnownFigures()
    at = serializers.DateTimeField()


class Known(Shape):
    """What a queue promises on known data, the newest set, and the last checks, newest first."""

    promise = PromiseShape()
    known_set = KnownSetShape(allow_null=True)
    checks = KnownCheckShape(many=True)


class SegmentShape(Shape):
    """One segment; null where it has no such items."""

    segment = serializers.CharField(allow_blank=True, help_text="Empty: items without one; `*`: all the smaller ones.")
    items = serializers.IntegerField()
    precision = Estimated(allow_null=True, help_text="Of what the machine would act on, by its control group.")
    missed = Estimated(allow_null=True, help_text="Of what passed, by audits.")
    overrides = Estimated(allow_null=True, help_text="Of what people decided.")
    is_blind = serializers.BooleanField(help_text="Too little is known: the next audits are steered there.")


class SegmentsShape(Shape):
    """The segments of a window, the most misses first; nothing where nothing was counted yet."""

    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    fresh_at = serializers.DateTimeField(allow_null=True)
    audit_budget = serializers.IntegerField()
    segments = SegmentShape(many=True)


class GroupCell(Shape):
    """One group; null throughout where it holds fewer than five items."""

    group = serializers.CharField(allow_blank=True, help_text="A category, a band `30..45`, or empty: not known.")
    is_hidden = serializers.BooleanField()
    rate = Estimated(allow_null=True)
    difference = serializers.FloatField(allow_null=True, help_text="From the rate of all others.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    differs = serializers.BooleanField(allow_null=True, help_text="null: too few labels to say.")


class ComparisonShape(Shape):
    """One figure between groups; its intervals hold for all `compared` differences at once."""

    figure = serializers.ChoiceField(list(Figure))
    compared = serializers.IntegerField()
    level = serializers.FloatField()
    groups = GroupCell(many=True)


class FieldFairness(Shape):
    field = serializers.CharField()
    comparisons = ComparisonShape(many=True)


class FairnessShape(Shape):
    """Errors, overrides and automatic actions between the groups of each field that the queue names."""

    days = serializers.IntegerField()
    is_counted = serializers.BooleanField(help_text="false: nothing was counted yet.")
    fields_compared = FieldFairness(many=True)


class PersonNamed(Shape):
    email = serializers.CharField()
    is_here = serializers.BooleanField(help_text="An active person has this address.")


class NoteShape(Shape):
    code = serializers.CharField()
    text = serializers.CharField(help_text="In words.")


class PolicyNamed(Shape):
    no = serializers.IntegerField()
    state = serializers.ChoiceField(Policy.State.choices)
    model = serializers.CharField(allow_null=True)
    author = serializers.CharField(allow_null=True)
    objective = serializers.CharField()
    why = serializers.CharField()
    control_share = serializers.FloatField()
    audit_budget = serializers.IntegerField()
    precision_target = serializers.FloatField(allow_null=True)
    keeps_promise = serializers.BooleanField(allow_null=True, help_text="On the newest known data; null: not checked.")


class ModelNamed(Shape):
    name = serializers.CharField()
    kind = serializers.ChoiceField(ModelVersion.Kind.choices)
    created_at = serializers.DateTimeField()


class LastChange(Shape):
    what = serializers.CharField()
    person = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    why = serializers.CharField(allow_blank=True)


class InventoryEntry(Shape):
    """One queue, what routes and scores it, and what is known of it; counts are of the last 28 days."""

    slug = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    accountable = PersonNamed()
    watcher = PersonNamed()
    bears_cost = serializers.CharField()
    policies = PolicyNamed(many=True)
    models = ModelNamed(many=True)
    models_known = serializers.IntegerField()
    arrived = serializers.DictField(child=serializers.IntegerField(), help_text="By route.")
    answers = serializers.DictField(child=serializers.IntegerField(), help_text="By purpose.")
    last_frame_at = serializers.DateTimeField(allow_null=True)
    open_alerts = serializers.IntegerField()
    measured = NoteShape(many=True)
    not_measured = NoteShape(many=True)
    last_change = LastChange(allow_null=True)


class InventoryShape(Shape):
    queues = InventoryEntry(many=True)
