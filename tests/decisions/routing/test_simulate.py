"""What a policy would have done, against what the rules did and what must hold for any cuts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.models import Item
from decisions.routing import policy, simulate
from decisions.routing.policy import Cuts
from decisions.routing.simulate import PEOPLE, Kind, Routed, Stream

REASONS = np.array(["score", "input_check", "output_check", "fallback"], dtype=object)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
CUTS = Cuts(hard=0.8, soft=0.3, control_share=0.1)
DAY = 86400.0


def routed_stream(cuts: Cuts, n: int = 4000, seed: int = 7, *, ends: float = NOON, days: int = 7) -> Stream:
    """Return items as a policy of these cuts really routed them, with scores in its range."""
    rng = np.random.default_rng(seed)
    score = cuts.low + (cuts.high - cuts.low) * rng.beta(0.5, 1.5, n)
    reason = np.where(rng.random(n) < 0.05, rng.choice(REASONS, n), "score").astype(object)
    score[reason == "output_check"] = np.nan
    routing = policy.route(score, reason, rng.random(n), cuts)
    return Stream(
        score=score,
        p=routing.p,
        band=routing.band,
        reason=routing.reason,
        weight=rng.integers(1, 4, n).astype(float),
        control_share=np.full(n, cuts.control_share),
        arrived=ends - rng.random(n) * days * DAY,
        value=np.full(n, np.nan),
    )


def as_routed(stream: Stream, cuts: Cuts) -> dict[Kind, float]:
    """Return the volumes that really were, from what was stored."""
    allowed = np.where(stream.reason == "fallback", *(
        np.isin(stream.band, sorted(names)) for names in (cuts.fallback_routes, cuts.failed_check_routes)
    ))  # fmt: skip
    by_machine = (stream.reason == "score") | ((stream.reason != "control") & allowed)
    kinds = {
        Kind.HARD: by_machine & (stream.band == "hard"),
        Kind.CONTROL: stream.reason == "control",
        Kind.SOFT: (stream.band == "soft") & (stream.reason == "score"),
        Kind.PASS: by_machine & (stream.band == "pass"),
    }
    volumes = {kind: float(stream.weight[mask].sum()) for kind, mask in kinds.items()}
    return {**volumes, Kind.CHECKS: float(stream.weight.sum()) - sum(volumes.values())}


@pytest.mark.parametrize(
    "cuts",
    [
        CUTS,
        replace(CUTS, control_share=0.0),  # nobody is in the control group
        replace(CUTS, control_share=1.0),  # all of HARD goes to people
        replace(CUTS, hard=None),  # nothing is automatic
        replace(CUTS, hard=None, soft=None),  # a queue that only ranks
        replace(CUTS, hard=80.0, soft=30.0, low=-20.0, high=120.0),  # scores from outside, in units of their own
        replace(CUTS, failed_check_routes=frozenset({"pass"}), fallback_routes=frozenset({"hard", "pass"})),
    ],
)
def test_the_policy_that_routed_gives_back_what_happened(cuts: Cuts) -> None:
    stream = routed_stream(cuts)
    routed = simulate.routes(stream, cuts)
    assert routed.volumes(stream.weight) == pytest.approx(as_routed(stream, cuts))
    assert (routed.band == stream.band).all()


def test_failed_checks_stay_with_people_under_any_cuts() -> None:
    stream = routed_stream(CUTS)
    failed = ~stream.trusted
    routed = simulate.routes(stream, replace(CUTS, hard=0.31, soft=0.3))
    assert routed.parts[Kind.CHECKS][failed].all()
    assert not routed.parts[Kind.CHECKS][~failed].any()


def test_the_control_group_grows_by_those_who_were_not_drawn() -> None:
    stream = routed_stream(CUTS, 40_000)
    hard = stream.trusted & (stream.band == "hard")
    for share in (0.0, 0.05, 0.1, 0.4, 1.0):
        control = simulate.routes(stream, replace(CUTS, control_share=share)).parts[Kind.CONTROL]
        assert control[hard].mean() == pytest.approx(share, abs=0.02)
        assert not control[~hard].any()
    wider = simulate.routes(stream, replace(CUTS, control_share=0.4)).parts[Kind.CONTROL]
    assert wider[stream.reason == "control"] == pytest.approx(1.0)  # who was in the smaller group is in the larger


cut = st.floats(0, 1)


@settings(max_examples=60, deadline=None)
@given(pair=st.tuples(cut, cut), other=st.tuples(cut, cut), shares=st.tuples(cut, cut))
def test_volumes_add_up_and_move_with_the_cuts(
    pair: tuple[float, float], other: tuple[float, float], shares: tuple[float, float]
) -> None:
    stream = routed_stream(CUTS, 600)
    (soft, hard), (soft_up, hard_up) = (
        (min(pair), max(pair)),
        (max(min(pair), min(other)), max(*pair, *other)),
    )
    low = simulate.routes(stream, Cuts(hard=hard, soft=soft, control_share=min(shares))).volumes(stream.weight)
    up = simulate.routes(stream, Cuts(hard=hard_up, soft=soft_up, control_share=min(shares))).volumes(stream.weight)
    more = simulate.routes(stream, Cuts(hard=hard, soft=soft, control_share=max(shares))).volumes(stream.weight)
    for volumes in (low, up, more):
        assert sum(volumes.values()) == pytest.approx(stream.weight.sum())
        assert min(volumes.values()) >= 0
    assert up[Kind.HARD] + up[Kind.CONTROL] <= low[Kind.HARD] + low[Kind.CONTROL] + 1e-9
    assert up[Kind.PASS] >= low[Kind.PASS] - 1e-9
    assert more[Kind.CONTROL] >= low[Kind.CONTROL] - 1e-9
    assert more[Kind.PASS] == low[Kind.PASS]


def test_a_queue_that_only_ranks_sends_everything_to_people() -> None:
    stream = routed_stream(CUTS)
    volumes = simulate.routes(stream, Cuts(hard=0.8, soft=None)).volumes(stream.weight)
    assert sum(volumes[kind] for kind in PEOPLE) == pytest.approx(stream.weight.sum())


def test_days_and_hours_follow_the_queues_clock() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    at = datetime(2026, 3, 8, 9, 30, tzinfo=UTC)  # Sunday 1:30, half an hour before the clock goes forward
    stream = routed_stream(CUTS, 3)
    stream = replace(stream, arrived=np.array([0.0, 3600.0, 23 * 3600.0]) + at.timestamp(), weight=np.ones(3))
    everything = Routed(stream.band, {Kind.SOFT: np.ones(3)})
    start = at.timestamp() - 6 * DAY
    found = simulate.buckets(stream, everything, zone, start, start + 7 * DAY)
    assert found.days[0] == date(2026, 3, 2)
    assert found.by_day[Kind.SOFT].tolist() == [0, 0, 0, 0, 0, 0, 2, 1]
    sunday = 6 * 24
    busy = {hour: found.by_hour[Kind.SOFT][hour] for hour in np.flatnonzero(found.by_hour[Kind.SOFT])}
    assert busy == {sunday + 1: 1.0, sunday + 3: 1.0, 1: 0.5}  # 2 h did not exist; of two Mondays one had an item


def test_hours_of_the_week_are_means_over_the_weeks() -> None:
    stream = routed_stream(CUTS, 4)
    stream = replace(stream, arrived=NOON - 1 - 7 * DAY * np.arange(4.0), weight=np.ones(4))
    found = simulate.buckets(
        stream, Routed(stream.band, {Kind.PASS: np.ones(4)}), ZoneInfo("UTC"), NOON - 28 * DAY, NOON
    )
    assert found.by_hour[Kind.PASS][11] == 1.0


def test_spans_end_now_and_leave_out_what_is_older() -> None:
    stream = routed_stream(CUTS)
    routed = simulate.routes(stream, CUTS)
    week, day = (simulate.spans(stream, routed, NOON, count) for count in (7, 1))
    volumes = routed.volumes(stream.weight)
    assert {kind: float(counts.sum()) for kind, counts in week.items()} == pytest.approx(volumes)
    newest = stream.arrived >= NOON - DAY
    soft = float((routed.parts[Kind.SOFT] * stream.weight)[newest].sum())
    assert week[Kind.SOFT][-1] == day[Kind.SOFT][0] == pytest.approx(soft)


def test_the_histogram_holds_all_that_has_a_score() -> None:
    cuts = replace(CUTS, hard=80.0, soft=30.0, low=-20.0, high=120.0)
    stream = routed_stream(cuts)
    edges, counts = simulate.histogram(stream, cuts.low, cuts.high)
    assert (edges[0], edges[-1], len(counts)) == (-20.0, 120.0, 40)
    assert counts.sum() == pytest.approx(stream.weight[~np.isnan(stream.score)].sum())


def test_nothing_came() -> None:
    stream = routed_stream(CUTS, 0)
    routed = simulate.routes(stream, CUTS)
    assert set(routed.volumes(stream.weight).values()) == {0.0}
    assert simulate.spans(stream, routed, NOON, 1)[Kind.SOFT].tolist() == [0.0]
    assert Item.Route.SOFT not in routed.band
