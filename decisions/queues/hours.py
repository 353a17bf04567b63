"""What times a spec may name: spans that fit into each other, opening hours in order, deadlines that can be met."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta

from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.queues import units
from decisions.queues.references import missing
from decisions.queues.spec import Spec
from decisions.queues.spec_time import Deadlines, Lapsed, OverloadRule

Faults = Iterator[Fault]
SECOND = timedelta(seconds=1)
MOST_WEEKS = 104  # of opening hours that a deadline may take
MOST_HOLIDAYS = 1_000
LAST = frozenset({OverloadRule.CONTROL, OverloadRule.AUDIT})
KEYS = {"soft": "expire_to", "control": "control_to"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def times(spec: Spec) -> Faults:
    """Check the sla, its step, the lease and the deadlines of purposes against each other."""
    for name in ("sla_step", "lease"):
        if getattr(spec, name) < SECOND:
            yield Fault(name, "range", _("must be longer than nothing"))
    spans = _spans(spec)
    for path, span in spans.items():
        if span < SECOND:
            yield Fault(path, "range", _("must be longer than nothing"))
        if span <= spec.lease:
            yield Fault(path, "order", _("must be longer than the lease"))
    if spec.sla_step > spec.sla:
        yield Fault("sla_step", "order", _("must not be longer than the sla"))


def calendar(spec: Spec) -> Faults:
    """Check that hours can be read, follow each other, and that a day has at most one rule of its own."""
    for name in WEEKDAYS:
        yield from _day(f"calendar.{name}", getattr(spec.calendar, name))
    days = [holiday.day for holiday in spec.calendar.holidays]
    if len(days) > MOST_HOLIDAYS:
        yield Fault("calendar.holidays", "range", _("must be at most %(most)d") % {"most": MOST_HOLIDAYS})
    if days and spec.calendar.is_always_open:
        yield Fault("calendar.holidays", "order", _("mean nothing without the hours of a weekday"))
    for n, holiday in enumerate(spec.calendar.holidays):
        if holiday.day in days[:n]:
            yield Fault(f"calendar.holidays[{n}].day", "twice", _("“%(word)s” is there twice") % {"word": holiday.day})
        yield from _day(f"calendar.holidays[{n}].hours", holiday.hours)


def reach(spec: Spec) -> Faults:
    """Check that no deadline takes longer than two years of the opening hours there are."""
    try:
        week = sum(closes - opens for day in spec.calendar.week for opens, closes in map(units.hours, day))
    except ValueError:
        return  # told by `calendar`
    for path, span in _spans(spec).items() if week else ():
        if span > timedelta(minutes=week) * MOST_WEEKS:
            yield Fault(path, "range", _("is longer than two years of these opening hours"))


def expiry(spec: Spec) -> Faults:
    """Check that whatever is to be acted on by itself has an outcome, and that one which is named is there."""
    named = [o.key for o in spec.outcomes]
    for path, key in (("expire_to", spec.expire_to), ("expiry.control_to", spec.expiry.control_to)):
        if key and key not in named:
            yield missing(path, key, named)
    rules = {"soft": spec.expire_to, "control": spec.expiry.control_to or spec.expire_to}
    for name, outcome in rules.items():
        if getattr(spec.expiry, name) == Lapsed.ACT and not outcome:
            yield Fault(
                f"expiry.{name}", "missing", _("needs an outcome to act by: name it in %(key)s") % {"key": KEYS[name]}
            )
    if spec.expiry.control_to and spec.expiry.control not in (None, Lapsed.ACT):
        yield Fault("expiry.control_to", "order", _("has no effect unless control is “act”"))


def overload(spec: Spec) -> Faults:
    """Check the rules for when it does not fit: their order, and that they let go below where they begin."""
    asked = spec.overload
    for n, rule in enumerate(asked.order):
        if rule in asked.order[:n]:
            yield Fault(f"overload.order[{n}]", "twice", _("“%(word)s” is there twice") % {"word": rule})
        if rule in LAST and not set(asked.order[n:]) <= LAST:
            yield Fault(f"overload.order[{n}]", "order", _("control and audit come last"))
    if not 0 < asked.begin_load <= 100:
        yield Fault("overload.begin_load", "range", _("must be above 0 and at most 100"))
    if not 0 < asked.end_load < asked.begin_load:
        yield Fault("overload.end_load", "order", _("must be above 0 and below begin_load"))
    if asked.begin_late < 1:
        yield Fault("overload.begin_late", "range", _("must be 1 or more"))
    if asked.rest < SECOND * 60:
        yield Fault("overload.rest", "range", _("must be a minute or more"))
    if not 1 < asked.stretch <= 10:
        yield Fault("overload.stretch", "range", _("must be above 1 and at most 10"))


def _spans(spec: Spec) -> dict[str, timedelta]:
    """Return the deadlines by the paths of their keys."""
    own = ((f"deadlines.{field.name}", getattr(spec.deadlines, field.name)) for field in fields(Deadlines))
    return {"sla": spec.sla, **{path: span for path, span in own if span is not None}}


def _day(path: str, given: tuple[str, ...]) -> Faults:
    """Check the hours of one day."""
    end = 0
    for n, text in enumerate(given):
        try:
            opens, closes = units.hours(text)
        except ValueError:
            yield Fault(f"{path}[{n}]", "hours", _("must be hours such as “09:00-17:30”, up to “24:00”"))
            continue
        if opens < end:
            yield Fault(f"{path}[{n}]", "order", _("begins before the hours in front of it end"))
        end = max(end, closes)
