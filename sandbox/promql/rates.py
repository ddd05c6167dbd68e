"""Functions of how a series moves through its window: rates, regressions, changes."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from sandbox.promql.values import Points, Window

Measure = Callable[[Points, Window], float | None]
"""One number from one series of a window; None when there are too few points."""


def extrapolated(*, counter: bool, per_second: bool) -> Measure:
    """`rate`, `increase` and `delta`: the change between first and last point, stretched to the window.

    The stretch ends half an average interval outside the points unless the window's edge is near, and never
    goes below a counter's zero; as Prometheus does it.
    """

    def measure(points: Points, window: Window) -> float | None:
        times, values = points.times, points.values
        if len(times) < 2:
            return None
        change = values[-1] - values[0] + (_lost_in_resets(values) if counter else 0.0)
        sampled_s = (times[-1] - times[0]) / 1000
        before_s = (times[0] - window.start_ms) / 1000
        if counter and change > 0 and values[0] >= 0:
            before_s = min(before_s, sampled_s * (values[0] / change))
        after_s = (window.end_ms - times[-1]) / 1000
        interval_s = sampled_s / (len(times) - 1)
        stretched_s = sampled_s + _reach(before_s, interval_s) + _reach(after_s, interval_s)
        factor = stretched_s / sampled_s
        return change * (factor / ((window.end_ms - window.start_ms) / 1000) if per_second else factor)

    return measure


def _reach(gap_s: float, interval_s: float) -> float:
    return gap_s if gap_s < interval_s * 1.1 else interval_s / 2


def _lost_in_resets(values: Sequence[float]) -> float:
    """What a counter had counted each time it began anew."""
    return sum(before for before, after in pairwise(values) if after < before)


def instant_change(*, counter: bool) -> Measure:
    """`irate` (per second) and `idelta`: the change between the last two points."""

    def measure(points: Points, window: Window) -> float | None:
        if len(points.times) < 2:
            return None
        before, after = points.values[-2], points.values[-1]
        change = after if counter and after < before else after - before
        return change / ((points.times[-1] - points.times[-2]) / 1000) if counter else change

    return measure


def deriv(points: Points, window: Window) -> float | None:
    """Slope per second of the regression line."""
    return None if len(points.times) < 2 else regression(points, points.times[0])[0]


def regression(points: Points, origin_ms: int) -> tuple[float, float]:
    """Slope per second, and value at `origin_ms`, of the least-squares line."""
    values = points.values
    if all(value == values[0] for value in values):
        return (0.0, values[0]) if math.isfinite(values[0]) else (math.nan, math.nan)
    if not all(map(math.isfinite, values)):
        return math.nan, math.nan
    count = len(values)
    offsets = [(time - origin_ms) / 1000 for time in points.times]
    sum_x, sum_y = math.fsum(offsets), math.fsum(values)
    covariance = math.fsum(x * y for x, y in zip(offsets, values, strict=True)) - sum_x * sum_y / count
    slope = covariance / (math.fsum(x * x for x in offsets) - sum_x * sum_x / count)
    return slope, sum_y / count - slope * sum_x / count


def changes(points: Points, window: Window) -> float:
    return float(sum(_differ(before, after) for before, after in pairwise(points.values)))


def _differ(before: float, after: float) -> bool:
    return after != before and not (math.isnan(after) and math.isnan(before))


def resets(points: Points, window: Window) -> float:
    return float(sum(after < before for before, after in pairwise(points.values)))


RATES: dict[str, Measure] = {
    "rate": extrapolated(counter=True, per_second=True),
    "increase": extrapolated(counter=True, per_second=False),
    "delta": extrapolated(counter=False, per_second=False),
    "irate": instant_change(counter=True),
    "idelta": instant_change(counter=False),
    "deriv": deriv,
    "changes": changes,
    "resets": resets,
}
