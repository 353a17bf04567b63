"""The promises of docs about what is never lost, as checks of what is stored: each raises AssertionError."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from decisions.record import proof
from tests.laws.stored import TASK, Stored

HOLDING = ("claimed", "held")
OPEN = ("waiting", *HOLDING)
MEASURING = ("second", "gold")
# What an expiry rule or an undo rules: no person looked, or they took it back.
NOBODY = ("expiry", "undo")


def everything_accepted_is_somewhere(now: Stored) -> None:
    """Each accepted item was passed, acted on, is before people, or was ruled on; the sum is what was accepted."""
    assert len(now.items) == now.accepted
    at_work = {task["item_id"] for task in now.tasks.values() if task["state"] in OPEN and task["purpose"] != "gold"}
    for pk, item in now.items.items():
        rulings = now.rulings_of(pk)
        holds = bool(rulings and rulings[-1]["outcome"])
        assert item["route"] in ("pass", "hard") or pk in at_work or holds, f"item {pk} is lost"


def each_round_is_decided_once(now: Stored) -> None:
    """A task's decisions are one for each round that ended with one, and none for a round to come."""
    rounds = defaultdict(list)
    for decision in now.decisions.values():
        rounds[decision["task_id"]].append(decision["round"])
    for pk, task in now.tasks.items():
        done = sorted(rounds[pk])
        last = task["round"] if task["state"] == "decided" else task["round"] - 1
        assert done == list(range(1, last + 1)), (pk, task, done)


def rulings_follow_one_another(now: Stored) -> None:
    """An item's rulings are numbered 1, 2, 3, and each replaces the one before."""
    for item in now.items:
        before = None
        for no, ruling in enumerate(now.rulings_of(item), start=1):
            assert (ruling["no"], ruling["replaces_id"]) == (no, before)
            before = ruling["id"]


def who_holds_is_known(now: Stored) -> None:
    """A task has a holder and a lease's end just while it is claimed or held."""
    for task in now.tasks.values():
        is_held = task["state"] in HOLDING
        assert (task["holder_id"] is not None, task["until"] is not None) == (is_held, is_held)


def leases_only_grow(before: Stored, now: Stored) -> None:
    """A lease never falls, and is a new one whenever somebody else, or nobody any more, may use it."""
    for pk, task in now.tasks.items():
        was = before.tasks.get(pk)
        assert was is None or was["lease"] <= task["lease"]
        if was and task["state"] == "claimed" and task["holder_id"] != was["holder_id"]:
            assert task["lease"] > was["lease"], f"task {pk} came to another under the same lease"
    assert before.tasks.keys() <= now.tasks.keys()


def nobody_holds_more_than_the_cap(now: Stored, at: datetime, cap: int, handed: Mapping[int, int]) -> None:
    """A person holds no more than the cap, besides `handed`: cards that came back to them by an undo or by hand."""
    held = Counter(
        task["holder_id"] for task in now.tasks.values() if task["state"] in HOLDING and task["until"] > at.timestamp()
    )
    for person, count in held.items():
        assert count <= cap + handed.get(person, 0), (person, count)


def blind_answers_move_no_ruling(before: Stored, now: Stored) -> None:
    """What only measures a person is never what a ruling rests on."""
    blind = {pk for pk, row in now.decisions.items() if row["purpose"] in MEASURING}
    assert not blind & {row["decision_id"] for row in now.rulings.values()}
    new = now.decisions.keys() - before.decisions.keys()
    if new and new <= blind:
        assert now.rulings == before.rulings
        assert now.actions == before.actions


def each_change_of_a_task_is_one_move(before: Stored, now: Stored) -> None:
    """A task that changed made one move, one that is new too; one that did not change made none.

    Only who leaves makes two of a task that they hold and that was kept for them: it is released, and everybody's.
    """
    for pk, task in now.tasks.items():
        was = before.tasks.get(pk)
        changed = was is None or any(was[name] != task[name] for name in TASK)
        made = now.moves[pk] - before.moves[pk]
        most = 1 + bool(was and was["holder_id"] and was["only_until"] and not task["only_until"])
        if changed:
            assert 1 <= made <= most, f"task {pk}: {made} moves for {was} -> {task}"
        else:
            assert made <= 1, f"task {pk}: {made} moves for nothing"  # an extension moves the end of the lease only


def each_fact_is_spoken_of_once(before: Stored, now: Stored) -> None:
    """Each decision, ruling, mark, label and call is named by one entry of the record; no fact ever goes."""
    assert before.facts <= now.facts
    assert {fact: now.spoken[fact] for fact in now.facts} == dict.fromkeys(now.facts, 1)
    assert before.entries <= now.entries


def actions_and_labels_hang_off_rulings(now: Stored) -> None:
    """What is to be told is of the ruling that holds, or the machine's; what people ruled is a label, or will be.

    Not so what was undone, and what a rule of the queue did when nobody looked.
    """
    last = {item: rows[-1] for item in now.items if (rows := now.rulings_of(item))}
    for action in now.actions.values():
        if action["state"] == "pending" and action["ruling_id"] is not None:
            holds, said = last[action["item_id"]], now.rulings[action["ruling_id"]]
            assert said["outcome"] == holds["outcome"], (action, holds)
    machine = Counter(row["item_id"] for row in now.actions.values() if row["ruling_id"] is None)
    assert all(count == 1 for count in machine.values())
    undone = {row["replaces_id"] for row in now.rulings.values() if row["source"] == "undo"}
    taught = {pk for pk, row in now.rulings.items() if row["source"] not in NOBODY} - undone
    assert now.pending | now.labels.keys() == taught
    assert not now.pending & now.labels.keys()


def one_open_task_a_purpose(now: Stored) -> None:
    """An item waits at most once for each purpose; a gold item at most once for each person."""
    open_ = [task for task in now.tasks.values() if task["state"] in OPEN]
    places = Counter(
        (task["item_id"], task["purpose"]) if task["purpose"] != "gold" else (task["only_for_id"], "gold")
        for task in open_
    )
    assert all(count == 1 for count in places.values()), places


def chain_verifies(chain: int) -> None:
    """A chain follows from entry to entry."""
    assert proof.verify(chain).bad == ()


def an_override_waits_once(now: Stored) -> None:
    """At most one override of an item waits for a second person; what was confirmed is a ruling, what waits is none."""
    waiting = Counter(row["item_id"] for row in now.asked.values() if row["state"] == "waiting")
    assert all(count == 1 for count in waiting.values())
    for row in now.asked.values():
        assert (row["ruling_id"] is not None) == (row["state"] == "confirmed")


def an_appeal_is_open_while_its_task_is(now: Stored) -> None:
    """An appeal that was answered names the decision; one that was not waits with its task, once for an item."""
    for pk, appeal in now.appeals.items():
        assert (now.tasks[pk]["state"] in OPEN) == (appeal["state"] == "open") == (appeal["decision_id"] is None)
    waiting = Counter(row["item_id"] for row in now.appeals.values() if row["state"] == "open")
    assert all(count == 1 for count in waiting.values())
