"""Dawid and Skene's model where the truth is known: who errs how, and what rare items are."""

import numpy as np
import pytest

from decisions.measure import dawid_skene


def world(items: int, prevalence: float, rates: list[tuple[float, float]], seed: int) -> tuple[np.ndarray, ...]:
    """Return truth and the answers of people of these sensitivities and specificities, each to every item."""
    numbers = np.random.default_rng(seed)
    truth = (numbers.random(items) < prevalence).astype(float)
    said = np.stack(
        [np.where(truth > 0, numbers.random(items) < s, numbers.random(items) >= c).astype(float) for s, c in rates]
    )
    person, item = np.divmod(np.arange(said.size), items)
    return truth, person.astype(np.int64), item.astype(np.int64), said.ravel()


RATES = [(0.95, 0.97), (0.85, 0.9), (0.7, 0.95), (0.9, 0.8), (0.6, 0.9)]


def test_each_persons_rates_are_found() -> None:
    _truth, person, item, said = world(4_000, 0.3, RATES, 1)
    found = dawid_skene.fit(person, item, said)
    assert found.people.tolist() == [0, 1, 2, 3, 4]
    assert found.sensitivity == pytest.approx([s for s, _c in RATES], abs=0.03)
    assert found.specificity == pytest.approx([c for _s, c in RATES], abs=0.02)
    assert found.prevalence == pytest.approx(0.3, abs=0.02)


def test_of_rare_positives_it_calls_fewer_wrong_than_a_majority() -> None:
    """5 % positives, 300 items, three people: the majority's positives are right half the time."""
    majority, model = [0, 0], [0, 0]
    for seed in range(40):
        truth, person, item, said = world(300, 0.05, [(0.8, 0.9), (0.7, 0.85), (0.9, 0.93)], seed)
        votes = np.bincount(item, said) >= 2
        calls = dawid_skene.fit(person, item, said).positive > 0.5
        for tally, called in ((majority, votes), (model, calls)):
            tally[0] += int(truth[called].sum())
            tally[1] += int(called.sum())
    assert majority[0] / majority[1] < 0.65
    assert model[0] / model[1] > majority[0] / majority[1] + 0.1


def test_known_items_are_held_at_what_they_are() -> None:
    truth, person, item, said = world(200, 0.5, [(0.6, 0.6), (0.6, 0.6)], 4)
    known = np.where(item < 100, truth[item], np.nan)
    found = dawid_skene.fit(person, item, said, known)
    assert (found.positive[:100] == truth[:100]).all()
    free = dawid_skene.fit(person, item, said)
    told = np.abs(found.sensitivity - 0.6).mean() + np.abs(found.specificity - 0.6).mean()
    assert told < np.abs(free.sensitivity - 0.6).mean() + np.abs(free.specificity - 0.6).mean() + 0.05


def test_a_prior_stands_in_for_who_answered_little() -> None:
    one = np.array([7], dtype=np.int64)
    found = dawid_skene.fit(one, one, np.array([1.0]))
    assert (found.people.tolist(), found.items.tolist()) == ([7], [7])
    assert 0.85 < found.sensitivity[0] < 0.92
    assert 0.85 < found.specificity[0] < 0.92


def test_nothing_answered_nothing_found() -> None:
    empty = np.empty(0, dtype=np.int64)
    found = dawid_skene.fit(empty, empty, np.empty(0))
    assert (len(found.people), len(found.items)) == (0, 0)


def test_other_answers_are_refused() -> None:
    one = np.array([1], dtype=np.int64)
    with pytest.raises(ValueError, match="1 or 0"):
        dawid_skene.fit(one, one, np.array([np.nan]))
