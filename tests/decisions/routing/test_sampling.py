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
    audit, control = (sampling.u(SECRET, "mail", names, purpose) for purpose in Purpose)
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
        (0.0, 0.0, np.sqrt(0.00025)),  # no frame has closed yet: never 0, or the item could never be drawn
    ],
)
def test_q_is_the_root_of_the_floored_probability(p: float, mean_p: float, q: float) -> None:
    assert sampling.q(np.array([p]), mean_p)[0] == pytest.approx(q)
