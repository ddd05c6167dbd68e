"""prom_query and prom_query_range: any PromQL, at one moment or along a time."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mcp_servers.prom.api import PromApi
from mcp_servers.prom.measure import Measurer, range_answer
from mcp_servers.prom.near import near_names
from mcp_servers.prom.parameters import End, Grep, Limit, Query, Span, Window, at, seconds, span
from mcp_servers.prom.promql import metric_names, unit_of
from mcp_servers.prom.shapes import InstantAnswer, RangeAnswer, Sample
from mcp_servers.prom.telling import tell_instant, tell_range
from mcp_servers.prom.thinning import MAX_POINTS, moment
from mcp_servers.prom.wire import MatrixAnswer, QueryAnswer, VectorAnswer
from mcp_servers.toolkit import ToolDef

REST = "aggregate, name labels, use grep, or raise limit"
FEW_SERIES = 20
SOME_SAMPLES = 50
Step = Annotated[
    str, Field(description="Between two evaluations, such as 30s; empty: chosen to give 120 points.")
]
At = Annotated[str, Field(description="ISO 8601 time with zone; empty for now.")]


class QueryLooks:
    """Queries as they are written."""

    def __init__(self, api: PromApi, measurer: Measurer, now: Callable[[], datetime]) -> None:
        self._api = api
        self._measurer = measurer
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(self.prom_query, InstantAnswer, tell_instant, read_only=True, rest=REST),
            ToolDef(self.prom_query_range, RangeAnswer, tell_range, read_only=True, rest=REST),
        ]

    async def prom_query(
        self, query: Query, time: At = "", grep: Grep = "", limit: Limit = SOME_SAMPLES
    ) -> InstantAnswer:
        """Evaluate PromQL at one moment."""
        answer = await self._api.query(query, at(time, self._now()) if time else None)
        samples = [sample for sample in _samples(answer) if grep.lower() in _text(sample.labels).lower()]
        note = "" if samples else await self._why_nothing(query)
        if isinstance(answer, MatrixAnswer) and samples:
            note = "the last value of each series; prom_query_range gives the others"
        if len(samples) > limit:
            note = f"the first {limit} of {len(samples)}; aggregate, name labels, or raise limit for the rest"
        return InstantAnswer(
            items=tuple(samples[:limit]), unit=unit_of(query), note=note, truncated=len(samples) > limit
        )

    async def prom_query_range(
        self,
        query: Query,
        window: Window = "1h",
        end: End = "",
        step: Step = "",
        limit: Limit = FEW_SERIES,
    ) -> RangeAnswer:
        """Evaluate PromQL along a time: at most 120 points a series, with min, max, last and slope."""
        asked = span(window, end, self._now(), points=MAX_POINTS)
        if step:
            asked = Span(start=asked.start, end=asked.end, step_s=seconds(step, "step"))
        answer = await self._api.query_range(query, asked.start, asked.end, asked.step_s)
        found = answer.result if isinstance(answer, MatrixAnswer) else []
        if not found:
            return RangeAnswer(items=(), queries=(query,), note=await self._why_nothing(query))
        return range_answer(found, query, unit_of(query), limit)

    async def _why_nothing(self, query: str) -> str:
        """Which metric of the query is not here, with near names; else that nothing matches."""
        known = await self._measurer.known()
        absent = [name for name in metric_names(query) if name not in known]
        if absent:
            near = near_names(absent, sorted(known))
            said = f"no such metric here: {', '.join(absent)}"
            return f"{said}; near misses: {', '.join(near)}" if near else said
        names = metric_names(query)
        if not names:
            return "the query has no values"
        labels = await self._api.label_names([names[0]], self._now() - timedelta(hours=1))
        return f"nothing matches; {names[0]} has the labels {', '.join(sorted(set(labels) - {'__name__'}))}"


def _samples(answer: QueryAnswer) -> list[Sample]:
    """Any answer as samples; of a series only its last value."""
    if isinstance(answer, VectorAnswer):
        return [_sample(item.metric, item.value or (0.0, "native histogram")) for item in answer.result]
    if isinstance(answer, MatrixAnswer):
        return [_sample(item.metric, item.values[-1]) for item in answer.result if item.values]
    return [_sample({}, answer.result)]


def _sample(labels: Mapping[str, str], pair: tuple[float, str]) -> Sample:
    at_s, said = pair
    return Sample(labels=labels, value=_number(said), said=said, at=moment(at_s))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())
