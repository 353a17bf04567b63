"""The operating point in sentences, and what to do about what is not measured."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.measure import sentences
from decisions.measure.estimates import Share, Why
from decisions.measure.operating import OperatingPoint
from decisions.queues.spec import Spec


def sentence(point: OperatingPoint, spec: Spec) -> str:
    """Return what is to be read first: how much is caught, and what the audits of the rest found."""
    cost = [harm(point, spec)] if point.harm and point.harm.value is not None and point.missed.of else []
    return _joined(recall(point, spec), missed(point, spec), *cost)


def precision(point: OperatingPoint, spec: Spec) -> str:
    """Say how much of what was done automatically was right."""
    if not point.hard_items:
        return _("nothing was done automatically")
    return _share(point.hard, noun(spec))


def recall(point: OperatingPoint, spec: Spec) -> str:
    """Say how much of what there was is caught."""
    if point.missed.of == 0:
        return _nothing_passed()
    return sentences.recall_sentence(point.recall, noun=noun(spec))


def missed(point: OperatingPoint, spec: Spec) -> str:
    """Say what the audits found among what was passed."""
    if point.missed.of == 0:
        return _nothing_passed()
    return sentences.missed_sentence(point.missed, passes=point.missed.of or 0, noun=noun(spec))


def harm(point: OperatingPoint, spec: Spec) -> str:
    """Say what the misses cost; "" where the queue's value formula does not say what a miss costs."""
    return sentences.harm_sentence(point.harm, currency=spec.value.currency) if point.harm else ""


def noun(spec: Spec) -> str:
    """Return the label of the queue's positive outcome."""
    outcome = spec.outcome(spec.routes.positive)
    return outcome.label if outcome else spec.routes.positive


def advice(point: OperatingPoint) -> list[str]:
    """Return what to do so that what is not measured can be."""
    policy, told = point.policy, []
    if point.hard.why == Why.NO_CONTROL and policy is not None and not policy.control_share:
        told.append(_("Set a control share in the next policy: without it nobody knows how precise hard actions are."))
    if not point.measured:
        if policy is not None and not policy.audit_budget:
            told.append(_("Set an audit budget in the next policy: without audits nobody knows what was missed."))
        else:
            told.append(_("Wait until a frame has closed and its audits have ended, or close a frame now."))
    if point.missed.why == Why.NO_TRUTH:
        told.append(_("The audits ran out unanswered: give reviewers time for them, or a smaller audit budget."))
    return told


def _nothing_passed() -> str:
    return _("nothing was passed: every item was acted on or went to people")


def _share(share: Share, named: str) -> str:
    if share.value is None or share.low is None or share.high is None:
        if share.why == Why.NO_CONTROL:
            return _("not measured: hard actions have no control group")
        return _("not measured: no control item was answered with a yes or no")
    told = {
        "value": sentences.percent(share.value),
        "low": sentences.percent(share.low),
        "high": sentences.percent(share.high, up=True),
        "n": number_format(share.n, use_l10n=True, force_grouping=True),
        "noun": named,
    }
    if share.value == 1:
        every = ngettext(
            "the %(n)s control item was %(noun)s: at least %(low)s of hard items are",
            "all %(n)s control items were %(noun)s: at least %(low)s of hard items are",
            share.n,
        )
        return every % told
    text = ngettext(
        "about %(value)s of hard items were %(noun)s, between %(low)s and %(high)s, by %(n)s control item",
        "about %(value)s of hard items were %(noun)s, between %(low)s and %(high)s, by %(n)s control items",
        share.n,
    )
    return text % told


def _joined(*parts: str) -> str:
    """Return different sentences, each with its capital and full stop."""
    full_stop = _(".")
    return " ".join(part[:1].upper() + part[1:] + full_stop for part in dict.fromkeys(parts))
