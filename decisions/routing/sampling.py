"""The draw numbers: u, which decides who is sampled, q, the size it is compared with, and the draw of a frame."""

import hmac
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from django.conf import settings

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

BETA = 0.25  # the part of an audit's budget that goes to all items alike
LATE_BETA = 0.10  # the same once so many audits were answered positive that the scores can be trusted more:
ENOUGH_POSITIVES = 100
HARM = 0.5  # the part of what a size weighs by harm that is alike whatever a miss costs
FIRST_MEAN = 1e-3  # what stands for mean(p) until a frame has closed, so that no item has size 0


class Purpose(StrEnum):
    """What a number is drawn for; the numbers of two purposes are independent."""

    AUDIT = "audit"
    CONTROL = "control"
    CANARY = "canary"
    FILTER = "filter"  # which items go on although the filter flagged them
    SECOND = "second"  # which negative audits get a second opinion
    CHECK = "check"  # which soft answers get a second opinion
    GOLD = "gold"  # which answers are followed by a gold item
    PLACE = "place"  # where an audit waits in its queue


def newest_secret() -> tuple[int, bytes]:
    """Return the number and the bytes of the audit secret in force."""
    number = max(settings.AUDIT_SECRETS)
    return number, settings.AUDIT_SECRETS[number]


def u(secret: bytes, queue: str, external_ids: Iterable[str], purpose: Purpose) -> FloatArray:
    """Return one number for each external id, uniform on [0, 1).

    The first 53 bits of HMAC-SHA256(secret, queue | external id | purpose), so that a retry gets the same number and
    nobody without the secret can choose an id that escapes.
    """
    head, tail = f"{queue}|".encode(), f"|{purpose}".encode()
    digests = b"".join(hmac.digest(secret, head + name.encode() + tail, "sha256")[:8] for name in external_ids)
    numbers: FloatArray = (np.frombuffer(digests, dtype=">u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers


def lots(queue: str, external_ids: Iterable[str], purpose: Purpose) -> list[float]:
    """Return the same from the secret in force."""
    _number, secret = newest_secret()
    return list(u(secret, queue, external_ids, purpose).tolist())


def mean(probabilities: Iterable[float]) -> float:
    """Return the mean of what other models say of an item, to the same bit in whatever order they are."""
    told = sorted(probabilities)
    return sum(told) / len(told)


def signal(p: FloatArray, other: FloatArray | None = None) -> FloatArray:
    """Return the probability that sizes are made from: the mean of p and of what other models said; p where NaN."""
    return p if other is None else np.where(np.isnan(other), p, (p + other) / 2.0)


def stakes(harm: FloatArray, mean_square: float) -> FloatArray:
    """Return each item's v, what its size is times for the harm (>= 0, money) of missing it; NaN where not known.

    sqrt((1 - g) harm^2 / M + g) with g = .5 and M the mean square of the harm of the frame before. Audits find harm
    best where sizes follow sqrt(p harm^2) (docs/statistics.md, section 2); since v^2 is 1 on average and at least g, no
    weight is above (N / n) / sqrt(g beta), 1.41 times what it is without, whatever the amounts.
    """
    if not mean_square > 0:
        return np.full(len(harm), np.nan)
    v: FloatArray = np.sqrt((1.0 - HARM) * (harm * harm) / mean_square + HARM)
    return v


def q(p: FloatArray, mean_p: float, beta: float = BETA, v: FloatArray | None = None) -> FloatArray:
    """Return each item's audit size, > 0, from its probability and the mean of the frame before; v as by `stakes`.

    sqrt((1 - beta) p + beta mean(p)) v: for a rare event the best inclusion probability follows the root of p, and the
    floor bounds every weight by (N / n) / sqrt(beta) (docs/statistics.md, section 2). Without v, or where it is NaN, it
    is 1 and the size at most 1; a great harm makes it larger, which only pi = min(1, q tau) bounds.
    """
    sizes: FloatArray = np.sqrt((1.0 - beta) * p + beta * (mean_p if mean_p > 0 else FIRST_MEAN))
    return sizes if v is None else sizes * np.where(np.isnan(v), 1.0, v)


def draw(keys: FloatArray, n: int) -> tuple[IntArray, float]:
    """Return the places of the n smallest keys (u / q), smallest first, and tau, the key that came next.

    Sequential Poisson sampling (Ohlsson 1998) with the threshold of Duffield, Lund and Thorup (2007): the budget is
    met exactly, and the draws of two parts of a frame merge by their keys. tau is infinite where all are kept and 0
    where none may be. Equal keys are taken in the order of their places. O(len(keys)) time and memory.
    """
    if n >= len(keys):
        return np.argsort(keys, kind="stable"), np.inf
    if n <= 0:
        return np.empty(0, dtype=np.intp), 0.0
    tau = float(np.partition(keys, n)[n])
    below = np.flatnonzero(keys < tau)
    places = np.concatenate([below, np.flatnonzero(keys == tau)[: n - len(below)]])
    return places[np.argsort(keys[places], kind="stable")], tau


def inclusion(q: FloatArray, tau: float) -> FloatArray:
    """Return the probability with which an item of each size (> 0) is in a draw that ended at tau: min(1, q tau)."""
    pi: FloatArray = np.minimum(1.0, q * tau)
    return pi
