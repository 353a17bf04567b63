"""What the routes won and lost, for those who pay for it."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions.measure import value_words, valued
from decisions.measure.value import Beside, Money, Route
from decisions.measure.valued import Valued, Version
from decisions.models import Item
from decisions.rights import Act
from reviewqueue.web import queues, series
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.days import DaysForm

USUAL = 28
ROUTES = dict(Item.Route.choices)


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what was won and lost in the days that the address names."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = DaysForm(request.GET, queue=queue, usual=USUAL, most=valued.MOST_DAYS)
    days = form.days()
    found = valued.read(queue, days.start, days.end, at=form.at)
    context = {
        "queue": queue,
        "form": form,
        "found": found,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
        **(_said(found, queue.spec.zone) if found else {}),
    }
    return render(request, "science/value.html", context)


def _said(found: Valued, zone: ZoneInfo) -> dict[str, Any]:
    currency = found.currency
    return {
        "sentences": [value_words.sentence(found.total, beside, currency) for beside in Beside],
        "lines": [_line(ROUTES[route], money, currency, route) for route, money in found.routes.items()],
        "total": _line(_("All routes"), found.total, currency, None),
        "checks": _amount_or_none(found.checks.value, currency),
        "cost": None if found.people.cost is None else value_words.signed(-found.people.cost, currency),
        "groups": [
            (_("By policy"), [_version(one, _policy(one.name), currency) for one in found.policies], _("Route")),
            (_("By model"), [_version(one, _model(one.name), currency) for one in found.models], _("Route")),
        ],
        "by_route": by_route(found),
        "over_time": over_time(found, zone),
    }


def _line(label: Any, money: Money, currency: str, route: Route | None) -> dict[str, Any]:
    return {
        "label": label,
        "money": money,
        "cells": [
            {
                "value": _amount_or_none(figure.value, currency),
                "low": _amount_or_none(figure.low, currency),
                "high": _amount_or_none(figure.high, currency),
                "is_exact": figure.low == figure.high,
                "sentence": value_words.sentence(money, beside, currency, route),
            }
            for beside, figure in money.beside.items()
        ],
    }


def _amount_or_none(amount: float | None, currency: str) -> str | None:
    return None if amount is None else value_words.signed(amount, currency)


def _policy(name: str) -> str:
    return _("Policy %(no)s") % {"no": name}


def _model(name: str) -> str:
    return _("Model %(name)s") % {"name": name}


def _version(one: Version, title: str, currency: str) -> dict[str, Any]:
    return {
        "title": title,
        "total": _line(_("All routes"), one.total, currency, None),
        "routes": [_line(ROUTES[route], money, currency, route) for route, money in one.routes.items()],
    }


def by_route(found: Valued) -> dict[str, Any]:
    """Return what each route won against both, with limits; a gap where it is not measured."""
    lines = [*((str(ROUTES[route]), money) for route, money in found.routes.items()), (_("All routes"), found.total)]
    return {
        "id": "value-routes",
        "title": _("Won and lost by route"),
        "note": found.currency,
        "x": {"kind": "category", "label": _("Route")},
        "y": {"label": found.currency},
        "series": [
            {"label": _("against no model"), "hue": "accent", "style": "bar"},
            {"label": _("against people deciding everything"), "hue": "plain", "style": "bar"},
        ],
        "rows": [
            {"at": place, "text": name, "values": [_rounded(money.beside[beside].value) for beside in Beside]}
            for place, (name, money) in enumerate(lines)
        ],
    }


def over_time(found: Valued, zone: ZoneInfo) -> dict[str, Any]:
    """Return what each part of the window won against no model, between its limits."""
    figures = [(one.start, one.total.beside[Beside.NO_MODEL]) for one in found.moments]
    return {
        "id": "value-time",
        "title": _("Won against no model, over time"),
        "note": _("of what arrived in each part, with 95 % limits"),
        "x": {"kind": "time", "label": _("From"), "zone": zone.key},
        "y": {"label": found.currency},
        "series": [
            {"label": _("at least"), "hue": "accent", "style": "line", "quiet": True},
            {"label": _("at most"), "hue": "accent", "style": "band"},
            {"label": _("won"), "hue": "accent", "style": "line"},
        ],
        "rows": [series.row(at, zone, [one.low, one.high, one.value], places=2) for at, one in figures],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
