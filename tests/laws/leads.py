"""What leads do at the desk: they override, confirm each other's overrides, and hand tasks from one to another."""

from typing import Any

from decisions.models import Ruling, User
from decisions.work import appeals, handover, second
from decisions.work.answer import Answer
from tests.laws.desk import Desk
from tests.laws.things import Appealed, Asked, Thing, Work

HANDED = "load"


class LeadsDesk(Desk):
    """The desk with those who lead it."""

    def replace(self, thing: Thing, user: User, outcome: str) -> None:
        """Override what holds for an item, or ask a second person to let it hold."""
        asks = self.model.asks(thing)
        refused = self.model.may_ask(thing, outcome, user.pk)
        answer = Answer(outcome, "content")
        made = self.attempt(refused, second.override, item_id=thing.pk, person=user, answer=answer)
        if refused:
            return
        assert isinstance(made, Ruling) != asks
        if asks:
            rulings = len(thing.rulings)
            self.model.asked[made.pk] = Asked(made.pk, thing.pk, user.pk, outcome, rulings, made.expires_at)
        else:
            self.model.override(thing, outcome, user.pk)

    def confirm(self, asked: Asked, user: User) -> None:
        refused = self.model.may_confirm(asked, user.pk)
        self.attempt(refused, second.confirm, pending_id=asked.pk, person=user)
        if refused is None:
            asked.state, asked.closer = "confirmed", user.pk
            self.model.override(self.model.things[asked.item], asked.outcome, asked.person)

    def turn_down(self, asked: Asked, user: User) -> None:
        refused = self.model.may_turn_down(asked, user.pk)
        self.attempt(refused, second.turn_down, pending_id=asked.pk, person=user, why="it was right")
        if refused is None:
            asked.state = "withdrawn" if asked.person == user.pk else "refused"
            asked.closer = user.pk

    def appeal(self, thing: Thing, user: User) -> None:
        """Somebody outside says by this person, or system, that what holds is wrong."""
        refused = self.model.may_appeal(thing, user.pk)
        given: dict[str, Any] = {"item_id": thing.pk, "by": user, "statement": "It was wrong."}
        self.attempt(refused, appeals.file, **given)
        if refused is None:
            (work,) = self.learn()
            assert (work.item, work.purpose, work.rank) == (thing.pk, "appeal", 3)
            self.model.appeals[work.pk] = Appealed(thing.pk, user.pk, self.model.in_force(thing))

    def end_asking(self) -> None:
        """End what waited too long for a second person, or was overtaken by another ruling."""
        over = [
            asked
            for asked in self.model.asked.values()
            if asked.state == "waiting" and (asked.expires_at <= self.clock.at or self.model.is_overtaken(asked))
        ]
        assert second.expire(self.clock.at) == len(over)
        self.look()
        for asked in over:
            asked.state = "overtaken" if self.model.is_overtaken(asked) else "expired"

    def assign(self, work: Work, to: User, by: User) -> None:
        refused = self.model.may_assign(work, to.pk, by.pk)
        given: dict[str, Any] = {"task_id": work.pk, "to": to.pk, "by": by, "reason": HANDED}
        self.attempt(refused, handover.assign, **given)
        if refused is None:
            self.model.hand(work, to.pk)

    def give_back(self, work: Work, by: User) -> None:
        refused = self.model.may_give_back(work, by.pk)
        self.attempt(refused, handover.give_back, task_id=work.pk, by=by, reason=HANDED)
        if refused is None:
            self.model.hand(work, None)
