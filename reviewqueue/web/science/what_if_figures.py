"""The comparison of a what-if in words, and the buttons that fill in what is advised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from decisions.measure import sentences
from decisions.measure.supposed.prospects import Figure
from decisions.measure.supposed.recommend import Recommendation
from decisions.measure.supposed.sides import Row
from decisions.measure.what_if import Answer
from decisions.queues.spec import Spec
from reviewqueue.templatetags import figures

DIGITS = 4  # of a cut


@dataclass(frozen=True)
class Cell:
    """One figure as text: what it is, between what it lies, what the model guesses where it was not measured."""

    text: str
    limits: str = ""
    guess: str = ""
    why: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    label: str
    note: str
    live: Cell
    new: Cell
    gap: Cell
    strong: bool = False


def groups(answer: Answer, spec: Spec) -> list[tuple[str, list[Line]]]:
    """Return the lines under their headings."""
    titles = {
        _("Items a day"): (
            "hard",
            "control",
            "soft",
            "checks",
            "pass",
            "audits",
            "seconds",
            "people",
            "suggested",
            "queue_rate",
        ),
        _("How good it is"): ("precision", "soft_precision", "recall"),
        _("People"): ("work_hours", "capacity", "utilisation", "unreached", "backlog", "breach", "drain"),
        _("Money a day"): (
            *("worth", "review_cost", "control_cost", "audits_cost", "delayed", "delay_cost"),
            "money",
        ),
    }
    rows, words = {row.key: row for row in answer.rows}, labels()
    told = [
        (title, [_line(rows[key], *words[key], spec.value.currency) for key in keys if key in rows])
        for title, keys in titles.items()
    ]
    return [(title, lines) for title, lines in told if lines]


def labels() -> dict[str, tuple[str, str]]:
    """Return what each line is called, and what it counts."""
    return {
        "hard": (_("Hard, done by the machine"), ""),
        "control": (_("Control group of hard"), _("decided by people")),
        "soft": (_("Soft, decided by people"), ""),
        "checks": (_("Failed checks and fallback"), _("to people under any thresholds")),
        "pass": (_("Passed"), ""),
        "audits": (_("Audits of what passed"), _("decided by people, blind")),
        "seconds": (_("Second opinions on audits"), _("as often as audits found something")),
        "people": (_("All that people get"), _("soft, control, checks and audits")),
        "suggested": (_("Positive suggested"), _("of soft and control, from the suggestion's threshold up")),
        "queue_rate": (_("Queue rate"), _("their share of all items")),
        "precision": (_("Precision of hard"), _("right, of what the machine acts on")),
        "soft_precision": (_("Positives among soft"), _("of what people reach in time")),
        "recall": (_("Recall"), _("caught by machine or people, of all positives")),
        "work_hours": (_("Hours of work"), _("with control, audits and second opinions")),
        "capacity": (_("Decisions that fit in a day"), ""),
        "utilisation": (_("Utilisation"), _("above 80 % queues grow long; above 100 % without end")),
        "unreached": (_("Not reached in time"), _("what is late ends as the queue's rule says")),
        "backlog": (_("Backlog in a week"), _("in nine futures of ten between the limits")),
        "breach": (_("First broken deadline"), _("from now; by when half of the futures have broken one")),
        "drain": (_("Time to empty"), _("of the backlog there is now")),
        "worth": (_("What the routes are worth"), _("if people decide rightly")),
        "review_cost": (_("Cost of people's time"), ""),
        "control_cost": (_("of it, for the control group"), ""),
        "audits_cost": (_("of it, for audits"), ""),
        "delayed": (_("Right hard actions that wait"), _("in the control group")),
        "delay_cost": (_("Cost of that delay"), ""),
        "money": (_("What is left"), _("worth without cost")),
    }


def _line(row: Row, label: str, note: str, currency: str) -> Line:
    live, new = (_cell(figure, row, currency) for figure in (row.live, row.new))
    return Line(label, note, live, new, _cell(row.gap, row, currency, signed=True), strong=row.key == "money")


def _cell(figure: Figure, row: Row, currency: str, *, signed: bool = False) -> Cell:
    """Return a figure in words; a guess is only there beside the words that it was not measured."""

    def said(value: float) -> str:
        text = _amount(abs(value), "points" if signed and row.unit == "share" else row.unit, currency)
        sign = "\N{MINUS SIGN}" if value < 0 else "+" if signed and value > 0 else ""
        return sign + text

    limits = ""
    if figure.low is not None and figure.high is not None and (figure.low, figure.high) != (figure.value,) * 2:
        limits = _("%(low)s to %(high)s") % {"low": said(figure.low), "high": said(figure.high)}
    if figure.value is not None:
        return Cell(said(figure.value), limits)
    why = _why(figure.why)
    guess = _("the model itself expects %(guess)s") % {"guess": said(figure.guess)} if figure.guess is not None else ""
    return Cell("", limits, guess, why)


def _why(code: str) -> str:
    return {
        "no_items": _("no such items"),
        "no_positives": _("no positives found"),
        "none_found": _("no miss found"),
        "never": _("never"),
    }.get(code) or _("not measured there")


def _amount(value: float, unit: str, currency: str) -> str:
    """Return an amount, at least 0, in its unit."""
    if unit == "share":
        return figures.percent(value)
    if unit == "points":
        return _("%(n)s points") % {"n": figures.rate(value * 100)}
    if unit == "seconds":
        return figures.span(value)
    if unit == "hours":
        return _("%(n)s h") % {"n": figures.rate(value)}
    if unit == "money":
        return sentences.money(value, currency)
    return figures.rate(value)


def summary(answer: Answer) -> str:
    """Return in a sentence what changes, for those who hear the page."""
    people, work = answer.row("people"), answer.row("work_hours")
    return _("%(people)s items a day to people, %(hours)s hours of work; live: %(was)s items, %(live)s hours.") % {
        "people": figures.rate(people.new.value),
        "hours": figures.rate(work.new.value),
        "was": figures.rate(people.live.value),
        "live": figures.rate(work.live.value),
    }


def buttons(advised: Recommendation, asked: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return for each piece of advice what its button fills in, and the address that says the same without a script."""
    hard, soft, control = advised.hard, advised.soft, advised.control
    values = {
        "hard": hard.threshold if hard else None,
        "soft": soft.threshold if soft else None,
        "control_share": control.share if control else None,
    }
    found = {}
    for name, value in values.items():
        if value is not None:
            text = f"{round(value, DIGITS):g}"
            found[name] = {"name": name, "value": text, "query": urlencode({**asked, name: text})}
    return found
