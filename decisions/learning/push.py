"""Labels go out by webhook: to the queue's endpoint, one by one or in batches, from a cursor that never jumps.

The batch under way is fixed before anything leaves and stays the same on every repeat, under an id that names its first
and last label. The cursor moves on when the receiver took it, and only then: after an outage of any length the next
letter goes on where the last one ended. So there are no dead letters here; what fails is tried again, at last daily.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from decisions import rights
from decisions.effects import endpoints, outbound, webhooks
from decisions.effects.endpoints import Target
from decisions.effects.outbound import Answer
from decisions.exceptions import NotFound
from decisions.learning import feed, weak
from decisions.models import Endpoint, Event, Label, LabelPush, Queue, User
from decisions.record import digest, log
from decisions.rights import Act

LEASE = timedelta(seconds=60)  # longer than any call
SIZES = {LabelPush.Mode.SINGLE: 1, LabelPush.Mode.BATCH: 100}
MOST = 200  # letters of one queue in a run
SLOWEST = webhooks.SCHEDULE[-1]


@transaction.atomic
def subscribe(*, queue: Queue, mode: str, by: User | None, at: datetime, after: int | None = None) -> LabelPush:
    """Let a queue's labels go to its endpoint, or no longer (mode `off`); those with numbers above `after`.

    Left out, a first subscription begins with the labels made from now on, and a later one goes on where it was.
    Refuses a queue without an endpoint. `by` None is whoever holds the server's shell.
    """
    if by is not None:
        rights.require(by, Act.MANAGE_ENDPOINT, queue_id=queue.pk)
    if not Endpoint.objects.filter(queue=queue).exists():
        raise NotFound
    newest = Label.objects.filter(queue=queue).aggregate(last=Max("no"))["last"] or 0
    first = {"mode": mode, "after_no": newest, "next_at": at}
    push, is_new = LabelPush.objects.select_for_update().get_or_create(queue=queue, defaults=first)
    before = {} if is_new else {"labels": push.mode, "after": push.after_no}
    if after is not None and after != push.after_no:
        push.after_no, push.upto_no = after, None
    if mode != push.mode:
        push.mode, push.upto_no = LabelPush.Mode(mode), None  # a batch under way is cut anew
    push.attempts, push.next_at = 0, at
    push.save()
    entry = {"before": before, "after": {"labels": push.mode, "after": push.after_no}}
    log.append(Event.Kind.ENDPOINT_CHANGED, chain=queue.pk, actor=by, at=at, reason="labels", entry=entry)
    return push


def push_due(at: datetime) -> int:
    """Send what is due to every endpoint that takes labels; return how many labels arrived."""
    return sum(_push(target, at) for target in endpoints.targets(at))


def _push(target: Target, at: datetime) -> int:
    """Send a queue's letters one after another, until one fails or none is left."""
    arrived = 0
    for _ in range(MOST):
        push = take(target.queue_id, at)
        if push is None:
            break
        lines = _lines(push)
        body = letter(push, lines)
        headers = webhooks.signed(webhook_id(lines), body, target.keys, timezone.now())
        if not _settle(push, outbound.post(target.url, body, headers), lines, at):
            break
        arrived += len(lines)
    return arrived


@transaction.atomic
def take(queue_id: int, at: datetime) -> LabelPush | None:
    """Take what is next of a queue's labels and keep others off it for a lease; None where nothing is due."""
    due = LabelPush.objects.select_for_update(skip_locked=True, of=("self",)).select_related("queue")
    push = due.filter(~Q(mode=LabelPush.Mode.OFF), queue=queue_id, next_at__lte=at).first()
    if push is None:
        return None
    if push.upto_no is None:
        later = Label.objects.filter(queue=queue_id, no__gt=push.after_no).order_by("no")
        numbers = list(later.values_list("no", flat=True)[: SIZES[LabelPush.Mode(push.mode)]])
        if not numbers:
            return None
        push.upto_no = numbers[-1]
    push.attempts, push.next_at = push.attempts + 1, at + LEASE
    push.save(update_fields=["upto_no", "attempts", "next_at"])
    return push


def letter(push: LabelPush, lines: list[dict[str, Any]]) -> bytes:
    """Return the body that tells of labels, the same on every repeat: what users say so far is not in it."""
    told = [{name: value for name, value in line.items() if name not in weak.NAMES} for line in lines]
    stamp = lines[-1]["at"]
    return digest.canonical(
        {"type": "label.made", "timestamp": stamp, "data": {"queue": push.queue.slug, "labels": told}}
    )


def webhook_id(lines: list[dict[str, Any]]) -> str:
    """Return the id of a letter, by the numbers of its first and last label."""
    first, last = lines[0]["no"], lines[-1]["no"]
    return f"lbl_{first}" if first == last else f"lbl_{first}_{last}"


def _lines(push: LabelPush) -> list[dict[str, Any]]:
    pieces = feed.after(push.after_no, [push.queue_id])
    return [line for line in next(pieces) if line["no"] <= (push.upto_no or 0)]


@transaction.atomic
def _settle(push: LabelPush, answer: Answer, lines: list[dict[str, Any]], at: datetime) -> bool:
    """Write what came of a call, if its attempt is still the one that was taken; tell whether the labels arrived."""
    taken = LabelPush.objects.filter(pk=push.pk, attempts=push.attempts, after_no=push.after_no, upto_no=push.upto_no)
    if webhooks.is_delivered(answer.status):
        change: dict[str, Any] = {"after_no": push.upto_no, "upto_no": None, "attempts": 0, "next_at": at, "error": ""}
        if not taken.update(**change):
            return False
        entry = {"first": lines[0]["no"], "last": lines[-1]["no"], "count": len(lines), "attempts": push.attempts}
        log.append(Event.Kind.LABELS_PUSHED, chain=push.queue_id, actor=None, at=at, entry=entry)
        return True
    attempt = min(push.attempts, len(webhooks.SCHEDULE))
    again = webhooks.next_at(attempt=attempt, retry_after=answer.retry_after, at=at) or at + SLOWEST
    taken.update(next_at=again, error=(answer.error or f"status {answer.status}")[:200])
    if answer.status == webhooks.GONE:
        endpoints.disable(queue_id=push.queue_id, by=None, at=at, reason="gone")
    return False
