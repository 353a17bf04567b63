"""Every fault of a queue file is named with file, line and key, and all of them at once."""

from typing import Any

import pytest

from decisions.queues import dump, parse
from decisions.queues.parse import SpecError
from tests.factories import make_spec

CUT = "[policy]"
FILE = """\
slug = "posts"
title = "Posts"
question = "Is it spam?"
guideline = '''
Look at
the post.
'''
owner = "owner@example.org"
bears_cost = "Readers"
lease = "5 min"

[routes]
positive = "spam"
negative = "ham"

[[outcomes]]
key = "spam"
label = "Spam"
hotkey = "1"
truth = "positive"
reasons = [
    { code = "a", label = "A" },
    { code = "b", label = "B" },
]

[[outcomes]]
key = "ham"
label = "Ham"
hotkey = "2"
truth = "negative"

[[fields]]
name = "words"
type = "integer"
label = "Words"
low = 0
high = 10

[[fields]]
name = "kind"
type = "category"
label = "Kind"
categories = ["mail", "chat"]

[policy]
hard = 0.9
suggest = 0.5
soft = 0.3
control_share = 0.1
objective = "Less spam"
"""

# what is put in place of what, the line, the key and what the message must say
FAULTS = [
    ('question = "Is it spam?"', 'questoin = "Is it spam?"', 3, "questoin", "do you mean “question”"),  # a near miss
    ('title = "Posts"', "title = 7", 2, "title", "must be a text"),  # another type
    ('title = "Posts"', 'title = "\\u0000"', 2, "title", "cannot be stored"),  # what the database cannot hold
    ('title = "Posts"', 'title = " "', 2, "title", "must not be empty"),  # there, and says nothing
    ('slug = "posts"', 'slug = "My Posts"', 1, "slug", "a-z"),  # no slug
    ('slug = "posts"', 'slug = "alerts"', 1, "slug", "address of the site"),  # a page stands there
    ("owner@example.org", "the owner", 8, "owner", "e-mail"),  # nobody is accountable
    ('lease = "5 min"', "lease = 5", 10, "lease", "“5 min”"),  # five what?
    ('lease = "5 min"', 'lease = "5 fortnights"', 10, "lease", "“5 min”"),  # no such unit
    ('lease = "5 min"', 'lease = "2 d"', 1, "sla", "longer than the lease"),  # a default that no longer fits
    ('lease = "5 min"', "cap = 1", 10, "cap", "from 2"),  # the next card is held too
    ('lease = "5 min"', "cap = 2.0", 10, "cap", "whole number"),  # a number is not enough
    ('lease = "5 min"', 'timezone = "Europe/Madird"', 10, "timezone", "Europe/Madrid"),  # a zone nobody knows
    ('lease = "5 min"', 'timezone = "../etc/passwd"', 10, "timezone", "not a time zone"),  # a path is no zone either
    ('lease = "5 min"', 'order = "age"', 10, "order", "arrival, score, value"),  # one of a few words
    ('lease = "5 min"', 'order = "value"', 10, "order", "value_field"),  # ordered by what is not named
    ('lease = "5 min"', 'segment_field = "knid"', 10, "segment_field", "do you mean “kind”"),  # no such field
    ('lease = "5 min"', 'value_field = "kind"', 10, "value_field", "integer, money, number"),  # not a number
    ('lease = "5 min"', 'expire_to = "eggs"', 10, "expire_to", "no “eggs”"),  # no such outcome
    ('lease = "5 min"', 'fallback_routes = ["soft"]', 10, "fallback_routes[0]", "hard, pass"),  # soft needs no leave
    (CUT, '[overload]\norder = ["wait"]\n' + CUT, 46, "overload.order[0]", "threshold, crowd"),  # no such rule
    (
        CUT,
        '[overload]\norder = ["audit", "crowd"]\n' + CUT,
        46,
        "overload.order[0]",
        "come last",
    ),  # what measures goes last
    (CUT, '[overload]\norder = ["crowd", "crowd"]\n' + CUT, 46, "overload.order[1]", "twice"),  # once is enough
    (CUT, "[overload]\nend_load = 1.5\n" + CUT, 46, "overload.end_load", "below begin_load"),  # it would flutter
    (CUT, "[overload]\nstretch = 1\n" + CUT, 46, "overload.stretch", "above 1"),  # no longer at all
    (CUT, '[overload]\nrest = "1 s"\n' + CUT, 46, "overload.rest", "a minute"),
    (CUT, "[training]\nafter_labels = 100\n" + CUT, 46, "training.after_labels", "pipeline"),  # scores from outside
    (CUT, "[training]\nafter_labels = 10\n" + CUT, 46, "training.after_labels", "from 50"),  # noise
    (CUT, '[training]\nevery = "1 min"\n' + CUT, 46, "training.every", "from 1 h"),
    (CUT, '[training]\nrest = "1 s"\n' + CUT, 46, "training.rest", "from 10 min"),
    (CUT, "[filter]\ncut = 0.3\ncost_block = 1\ncost_error = 9\n" + CUT, 46, "filter.cut", "pipeline"),
    (CUT, "[filter]\ncut = 1\n" + CUT, 46, "filter.cut", "above 0 and below 1"),
    (CUT, "[filter]\ncut = 0.3\ncost_error = 9\n" + CUT, 45, "filter.cost_block", "is needed"),
    (CUT, "[filter]\nlet_through = 0\n" + CUT, 46, "filter.let_through", "above 0 and below 1"),
    (CUT, "[filter]\ncost_error = 0\n" + CUT, 46, "filter.cost_error", "above 0"),
    (CUT, "[filter]\nmin_labels = 3\n" + CUT, 46, "filter.min_labels", "from 50"),
    (CUT, "[training]\non_drift = 1\n" + CUT, 46, "training.on_drift", "true or false"),
    (CUT, "[overload]\nbegin_late = 0\n" + CUT, 46, "overload.begin_late", "1 or more"),  # always
    ("soft = 0.3", "soft = 0.3\noverload_soft = 0.2", 49, "policy.overload_soft", "below soft"),  # it would be lowered
    ("soft = 0.3", "soft = 0.3\noverload_soft = 0.95", 49, "policy.overload_soft", "above hard"),  # past HARD
    ("control_share = 0.1", "control_share = 0.1\ncontrol_floor = 0.2", 50, "policy.control_floor", "control_share"),
    ("control_share = 0.1", "control_share = 0.1\naudit_floor = 5", 50, "policy.audit_floor", "audit_budget"),
    (CUT, '[expiry]\nsoft = "drop"\n' + CUT, 46, "expiry.soft", "pass, act, escalate, wait"),  # no such rule
    (CUT, '[expiry]\nsoft = "act"\n' + CUT, 46, "expiry.soft", "expire_to"),  # act by what?
    (CUT, '[expiry]\ncontrol_to = "hem"\n' + CUT, 46, "expiry.control_to", "do you mean “ham”"),  # no such outcome
    (CUT, '[expiry]\ncontrol = "pass"\ncontrol_to = "ham"\n' + CUT, 47, "expiry.control_to", "no effect"),
    (CUT, '[expiry]\naudit = "pass"\n' + CUT, 46, "expiry.audit", "end, escalate"),  # it was passed already
    (CUT, '[deadlines]\naudit = "1 min"\n' + CUT, 46, "deadlines.audit", "longer than the lease"),  # no time to decide
    (CUT, '[deadlines]\ngold = "1 h"\n' + CUT, 46, "deadlines.gold", "unknown"),  # gold waits among the others
    (CUT, '[calendar]\nmon = "09:00-17:00"\n' + CUT, 46, "calendar.mon", "a list"),  # hours are a list
    (CUT, '[calendar]\nmon = ["9-17"]\n' + CUT, 46, "calendar.mon[0]", "“09:00-17:30”"),  # no such form
    (CUT, '[calendar]\nmon = ["17:00-09:00"]\n' + CUT, 46, "calendar.mon[0]", "“24:00”"),  # over midnight
    (CUT, '[calendar]\nmon = ["09:00-12:00", "11:00-13:00"]\n' + CUT, 46, "calendar.mon[1]", "in front"),  # overlap
    (CUT, '[calendar]\nmonday = ["09:00-12:00"]\n' + CUT, 46, "calendar.monday", "do you mean “mon”"),  # not a key
    (CUT, '[calendar]\nholidays = [{ day = 2026-12-25, name = "X" }]\n' + CUT, 46, "calendar.holidays", "weekday"),
    (
        CUT,
        '[calendar]\nmon = ["00:00-24:00"]\nholidays = [{ day = "2026-13-25", name = "X" }]\n' + CUT,
        47,
        "calendar.holidays[0].day",
        "2026-12-25",
    ),  # no such day
    (
        CUT,
        '[calendar]\nmon = ["00:00-24:00"]\nholidays = [\n'
        '{ day = 2026-12-25, name = "X" },\n{ day = 2026-12-25, name = "Y" },\n]\n' + CUT,
        49,
        "calendar.holidays[1].day",
        "twice",
    ),  # one day, two rules
    (CUT, '[calendar]\nmon = ["09:00-09:10"]\n' + CUT, 1, "sla", "two years"),  # never in time
    ('positive = "spam"', 'positive = "ham"', 13, "routes.positive", "“negative”"),  # the wrong truth
    ('negative = "ham"', 'negative = "hem"', 14, "routes.negative", "do you mean “ham”"),  # no such outcome
    (
        'negative = "ham"',
        'negative = "ham"\nhard_action = "a b"',
        15,
        "routes.hard_action",
        "a-z",
    ),  # a code has no space
    ('label = "Spam"', "", 16, "outcomes[0].label", "is missing"),  # named where its table begins
    ('key = "ham"', 'key = "spam"', 27, "outcomes[1].key", "twice"),  # two outcomes of one key
    ('hotkey = "2"', 'hotkey = "1"', 29, "outcomes[1].hotkey", "twice"),  # two outcomes on one key
    ('hotkey = "2"', 'hotkey = "a"', 29, "outcomes[1].hotkey", "review card"),  # the card agrees with `a`
    ('hotkey = "2"', 'hotkey = "22"', 29, "outcomes[1].hotkey", "single"),  # one key press
    ('truth = "negative"', 'truth = "no"', 30, "outcomes[1].truth", "positive, negative, none"),  # no such truth
    ('code = "b"', 'code = "a"', 23, "outcomes[0].reasons[1].code", "twice"),  # found inside an inline table
    (
        'label = "B" }',
        'label = "B", need_note = true }',
        23,
        "outcomes[0].reasons[1].need_note",
        "do you mean “needs_note”",
    ),
    ('name = "kind"', 'name = "words"', 40, "fields[1].name", "twice"),  # two fields of one name
    ("low = 0", "low = 11", 36, "fields[0].low", "above high"),  # the range is empty
    ("low = 0", "low = true", 36, "fields[0].low", "must be a number"),  # true is not 1
    ("low = 0", "low = nan", 36, "fields[0].low", "finite"),  # nor is this a bound
    ('["mail", "chat"]', '["mail", "mail"]', 43, "fields[1].categories[1]", "twice"),  # a category named twice
    ('categories = ["mail", "chat"]', "", 39, "fields[1].categories", "needs its categories"),  # a category without any
    (
        'categories = ["mail", "chat"]',
        'categories = "mail"',
        43,
        "fields[1].categories",
        "a list",
    ),  # one word is no list
    ('type = "integer"', 'type = "int"', 34, "fields[0].type", "integer"),  # no such type
    ("hard = 0.9", "hard = 1.9", 46, "policy.hard", "0 to 1"),  # outside the model's range
    ("hard = 0.9", "hard = 0.2", 47, "policy.suggest", "above hard"),  # cuts in the wrong order
    ("soft = 0.3", "", 46, "policy.hard", "without soft"),  # nothing can be hard where people see everything
    ("control_share = 0.1", "control_share = 2", 49, "policy.control_share", "from 0 to 1"),  # a share
    ("control_share = 0.1", "", 45, "policy.control_share", "is missing"),  # nobody chooses it for you
    (CUT, "[value]\nfn = -1\n" + CUT, 45, "value.currency", "currency"),  # money of no currency
    (CUT, '[value]\nfn = "words * words"\n' + CUT, 46, "value.fn", "formula"),  # more than a sum with one field
    (CUT, '[value]\nfn = "5 * kind"\n' + CUT, 46, "value.fn", "“kind”"),  # five times a category
    (CUT, '[value]\ndelay_hour = "kind"\n' + CUT, 46, "value.delay_hour", "“kind”"),  # a category is no money
    (CUT, '[value]\ndelay_hour = "-2 * words"\n' + CUT, 46, "value.delay_hour", "below zero"),  # a gain from waiting
    (CUT, "[model]\nlow = 1\n" + CUT, 46, "model.low", "below high"),  # an empty range
    (CUT, '[model]\nfeatures = ["knd"]\n' + CUT, 46, "model.features[0]", "do you mean “kind”"),  # no such field
    (CUT, '[model]\npipeline = "deep"\n' + CUT, 46, "model.pipeline", "boosting"),  # no such pipeline
    (CUT, '[model]\npipeline = "logistic"\n' + CUT, 45, "model.label", "needs this"),  # trained on what?
    (CUT, '[model]\nfeatures = ["kind"]\nlabel = "kind"\n' + CUT, 46, "model.features[0]", "truth itself"),  # a leak
    (CUT, "[[heuristics]]\n" + CUT, 45, "heuristics[0].field", "is missing"),  # an empty rule
    (
        CUT,
        '[[heuristics]]\nfield = "words"\nop = "=="\noperand = "ten"\nscore = 0.5\n' + CUT,
        48,
        "heuristics[0].operand",
        "does not fit",  # a number is compared with a text
    ),
    ('slug = "posts"', 'slug = "posts"\nversion = 0', 2, "version", "from 1 on"),  # versions begin with 1
    ("[routes]", "[routes", 12, "", "Expected"),  # no TOML at all
    ("objective =", 'objective = """', 51, "", ""),  # a text that never ends
]


@pytest.mark.parametrize(("old", "new", "line", "key", "said"), FAULTS, ids=[f"{f[3]}-{f[4]}" for f in FAULTS])
def test_a_fault_is_named_with_file_line_and_key(old: str, new: str, line: int, key: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse.toml(FILE.replace(old, new, 1), "posts.toml")
    place = f"posts.toml:{line}: {key}: " if key else f"posts.toml:{line}: "
    matching = [message for message in caught.value.messages if message.startswith(place)]
    assert any(said in message for message in matching), caught.value.messages


def test_a_file_without_faults_is_read() -> None:
    spec = parse.toml(FILE, "posts.toml")
    assert spec.slug == "posts"
    assert spec.guideline == "Look at\nthe post.\n"
    assert [reason.code for reason in spec.outcomes[0].reasons] == ["a", "b"]


def test_all_faults_are_named_at_once_in_the_order_of_the_lines() -> None:
    text = FILE.replace('title = "Posts"', "title = 7").replace("high = 10", "high = -1").replace('"ham"', '"hen"', 1)
    with pytest.raises(SpecError) as caught:
        parse.toml(text, "f")
    assert [message.split(":")[1] for message in caught.value.messages] == ["2", "14", "36"]


def test_a_value_that_cannot_be_read_causes_no_second_fault() -> None:
    text = FILE.replace('key = "ham"', "key = 1").replace('type = "category"', 'type = "categories"')
    with pytest.raises(SpecError) as caught:
        parse.toml(text, "f")
    assert [fault.field for fault in caught.value.faults] == ["outcomes[1].key", "fields[1].type"]


def test_a_file_that_says_nothing_names_what_every_queue_needs() -> None:
    with pytest.raises(SpecError) as caught:
        parse.toml("", "f")
    missing = {fault.field for fault in caught.value.faults}
    assert missing == {
        *("slug", "title", "question", "guideline", "owner", "bears_cost"),
        *("outcomes", "routes", "fields", "policy"),
    }


def test_a_table_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(SpecError, match="outcomes: must be a list"):
        parse.toml(FILE.replace("[[outcomes]]", "[outcomes]", 1).replace("[[outcomes]]", "[other]"), "f")


def test_the_versions_that_a_file_carries_are_not_part_of_the_spec() -> None:
    text = "version = 3\n" + FILE.replace("[policy]", "[policy]\nversion = 2")
    document = parse.document(text, "f")
    assert (document.version, document.policy) == (3, 2)
    assert document.spec == parse.toml(FILE, "f")


def test_what_was_stored_is_read_even_if_it_would_be_refused_today() -> None:
    content: Any = dump.content(make_spec(cap=1))
    assert parse.stored(content).cap == 1
    with pytest.raises(SpecError, match="cap"):
        parse.spec(content)


@pytest.mark.parametrize("data", [None, [], "text", {"policy": []}, {"outcomes": [7]}, {"fields": {"name": 1}}])
def test_hostile_content_is_refused_and_nothing_else(data: Any) -> None:
    with pytest.raises(SpecError):
        parse.spec(data)
