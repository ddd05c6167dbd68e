"""`histogram_quantile` over buckets that are counted in series with an `le` label."""

import math
from bisect import bisect_left
from itertools import accumulate

from sandbox.promql.values import NAME, Labels, Sample, Vector, value_of, without

GROUP = frozenset({"le", NAME})


def histogram_quantile(share: float, vector: Vector) -> Vector:
    """The estimated quantile of every histogram in the vector."""
    groups: dict[Labels, dict[float, float]] = {}
    for labels, count in vector:
        bound = _bound(value_of(labels, "le"))
        if bound is not None:
            buckets = groups.setdefault(without(labels, GROUP), {})
            buckets[bound] = buckets.get(bound, 0.0) + count
    return [Sample(labels, _quantile(share, buckets)) for labels, buckets in groups.items()]


def _bound(text: str) -> float | None:
    """A bucket's upper bound; None for what is no number: such a series is no bucket."""
    try:
        return float(text)
    except ValueError:
        return None


def _quantile(share: float, buckets: dict[float, float]) -> float:
    if math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share - 0.5)
    bounds = sorted(buckets)
    # a scrape may fall between two buckets' increments: keep the counts monotonic
    counts = list(accumulate((buckets[bound] for bound in bounds), max))
    if len(bounds) < 2 or bounds[-1] != math.inf or not counts[-1] > 0:
        return math.nan
    return _interpolated(share * counts[-1], bounds, counts)


def _interpolated(rank: float, bounds: list[float], counts: list[float]) -> float:
    place = bisect_left(counts, rank, hi=len(counts) - 1)
    if place == len(bounds) - 1:
        return bounds[-2]
    if place == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    inside = counts[place] - below
    return start + (bounds[place] - start) * ((rank - below) / inside) if inside else math.nan
