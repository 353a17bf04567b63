"""How far people lean on suggestions, and what their overrides say is to be mended."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import trust, trust_words
from decisions.measure.accuracy import Rate
from decisions.measure.reliance import Reliance
from decisions.measure.trust import Told, Trust
from decisions.models import ProposalAnswer, Queue
from decisions.record import log
from decisions.rights import Act
from decisions.work import proposed
from reviewqueue.api import auth, days, shapes, shapes_trust
from reviewqueue.api.door import Door, answer, once, queue_named

QUERY = days.parameters(trust.MOST_DAYS)
RATES = ("shown", "hidden", "followed_shown", "followed_hidden", "refused", "hasty", "overridden")


class TrustDoor(Door):
    scopes = frozenset({"read", "manage", "audit"})
    refusals = ("400",)

    @extend_schema(
        operation_id="queue_trust",
        summary="Agreement with suggestions shown and hidden, warnings, reasons and proposals",
        parameters=QUERY,
        responses=shapes_trust.TrustShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, person = queue_named(request, queue), auth.of(request).user
        rights.require(person, Act.READ_RECORD, queue_id=found.pk)
        span = days.asked(request, found, log.now(), most=trust.MOST_DAYS)
        return answer(_shown(trust.of_queue(found, person, span.start, span.end, at=log.now()), found))


class MyTrust(Door):
    scopes = frozenset({"review"})
    refusals = ("400",)

    @extend_schema(
        operation_id="my_trust",
        summary="How far you lean on suggestions yourself",
        description="Nobody else's figures.",
        parameters=QUERY,
        responses=shapes_trust.RelianceShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        span = days.asked(request, found, log.now(), most=trust.MOST_DAYS)
        own = trust.of_person(found, auth.of(request).user, span.start, span.end, at=log.now())
        return answer(_reliance(own))


class AnswerProposal(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="answer_proposal",
        summary="Take up a proposal, or dismiss it with a reason",
        description="It must stand by the decisions of the last 28 days, or of the days named.",
        parameters=QUERY,
        request=shapes_trust.ProposalAsked,
        responses=shapes_trust.AnswerShape,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        asked = shapes.read(shapes_trust.ProposalAsked, request)
        span = days.asked(request, found, log.now(), most=trust.MOST_DAYS)
        told = proposed.answer(
            queue=found,
            kind=asked["kind"],
            key=asked["key"],
            is_taken=asked["is_taken"],
            why=asked.get("why", ""),
            by=auth.of(request).user,
            within=(span.start, span.end),
        )
        return answer(_answer(told))


def _shown(found: Trust, queue: Queue) -> dict[str, Any]:
    return {
        "start": found.start,
        "end": found.end,
        "decisions": found.decisions,
        "simulated": found.simulated,
        "whole": _reliance(found.whole),
        "over_time": [
            {"start": one.start, "shown": _rate(one.shown), "hidden": _rate(one.hidden)} for one in found.moments
        ],
        "people": None
        if found.people is None
        else [
            {"person": one.user.pk, "name": str(one.user), "reliance": _reliance(one.reliance)} for one in found.people
        ],
        "currency": found.currency,
        "reasons": [
            {
                "code": one.code,
                "overrides": one.n,
                "money": one.money,
                "segment": one.segment,
                "in_segment": one.in_segment,
            }
            for one in found.reasons
        ],
        "proposals": [_proposal(one, queue) for one in found.proposals],
        "signals": [
            {
                "item": one.pk,
                "external_id": one.external_id,
                "skips": one.skips,
                "holds": one.holds,
                "reopened": one.reopened,
                "reversed": one.reversed,
                "notes": one.notes,
                "seconds": one.seconds,
            }
            for one in found.signals.items
        ],
    }


def _proposal(told: Told, queue: Queue) -> dict[str, Any]:
    one = told.proposal
    return {
        "kind": one.kind,
        "key": one.key,
        "sentence": trust_words.proposal(one, queue.spec),
        "reason": one.reason,
        "segment": one.segment,
        "cut": one.cut,
        "answer": _answer(told.answer) if told.answer else None,
    }


def _answer(told: ProposalAnswer) -> dict[str, Any]:
    return {"is_taken": told.is_taken, "why": told.why, "person": told.person_id, "at": told.at}


def _reliance(one: Reliance) -> dict[str, Any]:
    gap = one.gap
    return {
        **{name: _rate(getattr(one, name)) for name in RATES},
        "wrong": _rate(one.errors),
        "gap": {"value": gap.value, "low": gap.low, "high": gap.high, "covered": gap.covered},
        "warnings": [{"kind": told.kind, "sentence": trust_words.warning(told)} for told in one.warnings],
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "low": rate.low, "high": rate.high, "hits": rate.hits, "n": rate.n}
