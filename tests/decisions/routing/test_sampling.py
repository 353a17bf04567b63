"""The draw numbers: fixed by the secret, uniform, and independent for two purposes."""

import numpy as np
import pytest

from decisions.routing import sampling
from decisions.routing.sampling import Purpose

SECRET = bytes(range(32))


def test_u_is_the_first_53_bits_of_the_keyed_hash() -> None:
    # By hand: python -c "import hmac; print(hmac.digest(bytes(range(32)), b'mail|a-1|audit', 'sha256')[:8].hex())"
    import hmac

    first = int.from_bytes(hmac.digest(SECRET, b"mail|a-1|audit", "sha256")[:8], "big") >> 11
    assert sampling.u(SECRET, "mail", ["a-1"], Purpose.AUDIT).tolist() == [first / 2**53]


@pytest.mark.parametrize(
    ("secret", "queue", "name", "purpose"),
    [
        (b"other", "mail", "a-1", Purpose.AUDIT),  # another secret
        (SECRET, "chat", "a-1", Purpose.AUDIT),  # another queue
        (SECRET, "mail", "a-2", Purpose.AUDIT),  # another item
        (SECRET, "mail", "a-1", Purpose.CONTROL),  # another purpose
    ],
)
def test_u_depends_on_all_it_is_made_from(secret: bytes, queue: str, name: str, purpose: Purpose) -> None:
    assert sampling.u(secret, queue, [name], purpose)[0] != sampling.u(SECRET, "mail", ["a-1"], Purpose.AUDIT)[0]


def test_u_is_uniform_and_the_purposes_are_independent() -> None:
    names = [f"item-{i}" for i in range(20_000)]
    audit, control = (sampling.u(SECRET, "mail", names, purpose) for purpose in (Purpose.AUDIT, Purpose.CONTROL))
    for numbers in (audit, control):
        assert numbers.min() >= 0
        assert numbers.max() < 1
        counts, _edges = np.histogram(numbers, bins=10, range=(0, 1))
        assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi2 with 9 degrees of freedom at .999
    assert abs(np.corrcoef(audit, control)[0, 1]) < 0.03


def test_no_items_no_numbers() -> None:
    assert sampling.u(SECRET, "mail", [], Purpose.AUDIT).shape == (0,)


@pytest.mark.parametrize(
    ("p", "mean_p", "q"),
    [
        (0.0, 0.04, 0.1),  # the floor alone: sqrt(.25 * .04)
        (0.04, 0.04, 0.2),  # at the mean: its root
        (1.0, 0.04, np.sqrt(0.76)),
        (0.0, 4e-6, 0.001),  # a rare event: its own mean, however small, or half of the saving is lost
        (0.0, 0.0, np.sqrt(0.00025)),  # no frame has closed yet: never 0, or the item could never be drawn
    ],
)
def test_q_is_the_root_of_the_floored_probability(p: float, mean_p: float, q: float) -> None:
    assert sampling.q(np.array([p]), mean_p)[0] == pytest.approx(q)


def test_v_is_one_on_average_and_bounded_below_whatever_a_miss_costs() -> None:
    harm = np.exp(np.random.default_rng(3).normal(0, 2, 50_000))
    v = sampling.stakes(harm, float((harm**2).mean()))
    assert (v**2).mean() == pytest.approx(1.0)
    assert v.min() >= np.sqrt(sampling.HARM)
    assert sampling.stakes(np.array([0.0]), 4.0)[0] == pytest.approx(np.sqrt(0.5))
    assert sampling.stakes(np.array([2.0]), 4.0)[0] == 1.0


def test_harm_bounds_every_weight_by_little_more_than_without() -> None:
    rng = np.random.default_rng(4)
    p, harm = rng.beta(0.05, 20, 50_000), np.exp(rng.normal(0, 2, 50_000))
    q = sampling.q(p, float(p.mean()), sampling.BETA, sampling.stakes(harm, float((harm**2).mean())))
    assert q.max() > 1  # a great harm
    _places, tau = sampling.draw(rng.random(len(q)) / q, 500)
    bound = len(q) / 500 / np.sqrt(sampling.HARM * sampling.BETA)
    assert (1 / sampling.inclusion(q, tau)).max() <= 1.05 * bound  # tau errs with the draw


def test_where_the_harm_is_not_known_sizes_are_as_without() -> None:
    p, v = np.array([0.1, 0.1, 0.1]), sampling.stakes(np.array([np.nan, 2.0, 1.0]), 4.0)
    plain = sampling.q(p, 0.01)
    assert (sampling.q(p, 0.01, sampling.BETA, v) == plain).tolist() == [True, True, False]
    assert (sampling.q(p, 0.01, sampling.BETA, sampling.stakes(np.array([1.0, 2.0, 3.0]), 0.0)) == plain).all()


def test_a_second_signal_counts_half_where_there_is_one() -> None:
    p, other = np.array([0.1, 0.2]), np.array([0.5, np.nan])
    assert sampling.signal(p, other) == pytest.approx([0.3, 0.2])
    assert sampling.signal(p) is p
    assert sampling.mean([0.1, 0.7, 0.2]) == sampling.mean([0.7, 0.2, 0.1])


@pytest.mark.parametrize(
    ("keys", "n", "places", "tau"),
    [
        ([0.5, 0.1, 0.9, 0.3], 2, [1, 3], 0.5),  # the two smallest, smallest first; tau is the next
        ([0.5, 0.1, 0.9, 0.3], 4, [1, 3, 0, 2], np.inf),  # a budget for all: nobody is left out
        ([0.5, 0.1], 9, [1, 0], np.inf),  # more budget than items
        ([0.5, 0.1], 0, [], 0.0),  # no budget: nobody can be drawn
        ([], 3, [], np.inf),  # an empty frame
        ([0.2, 0.2, 0.2, 0.1], 2, [3, 0], 0.2),  # equal keys: the budget is still met exactly
    ],
)
def test_a_draw_keeps_the_smallest_keys(keys: list[float], n: int, places: list[int], tau: float) -> None:
    kept, found = sampling.draw(np.array(keys), n)
    assert kept.tolist() == places
    assert found == tau


def test_draws_of_two_parts_merge_to_the_draw_of_the_whole() -> None:
    keys = np.random.default_rng(1).random(5_000)
    whole, tau = sampling.draw(keys, 100)
    parts = [sampling.draw(part, 101)[0] + start for start, part in ((0, keys[:1_700]), (1_700, keys[1_700:]))]
    candidates = np.concatenate(parts)
    merged, merged_tau = sampling.draw(keys[candidates], 100)
    assert candidates[merged].tolist() == whole.tolist()
    assert merged_tau == tau


def test_the_inclusion_probability_is_what_repeated_draws_show() -> None:
    numbers, q, draws = np.random.default_rng(2), np.linspace(0.1, 1, 200), 4_000
    weights = np.zeros(200)
    for _ in range(draws):
        places, tau = sampling.draw(numbers.random(200) / q, 20)
        weights[places] += 1 / sampling.inclusion(q, tau)[places]
    # 1/pi over the draws that kept an item estimates 1 without bias: within five standard errors for each.
    assert np.all(np.abs(weights / draws - 1) < 5 / np.sqrt(draws * sampling.inclusion(q, tau)))


def test_who_can_be_in_is_in_where_all_are_kept() -> None:
    assert sampling.inclusion(np.array([0.1, 1.0]), np.inf).tolist() == [1.0, 1.0]
    assert sampling.inclusion(np.array([0.1, 1.0]), 2.0).tolist() == [0.2, 1.0]
