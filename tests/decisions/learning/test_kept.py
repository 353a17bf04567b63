"""The memory of answers: bounded, the longest unused goes first."""

from decisions.learning.kept import Kept


def test_what_was_used_longest_ago_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_hits_and_misses_are_counted_until_it_is_cleared() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.put("a", 1)
    kept.get("a")
    kept.get("b")
    assert (kept.hits, kept.misses) == (1, 1)
    kept.clear()
    assert (kept.hits, kept.misses, kept.get("a")) == (0, 0, None)
