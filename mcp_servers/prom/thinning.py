"""Long series as few points that still show the peaks, with the numbers that the points may hide."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mcp_servers.prom.shapes import Point, RangeSeries

MAX_POINTS = 120  # what a reader, or a model, can take of one line
Pairs = Sequence[tuple[float, float]]  # unix seconds and value, oldest first


def thinned(
    labels: Mapping[str, str], pairs: Sequence[tuple[float, str]], most: int = MAX_POINTS
) -> RangeSeries:
    """A series of at most `most` points, with its numbers taken from all of them."""
    finite = [(at_s, number) for at_s, text in pairs if math.isfinite(number := float(text))]
    points = tuple(Point(at=moment(at_s), value=value) for at_s, value in thin(finite, most))
    if not finite:
        return RangeSeries(labels=labels, points=points, points_count=0)
    values = [value for _, value in finite]
    return RangeSeries(
        labels=labels, points=points, points_count=len(finite), min=min(values), max=max(values),
        last=values[-1], slope_per_h=slope_per_h(finite),
    )  # fmt: skip


def peak(pairs: Sequence[tuple[float, str]]) -> float:
    """The highest value; minus infinity where there is none."""
    return max((value for _, text in pairs if math.isfinite(value := float(text))), default=-math.inf)


def thin(pairs: Pairs, most: int) -> Pairs:
    """The first and last pair, and of each stretch between them the lowest and the highest."""
    if len(pairs) <= most:
        return pairs
    if most < 4:
        return pairs[-most:]
    inner, stretches = pairs[1:-1], (most - 2) // 2
    kept = [pairs[0]]
    for number in range(stretches):
        stretch = inner[len(inner) * number // stretches : len(inner) * (number + 1) // stretches]
        ends = {min(stretch, key=_value), max(stretch, key=_value)}
        kept += sorted(ends)
    return [*kept, pairs[-1]]


def slope_per_h(pairs: Pairs) -> float | None:
    """Change an hour of the least-squares line; None for fewer than two moments."""
    count = len(pairs)
    if count < 2:
        return None
    start_s = pairs[0][0]
    mean_s = math.fsum(at_s - start_s for at_s, _ in pairs) / count
    mean = math.fsum(value for _, value in pairs) / count
    spread = math.fsum((at_s - start_s - mean_s) ** 2 for at_s, _ in pairs)
    if not spread:
        return None
    together = math.fsum((at_s - start_s - mean_s) * (value - mean) for at_s, value in pairs)
    return together / spread * 3600


def moment(at_s: float) -> datetime:
    """Unix seconds as UTC."""
    return datetime.fromtimestamp(at_s, UTC)


def _value(pair: tuple[float, float]) -> float:
    return pair[1]
