"""What a spec must fulfil beyond the types of its values: forms, ranges, and references that lead somewhere."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.queues import asks, filtering, hours, retrain
from decisions.queues.references import missing
from decisions.queues.spec import (
    NUMERIC,
    FieldType,
    Heuristic,
    Money,
    Order,
    PayloadField,
    PolicySpec,
    Spec,
    Truth,
)

if TYPE_CHECKING:
    from decisions.models import Policy

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
PLACES = frozenset({"alerts", "inventory"})  # pages stand there in the addresses of queues
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
CARD_KEYS = frozenset("axecbBszl?jkg/")  # what the review card does by itself
ADDRESSES = frozenset({"alerts", "inventory"})  # pages that stand where a queue's would
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(days=90)  # for a second person
MOST_APPEALS = 10
MOST_AUDITS = 1_000_000
MOST_ONBOARDING = 200
MOST_CHECKED = 0.5  # of answers: more would be an examination, not work
OPERATORS = ("<", "<=", "==", "!=", ">=", ">", "in")
PIPELINES = ("", "boosting", "logistic")
MACHINE_ROUTES = ("hard", "pass")
SEGMENT_TYPES = frozenset({FieldType.TEXT, FieldType.CATEGORY, FieldType.BOOLEAN})
SUBJECT_TYPES = frozenset({FieldType.TEXT, FieldType.CATEGORY, FieldType.LINK, FieldType.INTEGER})
INCOMPARABLE = frozenset({FieldType.BOOLEAN, FieldType.JSON})
Faults = Iterator[Fault]


def faults(spec: Spec, unread: Collection[str] = ()) -> list[Fault]:
    """Return what is wrong with a spec; a check is left out where what it reads could not be read (paths `unread`)."""
    sections = {re.split(r"[.\[]", path)[0] for path in unread}
    found = (fault for check, reads in CHECKS if sections.isdisjoint(reads) for fault in check(spec))
    typeless = {path.removesuffix(".type") for path in unread if path.endswith(".type")}
    return [f for f in found if f.field not in unread and f.field.rpartition(".")[0] not in typeless]


def head(spec: Spec) -> Faults:
    if not SLUG.fullmatch(spec.slug):
        yield Fault("slug", "form", _("must be 1 to 50 of a-z, 0-9, - and _, and begin with a letter or digit"))
    if spec.slug in PLACES:
        yield Fault("slug", "taken", _("is the address of a page of the site"))
    if spec.slug in ADDRESSES:
        yield Fault("slug", "taken", _("is an address of the site itself; choose another one"))
    if len(spec.title) > 120:
        yield Fault("title", "range", _("must have at most 120 characters"))
    yield from address("owner", spec.owner, _("must be the e-mail address of the person who is accountable"))
    if spec.watcher:
        yield from address("watcher", spec.watcher, _("must be the e-mail address of the person who is told of alerts"))
    yield from zone(spec.timezone)
    if not 2 <= spec.cap <= 100:
        yield Fault("cap", "range", _("must be from 2 to 100: the next card is held too"))


def address(path: str, email: str, detail: str) -> Faults:
    try:
        validate_email(email)
    except ValidationError:
        yield Fault(path, "email", detail)


def zone(name: str) -> Faults:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        detail = _("is not a time zone; name one such as “Europe/Madrid”")
        near = get_close_matches(name, available_timezones(), 1)
        yield Fault("timezone", "unknown", f"{detail} ({near[0]}?)" if near else detail)


def outcomes(spec: Spec) -> Faults:
    if len(spec.outcomes) < 2:
        yield Fault("outcomes", "range", _("must be at least two"))
    yield from twice("outcomes", "key", [o.key for o in spec.outcomes])
    yield from twice("outcomes", "hotkey", [o.hotkey for o in spec.outcomes])
    for n, outcome in enumerate(spec.outcomes):
        path = f"outcomes[{n}]"
        yield from code(f"{path}.key", outcome.key)
        yield from code(f"{path}.action", outcome.action)
        if len(outcome.hotkey) != 1 or not outcome.hotkey.isprintable() or outcome.hotkey == " ":
            yield Fault(f"{path}.hotkey", "form", _("must be a single character"))
        if outcome.hotkey in CARD_KEYS:
            yield Fault(f"{path}.hotkey", "taken", _("is a key of the review card itself; digits are free"))
        yield from twice(f"{path}.reasons", "code", [r.code for r in outcome.reasons])
        for m, reason in enumerate(outcome.reasons):
            yield from code(f"{path}.reasons[{m}].code", reason.code)


def routes(spec: Spec) -> Faults:
    for name, truth in (("positive", Truth.POSITIVE), ("negative", Truth.NEGATIVE)):
        yield from stands_for(spec, f"routes.{name}", getattr(spec.routes, name), truth)
    for name in ("hard_action", "soft_action", "pass_action"):
        yield from code(f"routes.{name}", getattr(spec.routes, name))
    for name in ("failed_check_routes", "fallback_routes"):
        yield from machine_routes(name, getattr(spec, name))


def stands_for(spec: Spec, path: str, key: str, truth: Truth) -> Faults:
    outcome = spec.outcome(key)
    if outcome is None:
        yield missing(path, key, [o.key for o in spec.outcomes])
    elif outcome.truth is not truth:
        names = {"key": key, "is": outcome.truth.value, "must": truth.value}
        yield Fault(path, "truth", _("“%(key)s” has the truth “%(is)s”; it must be “%(must)s”") % names)


def machine_routes(name: str, given: tuple[str, ...]) -> Faults:
    for n, route in enumerate(given):
        if route not in MACHINE_ROUTES:
            yield Fault(f"{name}[{n}]", "choice", _("must be one of: %(words)s") % {"words": ", ".join(MACHINE_ROUTES)})
    yield from twice(name, "", list(given))


def fields(spec: Spec) -> Faults:
    yield from twice("fields", "name", [f.name for f in spec.fields])
    for n, field in enumerate(spec.fields):
        yield from one_field(f"fields[{n}]", field)


def one_field(path: str, field: PayloadField) -> Faults:
    if len(field.name) > 100 or "`" in field.name or not field.name.isprintable():
        yield Fault(f"{path}.name", "form", _("must have at most 100 printable characters and no `"))
    if field.type not in NUMERIC:
        for bound in ("low", "high"):
            if getattr(field, bound) is not None:
                yield Fault(f"{path}.{bound}", "type", _("only a number has a range"))
    if field.low is not None and field.high is not None and field.low > field.high:
        yield Fault(f"{path}.low", "order", _("must not be above high"))
    if field.type is FieldType.CATEGORY and not field.categories:
        yield Fault(f"{path}.categories", "missing", _("a category needs its categories"))
    if field.type is not FieldType.CATEGORY and field.categories:
        yield Fault(f"{path}.categories", "type", _("only a field of the type category has categories"))
    yield from twice(f"{path}.categories", "", list(field.categories))


def references(spec: Spec) -> Faults:
    roles = (("subject_field", SUBJECT_TYPES), ("segment_field", SEGMENT_TYPES), ("value_field", NUMERIC))
    for name, types in roles:
        yield from refers(spec, name, getattr(spec, name), types)
    if spec.order is Order.VALUE and not spec.value_field:
        yield Fault("order", "reference", _("needs a value_field"))


def refers(spec: Spec, path: str, name: str, types: Collection[FieldType]) -> Faults:
    """Say what is wrong with the name of a payload field that must have one of some types."""
    field = spec.payload_field(name)
    if name and field is None:
        yield missing(path, name, [f.name for f in spec.fields])
    elif field is not None and field.type not in types:
        words = {"name": name, "types": ", ".join(sorted(types))}
        yield Fault(path, "type", _("the field “%(name)s” must be one of: %(types)s") % words)


def value(spec: Spec) -> Faults:
    names = ("tp", "fp", "tn", "fn", "delay_hour")
    amounts: dict[str, Money] = {name: getattr(spec.value, name) for name in names}
    for name, amount in amounts.items():
        yield from refers(spec, f"value.{name}", amount.field, NUMERIC)
    delay = spec.value.delay_hour
    for name, least in (("review_minute", spec.value.review_minute), ("delay_hour", min(delay.base, delay.factor))):
        if least < 0:
            yield Fault(f"value.{name}", "range", _("is a cost: it must not be below zero"))
    if not spec.value.currency and (spec.value.review_minute or any(a != Money() for a in amounts.values())):
        yield Fault("value.currency", "missing", _("amounts of money need a currency"))


def model(spec: Spec) -> Faults:
    m = spec.model
    if m.low >= m.high:
        yield Fault("model.low", "order", _("must be below high"))
    if m.pipeline not in PIPELINES:
        yield Fault("model.pipeline", "choice", _("must be one of: %(words)s") % {"words": ", ".join(PIPELINES[1:])})
    for n, name in enumerate(m.features):
        if spec.payload_field(name) is None:
            yield missing(f"model.features[{n}]", name, [f.name for f in spec.fields])
        if name == m.label:
            yield Fault(f"model.features[{n}]", "leak", _("is the truth itself: a model may not see it"))
    yield from twice("model.features", "", list(m.features))
    if m.pipeline:
        yield from pipeline(spec)


def pipeline(spec: Spec) -> Faults:
    for name in ("features", "label", "positive"):
        if not getattr(spec.model, name):
            yield Fault(f"model.{name}", "missing", _("a model that is trained here needs this"))
    if (spec.model.low, spec.model.high) != (0.0, 1.0):
        yield Fault("model.low", "range", _("a model that is trained here gives scores from 0 to 1"))


def heuristics(spec: Spec) -> Faults:
    for n, rule in enumerate(spec.heuristics):
        path = f"heuristics[{n}]"
        if rule.op not in OPERATORS:
            yield Fault(f"{path}.op", "choice", _("must be one of: %(words)s") % {"words": " ".join(OPERATORS)})
        if not spec.model.low <= rule.score <= spec.model.high:
            yield Fault(f"{path}.score", "range", _("must lie within the model's range"))
        field = spec.payload_field(rule.field)
        if field is None:
            yield missing(f"{path}.field", rule.field, [f.name for f in spec.fields])
        elif not operand_fits(rule, field):
            detail = _("does not fit the field: a number for numbers, a text for texts, a list of texts for “in”")
            yield Fault(f"{path}.operand", "type", detail)


def operand_fits(rule: Heuristic, field: PayloadField) -> bool:
    """Say whether a field of this type can be compared with the rule's operand; yes or no and JSON never can."""
    if field.type in INCOMPARABLE:
        return False
    if rule.op == "in":
        return isinstance(rule.operand, tuple) and bool(rule.operand) and field.type not in NUMERIC
    if field.type in NUMERIC:
        return isinstance(rule.operand, float)
    return isinstance(rule.operand, str)


def policy(spec: Spec) -> Faults:
    asked = spec.policy
    if not 0 <= asked.control_share <= 1:
        yield Fault("policy.control_share", "range", _("must be from 0 to 1"))
    yield from aims(asked.audit_budget, asked.precision_target, "policy.")
    yield from cuts(
        {"soft": asked.soft, "suggest": asked.suggest, "hard": asked.hard},
        spec.model.low,
        spec.model.high,
        "policy.",
    )
    yield from bounds(asked, "policy.")


def bounds(asked: "PolicySpec | Policy", path: str = "") -> Faults:
    """Say what is wrong with how far overload may go: soft cut, control share and audits, each from what it is."""
    highest = asked.overload_soft
    if highest is not None and asked.soft is None:
        yield Fault(f"{path}overload_soft", "order", _("without soft there is no cut to raise"))
    elif highest is not None and asked.soft is not None and highest < asked.soft:
        yield Fault(f"{path}overload_soft", "order", _("must not be below soft"))
    if highest is not None and asked.hard is not None and highest > asked.hard:
        yield Fault(f"{path}overload_soft", "order", _("must not be above %(name)s") % {"name": "hard"})
    if asked.control_floor is not None and not 0 <= asked.control_floor <= asked.control_share:
        yield Fault(f"{path}control_floor", "range", _("must be from 0 to %(name)s") % {"name": "control_share"})
    if asked.audit_floor is not None and not 0 <= asked.audit_floor <= asked.audit_budget:
        yield Fault(f"{path}audit_floor", "range", _("must be from 0 to %(name)s") % {"name": "audit_budget"})


def aims(audit_budget: int, precision_target: float | None, path: str = "") -> Faults:
    """Say what is wrong with a policy's audits a day and with the precision it aims at."""
    if not 0 <= audit_budget <= MOST_AUDITS:
        yield Fault(f"{path}audit_budget", "range", _("must be from 0 to %(most)d") % {"most": MOST_AUDITS})
    if precision_target is not None and not 0 < precision_target < 1:
        yield Fault(f"{path}precision_target", "range", _("must be above 0 and below 1"))


def promise(spec: Spec) -> Faults:
    for name in ("precision", "recall"):
        given = getattr(spec.promise, name)
        if given is not None and not 0 < given < 1:
            yield Fault(f"promise.{name}", "range", _("must be above 0 and below 1"))


def quality(spec: Spec) -> Faults:
    given = spec.quality
    for name in ("gold_share", "second_share", "most_share"):
        if not 0 <= getattr(given, name) <= MOST_CHECKED:
            yield Fault(f"quality.{name}", "range", _("must be from 0 to %(most)g") % {"most": MOST_CHECKED})
    if given.most_share < max(given.gold_share, given.second_share):
        yield Fault("quality.most_share", "order", _("must not be below the other shares"))
    if not 0 <= given.onboarding <= MOST_ONBOARDING:
        yield Fault("quality.onboarding", "range", _("must be from 0 to %(most)d") % {"most": MOST_ONBOARDING})
    if not 0 < given.pass_mark <= 1:
        yield Fault("quality.pass_mark", "range", _("must be above 0 and at most 1"))
    limit = spec.quality.error_limit
    if limit is not None and not 0 < limit < 1:
        yield Fault("quality.error_limit", "range", _("must be above 0 and below 1"))


def confirm(spec: Spec) -> Faults:
    for name in ("reverse_hard", "override_pass", "reverse_ruling"):
        least = getattr(spec.confirm, name)
        if least is not None and least < 0:
            yield Fault(f"confirm.{name}", "range", _("must not be below 0"))
    if not SHORTEST_WAIT <= spec.confirm.expires <= LONGEST_WAIT:
        yield Fault("confirm.expires", "range", _("must be from 5 min to 90 d"))


def appeals(spec: Spec) -> Faults:
    if not 0 <= spec.appeals.most <= MOST_APPEALS:
        yield Fault("appeals.most", "range", _("must be from 0 to %(most)d") % {"most": MOST_APPEALS})
    if spec.appeals.within is not None and spec.appeals.within < SHORTEST_WAIT:
        yield Fault("appeals.within", "range", _("must be at least 5 min"))


def groups(spec: Spec) -> Faults:
    for index, group in enumerate(spec.groups):
        place = f"groups[{index}]"
        field = spec.payload_field(group.field)
        if field is None:
            yield Fault(f"{place}.field", "reference", _("is not a field of the payload"))
        elif field.type in NUMERIC:
            if not group.edges or list(group.edges) != sorted(set(group.edges)):
                yield Fault(f"{place}.edges", "order", _("must be numbers that rise: where one group ends"))
        elif field.type not in (FieldType.CATEGORY, FieldType.BOOLEAN):
            yield Fault(f"{place}.field", "type", _("must be a category, a boolean or a number"))
        elif group.edges:
            yield Fault(f"{place}.edges", "unused", _("only a number is cut at edges"))
    if len({group.field for group in spec.groups}) < len(spec.groups):
        yield Fault("groups", "twice", _("names a field twice"))


def cuts(given: dict[str, float | None], low: float, high: float, path: str = "") -> Faults:
    """Say what is wrong with cuts in the order soft, suggest, hard (None = there is no such cut)."""
    there = [(name, cut) for name, cut in given.items() if cut is not None]
    for name, cut in there:
        if not low <= cut <= high:
            words = {"low": low, "high": high}
            yield Fault(f"{path}{name}", "range", _("must lie within the model's range, %(low)g to %(high)g") % words)
    for (lower, small), (upper, big) in pairwise(there):
        if small > big:
            yield Fault(f"{path}{lower}", "order", _("must not be above %(name)s") % {"name": upper})
    if given["hard"] is not None and given["soft"] is None:
        yield Fault(f"{path}hard", "order", _("without soft every item goes to people, so nothing can be hard"))


def code(path: str, given: str) -> Faults:
    if given and not CODE.fullmatch(given):
        yield Fault(path, "form", _("must be 1 to 50 of a-z, A-Z, 0-9, - _ and . and begin with a letter or digit"))


def twice(path: str, key: str, given: list[str]) -> Faults:
    """Name the later ones of values that must differ."""
    seen: Counter[str] = Counter()
    for n, word in enumerate(given):
        if seen[word]:
            yield Fault(
                f"{path}[{n}]{'.' if key else ''}{key}", "twice", _("“%(word)s” is there twice") % {"word": word}
            )
        seen[word] += 1


# Each check and the sections it reads.
CHECKS: tuple[tuple[Callable[[Spec], Faults], frozenset[str]], ...] = (
    (head, frozenset()),
    (hours.times, frozenset({"sla", "sla_step", "lease", "deadlines"})),
    (hours.overload, frozenset({"overload"})),
    (hours.calendar, frozenset({"calendar"})),
    (hours.reach, frozenset({"calendar", "sla", "deadlines"})),
    (outcomes, frozenset()),
    (routes, frozenset({"outcomes", "routes"})),
    (hours.expiry, frozenset({"outcomes", "expire_to", "expiry"})),
    (fields, frozenset()),
    (references, frozenset({"fields"})),
    (value, frozenset({"fields", "value"})),
    (model, frozenset({"fields", "model"})),
    (retrain.training, frozenset({"model", "training"})),
    (filtering.rules, frozenset({"model", "filter"})),
    (heuristics, frozenset({"fields", "model", "heuristics"})),
    (policy, frozenset({"model", "policy"})),
    (promise, frozenset({"promise"})),
    (quality, frozenset({"quality"})),
    (confirm, frozenset({"confirm"})),
    (appeals, frozenset({"appeals"})),
    (groups, frozenset({"fields", "groups"})),
    (asks.skills, frozenset({"fields", "needs", "sensitive"})),
    (asks.sensitive, frozenset({"fields", "sensitive"})),
    (asks.crowd, frozenset({"crowd"})),
)
