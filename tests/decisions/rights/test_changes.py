"""What one right has over another, and which cells may stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.rights import DEFAULT, Act, Case, Limit, Own, Standing, changes, may
from decisions.rights.changes import Change

ORDINARY = frozenset({"soft", "audit"})
WORK = Limit(is_valued=True, purposes=ORDINARY, own=Own.INDEPENDENT)
YES = Limit()


@pytest.mark.parametrize(
    ("before", "after", "is_raised", "is_lowered"),
    [
        (None, YES, True, False),  # given
        (YES, None, False, True),  # taken away
        (WORK, replace(WORK, is_valued=False), True, False),  # the person's own limit counts no more
        (YES, Limit(up_to=10.0), False, True),  # a ceiling where there was none
        (Limit(up_to=10.0), Limit(up_to=20.0), True, False),
        (WORK, replace(WORK, rank=2), True, False),
        (WORK, replace(WORK, purposes=frozenset({"soft"})), False, True),
        (WORK, replace(WORK, purposes=None), True, False),
        (WORK, replace(WORK, purposes=frozenset({"gold"})), True, True),  # another thing
        (Limit(own=Own.ONLY), YES, True, False),
        (WORK, replace(WORK, own=Own.ANY), True, False),
        (Limit(own=Own.ONLY), Limit(own=Own.INDEPENDENT), True, True),
        (Limit(routes=frozenset({"hard"})), YES, True, False),
    ],
)
def test_who_gains_and_who_loses(before: Limit, after: Limit, is_raised: bool, is_lowered: bool) -> None:
    change = Change(Act.DECIDE, "lead", before, after)
    assert (change.is_raised, change.is_lowered) == (is_raised, is_lowered)


LIMITS = st.none() | st.builds(
    Limit,
    is_valued=st.booleans(),
    rank=st.sampled_from([1, 2]),
    purposes=st.none() | st.frozensets(st.sampled_from(["soft", "second", "appeal"])),
    routes=st.none() | st.frozensets(st.sampled_from(["hard", "pass"])),
    own=st.sampled_from(list(Own)),
    up_to=st.none() | st.sampled_from([0.0, 5.0]),
)
CASES = st.builds(
    Case,
    purpose=st.sampled_from(["soft", "second", "appeal"]),
    rank=st.sampled_from([1, 2]),
    value=st.none() | st.sampled_from([-1.0, 0.0, 4.0, 6.0]),
    route=st.sampled_from(["hard", "pass"]),
    own=st.booleans(),
)


@given(one=LIMITS, other=LIMITS, case=CASES, mine=st.none() | st.sampled_from([0.0, 5.0]))
def test_what_covers_another_allows_all_that_it_allows(
    one: Limit | None, other: Limit | None, case: Case, mine: float | None
) -> None:
    def allowed(far: Limit | None) -> bool:
        table = DEFAULT.under({Act.DECIDE: {"lead": far}}, (1, ""))
        return may(Standing("lead", mine, table=table), Act.DECIDE, case)

    if changes.covers(one, other):
        assert allowed(one) or not allowed(other)


def test_every_cell_in_code_may_stand() -> None:
    assert changes.faults(DEFAULT.cells) == []


@pytest.mark.parametrize(
    ("act", "role", "far", "field"),
    [
        ("manage_rights", "admin", None, "manage_rights.admin"),  # else nobody could give it back
        ("manage_people", "admin", None, "manage_people.admin"),
        ("export", "lead", Limit(up_to=5.0), "export.lead.up_to"),  # an export has no value
        ("export", "lead", Limit(rank=2), "export.lead.rank"),
        ("undo", "lead", Limit(), "undo.lead.own"),  # nobody undoes another's decision
        ("reverse_hard", "lead", Limit(), "reverse_hard.lead.routes"),
        ("claim", "lead", Limit(own=Own.ONLY), "claim.lead.own"),
        ("claim", "lead", Limit(purposes=frozenset()), "claim.lead.purposes"),  # not at all is not this
        ("claim", "lead", Limit(purposes=frozenset({"fun"})), "claim.lead.purposes"),
        ("claim", "lead", Limit(rank=9), "claim.lead.rank"),
        ("claim", "lead", Limit(up_to=-1.0), "claim.lead.up_to"),
        ("claim", "lead", Limit(up_to=float("nan")), "claim.lead.up_to"),
    ],
)
def test_cells_that_cannot_stand(act: str, role: str, far: Limit | None, field: str) -> None:
    assert [fault.field for fault in changes.faults({Act(act): {role: far}})] == [field]


def test_the_cells_that_differ_are_named() -> None:
    after = DEFAULT.under({Act.EXPORT: {"lead": YES, "auditor": None}}, (1, ""))
    assert changes.between(DEFAULT, after) == [
        Change(Act.EXPORT, "lead", None, YES),
        Change(Act.EXPORT, "auditor", YES, None),
    ]
