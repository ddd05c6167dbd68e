"""Series written down by hand, as a source for queries."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.promql.values import NAME, Labels, Matcher, labels_from, value_of


@dataclass
class FixedSeries:
    """Points at given milliseconds; nothing becomes stale before its lookback ends."""

    labels: Labels
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def latest(self, at_ms: int, lookback_ms: int) -> tuple[int, float] | None:
        place = bisect_right(self.times, at_ms) - 1
        if place < 0 or self.times[place] < at_ms - lookback_ms:
            return None
        return self.times[place], self.values[place]

    def window(self, start_ms: int, end_ms: int) -> tuple[Sequence[int], Sequence[float]]:
        first, last = bisect_left(self.times, start_ms), bisect_right(self.times, end_ms)
        return self.times[first:last], self.values[first:last]


@dataclass
class FixedSource:
    """A `Source` of such series."""

    series: list[FixedSeries] = field(default_factory=list)

    def add(
        self, name: str, values: Sequence[float | None], *, every_s: float = 15.0, **labels: str
    ) -> "FixedSource":
        """Points from time 0 on; None leaves a gap."""
        points = [(round(i * every_s * 1000), value) for i, value in enumerate(values) if value is not None]
        times, known = [at for at, _ in points], [float(value) for _, value in points]
        self.series.append(FixedSeries(labels_from({**labels, NAME: name}), times, known))
        return self

    def select(self, matchers: Sequence[Matcher]) -> list[FixedSeries]:
        return [s for s in self.series if all(m.matches(value_of(s.labels, m.name)) for m in matchers)]
