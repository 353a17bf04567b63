"""The desk of a queue: what its people may do, each done in the house and in the model of it at once."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest import mock

import orjson
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from decisions.exceptions import Conflict, Refused
from decisions.intake import parse, submit
from decisions.models import Event, Item, Queue, Task, User
from decisions.queues import live
from decisions.queues.spec import Confirm, Crowd, PolicySpec, Quality
from decisions.queues.spec_time import Expiry, Lapsed, Unanswered
from decisions.record import deep
from decisions.rights import NOBODY, Act
from decisions.routing import sampling
from decisions.routing.sampling import Purpose
from decisions.work import audits, claim, decide, gold
from decisions.work.answer import Answer
from tests import clock
from tests.factories import NOON, make_queue, make_user
from tests.laws import laws, stored
from tests.laws.model import CONFIRMED_FROM, SECONDED, Hand, Model
from tests.laws.things import Person, Thing, Work

CAP = 3
UNDO, HOLD, LONG_HOLD = timedelta(minutes=10), timedelta(hours=1), timedelta(hours=3)
U = sampling.u
TEAM: tuple[tuple[str, float | None], ...] = (
    *(("crowd", None), ("reviewer", None), ("reviewer", 50.0), ("reviewer", None)),
    *(("expert", None), ("lead", None), ("lead", 50.0), ("manager", None), ("auditor", None)),
)
OUTCOMES = ("spam", "ham", "unclear")
SCORES = (0.95, 0.6, 0.4, 0.1)  # the machine acts (or a control goes to people), people decide, it passes
AMOUNTS = (None, 10, 100)
POLICY = PolicySpec(hard=0.9, soft=0.3, suggest=0.5, control_share=0.5, objective="Keep the mail box clean")

STEPS = ("extend", "release", "skip", "hold", "hold_for")


class Desk(RuleBasedStateMachine):
    """The desk of a queue: people, cards and time."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = self.stack.enter_context(clock.pretended(NOON))
        self.stack.enter_context(transaction.atomic())
        self.stack.enter_context(mock.patch.object(sampling, "u", self.lots))
        self.hands: list[tuple[int, Hand]] = []
        self.handed = Counter[int]()  # cards that came back to a person past their cap
        self.answers: list[tuple[int, int, int]] = []  # decision, task, round
        self.names = 0

    @initialize(
        soft=st.sampled_from(list(Lapsed)),
        audit=st.sampled_from(list(Unanswered)),
        second=st.sampled_from(list(Unanswered)),
    )
    def open(self, soft: Lapsed, audit: Unanswered, second: Unanswered) -> None:
        self.queue: Queue = make_queue(
            slug="desk",
            cap=CAP,
            undo=UNDO,
            quality=Quality(gold_share=0.5, second_share=0.3, most_share=0.6, error_limit=0.02),
            confirm=Confirm(CONFIRMED_FROM, CONFIRMED_FROM, CONFIRMED_FROM, timedelta(hours=4)),
            crowd=Crowd(("soft", "audit", "second"), up_to=50.0),
            policy=POLICY,
            expiry=Expiry(soft=soft, audit=audit, second=second),
            expire_to="ham",
        )
        self.spec = live.of(self.queue.slug).spec
        self.sender = make_user("manager", self.queue)
        self.users: list[User] = [make_user(role, self.queue, value_limit=limit) for role, limit in TEAM]
        team = zip(self.users, TEAM, strict=True)
        self.model = Model(
            CAP, self.spec.lease, UNDO, NOON, {user.pk: Person(user.pk, role, limit) for user, (role, limit) in team}
        )
        self.model.most_appeals = self.spec.appeals.most
        self.before = self.now = stored.read(self.queue)
        self.take_in([self.line(score, amount) for score in SCORES for amount in AMOUNTS[1:]])
        for number in range(4):
            self.work(self.users[3 + 2 * (number % 2)], OUTCOMES[number % 2])
        for thing in [thing for thing in self.model.things.values() if thing.last]:
            self.mark(thing, self.users[4], "spam")
        self.draw(0)
        self.draw(0)

    def teardown(self) -> None:
        try:
            if hasattr(self, "queue"):
                laws.chain_verifies(Event.SITE)
                assert list(deep.verify(self.queue.pk)) == []
        finally:
            transaction.set_rollback(True)
            self.stack.close()

    def lots(self, secret: bytes, slug: str, names: Sequence[str], purpose: Purpose) -> Any:
        """Draw lots as the house does, but from names that are the same in each run: a task's number counts from the
        first one, for a sequence goes on after a rollback."""
        first = min(self.model.works, default=0)
        parts = [name.partition(".") for name in names]
        same = [f"{int(a) - first}.{b}" if dot else a for a, dot, b in parts]
        return U(secret, slug, same, purpose)

    def attempt(self, expected: type[Refused] | None, call: Callable[..., Any], **given: Any) -> Any:
        """Call the house: it refuses just what the model refuses, and then nothing has changed."""
        got: type[Refused] | None = None
        result = None
        try:
            result = call(**given)
        except Refused as error:
            got = type(error)
        self.look()
        assert got == expected, f"{got} where {expected} is due"
        if got:
            assert self.now == self.before, f"refused with {got}, and yet something changed"
        return result

    def look(self) -> None:
        self.before, self.now = self.now, stored.read(self.queue)

    def learn(self) -> list[Work]:
        """Take the tasks that are new into the model."""
        made = []
        for task in Task.objects.filter(queue=self.queue).exclude(pk__in=self.model.works).order_by("pk"):
            parent = self.model.works[task.parent_id] if task.parent_id else None
            work = Work(
                *(task.pk, task.item_id, task.purpose, task.rank, task.value),
                task.due_at,
                (task.due_step, task.priority, task.pk),
                only_for=task.only_for_id,
                parent=parent,
            )
            self.model.works[task.pk] = work
            made.append(work)
        return made

    def good_hands(self) -> list[tuple[int, Hand]]:
        """Return who has which lease that is still good."""
        return [(person, hand) for person, hand in self.hands if self.model.may_use(hand, person) is None]

    def a_hand(self, number: int) -> tuple[User, Hand]:
        good = self.good_hands()
        person, hand = good[number % len(good)]
        return self.user(person), hand

    def user(self, pk: int | None) -> User:
        return next(user for user in self.users if user.pk == pk)

    def works(self, *states: str) -> list[Work]:
        return [work for work in self.model.works.values() if work.state in states]

    def send(self, *lines: dict[str, Any]) -> Any:
        rows = parse.many(b"\n".join(orjson.dumps(line) for line in lines))
        return submit.many(queue=live.of(self.queue.slug), lines=rows, sender=self.sender, at=self.clock.at)

    def line(self, score: float | None, amount: int | None) -> dict[str, Any]:
        self.names += 1
        payload = {"text": "hello", "words": 1, "kind": "mail", **({} if amount is None else {"amount": amount})}
        return {"external_id": f"m-{self.names}", "payload": payload, "score": score}

    def take_in(self, lines: list[dict[str, Any]]) -> None:
        batch = self.send(*lines, lines[0], {"external_id": ""})
        assert (batch.accepted, batch.duplicates, batch.rejected) == (len(lines), 1, 1)
        self.look()
        for item in Item.objects.filter(queue=self.queue).exclude(pk__in=self.model.things):
            machine = "spam" if item.route == "hard" or (item.route == "soft" and (item.score or 0) >= 0.5) else "ham"
            self.model.things[item.pk] = Thing(item.pk, item.route, item.value, machine)
        new = Counter(work.item for work in self.learn())
        people_ = [pk for pk, row in self.now.items.items() if row["route"] == "soft" and pk not in self.before.items]
        assert new == dict.fromkeys(people_, 1)

    def told(self) -> dict[str, Any]:
        """What a call leaves even where it brings nothing: its own row and its entry."""
        return {"facts": frozenset(), "spoken": Counter[Any](), "entries": 0}

    def take(self, user: User, count: int) -> list[Work]:
        refused = self.model.may_claim(user.pk)
        tasks = self.attempt(refused, claim.next_tasks, queue_id=self.queue.pk, person=user, count=count)
        if refused is None:
            taken = self.model.claim(user.pk, count)
            assert [task.pk for task in tasks] == [work.pk for work in taken]
            self.hands += [(user.pk, (work.pk, work.lease)) for work in taken]
            return taken
        return []

    def work(self, user: User, outcome: str) -> None:
        for work in self.take(user, 1):
            self.answer(user, (work.pk, work.lease), outcome)

    def make_step(self, user: User, hand: Hand, verb: str) -> None:
        work = self.model.works[hand[0]]
        given: dict[str, Any] = {"task_id": hand[0], "lease": hand[1], "person": user}
        may = self.model.may_act(hand, user.pk, Act.HOLD) if "hold" in verb else self.model.may_use(hand, user.pk)
        if verb == "skip":
            given["reason"] = "unclear"
        if verb == "hold_for":
            given |= {"reason": "information", "until": self.clock.at + LONG_HOLD}
        self.attempt(may, getattr(claim, verb.removesuffix("_for")), **given)
        if may is None:
            self.after_step(work, user, verb)

    def after_step(self, work: Work, user: User, verb: str) -> None:
        at = self.clock.at
        work.go_on(at)
        if verb == "hold_for":
            work.wait(at + LONG_HOLD, at)
        if verb == "skip":
            work.skipped_by[user.pk] = at
        if verb in ("release", "skip"):
            work.leave("waiting")
        else:
            span = {"extend": self.spec.lease, "hold": HOLD, "hold_for": LONG_HOLD}[verb]
            work.keep("claimed" if verb == "extend" else "held", user.pk, at + span)

    def pass_on(self, user: User, hand: Hand) -> None:
        refused = self.model.may_escalate(hand, user.pk)
        given: dict[str, Any] = {"task_id": hand[0], "lease": hand[1], "person": user, "reason": "expert"}
        self.attempt(refused, claim.escalate, **given)
        if refused is None:
            work = self.model.works[hand[0]]
            work.go_on(self.clock.at)
            work.leave("escalated")
            work.escalated_by = user.pk
            self.expect_escalation(work, rank=3 if work.purpose == "escalation" else self.first_rank())

    def first_rank(self) -> int:
        return 2 if any(person.role == "expert" for person in self.model.people.values()) else 3

    def expect_escalation(self, work: Work, rank: int) -> None:
        (new,) = self.learn()
        root = work.parent if work.purpose == "escalation" else work
        assert (new.item, new.purpose, new.parent, new.rank) == (work.item, "escalation", root, rank)

    def answer(self, user: User, hand: Hand, outcome: str) -> None:
        work = self.model.works[hand[0]]
        refused = self.model.may_decide(hand, user.pk, outcome)
        answer = Answer(outcome, "content", active_seconds=12)
        given: dict[str, Any] = {"task_id": hand[0], "lease": hand[1], "person": user, "answer": answer}
        decision = self.attempt(refused, decide.decide, **given)
        if refused is None:
            self.answers.append((decision.pk, work.pk, work.round))
            disputed = self.is_disputed(work, outcome)
            settles = self.model.escalation_of(work.item)
            self.model.decide(work, user.pk, outcome)
            self.check_what_follows(work, must_settle=disputed and settles is None)

    def is_disputed(self, work: Work, outcome: str) -> bool:
        return work.purpose == "second" and work.parent is not None and work.parent.answers[-1] != outcome

    def check_what_follows(self, work: Work, *, must_settle: bool) -> None:
        """A decision may be followed by a second opinion on it, by somebody's gold item, and by who settles it."""
        new = Counter(made.purpose for made in self.learn())
        assert set(new) <= {"second", "gold", "escalation"}
        assert max(new.values(), default=1) == 1
        assert not new["second"] or work.purpose in SECONDED
        assert new["escalation"] == must_settle
        if work.purpose == "audit" and work.answers[-1] == "spam":
            assert new["second"] == 1

    def draw(self, number: int) -> None:
        passed = [thing for thing in self.model.things.values() if thing.route == "pass"]
        audited = {work.item for work in self.model.works.values() if work.purpose == "audit"}
        fresh = [thing for thing in passed if thing.pk not in audited]
        if not fresh:
            return
        thing = fresh[number % len(fresh)]
        item = Item.objects.get(pk=thing.pk)
        drawn = audits.Drawn(item.pk, item.external_id, item.source, item.value, item.u_secret, 0.5)
        last = thing.last
        is_open = last is None or last.outcome in ("", "unclear") or last.source == "expiry"
        assert audits.open_for([drawn], live.of(self.queue.slug), self.clock.at) == is_open
        self.look()
        assert [(work.item, work.purpose) for work in self.learn()] == [(thing.pk, "audit")] * is_open

    def mark(self, thing: Thing, user: User, outcome: str) -> None:
        last = thing.last
        refused = self.model.allows(user.pk, Act.MARK_GOLD, NOBODY)
        undecided = last is None or not last.outcome or last.source == "expiry"
        if refused is None and (self.model.in_the_way(thing.pk) or undecided or thing.gold == outcome):
            refused = Conflict
        self.attempt(refused, gold.mark, item_id=thing.pk, person=user, outcome=outcome, reason="expert")
        if refused is None:
            thing.gold = outcome
