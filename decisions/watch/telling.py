"""An alert in plain words: what is off, and how much; for pages and mails alike."""

from collections.abc import Callable

from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.models import Alert, Grade, Item, User
from decisions.queues.spec_time import OverloadRule
from decisions.watch.signals import Against


def what(alert: Alert) -> str:
    """Return what is off, in a few words."""
    part, _colon, name = alert.key.partition(":")
    words = {
        Alert.Kind.VOLUME: _("the share of %(name)s"),
        Alert.Kind.SCORES: _scores(part),
        Alert.Kind.MISSING: _("missing values of %(name)s"),
        Alert.Kind.UNSEEN: _("unseen categories of %(name)s"),
        Alert.Kind.OVERRIDES: _("the override rate under %(name)s"),
        Alert.Kind.PRECISION: _("the precision of hard actions under %(name)s"),
        Alert.Kind.CANARY: _("the canary %(name)s"),
        Alert.Kind.ACCOUNTS: _("the sum of what was accepted"),
        Alert.Kind.OVERLOAD: _("overload: %(name)s"),
        Alert.Kind.BACKLOG: _("the backlog"),
        Alert.Kind.PAUSED: _("the work of %(name)s"),
        Alert.Kind.SHADOW: _("the model in shadow %(name)s"),
        Alert.Kind.FILTER: _("the filter"),
    }
    return words[Alert.Kind(alert.kind)] % {"name": _named(alert, part, name)}


def sentence(alert: Alert) -> str:
    """Return what was measured, and against what."""
    kind, told = alert.kind, alert.figures
    if kind in (own := _own()):
        return own[kind](alert)
    if kind == Alert.Kind.SCORES:
        return _("The mix of scores moved: PSI %(psi)s in %(rows)s, %(against)s.") % {
            "psi": formats.number_format(told["psi"], 2),
            "rows": _last(alert),
            "against": _against(alert),
        }
    if "share" in told and "before" in told:
        return _shares()[kind] % {
            "share": _percent(told["share"]),
            "before": _percent(told["before"]),
            "rows": _last(alert),
            "against": _against(alert),
        }
    return _canary(alert)


def compared(alert: Alert) -> str:
    """Return which rows were compared with which, in the queue's time; "" where a signal is no comparison."""
    told = alert.figures
    moments = [parse_datetime(str(told.get(name, ""))) for name in ("from", "to", "before_from", "before_to")]
    if None in moments:
        return ""
    zone = alert.queue.spec.zone
    times = [formats.date_format(localtime(at, zone), "SHORT_DATETIME_FORMAT") for at in moments if at]
    return _(
        "Compared: %(rows)s rows from %(start)s to %(end)s with %(rows_before)s rows from %(before_start)s to "
        "%(before_end)s. Without a change, so great a difference has a probability of %(p)s."
    ) % {
        "rows": formats.number_format(told["rows"], force_grouping=True),
        "rows_before": formats.number_format(told["rows_before"], force_grouping=True),
        **dict(zip(("start", "end", "before_start", "before_end"), times, strict=True)),
        "p": f"{told['p']:.1g}",
    }


def _own() -> dict[str, Callable[[Alert], str]]:
    """Return what speaks of signals that are no comparison of rows."""
    return {
        Alert.Kind.PRECISION: _precision,
        Alert.Kind.ACCOUNTS: _accounts,
        Alert.Kind.OVERLOAD: _overload,
        Alert.Kind.BACKLOG: _backlog,
        Alert.Kind.PAUSED: _paused,
        Alert.Kind.SHADOW: _shadow,
        Alert.Kind.FILTER: _filter,
    }


def rules() -> dict[str, str]:
    """Return what each overload rule does, in words."""
    return {
        OverloadRule.THRESHOLD: _("raise the soft cut: more passes"),
        OverloadRule.CROWD: _("call the crowd"),
        OverloadRule.STRETCH: _("stretch deadlines"),
        OverloadRule.SECONDS: _("stop second opinions"),
        OverloadRule.CONTROL: _("lower the control share to its floor"),
        OverloadRule.AUDIT: _("lower audits to their floor"),
    }


def _overload(alert: Alert) -> str:
    told = alert.figures
    load = told.get("load")
    return _(
        "This rule of the queue is in force. What must be done was %(load)s times what can be done by then, "
        "%(late)s tasks would have been late, and %(backlog)s waited."
    ) % {
        "load": "∞" if load is None else formats.number_format(load, 2),
        "late": formats.number_format(told["at_risk"], force_grouping=True),
        "backlog": formats.number_format(told["backlog"], force_grouping=True),
    }


def _filter(alert: Alert) -> str:
    told = alert.figures
    return _(
        "Of %(answered)s items that the filter blocked and people answered, the model was wrong about %(share)s, at "
        "most %(high)s; blocks pay above %(even)s. It was turned off: the model acts without it until somebody turns "
        "it on again."
    ) % {
        "answered": formats.number_format(told["answered"], force_grouping=True),
        "share": _percent(told["precision"]),
        "high": _percent(told["high"]),
        "even": _percent(told["even"]),
    }


def _shadow(alert: Alert) -> str:
    told = alert.figures
    return _(
        "The model failed %(strikes)s times in a row (%(code)s), so it was taken out of shadow. It had scored "
        "%(scored)s items; %(failed)s could not be scored. What routes is not touched."
    ) % {
        "strikes": told["strikes"],
        "code": told["code"],
        "scored": formats.number_format(told["scored"], force_grouping=True),
        "failed": formats.number_format(told["failed"], force_grouping=True),
    }


def _backlog(alert: Alert) -> str:
    told = alert.figures
    by = parse_datetime(str(told["first_breach"]))
    assert by is not None
    return _(
        "Lately %(demand)s items an hour came for people, %(usual)s would be usual. If that goes on, the first "
        "deadline will be missed by %(by)s."
    ) % {
        "demand": formats.number_format(told["demand"], 1),
        "usual": formats.number_format(told["usual"], 1),
        "by": formats.date_format(localtime(by, alert.queue.spec.zone), "SHORT_DATETIME_FORMAT"),
    }


def _paused(alert: Alert) -> str:
    """Say why, and who can let them go on; how often they erred their own page and that of leads says."""
    if alert.figures.get("why") == Grade.Why.FAILED:
        return _("They did not pass the set that comes before the first item, and are paused until a lead lifts that.")
    return _("Too many of their answers that were checked were wrong: they are paused until a lead lifts that.")


def _shares() -> dict[str, str]:
    return {
        Alert.Kind.VOLUME: _("%(share)s of %(rows)s took this route; it was %(before)s %(against)s."),
        Alert.Kind.MISSING: _("%(share)s of %(rows)s lack it; it was %(before)s %(against)s."),
        Alert.Kind.UNSEEN: _("%(share)s of %(rows)s have a category not seen before; it was %(before)s %(against)s."),
        Alert.Kind.OVERRIDES: _("People decided otherwise in %(share)s of %(rows)s; it was %(before)s %(against)s."),
    }


def _scores(part: str) -> str:
    if part == "segment":
        return _("the mix of scores in the segment “%(name)s”")
    return _("the mix of scores from the source “%(name)s”") if part == "source" else _("the mix of scores")


def _precision(alert: Alert) -> str:
    told = alert.figures
    return _(
        "Of %(labels)s controls that people decided, %(found)s were right: "
        "fewer than the target of %(target)s, beyond chance."
    ) % {
        "labels": formats.number_format(told["labels"], force_grouping=True),
        "found": _percent(told["precision"]),
        "target": _percent(told["target"]),
    }


def _accounts(alert: Alert) -> str:
    """Say what of an hour is missing, or is there more than once."""
    told = alert.figures
    hour = parse_datetime(str(told["from"]))
    words = {
        "accepted": formats.number_format(told["accepted"], force_grouping=True),
        "found": formats.number_format(told["found"], force_grouping=True),
        "hour": formats.date_format(localtime(hour, alert.queue.spec.zone), "SHORT_DATETIME_FORMAT") if hour else "",
    }
    more = _("Calls accepted %(accepted)s items in the hour from %(hour)s, and %(found)s are there.")
    fewer = _("Calls accepted %(accepted)s items in the hour from %(hour)s; only %(found)s have a place.")
    return (more if told["found"] > told["accepted"] else fewer) % words


def _canary(alert: Alert) -> str:
    """Say which sign the guard found off."""
    told = alert.figures
    signs = {
        "hard_share": _(
            "It was rolled back by itself: %(share)s of its items were hard actions, %(other)s of the live policy's."
        ),
        "override_rate": _(
            "It was rolled back by itself: people overrode %(share)s of it, and %(other)s of the live policy."
        ),
        "precision": _("It was rolled back by itself: %(share)s of its controls were right, the target is %(target)s."),
    }
    words = signs.get(str(told.get("sign")), _("It was rolled back by itself."))
    figures = {"share": told.get("share"), "other": told.get("live_share"), "target": told.get("target")}
    return words % {name: _percent(value or 0.0) for name, value in figures.items()}


def _named(alert: Alert, part: str, name: str) -> str:
    """Return whom or what a key names."""
    if part == "route":
        return {
            Item.Route.HARD: _("hard actions"),
            Item.Route.SOFT: _("items for people"),
            Item.Route.PASS: _("passes"),
        }[Item.Route(name)]
    if part == "field":
        field = alert.queue.spec.payload_field(name)
        return field.label if field else name
    if part == "person":
        return str(User.objects.get(pk=name))
    if part == "rule":
        return rules()[name]
    words = {
        "policy": _("policy %(name)s"),
        "model": _("model %(name)s"),
    }
    return words[part] % {"name": name} if part in words else name


def _last(alert: Alert) -> str:
    n = alert.figures.get("rows", 0)
    number = formats.number_format(n, force_grouping=True)
    if alert.kind == Alert.Kind.OVERRIDES:
        return ngettext("the last decision", "the last %(number)s decisions", n) % {"number": number}
    return ngettext("the last item", "the last %(number)s items", n) % {"number": number}


def _against(alert: Alert) -> str:
    """Return in words with what it was compared."""
    words = {
        Against.WEEKS.value: _("in the same hours of earlier weeks"),
        Against.DAYS.value: _("in the same hours of the days before"),
        Against.ALL.value: _("before"),
        Against.NEAR.value: _("in the hour before"),
    }
    return words.get(alert.figures.get("against", ""), "")


def _percent(share: float) -> str:
    return f"{formats.number_format(100 * share, 1)} %"
