"""A queue under whatever people and time do to it, held against a plain model after each step."""

from dataclasses import replace
from datetime import timedelta

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from decisions import people
from decisions.learning import labels
from decisions.models import Item, Task
from decisions.queues import live, pause
from decisions.work import expiry, grading, sweep
from decisions.work import rule as rulings
from tests.factories import make_user
from tests.laws import laws
from tests.laws.desk import AMOUNTS, CAP, OUTCOMES, SCORES, STEPS, TEAM
from tests.laws.leads import LeadsDesk
from tests.laws.things import HOLDING, Person

SPANS = [timedelta(minutes=m) for m in (0.5, 0.5, 0.5, 2, 2, 2, 6, 6, 12, 50, 200, 1500)]

who = st.integers(0, len(TEAM) - 1)
pick = st.integers(0, 2**16)
outcome = st.sampled_from(OUTCOMES)
senior = st.sampled_from([5, 6, 7, 5, 6, 7, 0, 1, 2, 4, 8])
likely = st.sampled_from([True, True, True, False])


class Machine(LeadsDesk):
    """What may happen, and what holds whatever happens."""

    # Arrivals

    @rule(scores=st.lists(st.sampled_from(SCORES), min_size=1, max_size=3), amount=st.sampled_from(AMOUNTS))
    def arrive(self, scores: list[float], amount: int | None) -> None:
        """Some items come, one of them twice, and a line that is none."""
        self.take_in([self.line(score, amount) for score in scores])

    @precondition(lambda self: self.names)
    @rule(number=pick, is_changed=st.booleans())
    def send_again(self, number: int, is_changed: bool) -> None:
        """What was sent before is sent again, as it was or with other content."""
        item = Item.objects.filter(queue=self.queue).order_by("pk")[number % len(self.model.things)]
        payload = orjson.loads(item.body.content or "{}")["payload"]
        self.send({"external_id": item.external_id, "payload": {**payload, **({"words": 2} if is_changed else {})}})
        self.look()
        assert replace(self.now, **self.told()) == replace(self.before, **self.told())

    # Taking and leaving

    @rule(number=pick, count=st.integers(1, 3), is_sensible=likely)
    def claim(self, number: int, count: int, is_sensible: bool) -> None:
        """Somebody takes what is next; mostly one for whom there is something."""
        able = [user for user in self.users if is_sensible and self.model.claimable(user.pk)]
        user = (able or self.users)[number % len(able or self.users)]
        self.take(user, count)

    @rule(number=pick, outcomes=st.lists(outcome, min_size=1, max_size=3))
    def work_cards(self, number: int, outcomes: list[str]) -> None:
        """Somebody takes what is next and answers it at once, and what comes then."""
        able = [user for user in self.users if self.model.claimable(user.pk)]
        for said in outcomes if able else ():
            self.work(able[number % len(able)], said)

    @rule(outcomes=st.lists(outcome, min_size=4, max_size=4), turn=pick)
    def a_good_day(self, outcomes: list[str], turn: int) -> None:
        """In turn they all take what there is for them, until little is left."""
        for number in range(turn, turn + 16):
            user = self.users[number % len(self.users)]
            if self.model.claimable(user.pk):
                self.work(user, outcomes[number % 4])

    @precondition(lambda self: self.good_hands())
    @rule(number=pick, verb=st.sampled_from(STEPS))
    def step(self, number: int, verb: str) -> None:
        self.make_step(*self.a_hand(number), verb)

    @precondition(lambda self: self.hands)
    @rule(number=pick, verb=st.sampled_from([*STEPS, "escalate", "decide"]), outcome=outcome)
    def use_any_lease(self, number: int, verb: str, outcome: str) -> None:
        """A lease that somebody once had, good or not."""
        person, hand = self.hands[number % len(self.hands)]
        if verb == "decide":
            self.answer(self.user(person), hand, outcome)
        elif verb == "escalate":
            self.pass_on(self.user(person), hand)
        else:
            self.make_step(self.user(person), hand, verb)

    @precondition(lambda self: self.good_hands())
    @rule(number=pick)
    def escalate(self, number: int) -> None:
        self.pass_on(*self.a_hand(number))

    # Time

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span: timedelta) -> None:
        self.clock.pass_(span)
        self.model.at = self.clock.at
        self.look()

    @rule()
    def sweep_leases(self) -> None:
        over = [work for work in self.works(*HOLDING) if work.is_over(self.clock.at)]
        assert sweep.lapse(self.clock.at) == len(over)
        self.look()
        for work in over:
            work.leave("waiting")
            work.lease += 1

    @rule()
    def sweep_deadlines(self) -> None:
        rules, at = expiry.rules(self.spec), self.clock.at
        late = [
            work
            for work in self.works("waiting", *HOLDING)
            if work.due <= at and work.purpose in rules and (work.state != "claimed" or work.is_over(at))
        ]
        assert sweep.expire(at) == len(late)
        self.look()
        wanted = set()
        for work in sorted(late, key=lambda work: (work.due, work.pk)):
            work.leave("expired")
            which = rules[Task.Purpose(work.purpose)]
            if which.word == "escalate" and self.model.escalation_of(work.item) is None:
                wanted.add(work.item)
            if which.outcome:
                self.model.rule(work, which.outcome.key, None, "expiry")
        assert {work.item for work in self.learn()} == wanted

    @rule()
    def feed(self) -> None:
        """What people ruled becomes labels once its undo window is over."""
        final = self.model.to_teach()
        assert labels.feed_due(self.clock.at) == len(final)
        self.look()
        for ruled in final:
            ruled.is_fed = True

    # Answers

    @precondition(lambda self: self.good_hands())
    @rule(number=pick, outcome=outcome)
    def decide(self, number: int, outcome: str) -> None:
        self.answer(*self.a_hand(number), outcome)

    @precondition(lambda self: self.answers)
    @rule(number=pick, is_own=st.booleans(), person=who)
    def undo(self, number: int, is_own: bool, person: int) -> None:
        decision, task, round_ = self.answers[-1 - number % min(4, len(self.answers))]
        work = self.model.works[task]
        user = self.user(work.decided_by[round_ - 1]) if is_own else self.users[person]
        refused = self.model.may_undo(work, round_, user.pk)
        self.attempt(refused, rulings.undo, decision_id=decision, person=user)
        if refused is None:
            self.model.undo(work, user.pk)
            self.hands.append((user.pk, (work.pk, work.lease)))
            self.handed[user.pk] += 1

    @precondition(lambda self: self.model.things)
    @rule(number=pick, person=senior, outcome=outcome, other=senior, then=st.sampled_from(["", "confirm", "turn_down"]))
    def override(self, number: int, person: int, outcome: str, other: int, then: str) -> None:
        """Somebody overrides an item; where a second person has to confirm it, one may answer at once."""
        thing = list(self.model.things.values())[number % len(self.model.things)]
        asked = set(self.model.asked)
        self.replace(thing, self.users[person], outcome)
        for pk in (self.model.asked.keys() - asked) if then else ():
            getattr(self, then)(self.model.asked[pk], self.users[other])

    @precondition(lambda self: self.model.asked)
    @rule(number=pick, person=senior, is_confirmed=likely)
    def answer_asked(self, number: int, person: int, is_confirmed: bool) -> None:
        """Somebody confirms or turns down an override; mostly one that waits still."""
        every = list(self.model.asked.values())
        waiting = [asked for asked in every if asked.state == "waiting"] or every
        asked = waiting[number % len(waiting)]
        (self.confirm if is_confirmed else self.turn_down)(asked, self.users[person])

    @precondition(lambda self: self.model.things)
    @rule(number=pick, is_fit=likely, person=st.sampled_from([7, 7, 7, 5, 6, 0, 8]))
    def file_appeal(self, number: int, is_fit: bool, person: int) -> None:
        every, user = list(self.model.things.values()), self.users[person]
        fit = [thing for thing in every if is_fit and self.model.may_appeal(thing, user.pk) is None] or every
        self.appeal(fit[number % len(fit)], user)

    @rule()
    def sweep_asked(self) -> None:
        self.end_asking()

    @precondition(lambda self: self.model.works)
    @rule(number=pick, is_open=likely, to=st.integers(0, 7), by=senior, is_back=st.sampled_from([True, False, False]))
    def hand_over(self, number: int, is_open: bool, to: int, by: int, is_back: bool) -> None:
        """A task goes from whoever has it to somebody else, or back to all."""
        every = list(self.model.works.values())
        open_ = [work for work in every if work.is_open or not is_open] or every
        work = open_[number % len(open_)]
        if is_back:
            self.give_back(work, self.users[by])
        else:
            self.assign(work, self.users[to], self.users[by])

    @rule()
    def sweep_kept(self) -> None:
        """What was kept for somebody long enough is everybody's again."""
        over = self.model.to_free()
        assert sweep.free(self.clock.at) == len(over)
        self.look()
        for work in over:
            work.only_for, work.kept_until = None, None

    # What measures people

    @precondition(lambda self: self.model.things)
    @rule(number=pick)
    def audit(self, number: int) -> None:
        """A lot draws a pass; none is opened where a person ruled before, or one was drawn already."""
        self.draw(number)

    @precondition(lambda self: self.model.things)
    @rule(
        number=pick,
        is_decided=likely,
        person=st.sampled_from([4, 4, 5, 5, 0, 7]),
        outcome=st.sampled_from(["spam", "ham"]),
    )
    def mark_gold(self, number: int, is_decided: bool, person: int, outcome: str) -> None:
        every = list(self.model.things.values())
        ready = [thing for thing in every if is_decided and thing.last and not self.model.in_the_way(thing.pk)]
        self.mark((ready or every)[number % len(ready or every)], self.users[person], outcome)

    @rule()
    def grade(self) -> None:
        """What was checked of each person is counted; who errs too often is paused."""
        for grade in grading.regrade(live.of(self.queue.slug), self.clock.at):
            known = self.model.people[grade.person_id]
            assert grade.no == known.grades + 1
            known.grades, known.is_paused = grade.no, grade.is_paused
        self.look()

    @rule(number=pick, is_paused=likely, by=st.sampled_from([5, 5, 6, 7, 1]))
    def lift_pause(self, number: int, is_paused: bool, by: int) -> None:
        paused = [user for user in self.users if is_paused and self.model.people[user.pk].is_paused]
        person = (paused or self.users)[number % len(paused or self.users)]
        refused = self.model.may_lift(person.pk, self.users[by].pk)
        given = {"queue_id": self.queue.pk, "person_id": person.pk, "by": self.users[by]}
        grade = self.attempt(refused, grading.lift, **given)
        if refused is None:
            known = self.model.people[person.pk]
            known.grades, known.is_paused = grade.no, False

    # People and the queue

    @rule(person=st.integers(0, 5))
    def leave(self, person: int) -> None:
        """Somebody leaves for good; somebody new has their place."""
        user = self.users[person]
        people.deactivate(user=user, by=None, at=self.clock.at)
        self.look()
        for work in self.works(*HOLDING):
            if work.holder == user.pk:
                work.leave("waiting")
        for work in self.works("waiting"):
            if work.only_for == user.pk and work.kept_until:
                work.only_for, work.kept_until = None, None
        self.model.people[user.pk].role = ""
        role, limit = TEAM[person]
        new = make_user(role, self.queue, value_limit=limit)
        self.users.append(self.users[person])
        self.users[person] = new
        self.model.people[new.pk] = Person(new.pk, role, limit)

    @rule(person=st.sampled_from([1, 2, 4]), role=st.sampled_from(["crowd", "reviewer", "expert", "auditor"]))
    def change_role(self, person: int, role: str) -> None:
        """Somebody may do something else from now on, whatever they hold."""
        user = self.users[person]
        known = self.model.people[user.pk]
        people.change_role(user=user, queue=self.queue, role=role, by=None, at=self.clock.at, value_limit=known.limit)
        self.look()
        known.role = role

    @rule(is_paused=st.sampled_from([False, False, False, True]))
    def pause(self, is_paused: bool) -> None:
        call = pause.pause if is_paused else pause.resume
        assert call(queue_id=self.queue.pk, by=self.users[7], why="staff") == (is_paused != self.model.is_paused)
        self.look()
        self.model.is_paused = is_paused

    # What holds after each step

    @invariant()
    def the_house_is_as_the_model_says(self) -> None:
        told = {w.pk: (w.state, w.holder, w.lease, w.round, w.only_for) for w in self.model.works.values()}
        names = ("state", "holder_id", "lease", "round", "only_for_id")
        times = {w.pk: (w.due, w.until, w.kept_until) for w in self.model.works.values()}
        clocks = {pk: tuple(at and at.timestamp() for at in some) for pk, some in times.items()}
        assert clocks == {pk: (row["due"], row["until"], row["kept"]) for pk, row in self.now.tasks.items()}
        asked = {one.pk: (one.state, one.closer) for one in self.model.asked.values()}
        assert asked == {pk: (row["state"], row["closer_id"]) for pk, row in self.now.asked.items()}
        appeals = {pk: appeal.state for pk, appeal in self.model.appeals.items()}
        assert appeals == {pk: row["state"] for pk, row in self.now.appeals.items()}
        assert told == {pk: tuple(row[name] for name in names) for pk, row in self.now.tasks.items()}
        for thing in self.model.things.values():
            held = [(ruled.outcome, ruled.source, ruled.person) for ruled in thing.rulings]
            kept = [(row["outcome"], row["source"], row["person_id"]) for row in self.now.rulings_of(thing.pk)]
            assert held == kept

    @invariant()
    def nothing_is_lost(self) -> None:
        laws.everything_accepted_is_somewhere(self.now)

    @invariant()
    def one_decision_a_round(self) -> None:
        laws.each_round_is_decided_once(self.now)

    @invariant()
    def one_ruling_holds(self) -> None:
        laws.rulings_follow_one_another(self.now)

    @invariant()
    def a_holder_while_held(self) -> None:
        laws.who_holds_is_known(self.now)

    @invariant()
    def a_lease_only_grows(self) -> None:
        laws.leases_only_grow(self.before, self.now)

    @invariant()
    def the_cap_holds(self) -> None:
        laws.nobody_holds_more_than_the_cap(self.now, self.clock.at, CAP, self.handed)

    @invariant()
    def the_blind_rule_nothing(self) -> None:
        laws.blind_answers_move_no_ruling(self.before, self.now)

    @invariant()
    def a_change_is_a_move(self) -> None:
        laws.each_change_of_a_task_is_one_move(self.before, self.now)

    @invariant()
    def a_fact_is_on_record(self) -> None:
        laws.each_fact_is_spoken_of_once(self.before, self.now)

    @invariant()
    def consequences_are_of_rulings(self) -> None:
        laws.actions_and_labels_hang_off_rulings(self.now)

    @invariant()
    def one_place_in_the_queue(self) -> None:
        laws.one_open_task_a_purpose(self.now)

    @invariant()
    def four_eyes_see_it_once(self) -> None:
        laws.an_override_waits_once(self.now)

    @invariant()
    def an_appeal_waits_with_its_task(self) -> None:
        laws.an_appeal_is_open_while_its_task_is(self.now)

    @invariant()
    def the_record_holds(self) -> None:
        laws.chain_verifies(self.queue.pk)
