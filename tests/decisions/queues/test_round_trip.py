"""Whatever a spec says, its stored content and its file say the same."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from decisions.queues import dump, parse, units
from decisions.queues.spec import (
    FieldType,
    Heuristic,
    ModelSpec,
    Money,
    Order,
    Outcome,
    PayloadField,
    PolicySpec,
    Reason,
    Remedy,
    Spec,
    Truth,
    ValueFormula,
)
from decisions.queues.spec_filter import Filter
from decisions.queues.spec_time import Calendar, Deadlines, Expiry, Holiday, Lapsed, Overload, OverloadRule, Unanswered
from decisions.queues.spec_training import Training
from tests.factories import make_spec

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = st.text(CHARACTERS, max_size=30)
WORDS = st.text(CHARACTERS, min_size=1, max_size=30).filter(str.strip)
CODES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="`"), min_size=1, max_size=10)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SPANS = st.integers(1, 10**7).map(lambda seconds: timedelta(seconds=seconds))
REASONS = st.lists(st.builds(Reason, CODES, WORDS, st.booleans()), max_size=3, unique_by=lambda r: r.code).map(tuple)


HOURS = st.sampled_from([(), ("09:00-17:00",), ("00:00-06:30", "22:00-24:00")])
HOLIDAYS = st.lists(
    st.builds(Holiday, st.dates(date(2020, 1, 1), date(2030, 1, 1)), WORDS, HOURS),
    max_size=3,
    unique_by=lambda h: h.day,
).map(tuple)
ORDERS = st.lists(st.sampled_from(list(OverloadRule)), unique=True).map(
    lambda rules: tuple(sorted(rules, key=list(OverloadRule).index))
)
CALENDARS = st.just(Calendar()) | st.builds(Calendar, mon=st.just(("09:00-17:00",)), sun=HOURS, holidays=HOLIDAYS)


@st.composite
def fields(draw: st.DrawFn) -> tuple[PayloadField, ...]:
    """Return fields of every kind, always with one number `n` and one category `c`."""
    numbers = st.builds(
        PayloadField,
        name=NAMES,
        type=st.sampled_from([FieldType.NUMBER, FieldType.INTEGER, FieldType.MONEY]),
        label=WORDS,
        unit=TEXTS,
        low=st.none() | st.floats(-1e9, 0),
        high=st.none() | st.floats(0, 1e9),
        if_missing=st.sampled_from(Remedy),
        if_invalid=st.sampled_from(Remedy),
        personal=st.booleans(),
        after=st.booleans(),
    )
    texts = st.builds(PayloadField, name=NAMES, type=st.sampled_from([FieldType.TEXT, FieldType.JSON]), label=WORDS)
    categories = tuple(draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True)))
    fixed = [
        PayloadField("n", FieldType.NUMBER, draw(WORDS)),
        PayloadField("c", FieldType.CATEGORY, draw(WORDS), categories=categories),
    ]
    return tuple(
        draw(st.lists(numbers | texts, max_size=4, unique_by=lambda f: f.name).map(lambda x: unlike(fixed, x)))
    )


def unlike(fixed: list[PayloadField], others: list[PayloadField]) -> list[PayloadField]:
    return fixed + [field for field in others if field.name not in {f.name for f in fixed}]


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Return any valid spec."""
    low, soft, suggest, hard, high = sorted(draw(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5, unique=True)))
    given_fields = draw(fields())
    numeric = [f.name for f in given_fields if f.type in (FieldType.NUMBER, FieldType.INTEGER, FieldType.MONEY)]
    money = st.builds(Money, NUMBERS) | st.builds(Money, NUMBERS, NUMBERS, st.sampled_from(numeric))
    others = draw(st.lists(CODES, max_size=3, unique=True).map(lambda c: [x for x in c if x not in ("yes", "no")]))
    sla = draw(st.integers(3, 10**6).map(lambda seconds: timedelta(seconds=seconds)))
    given_hard, given_soft = draw(st.sampled_from([(hard, soft), (None, soft), (None, None)]))
    return make_spec(
        title=draw(WORDS),
        question=draw(WORDS),
        guideline=draw(WORDS),
        bears_cost=draw(WORDS),
        outcomes=(
            Outcome("yes", draw(WORDS), "1", Truth.POSITIVE, draw(CODES), draw(REASONS)),
            Outcome("no", draw(WORDS), "2", Truth.NEGATIVE),
            *(Outcome(key, draw(WORDS), str(n), Truth.NONE) for n, key in enumerate(others, 3)),
        ),
        routes=replace(make_spec().routes, positive="yes", negative="no", hard_action=draw(CODES)),
        fields=given_fields,
        policy=PolicySpec(
            hard=given_hard,
            soft=given_soft,
            suggest=suggest,
            control_share=draw(st.floats(0, 1)),
            objective=draw(WORDS),
        ),
        model=ModelSpec(low, high, features=tuple(draw(st.sets(st.sampled_from(numeric))))),
        value=ValueFormula("EUR", draw(money), draw(money), draw(money), draw(money), draw(st.floats(0, 99))),
        heuristics=tuple(
            draw(
                st.lists(
                    st.builds(Heuristic, st.just("n"), st.sampled_from(["<", ">="]), NUMBERS, st.just(soft))
                    | st.builds(Heuristic, st.just("c"), st.just("in"), st.tuples(TEXTS, TEXTS), st.just(soft)),
                    max_size=3,
                )
            )
        ),
        value_field="n",
        segment_field="c",
        order=draw(st.sampled_from(Order)),
        sla=sla,
        sla_step=draw(
            st.timedeltas(timedelta(seconds=1), sla).map(lambda t: timedelta(seconds=t // timedelta(seconds=1)))
        ),
        lease=timedelta(seconds=1),
        calendar=draw(CALENDARS),
        deadlines=Deadlines(soft=draw(st.none() | st.just(sla)), audit=draw(st.none() | st.just(sla))),
        undo=draw(SPANS),
        cap=draw(st.integers(2, 100)),
        hide_suggestion=draw(st.booleans()),
        outside_acts=draw(st.booleans()),
        expire_to=draw(st.sampled_from(["", "yes", "no"])),
        expiry=draw(st.builds(Expiry, soft=st.sampled_from([None, Lapsed.PASS]), audit=st.sampled_from(Unanswered))),
        overload=draw(st.builds(Overload, order=ORDERS, begin_load=st.floats(1, 9), stretch=st.floats(1.5, 9))),
        timezone=draw(st.sampled_from(["UTC", "Europe/Madrid", "Asia/Shanghai"])),
        failed_check_routes=draw(st.sampled_from([(), ("pass",), ("hard", "pass")])),
    )


@given(specs())
def test_a_dumped_file_reads_back_as_the_same_spec(spec: Spec) -> None:
    document = parse.document(dump.toml(spec, 7, 3), "queue.toml")
    assert document == parse.Document(spec, version=7, policy=3)


@given(specs())
def test_stored_content_reads_back_as_the_same_spec(spec: Spec) -> None:
    content: Any = json.loads(json.dumps(dump.content(spec)))
    assert parse.spec(content) == spec
    assert parse.stored(content) == spec


def test_a_formula_may_start_with_the_point() -> None:
    assert units.money(".6 * Amount") == Money(0.0, 0.6, "Amount")


@given(st.builds(Money, NUMBERS, NUMBERS, NAMES) | st.builds(Money, NUMBERS))
def test_a_money_formula_reads_back(amount: Money) -> None:
    text = units.money_text(amount)
    assert (units.money(text) if isinstance(text, str) else Money(text)) == amount


def test_a_filter_is_dumped_and_reads_back() -> None:
    model = ModelSpec(pipeline="boosting", features=("words",), label="spam", positive="1")
    rules = Filter(cut=0.3, let_through=0.05, cost_block=2.5, cost_error=40.0, min_labels=500)
    spec = make_spec(model=model, filter=rules)
    assert parse.document(dump.toml(spec, 7, 3), "queue.toml").spec == spec
    assert "[filter]" not in dump.toml(make_spec(), 7, 3)


def test_what_starts_training_is_dumped_and_reads_back() -> None:
    model = ModelSpec(pipeline="boosting", features=("words",), label="spam", positive="1")
    rules = Training(after_labels=500, every=timedelta(days=7), on_drift=True, rest=timedelta(hours=2))
    spec = make_spec(model=model, training=rules)
    assert parse.document(dump.toml(spec, 7, 3), "queue.toml").spec == spec
