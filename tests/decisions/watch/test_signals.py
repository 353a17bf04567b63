"""Signals: quiet where nothing changes, whatever the hour; off soon after a change, with its size and its beginning."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from decisions.watch import signals
from decisions.watch.signals import DAY, Against, FloatArray, Off, Payloads, Usual

ALWAYS = Usual()
NIGHT = 0.2  # of the traffic at noon


def arrivals(chance: np.random.Generator, days: float, a_day: int, *, has_nights: bool = True) -> FloatArray:
    """Return when items arrive, in seconds: most at one in the afternoon, few at night."""
    at = np.sort(chance.uniform(0, days * DAY, int(days * a_day)))
    hour = at % DAY / DAY * 24
    busy = NIGHT + (1 - NIGHT) * np.exp(-(((hour - 13) / 4) ** 2))
    return at[chance.uniform(size=len(at)) < busy] if has_nights else at


def scored(
    chance: np.random.Generator, at: FloatArray, *, rhythm: float = 0.0, shift: FloatArray | float = 0.0
) -> FloatArray:
    """Return scores in [0, 1] whose mix follows the hour by `rhythm`, and lies higher by `shift`."""
    wave = rhythm * np.sin(at % DAY / DAY * 2 * np.pi)
    return 1 / (1 + np.exp(-chance.normal(-2 + wave + shift, 1.5)))


def offs(at: FloatArray, score: FloatArray, usual: Usual = ALWAYS) -> list[Off]:
    """Look at the mix of scores, and at the volumes that cuts at .3 and .8 make of them."""
    found = list(signals.scores(at, score, "", usual, signals=3))
    for key, is_routed in (("hard", score >= 0.8), ("soft", (score >= 0.3) & (score < 0.8)), ("pass", score < 0.3)):
        found += signals.volume(at, is_routed, key, usual)
    return found


def looked(at: FloatArray, score: FloatArray, start: float, step: float) -> Iterator[tuple[float, list[Off]]]:
    """Look from `start` on, in steps, at what had arrived by then."""
    for now in np.arange(start, at[-1], step):
        known = int(np.searchsorted(at, now))
        yield now, offs(at[:known], score[:known])


# days of history, items a day, and whether the mix follows the hour
@pytest.mark.parametrize(
    ("days", "a_day", "rhythm"),
    [
        (29, 4000, 0.6),  # an old queue
        (10, 1000, 0.6),  # a small one
        (4, 5000, 0.6),  # too young for days
        (2, 5000, 0.6),  # its second day
        (1, 8000, 0.2),  # its first day, when nobody knows how it differs from hour to hour
        (0.02, 100_000, 0.0),  # half an hour: traffic of a demo
    ],
)
def test_where_nothing_changes_nothing_is_off(days: float, a_day: int, rhythm: float) -> None:
    for seed in range(2):
        chance = np.random.default_rng(seed)
        at = arrivals(chance, days, a_day, has_nights=days > 1)
        score = scored(chance, at, rhythm=rhythm)
        first, step = max(0.0, at[-1] - DAY), min(DAY, at[-1]) / 16
        assert [found for _now, found in looked(at, score, first + step, step) if found] == []


# how many hours east or west, items a day, how much day and night differ
@pytest.mark.parametrize("zone", [0, 7, 13, 19])
@pytest.mark.parametrize(("a_day", "rhythm"), [(20_000, 1.0), (150_000, 0.8)])
def test_on_a_first_day_day_and_night_are_no_change_in_any_time_zone(zone: int, a_day: int, rhythm: float) -> None:
    chance = np.random.default_rng(zone)
    at = arrivals(chance, 1, a_day) + zone * 3600
    at = np.sort(at % DAY)  # it begins at another hour of the day
    score = scored(chance, (at - zone * 3600) % DAY, rhythm=rhythm)
    assert [found for _now, found in looked(at, score, 1800, 3600) if found] == []


def test_on_a_first_day_a_large_change_is_found_within_the_hour() -> None:
    chance, began = np.random.default_rng(3), 10 * 3600.0
    at = arrivals(chance, 1, 30_000)
    score = scored(chance, at, rhythm=0.6, shift=np.where(at > began, 2.0, 0.0))
    now, found = next((now, found) for now, found in looked(at, score, began + 300, 300) if found)
    assert now - began < 3600
    assert found[0].figures["against"] == Against.NEAR
    assert abs(found[0].began - began) < 1800


@pytest.mark.parametrize("hours", [2, 12, 20])
@pytest.mark.parametrize("rows", [500, 1000, 1500])
def test_on_a_first_day_a_pause_hides_no_large_change_and_makes_none(hours: int, rows: int) -> None:
    chance = np.random.default_rng(hours)
    at = np.concatenate([np.arange(1500.0), 1500 + hours * 3600 + np.arange(rows) / 5])
    shift = np.where(at > 1500, 2.0, 0.0)
    (off,) = signals.scores(at, scored(chance, at, shift=shift), "", Usual(), signals=3)
    assert (off.level, off.figures["against"], off.figures["before_from"]) == ("act", Against.NEAR, 0.0)
    assert list(signals.scores(at, scored(chance, at), "", Usual(), signals=3)) == []


# by how much the log odds of all scores rise at nine in the morning, and within how many hours that must be found
@pytest.mark.parametrize(("shift", "hours"), [(1.0, 5), (2.0, 2.5)])
def test_a_change_is_found_soon_and_its_beginning_told(shift: float, hours: float) -> None:
    chance, began = np.random.default_rng(5), 28 * DAY + 9 * 3600
    at = arrivals(chance, 29, 4000)
    score = scored(chance, at, rhythm=0.3, shift=np.where(at > began, shift, 0.0))
    now, found = next((now, found) for now, found in looked(at, score, began + 300, 300) if found)
    assert now - began < hours * 3600
    assert found[0].kind == "scores"
    assert abs(found[0].began - began) < 3600
    assert found[0].figures["against"] == Against.WEEKS


def test_a_young_queue_is_compared_with_its_first_rows() -> None:
    chance = np.random.default_rng(3)
    at = np.arange(2000.0)
    score = scored(chance, at, shift=np.where(at >= 1500, 2.0, 0.0))
    assert offs(at[:1500], score[:1500]) == []
    assert offs(at[:299], score[:299]) == []
    found = {(off.kind, off.key): off for off in offs(at[:1800], score[:1800])}
    assert {("scores", ""), ("volume", "pass")} <= found.keys()
    off = found["scores", ""]
    assert (off.level, off.figures["against"], off.figures["rows"]) == ("act", "near", 300)
    assert (off.figures["rows_before"], off.figures["before_from"], off.figures["from"]) == (750, 0.0, 1500.0)
    assert off.figures["psi"] > 0.25
    assert 1450 < off.began < 1550


def test_what_came_before_a_change_of_policy_does_not_count() -> None:
    chance = np.random.default_rng(3)
    at = np.arange(3000.0)
    score = scored(chance, at, shift=np.where(at >= 1500, 2.0, 0.0))
    assert offs(at, score)
    assert offs(at, score, Usual(1500.0)) == []
    assert offs(at[:1799], score[:1799], Usual(1500.0)) == []


def test_what_arrived_during_an_incident_is_not_what_is_usual() -> None:
    chance, at = np.random.default_rng(3), np.arange(3000.0) * 60
    is_off = ((at >= 600 * 60) & (at < 1200 * 60)) | (at >= 2600 * 60)
    score = scored(chance, at, shift=np.where(is_off, 2.0, 0.0))
    assert ("scores", "") not in {(off.kind, off.key) for off in offs(at, score)}
    usual = Usual(incidents=((600 * 60, 1200 * 60), (2600 * 60, np.inf)))
    assert ("scores", "") in {(off.kind, off.key) for off in offs(at, score, usual)}


def test_a_share_that_falls_is_off_too_and_small_changes_are_not() -> None:
    chance = np.random.default_rng(4)
    at = np.arange(4000.0)
    for later, is_off in ((0.05, True), (0.30, False), (0.27, False)):
        hit = chance.uniform(size=4000) < np.where(at >= 2500, later, 0.30)
        found = list(signals.volume(at, hit, "route:hard", ALWAYS))
        assert bool(found) is is_off
        assert all(off.figures["share"] < off.figures["before"] for off in found)


def test_one_signal_is_told_once_at_its_worst() -> None:
    chance = np.random.default_rng(4)
    at = np.arange(4000.0)
    hit = chance.uniform(size=4000) < np.where(at >= 2500, 0.7, 0.2)
    (off,) = signals.volume(at, hit, "route:hard", ALWAYS)
    assert off.level == "act"
    assert [len(look.rows) for look in signals.looks(at, ALWAYS)] == [300, 1200]  # both see it


def test_overrides_need_fewer_rows() -> None:
    chance = np.random.default_rng(8)
    at = np.arange(900.0)
    differs = chance.uniform(size=900) < np.where(at >= 700, 0.8, 0.1)
    assert list(signals.overrides(at[:700], differs[:700], "policy:1", ALWAYS, signals=1)) == []
    (off,) = signals.overrides(at, differs, "policy:1", ALWAYS, signals=1)
    assert (off.kind, off.key, off.level) == ("overrides", "policy:1", "act")


def test_nothing_to_look_at_is_nothing_off() -> None:
    none = np.array([])
    assert offs(none, none) == []
    assert list(signals.precision(none, none, "policy:1", target=0.9, since=0.0)) == []
    same = np.full(2000, 0.5)
    assert offs(np.arange(2000.0), same) == []


def sent(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Payloads:
    return Payloads(before, now, np.arange(len(now), dtype=float), {"rows": len(now)})


def test_a_field_that_goes_missing_is_off() -> None:
    before: list[dict[str, Any]] = [{"a": 1, "b": 2}] * 1000
    now = before[:400] + [{"a": 1, "b": None}] * 40 + [{"a": 1}] * 60
    (off,) = signals.missing(sent(before, now), ["a", "b"], signals=2)
    assert (off.kind, off.key, off.level, off.began) == ("missing", "field:b", "act", 400.0)
    assert (off.figures["share"], off.figures["before"], off.figures["rows"]) == (0.2, 0.0, 500)
    assert list(signals.missing(sent(before, now[:400] + now[-5:]), ["b"], signals=2)) == []


def test_categories_that_nobody_knows_are_off() -> None:
    before: list[dict[str, Any]] = [{"kind": name} for name in ("mail", "chat")] * 500
    now: list[dict[str, Any]] = [{"kind": "mail"}] * 440 + [{"kind": "letter"}] * 60
    usual = frozenset({"mail", "chat"})
    for known in (usual, frozenset[str]()):  # as the spec names them, or as they came before
        (off,) = signals.unseen(sent(before, now), {"kind": known}, signals=2)
        assert (off.key, off.level, off.figures["share"], off.began) == ("field:kind", "act", 0.12, 440.0)
    assert list(signals.unseen(sent(before, now), {"kind": usual | {"letter"}}, signals=2)) == []
    assert list(signals.unseen(sent(now, before), {"kind": usual}, signals=2)) == []


def test_precision_below_its_target_is_off_until_it_is_dealt_with() -> None:
    chance = np.random.default_rng(2)
    at = np.arange(1000.0)
    y = (chance.uniform(size=1000) < np.where(at >= 600, 0.75, 0.95)).astype(float)
    assert list(signals.precision(at[:600], y[:600], "policy:1", target=0.9, since=0.0)) == []
    (off,) = signals.precision(at, y, "policy:1", target=0.9, since=0.0)
    assert (off.level, off.figures["labels"], off.figures["target"]) == ("act", 1000, 0.9)
    assert 550 < off.began < 680
    assert list(signals.precision(at, y, "policy:1", target=0.9, since=950.0)) == []
