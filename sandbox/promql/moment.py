"""The moment at which a query is evaluated, and what is remembered while one query runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sandbox.promql.values import Series, Source, Vector, Window

LOOKBACK_MS = 300_000  # Prometheus' default: a sample counts for five minutes unless it became stale
SUBQUERY_STEP_MS = 60_000  # Prometheus' default evaluation interval, for subqueries that name no step


@dataclass(frozen=True, slots=True)
class Moment:
    """`at_ms` is the moment itself; start and end are those of the whole query, for `@ start()`."""

    source: Source
    at_ms: int
    start_ms: int
    end_ms: int
    lookback_ms: int = LOOKBACK_MS
    found: dict[object, Sequence[Series]] = field(default_factory=dict)  # by selector, for all moments

    def moved(self, at_ms: int) -> "Moment":
        """Another moment of the same query."""
        return replace(self, at_ms=at_ms)


ScalarPlan = Callable[[Moment], float]
VectorPlan = Callable[[Moment], Vector]
WindowPlan = Callable[[Moment], Window]
