"""Rights in words: what each of them lets somebody do, and how far."""

from collections.abc import Iterable
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.models import Item, Task
from decisions.rights import Act, Limit, Own, changes

# By what they are about, in the order of the page; the first part of a pair is the group.
GROUPS: tuple[tuple[Promise | str, dict[str, Promise | str]], ...] = (
    (
        gettext_lazy("Casework"),
        {
            "claim": gettext_lazy("Take items"),
            "decide": gettext_lazy("Decide items"),
            "escalate": gettext_lazy("Escalate"),
            "hold": gettext_lazy("Put on hold"),
            "undo": gettext_lazy("Undo one's own decision"),
            "mark_gold": gettext_lazy("Mark gold items"),
        },
    ),
    (
        gettext_lazy("Overrides"),
        {
            "take_over": gettext_lazy("Decide past the waiting task"),
            "override_pass": gettext_lazy("Override a pass"),
            "reverse_hard": gettext_lazy("Reverse a hard action"),
            "reverse_ruling": gettext_lazy("Reverse a person's ruling"),
        },
    ),
    (
        gettext_lazy("Seeing"),
        {
            "read_queue": gettext_lazy("See the queue"),
            "see_score": gettext_lazy("See scores"),
            "see_personal": gettext_lazy("See personal data"),
            "see_alerts": gettext_lazy("See alerts"),
            "see_team": gettext_lazy("See who is at work"),
            "see_accuracy": gettext_lazy("See the accuracy of others"),
            "see_rights": gettext_lazy("See rights and members"),
        },
    ),
    (
        gettext_lazy("The record"),
        {
            "read_record": gettext_lazy("Read the record"),
            "export": gettext_lazy("Export"),
            "verify": gettext_lazy("Verify the chain"),
            "erase": gettext_lazy("Erase an item"),
            "legal_hold": gettext_lazy("Set a legal hold"),
        },
    ),
    (
        gettext_lazy("Policy"),
        {
            "draft_policy": gettext_lazy("Draft policies"),
            "approve_policy": gettext_lazy("Approve policies"),
            "publish_policy": gettext_lazy("Publish policies"),
            "roll_back_policy": gettext_lazy("Roll policies back"),
            "run_shadow": gettext_lazy("Put models in shadow"),
            "train": gettext_lazy("Train models"),
            "close_frame": gettext_lazy("Draw audits early"),
        },
    ),
    (
        gettext_lazy("Queue and people"),
        {
            "apply_queue": gettext_lazy("Apply a queue's file"),
            "pause_queue": gettext_lazy("Pause the queue"),
            "relieve": gettext_lazy("Switch overload rules"),
            "handle_alerts": gettext_lazy("Handle alerts"),
            "assign": gettext_lazy("Assign items to people"),
            "manage_team": gettext_lazy("Manage skills and absences"),
            "manage_shifts": gettext_lazy("Plan shifts"),
            "lift_pause": gettext_lazy("Lift somebody's pause"),
            "manage_people": gettext_lazy("Manage people and tokens"),
            "manage_rights": gettext_lazy("Change rights"),
        },
    ),
    (
        gettext_lazy("Other systems"),
        {
            "manage_endpoint": gettext_lazy("Set the receiver"),
            "replay_delivery": gettext_lazy("Send again"),
            "intake": gettext_lazy("Bring items in"),
            "file_appeal": gettext_lazy("File appeals"),
            "record_result": gettext_lazy("Report results"),
            "tell_truth": gettext_lazy("Bring in truths and feedback"),
            "freeze_data_set": gettext_lazy("Freeze and take data sets"),
            "feed_labels": gettext_lazy("Read labels"),
        },
    ),
)
NAMES = {word: name for _group, acts in GROUPS for word, name in acts.items()}
OWN = {
    Own.ANY: gettext_lazy("anybody's"),
    Own.ONLY: gettext_lazy("only one's own"),
    Own.INDEPENDENT: gettext_lazy("nobody judges twice"),
}


def name(act: str) -> str:
    """Return what a right lets somebody do; its own word where nobody named it yet."""
    return str(NAMES.get(act, act))


def far(act: Act, limit: Limit | None) -> list[str]:
    """Return in words how far a right goes; none where it has no limit."""
    if limit is None:
        return []
    free = changes.FREE.get(act, frozenset())
    said = []
    if limit.is_valued:
        said.append(_("within their value limit"))
    if limit.up_to is not None:
        said.append(_("up to %(value)s") % {"value": formats.number_format(limit.up_to, use_l10n=True)})
    if "rank" in free:
        said.append(_("rank %(rank)s and below") % {"rank": Task.Rank(limit.rank).label})
    if limit.purposes is not None:
        said.append(_some(limit.purposes, Task.Purpose.choices))
    if limit.routes is not None and "routes" in free:
        said.append(_some(limit.routes, Item.Route.choices))
    if limit.own != Own.ANY:
        said.append(str(OWN[limit.own]))
    return said


def brief(act: Act, limit: Limit | None) -> str:
    """Return the same in one line, with a yes or no before it."""
    if limit is None:
        return _("not at all")
    return ", ".join([_("yes"), *far(act, limit)])


def _some(chosen: Iterable[str], known: Iterable[tuple[str, Any]]) -> str:
    """Return which of some things, the shorter way."""
    labels = {value: str(label) for value, label in known}
    without = [label for value, label in labels.items() if value not in chosen]
    if 0 < len(without) < len(labels) / 2:
        return _("all but %(names)s") % {"names": ", ".join(without)}
    return ", ".join(label for value, label in labels.items() if value in chosen)
