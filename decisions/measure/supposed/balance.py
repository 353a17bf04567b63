"""What two policies are worth, what people's time costs, and of that what it costs to know how good they are."""

from decisions.measure import intervals
from decisions.measure.supposed import prospects, worth
from decisions.measure.supposed.prospects import Figure
from decisions.measure.supposed.recent import Recent
from decisions.measure.supposed.sides import Row, Side, daily, difference

SECONDS = 60


def rows(one: Side, other: Side, *, minute: float) -> list[Row]:
    """Return the lines of money a day; `minute` is what one of a person's work costs. Empty without a value formula."""
    if one.seen.prices is None:
        return []
    routes, delay = _worth(one, other), _delay(one, other)
    review = _cost("review_cost", "tasks", one, other, minute)
    total = Row(
        "money",
        "money",
        "labels",
        _left(routes.live, review.live, delay.live),
        _left(routes.new, review.new, delay.new),
        _left(routes.gap, review.gap, delay.gap),
    )
    control, audits = (_cost(f"{of}_cost", of, one, other, minute) for of in ("control", "audits"))
    return [routes, review, control, audits, _delayed(one, other), delay, total]


def _worth(one: Side, other: Side) -> Row:
    """Return what the routes are worth, brought from the audited items to all items of a day."""
    seen, prices = one.seen, one.seen.prices
    assert prices is not None
    scale = _scale(seen)
    return Row(
        "worth",
        "money",
        "labels",
        _times(worth.total(one.plan, prices), scale),
        _times(worth.total(other.plan, prices), scale),
        _times(worth.gap(one.plan, other.plan, prices), scale),
    )


def _scale(seen: Recent) -> float:
    part = float(seen.audited.stream.weight.sum())
    return float(seen.world.stream.weight.sum()) / part / seen.days if part else 0.0


def _cost(key: str, of: str, one: Side, other: Side, minute: float) -> Row:
    def factor(side: Side) -> float:
        return side.terms.handling_seconds / SECONDS * minute * side.done(of)

    return daily(key, "money", one, other, of=of, factor=factor)


def _delayed(one: Side, other: Side) -> Row:
    """Return how many right hard actions wait for a person: c * HARD * P (statistics.md, section 4)."""
    was, becomes = (_times(prospects.precision(side.supposed.hard), side.volumes["control"]) for side in (one, other))
    return Row("delayed", "items", "labels", was, becomes, difference(becomes, was))


def _delay(one: Side, other: Side) -> Row:
    """Return what that costs."""
    delayed, (was, becomes) = _delayed(one, other), (one.delay_cost, other.delay_cost)
    figures = [_times(delayed.live, was), _times(delayed.new, becomes)]
    return Row("delay_cost", "money", "labels", figures[0], figures[1], difference(figures[1], figures[0]))


def _times(figure: Figure, factor: float) -> Figure:
    """Return a figure times a factor that is known, at least 0; nothing of what is not measured is still nothing."""
    if factor == 0:
        return Figure(0.0, 0.0, 0.0, 0.0, figure.labels)

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    value, low, high = scaled(figure.value), scaled(figure.low), scaled(figure.high)
    return Figure(value, low, high, scaled(figure.guess), figure.labels, figure.why)


def _left(routes: Figure, review: Figure, delay: Figure) -> Figure:
    """Return what is left of the routes' worth after both costs."""
    guess = None if routes.guess is None else routes.guess - (review.value or 0.0) - (delay.guess or delay.value or 0.0)
    if routes.value is None or delay.value is None:
        return Figure(guess=guess, labels=routes.labels, why=routes.why or delay.why)
    cost = (review.value or 0.0) + delay.value
    limits = (review.value or 0.0) + (delay.low or 0.0), (review.value or 0.0) + (delay.high or 0.0)
    assert routes.low is not None
    assert routes.high is not None
    low, high = intervals.difference(routes.value, (routes.low, routes.high), cost, limits)
    return Figure(routes.value - cost, low, high, guess, routes.labels)
