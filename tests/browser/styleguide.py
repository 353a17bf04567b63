"""What the style guide shows: made-up values for every part of the design system."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory, override_settings
from django.urls import include, path

PAGE = Path(__file__).resolve().parent.parent / "templates" / "styleguide.html"
urlpatterns = [path("i18n/", include("django.conf.urls.i18n"))]  # the page needs no other address
NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
KINDS = (
    "hard soft pass none review control audit second gold appeal escalation simulated override reversal".split()  # noqa: SIM905 - one word each
)


class Filters(forms.Form):
    """A filter bar."""

    who = forms.CharField(label="Who", required=False)
    route = forms.ChoiceField(label="Route", choices=[("", "Any"), ("hard", "Hard")], required=False)
    since = forms.DateField(label="Since", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    mark_optional = False


class Sample(forms.Form):
    """One field of each sort, some of them wrong."""

    why = forms.CharField(label="Why", help_text="It stands in the record.")
    hard = forms.FloatField(label="Hard cut", max_value=1)
    objective = forms.ChoiceField(label="Objective", choices=[("cost", "Least cost"), ("recall", "Recall")])
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    when = forms.ChoiceField(
        label="When", choices=[("now", "At once"), ("night", "Tonight")], widget=forms.RadioSelect, initial="now"
    )
    is_sure = forms.BooleanField(label="A second person has seen it", required=False)


def render(user: Any = None) -> str:
    """The whole page, as a person would get it."""
    request: HttpRequest = RequestFactory().get("/")
    request.user = user or AnonymousUser()
    with override_settings(ROOT_URLCONF=__name__):
        return engines["django"].from_string(PAGE.read_text()).render(context(), request)


def fragment(more: int) -> str:
    """What a poll of the backlog brings when that many tasks more wait."""
    chart = backlog()
    for row in chart["rows"]:
        row["values"] = [value + more for value in row["values"]]
    return engines["django"].get_template("partials/chart.html").render({"chart": chart})


def context() -> dict[str, Any]:
    """Values for every part."""
    return {
        "nav": navigation(),
        "queue": "emails",
        "queues": [
            {"label": "Emails", "url": "#emails", "active": True, "waiting": 1284},
            {"label": "Credit applications", "url": "#credit", "active": False, "waiting": 96},
        ],
        "kinds": KINDS,
        "icons": icons(),
        "arrivals": arrivals(),
        "backlog": backlog(),
        "filters": Filters({"who": "", "route": "hard"}),
        "chips": [{"label": "Route: hard", "url": "?"}],
        "form": Sample({"hard": "7", "objective": "cost", "when": "now"}),
        "rows": overrides(),
        "fields": payload(),
        "life": life(),
    }


def icons() -> list[str]:
    """The names of our drawings."""
    return re.findall(r'symbol id="([\w-]+)"', (Path(settings.BASE_DIR) / "static/img/icons.svg").read_text())


def navigation() -> list[dict[str, Any]]:
    """The workplaces, the first one open."""
    labels = [
        ("Review", "review", "g q"),
        ("Floor", "floor", "g d"),
        ("Audit", "audit", "g a"),
        ("Policy", "policy", ""),
    ]
    return [
        {"label": label, "url": f"#{icon}", "icon": icon, "key": key, "active": icon == "floor"}
        for label, icon, key in labels
    ]


def arrivals() -> dict[str, Any]:
    """A day of arrivals against decisions, with a forecast and its band."""
    hours = [NOW - timedelta(hours=23 - n) for n in range(24)]
    rows = [
        {
            "at": int(at.timestamp() * 1000),
            "text": at.strftime("%d %b %H:%M"),
            "values": [round(40 + 25 * (n % 12) ** 0.5, 1), 30 + 3 * n if n < 20 else None, 70 + n, 50 + n],
        }
        for n, at in enumerate(hours)
    ]
    series = [
        {"label": "Arrivals", "hue": "accent", "style": "line"},
        {"label": "Decisions", "hue": "soft", "style": "line", "dash": True},
        {"label": "Forecast, low", "hue": "pass", "quiet": True},
        {"label": "Forecast, high", "hue": "pass", "style": "band"},
    ]
    return {
        "id": "arrivals",
        "title": "Arrivals against decisions",
        "note": "last 24 h · 4 s old",
        "x": {"kind": "time", "label": "Hour", "zone": "Europe/Berlin"},
        "y": {"label": "Items per hour"},
        "series": series,
        "rows": rows,
        "marks": [{"label": "policy 7 live", "x": rows[15]["at"]}],
    }


def backlog() -> dict[str, Any]:
    """Waiting tasks by age, stacked by purpose."""
    ages = ["< 1 h", "1-4 h", "4-24 h", "> 1 day"]
    rows = [{"at": n, "text": age, "values": [300 - 60 * n, 80 - 15 * n, 20]} for n, age in enumerate(ages)]
    return {
        "id": "backlog",
        "title": "Backlog by age and purpose",
        "note": "now · 4 s old",
        "stacked": True,
        "x": {"kind": "category", "label": "Age"},
        "y": {"label": "Tasks"},
        "series": [
            {"label": "Review", "hue": "soft", "style": "bar"},
            {"label": "Control", "hue": "hard", "style": "bar"},
            {"label": "Audit", "hue": "pass", "style": "bar"},
        ],
        "rows": rows,
    }


def overrides() -> list[SimpleNamespace]:
    """Rows of a log."""
    return [
        SimpleNamespace(
            at=NOW, who="Ada Lovelace", item="mail-0004821", route="hard", before="Spam", after="Not spam",
            reason="Known sender", value="120.00", simulated=False,
        ),
        SimpleNamespace(
            at=NOW - timedelta(minutes=9), who="Robin", item="mail-0004655", route="soft", before="Not spam",
            after="Spam", reason="Phishing link", value="15.50", simulated=True,
        ),
        SimpleNamespace(
            at=NOW - timedelta(hours=3), who="林小雨", item="loan-118", route="pass", before="Approve", after="Decline",
            reason="Income not shown", value="24,000.00", simulated=False,
        ),
    ]  # fmt: skip


def payload() -> list[dict[str, Any]]:
    """One field of each type, with what can be wrong with it."""
    tree = {
        "key": None,
        "children": [{"key": "spf", "text": '"fail"'}, {"key": "hops", "children": [{"key": 0, "text": "3"}]}],
    }
    return [
        {"label": "Subject", "type": "line", "value": "You have won"},
        {"label": "Body", "type": "text", "value": "Dear friend,\nclick here.\n\nYours"},
        {"label": "Amount", "type": "money", "value": 24000, "text": "24,000.00", "unit": "EUR"},
        {"label": "Income", "type": "money", "missing": True, "problem": "Required, but the sender left it out."},
        {"label": "Age", "type": "number", "value": 212, "problem": "Out of range: 18 to 110."},
        {"label": "Link", "type": "link", "value": "https://example.org/a"},
        {"label": "Headers", "type": "json", "node": tree},
        {"label": "Markup", "type": "html", "value": "<b onclick=alert(1)>inert</b>"},
    ]


def life() -> list[dict[str, Any]]:
    """An item's life."""
    return [
        {"icon": "inbox", "title": "Arrived", "at": NOW, "who": "mail gateway"},
        {"icon": "soft", "tone": "soft", "title": "Routed: soft", "at": NOW, "text": "Score 0.71 under policy 7."},
        {"icon": "check", "tone": "good", "title": "Decided: spam", "at": NOW, "who": "Robin", "simulated": True},
        {"icon": "send", "title": "Told the receiver", "at": NOW, "text": "Delivered at the first attempt."},
    ]
