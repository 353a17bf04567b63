"""Who gets which task: the pure rule."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from decisions.work.spread import Load, levelled, spread

A, B, C = 1, 2, 3
PEOPLE = (A, B, C)


def test_each_task_goes_to_who_has_least_of_those_who_can_take_it() -> None:
    able = {A: {10, 11, 12}, B: {10, 11, 12}, C: {12}}
    loads = {A: Load(2, 9), B: Load(0, 9), C: Load(0, 9)}
    assert spread([10, 11, 12], able, loads) == {10: B, 11: B, 12: C}


def test_what_nobody_can_take_or_has_room_for_goes_to_all() -> None:
    assert spread([10, 11], {A: {10, 11}}, {A: Load(0, 1)}) == {10: A, 11: None}
    assert spread([10], {A: {11}}, {A: Load(0, 9)}) == {10: None}
    assert spread([10], {}, {}) == {10: None}


def test_levelling_moves_the_least_urgent_from_the_fullest_to_the_emptiest() -> None:
    kept = {10: A, 11: A, 12: A, 13: B}
    able = {A: set(kept), B: set(kept), C: set(kept)}
    loads = {A: Load(3, 5), B: Load(1, 5), C: Load(0, 5)}
    assert levelled(kept, [10, 11, 12, 13], able, loads) == {10: A, 11: A, 12: C, 13: B}


def test_what_is_kept_for_somebody_who_is_away_goes_to_others() -> None:
    kept = {10: C, 11: C}
    assert levelled(kept, [10, 11], {A: {10}, B: {10}}, {A: Load(1, 5), B: Load(0, 5)}) == {10: B, 11: None}


@given(
    owners=st.lists(st.sampled_from([*PEOPLE, 9]), max_size=12),
    held=st.tuples(*[st.integers(0, 4)] * 3),
    most=st.integers(1, 8),
    data=st.data(),
)
def test_levelling_respects_reach_and_cap_and_leaves_no_gap_it_could_close(
    owners: list[int], held: tuple[int, int, int], most: int, data: st.DataObject
) -> None:
    tasks = list(range(100, 100 + len(owners)))
    kept = dict(zip(tasks, owners, strict=True))
    able = {
        person: data.draw(st.frozensets(st.sampled_from(tasks)) if tasks else st.just(frozenset())) for person in PEOPLE
    }
    has = dict(zip(PEOPLE, held, strict=True))
    loads = {person: Load(has[person] + owners.count(person), most) for person in PEOPLE}
    to = levelled(kept, tasks, able, loads)
    assert set(to) == set(tasks)
    ends = Counter({person: has[person] for person in PEOPLE})
    for task, person in to.items():
        assert person == kept[task] or person is None or task in able[person]
        assert kept[task] in PEOPLE or person != kept[task]
        if person is not None:
            ends[person] += 1
    for person in PEOPLE:
        assert ends[person] <= max(most, loads[person].has)
    for rich in PEOPLE:
        for poor in PEOPLE:
            could = [task for task, person in to.items() if person == rich and task in able[poor]]
            assert not (could and ends[rich] - ends[poor] >= 2 and ends[poor] < most)
