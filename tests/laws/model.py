"""What should be true of a queue, in plain Python: who may do what now, and what that changes.

Each `may_...` returns the refusal that is due, None where there is none; each other verb makes the change. Rights are
the house's table as a pure function, which has tests of its own; a person's hand in an item is remembered here.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from decisions import rights
from decisions.exceptions import (
    AlreadyDecided,
    CapReached,
    Conflict,
    Forbidden,
    Invalid,
    LeaseLost,
    NotFound,
    PersonPaused,
    QueuePaused,
    Refused,
    TooLate,
)
from decisions.rights import INDEPENDENT, NOBODY, Act, Case, Standing
from tests.laws.things import HOLDING, Appealed, Asked, Person, Ruled, Thing, Work

SECONDED = ("audit", "soft")
REST = timedelta(minutes=30)  # from a task that one skipped
KEPT = timedelta(hours=4)  # so long an assigned task is kept
CONFIRMED_FROM = 50.0  # from this value on a second person confirms an override
SOURCES = dict.fromkeys(("soft", "control", "audit", "escalation"), "decision") | {"appeal": "appeal"}

Refusal = type[Refused] | None
Hand = tuple[int, int]  # a task and the lease under which it was once held


@dataclass
class Model:
    """A queue and those who work on it; `at` is what time it is there."""

    cap: int
    lease: timedelta
    undo_window: timedelta
    at: datetime
    people: dict[int, Person]
    things: dict[int, Thing] = field(default_factory=dict)
    works: dict[int, Work] = field(default_factory=dict)
    asked: dict[int, Asked] = field(default_factory=dict)
    appeals: dict[int, Appealed] = field(default_factory=dict)
    most_appeals: int = 1
    is_paused: bool = False

    # Who may what

    def stands(self, person: int) -> Standing | None:
        known = self.people[person]
        return Standing(known.role, known.limit) if known.role else None

    def allows(self, person: int, act: Act, case: Case) -> Refusal:
        stands = self.stands(person)
        if stands is None:
            return NotFound
        return None if rights.may(stands, act, case) else Forbidden

    def has_hand(self, work: Work, person: int) -> bool:
        others = [one for one in self.works.values() if one.item == work.item]
        return (
            any(person in one.decided_by for one in others if one is not work)
            or any(r.person == person and r.task is None for r in self.things[work.item].rulings)
            or any(one.escalated_by == person for one in others)
            or any(a.item == work.item and person in (a.person, a.closer) for a in self.asked.values())
            or any(a.item == work.item and a.by == person for a in self.appeals.values())
        )

    def case(self, work: Work, person: int) -> Case:
        own = work.purpose in INDEPENDENT and self.has_hand(work, person)
        return Case(work.purpose, work.rank, work.value, own=own, is_others=work.only_for not in (None, person))

    # Taking and leaving

    def held(self, person: int) -> list[Work]:
        return [w for w in self.works.values() if w.state in HOLDING and w.holder == person and not w.is_over(self.at)]

    def claimable(self, person: int) -> list[Work]:
        """Return the tasks that are for this person now, in the order of the queue."""
        waiting = [w for w in self.works.values() if w.state == "waiting"]
        rested = [w for w in waiting if person not in w.skipped_by or w.skipped_by[person] <= self.at - REST]
        mine = [w for w in rested if self.allows(person, Act.CLAIM, self.case(w, person)) is None]
        return sorted(mine, key=lambda w: w.place)

    def next_for(self, person: int) -> Work | None:
        """Return what comes next: of the pool whose head is the most urgent, the first task that is for this person.

        What waits for everybody stands in a pool for each rank; what waits for them alone is a pool of its own, and
        comes first where it was assigned to them.
        """
        waiting = [w for w in self.works.values() if w.state == "waiting" and w.only_for in (None, person)]
        pools: dict[tuple[int, int], list[Work]] = {}
        for work in sorted(waiting, key=lambda w: w.place):
            pools.setdefault((work.rank, work.pk if work.only_for else 0), []).append(work)
        mine = self.claimable(person)
        by_head = sorted(pools.values(), key=lambda pool: (pool[0].kept_until is None, pool[0].place))
        return next((work for pool in by_head for work in pool if work in mine), None)

    def may_claim(self, person: int) -> Refusal:
        stands = self.stands(person)
        if stands is None:
            return NotFound
        if rights.limit(stands, Act.CLAIM) is None:
            return Forbidden
        if self.is_paused:
            return QueuePaused
        if self.people[person].is_paused:
            return PersonPaused
        return CapReached if len(self.held(person)) >= self.cap else None

    def claim(self, person: int, count: int) -> list[Work]:
        taken: list[Work] = []
        room = min(count, self.cap - len(self.held(person)))
        while len(taken) < room and (work := self.next_for(person)):
            work.keep("claimed", person, self.at + self.lease)
            work.lease += 1
            taken.append(work)
        return taken

    def may_use(self, hand: Hand, person: int) -> Refusal:
        """Return why a lease is no good any more."""
        work = self.works[hand[0]]
        if (work.holder, work.lease) == (person, hand[1]) and work.state in HOLDING and not work.is_over(self.at):
            return None
        if self.stands(person) is None:
            return NotFound
        if work.state == "decided":
            return AlreadyDecided
        return LeaseLost if work.is_open else Conflict

    def may_act(self, hand: Hand, person: int, act: Act) -> Refusal:
        work = self.works[hand[0]]
        return self.may_use(hand, person) or self.allows(person, act, self.case(work, person))

    def escalation_of(self, item: int) -> Work | None:
        return next(
            (w for w in self.works.values() if w.item == item and w.is_open and w.purpose == "escalation"), None
        )

    def may_escalate(self, hand: Hand, person: int) -> Refusal:
        work = self.works[hand[0]]
        return self.may_act(hand, person, Act.ESCALATE) or (
            Conflict if work.purpose == "appeal" or self.escalation_of(work.item) not in (None, work) else None
        )

    def may_lift(self, person: int, by: int) -> Refusal:
        """Return why somebody may not end another's pause; nobody ends their own."""
        known = self.people[person]
        if refused := self.allows(by, Act.LIFT_PAUSE, NOBODY):
            return refused
        if person == by:
            return Forbidden
        if not known.grades:
            return NotFound
        return None if known.is_paused else Conflict

    # What holds

    def rule(self, work: Work, outcome: str, person: int | None, source: str) -> None:
        """Let an outcome hold; what a rule of the queue says is final at once."""
        rulings = self.things[work.item].rulings
        final_at = self.at + (self.undo_window if person else timedelta(0))
        before = rulings[-1] if rulings else None
        rulings.append(Ruled(outcome, source, final_at, person, work.pk, work.round, before))

    def decide(self, work: Work, person: int, outcome: str) -> None:
        """Close a task, and let the answer hold unless it only measures."""
        source = SOURCES.get(work.purpose)
        root = work.parent.purpose if work.parent and work.purpose == "escalation" else ""
        if source and root != "gold":
            self.rule(work, outcome, person, "adjudication" if root == "second" else source)
        if appeal := self.appeals.get(work.pk):
            appeal.state = "upheld" if outcome == appeal.held else "overturned"
        work.decided_by.append(person)
        work.answers.append(outcome)
        work.leave("decided")

    def may_decide(self, hand: Hand, person: int, outcome: str) -> Refusal:
        """Return why an answer is not taken: an appeal is upheld or overturned."""
        appeal = self.appeals.get(hand[0])
        refused = self.may_act(hand, person, Act.DECIDE)
        return refused or (Invalid if appeal and outcome == "unclear" and outcome != appeal.held else None)

    def meant(self, ruled: Ruled | None) -> Ruled | None:
        """Return the ruling that an undo put back."""
        while ruled is not None and ruled.source == "undo":
            ruled = ruled.before.before if ruled.before else None
        return ruled

    def may_undo(self, work: Work, round_: int, person: int) -> Refusal:
        refused = self.allows(person, Act.UNDO, Case(own=work.decided_by[round_ - 1] == person))
        if refused:
            return refused
        if work.state != "decided" or work.round != round_:
            return Conflict
        second = self.second_of(work)
        if second and not second.is_open and second.state not in ("expired", "cancelled"):
            return TooLate
        last = self.things[work.item].last
        if last is None or (last.task, last.round, last.source == "undo") != (work.pk, round_, False):
            return Conflict
        return TooLate if last.is_fed or last.final_at <= self.at else None

    def second_of(self, work: Work) -> Work | None:
        """Return the newest second opinion on an answer."""
        found = [w for w in self.works.values() if w.parent is work and w.purpose == "second"]
        return max(found, key=lambda w: w.pk, default=None) if work.purpose in SECONDED else None

    def undo(self, work: Work, person: int) -> None:
        second = self.second_of(work)
        if second and second.is_open:
            second.leave("cancelled")
            second.lease += 1
        rulings = self.things[work.item].rulings
        last = rulings[-1]
        if appeal := self.appeals.get(work.pk):
            appeal.state = "open"
        outcome = last.before.outcome if last.before else ""
        rulings.append(Ruled(outcome, "undo", self.at, person, work.pk, work.round, last))
        work.keep("claimed", person, self.at + self.lease)
        work.lease, work.round = work.lease + 1, work.round + 1

    def in_the_way(self, item: int) -> list[Work]:
        return [w for w in self.works.values() if w.item == item and w.is_open and w.purpose != "gold"]

    def may_replace(self, thing: Thing, person: int) -> Refusal:
        """Return why somebody has no right to override what holds for an item."""
        origin = self.meant(thing.last)
        own = origin is not None and origin.person == person
        return self.allows(person, self.act_of(thing), Case(value=thing.value, route=thing.route, own=own))

    def act_of(self, thing: Thing) -> Act:
        acts = {"hard": Act.REVERSE_HARD, "pass": Act.OVERRIDE_PASS}
        return Act.REVERSE_RULING if self.meant(thing.last) else acts.get(thing.route, Act.TAKE_OVER)

    def may_override(self, thing: Thing, outcome: str, person: int) -> Refusal:
        if refused := self.may_replace(thing, person):
            return refused
        tasks = self.in_the_way(thing.pk)
        if any(w.state != "waiting" or w.purpose == "appeal" for w in tasks):
            return Conflict
        if tasks and self.allows(person, Act.TAKE_OVER, Case(value=thing.value)):
            return Conflict
        return Conflict if self.in_force(thing) == outcome else None

    def in_force(self, thing: Thing) -> str:
        if thing.last and thing.last.outcome:
            return thing.last.outcome
        return "" if thing.route == "soft" else thing.machine

    def override(self, thing: Thing, outcome: str, person: int) -> None:
        for work in self.in_the_way(thing.pk):
            work.leave("cancelled")
        final_at = self.at + self.undo_window
        thing.rulings.append(Ruled(outcome, "override", final_at, person, before=thing.last))

    # Appeals

    def may_appeal(self, thing: Thing, by: int) -> Refusal:
        if refused := self.allows(by, Act.FILE_APPEAL, NOBODY):
            return refused
        earlier = [appeal for appeal in self.appeals.values() if appeal.item == thing.pk]
        is_fresh = thing.last is not None and self.at < thing.last.final_at
        is_open = any(appeal.state == "open" for appeal in earlier)
        too_many = len(earlier) >= self.most_appeals
        return Conflict if not self.in_force(thing) or is_open or too_many or is_fresh else None

    # Four eyes

    def asks(self, thing: Thing) -> bool:
        """Return whether a second person has to confirm: from a value on, but for what only waits."""
        return self.act_of(thing) != Act.TAKE_OVER and (thing.value is None or thing.value >= CONFIRMED_FROM)

    def waits(self, item: int) -> bool:
        return any(asked.item == item and asked.state == "waiting" for asked in self.asked.values())

    def may_ask(self, thing: Thing, outcome: str, person: int) -> Refusal:
        refused = self.may_override(thing, outcome, person)
        return refused or (Conflict if self.asks(thing) and self.waits(thing.pk) else None)

    def is_overtaken(self, asked: Asked) -> bool:
        return len(self.things[asked.item].rulings) > asked.rulings

    def may_confirm(self, asked: Asked, person: int) -> Refusal:
        thing = self.things[asked.item]
        if refused := self.may_answer(asked, person):
            return refused
        if refused := self.may_replace(thing, person):
            return refused
        if asked.person == person:
            return Forbidden
        if asked.expires_at <= self.at:
            return TooLate
        return Conflict if self.is_overtaken(asked) else self.may_override(thing, asked.outcome, asked.person)

    def may_turn_down(self, asked: Asked, person: int) -> Refusal:
        refused = self.may_answer(asked, person)
        if refused or asked.person == person:
            return refused
        return self.may_replace(self.things[asked.item], person)

    def may_answer(self, asked: Asked, person: int) -> Refusal:
        if self.stands(person) is None:
            return NotFound
        return Conflict if asked.state != "waiting" else None

    # From hand to hand

    def had(self, person: int) -> list[Work]:
        """Return what a person holds, over or not, and what waits for them since it was assigned."""
        return [
            w
            for w in self.works.values()
            if (w.state in HOLDING and w.holder == person)
            or (w.state == "waiting" and w.only_for == person and w.kept_until)
        ]

    def may_assign(self, work: Work, to: int, by: int) -> Refusal:
        if refused := self.allows(by, Act.ASSIGN, NOBODY):
            return refused
        if not work.is_open or (work.only_for and not work.kept_until):
            return Conflict
        case = replace(self.case(work, to), is_others=False)
        if self.allows(to, Act.CLAIM, case):
            return Invalid
        return Conflict if len([w for w in self.had(to) if w is not work]) >= self.cap else None

    def may_give_back(self, work: Work, by: int) -> Refusal:
        if refused := self.allows(by, Act.ASSIGN, NOBODY):
            return refused
        is_alone = work.only_for and not work.kept_until
        return Conflict if not work.is_open or is_alone or (work.holder or work.only_for) is None else None

    def hand(self, work: Work, to: int | None) -> None:
        """Keep a task for a person, or let it wait for all; who had it is fenced off."""
        work.go_on(self.at)
        work.leave("waiting")
        work.lease += 1
        work.only_for, work.kept_until = to, self.at + KEPT if to else None

    def to_free(self) -> list[Work]:
        return [w for w in self.works.values() if w.state == "waiting" and w.kept_until and w.kept_until <= self.at]

    # What is taught

    def to_teach(self) -> list[Ruled]:
        """Return the rulings that are final by now and no labels yet: what people ruled and nobody took back."""
        every = [ruled for thing in self.things.values() for ruled in thing.rulings]
        undone = {id(ruled.before) for ruled in every if ruled.source == "undo"}
        taught = [r for r in every if r.source not in ("undo", "expiry") and id(r) not in undone]
        return [r for r in taught if not r.is_fed and r.final_at <= self.at]
