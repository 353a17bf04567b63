"""The spec of a queue as a value: what is asked, what can be answered and what each answer causes."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from decisions.queues.spec_filter import Filter
from decisions.queues.spec_time import Calendar, Deadlines, Expiry, Overload
from decisions.queues.spec_training import Training


class FieldType(StrEnum):
    """How a payload field is checked and shown."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    LINK = "link"
    IMAGE = "image"
    HTML = "html"
    JSON = "json"


NUMERIC = frozenset({FieldType.NUMBER, FieldType.INTEGER, FieldType.MONEY})


class Remedy(StrEnum):
    """What happens to an item whose field is missing or wrong."""

    ACCEPT = "accept"  # not a failure: the model knows gaps
    PEOPLE = "people"  # a failed input check: a person decides
    ASK = "ask"  # refused: the sender is told which fields to mend


class Truth(StrEnum):
    """What an outcome says about the question."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NONE = "none"


class Order(StrEnum):
    """What a waiting task's place in the queue follows from, within one step of its deadline."""

    ARRIVAL = "arrival"
    SCORE = "score"  # the highest recalibrated probability first
    VALUE = "value"  # the highest value at stake first


@dataclass(frozen=True)
class PayloadField:
    """One field of the payload. `low` and `high` are inclusive; None is unbounded."""

    name: str
    type: FieldType
    label: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    if_missing: Remedy = Remedy.ACCEPT
    if_invalid: Remedy = Remedy.PEOPLE
    personal: bool = False
    after: bool = False  # it is known only after the decision: nothing may be learnt from it


@dataclass(frozen=True)
class Reason:
    """A reason code that a person gives with an outcome."""

    code: str
    label: str
    needs_note: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a person can conclude.

    `key` is unique in the queue, `hotkey` the key pressed, `action` what the world is told ("" = nothing).
    """

    key: str
    label: str
    hotkey: str
    truth: Truth
    action: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Money:
    """An amount of money: `base + factor * value of the payload field` (negative = a cost)."""

    base: float = 0.0
    factor: float = 0.0
    field: str = ""


@dataclass(frozen=True)
class ValueFormula:
    """Money per true and false positive and negative, and per minute of review, in `currency`.

    `delay_hour` is what an hour costs by which a right hard action comes later, as in the control group.
    """

    currency: str = ""
    tp: Money = Money()
    fp: Money = Money()
    tn: Money = Money()
    fn: Money = Money()
    review_minute: float = 0.0
    delay_hour: Money = Money()

    @property
    def is_harm_of_item(self) -> bool:
        """Whether what a miss costs, `tp` - `fn`, depends on the item."""
        return bool(self.tp.field or self.fn.field)


@dataclass(frozen=True)
class Heuristic:
    """A rung of the fallback ladder: the first rule that holds gives the score (in model units)."""

    field: str
    op: str  # one of < <= == != >= > in
    operand: float | str | tuple[str, ...]
    score: float


@dataclass(frozen=True)
class Routes:
    """What each route causes.

    `positive` and `negative` name the outcomes that HARD and PASS stand for; actions "" cause nothing.
    """

    positive: str
    negative: str
    hard_action: str = ""
    soft_action: str = ""
    pass_action: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """Which scores are valid.

    [low, high]; `pipeline` and `label` say how `train` builds a model ("" = scores come from outside).
    """

    low: float = 0.0
    high: float = 1.0
    pipeline: str = ""  # "" | boosting | logistic
    features: tuple[str, ...] = ()
    label: str = ""  # the column of a training file that holds the truth
    positive: str = ""  # the value of that column that means positive


@dataclass(frozen=True)
class PolicySpec:
    """The policy a queue file asks for, in score units.

    Hard None = nothing is automatic, soft None = everything goes to people.
    """

    hard: float | None
    soft: float | None
    suggest: float
    control_share: float
    objective: str
    audit_budget: int = 0  # of what is passed, so many a day go to people, blind
    precision_target: float | None = None  # what HARD shall reach, as a share
    overload_soft: float | None = None  # how far overload may raise `soft`; None = not at all
    control_floor: float | None = None  # how far overload may lower `control_share`; None = not at all
    audit_floor: int | None = None  # how far overload may lower `audit_budget`; None = not at all


@dataclass(frozen=True)
class Group:
    """A payload field whose groups are compared for fairness.

    A category field's categories are the groups; a numeric one is cut at `edges`: [-inf, e1), [e1, e2) ... [en, inf).
    """

    field: str
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Promise:
    """What each policy must reach on the queue's frozen historical set before it may go live; None = no promise."""

    precision: float | None = None  # of HARD
    recall: float | None = None  # of HARD and SOFT together


@dataclass(frozen=True)
class Need:
    """What an item asks of a person: one skill of all items, or a skill that the value of a payload field names.

    `values` are those that need it; a category field without them: each of its categories.
    """

    skill: str = ""
    field: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crowd:
    """What people in the crowd may take: tasks of these purposes, up to a value at stake (None = any). Nothing else."""

    purposes: tuple[str, ...] = ()
    up_to: float | None = None


@dataclass(frozen=True)
class Quality:
    """How people's answers are checked."""

    gold_share: float = 0.02  # of a person's answers, at least so many are followed by a gold item; 0 = none
    second_share: float = 0.0  # of a person's soft answers, at least so many get a second opinion; 0 = none
    most_share: float = 0.2  # of who is new or errs
    onboarding: int = 0  # gold items that a person answers before their first item here; 0 = none
    pass_mark: float = 0.8  # of them, so many have to be right
    error_limit: float | None = None  # who is surely above it is paused; None = nobody is


@dataclass(frozen=True)
class Confirm:
    """From which value at stake on a second person confirms an override, of each kind; None = nobody has to.

    An item without a value is above all of them. `expires`: so long the override waits for that person.
    """

    reverse_hard: float | None = None
    override_pass: float | None = None
    reverse_ruling: float | None = None
    expires: timedelta = timedelta(hours=72)

    def asks(self, act: str, value: float | None) -> bool:
        """Say whether an override under this right needs a second person."""
        least: float | None = getattr(self, act, None)
        return least is not None and (value is None or value >= least)


@dataclass(frozen=True)
class Appeals:
    """How many appeals an item may have, one after another (0 = none), and how long after what they are against."""

    most: int = 1
    within: timedelta | None = None  # None = at any time


@dataclass(frozen=True)
class Spec:
    """All that defines a queue. Times are durations; `timezone` (IANA) decides what a day is."""

    slug: str
    title: str
    question: str
    guideline: str
    owner: str  # who is accountable: an e-mail address
    bears_cost: str  # who bears the cost of an error
    outcomes: tuple[Outcome, ...]
    routes: Routes
    fields: tuple[PayloadField, ...]
    policy: PolicySpec
    model: ModelSpec = ModelSpec()
    value: ValueFormula = ValueFormula()
    promise: Promise = Promise()
    quality: Quality = Quality()
    confirm: Confirm = Confirm()
    appeals: Appeals = Appeals()
    groups: tuple[Group, ...] = ()
    deadlines: Deadlines = Deadlines()
    calendar: Calendar = Calendar()
    expiry: Expiry = Expiry()
    needs: tuple[Need, ...] = ()  # skills and languages
    sensitive: tuple[Need, ...] = ()  # what a person may opt out of seeing: fields only
    crowd: Crowd = Crowd()
    overload: Overload = Overload()
    training: Training = Training()
    filter: Filter = Filter()
    watcher: str = ""  # who is told of alerts: an e-mail address; "" = the owner
    four_eyes: bool = True  # a second person approves a policy
    heuristics: tuple[Heuristic, ...] = ()
    subject_field: str = ""
    segment_field: str = ""
    value_field: str = ""
    order: Order = Order.ARRIVAL
    sla: timedelta = timedelta(hours=24)
    sla_step: timedelta = timedelta(minutes=15)  # deadlines are rounded up to it; within a step `order` decides
    lease: timedelta = timedelta(minutes=5)
    undo: timedelta = timedelta(seconds=10)
    cap: int = 5  # items one person may hold; at least 2, for the next card is held too
    hide_suggestion: bool = False
    outside_acts: bool = False  # an outside truth causes the action of its outcome; else it only teaches
    expire_to: str = ""  # the outcome that an item past its deadline falls to where the rule is to act
    timezone: str = "UTC"
    failed_check_routes: tuple[
        str, ...
    ] = ()  # "hard"/"pass" where the owner allows a machine to act on items that failed a check
    fallback_routes: tuple[str, ...] = ()  # the same for scores that came from a rung below the model

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def sla_of(self, purpose: str) -> timedelta:
        """Return the business time within which a task of this purpose is decided; gold waits among the soft ones."""
        return getattr(self.deadlines, "soft" if purpose == "gold" else purpose) or self.sla

    def outcome(self, key: str) -> Outcome | None:
        """Return the outcome with this key, or None."""
        return next((o for o in self.outcomes if o.key == key), None)

    def payload_field(self, name: str) -> PayloadField | None:
        """Return the payload field with this name, or None."""
        return next((f for f in self.fields if f.name == name), None)
