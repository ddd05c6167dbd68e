"""Answers a plain question by the first query that has values here.

What is not here is answered with what comes near, never with an empty list alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import Template

from mcp_servers.prom.api import PromApi
from mcp_servers.prom.binding import Binder, Unbound
from mcp_servers.prom.near import near_names
from mcp_servers.prom.parameters import Span
from mcp_servers.prom.promql import metric_names, unit_of
from mcp_servers.prom.shapes import RangeAnswer
from mcp_servers.prom.thinning import peak, thinned
from mcp_servers.prom.wire import MatrixAnswer, MatrixSeries
from utils.metric_names import PLACEHOLDERS, MetricNames

FRESH = timedelta(seconds=60)  # new metrics come with new programs, not every minute
NAMED_COUNT = 4  # of the metrics that were looked for; more is no help to a reader
WRITTEN_OUT = dict.fromkeys(PLACEHOLDERS, "a") | {"scope": "", "errors": 'code="500"', "window": "1m"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Templates in the order they are tried, and the values that are wanted by role, empty for all.

    Series are kept apart by these roles. `setting` is where in config.yaml an own query goes; an empty
    `unit` is read off the query.
    """

    setting: str
    templates: Sequence[str]
    wanted: Mapping[str, str]
    unit: str = ""


@dataclass(slots=True)
class Search:
    """What was tried on the way to an answer."""

    absent: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Measurer:
    """Answers questions from one Prometheus; metric names are remembered for a minute."""

    def __init__(self, api: PromApi, names: MetricNames, now: Callable[[], datetime]) -> None:
        self._api = api
        self._binder = Binder(api, names)
        self._now = now
        self._known: frozenset[str] = frozenset()
        self._known_at: datetime | None = None

    async def measure(self, question: Question, span: Span, limit: int) -> RangeAnswer:
        """Series of the first template that has values; else an answer whose note says what is near."""
        known, search = await self.known(), Search()
        for template in question.templates:
            query = await self._query(template, question, span, known, search)
            if query:
                answer = await self._api.query_range(query, span.start, span.end, span.step_s)
                if isinstance(answer, MatrixAnswer) and answer.result:
                    return range_answer(answer.result, query, question.unit or unit_of(query), limit)
                search.remarks.append(f"{metric_names(query)[0]} has no values for this in that time")
        return RangeAnswer(items=(), unit=question.unit, note=_note(question, search, known))

    async def known(self) -> frozenset[str]:
        """Names of all metrics of the last hour."""
        now = self._now()
        if self._known_at is None or not timedelta(0) <= now - self._known_at <= FRESH:
            names = await self._api.label_values("__name__", [], now - timedelta(hours=1))
            self._known, self._known_at = frozenset(names), now
        return self._known

    async def _query(
        self, template: str, question: Question, span: Span, known: frozenset[str], search: Search
    ) -> str:
        """The template filled in, or empty with a note in `search` where it cannot answer."""
        needed = metric_names(Template(template).safe_substitute(WRITTEN_OUT))
        missing = [name for name in needed if name not in known]
        if missing or not needed:
            search.absent += missing
            return ""
        try:
            bound = await self._binder.bind(needed[0], question.wanted, span.start)
        except Unbound as why:
            search.remarks.append(str(why))
            return ""
        if "$errors" in template and not bound.errors:
            search.remarks.append(f"{needed[0]} has no label for a status")
            return ""
        return Template(template).safe_substitute(
            scope=bound.scope, by=bound.by, errors=bound.errors, window=span.window
        )


def range_answer(found: Sequence[MatrixSeries], query: str, unit: str, limit: int) -> RangeAnswer:
    """Thinned series, the highest first."""
    highest = sorted(found, key=lambda series: -peak(series.values))[:limit]
    items = tuple(thinned(series.metric, series.values) for series in highest)
    cut = len(found) > limit
    note = (
        f"the {limit} highest of {len(found)} series; name labels or raise limit for the rest" if cut else ""
    )
    return RangeAnswer(items=items, unit=unit, queries=(query,), note=note, truncated=cut)


def _note(question: Question, search: Search, known: frozenset[str]) -> str:
    """Why there is nothing: a metric that is not here, or one that knows nothing of what was asked."""
    if search.remarks:
        return "; ".join(dict.fromkeys(search.remarks)) + "."
    absent = list(dict.fromkeys(search.absent))
    near = near_names(absent, sorted(known))
    said = f"No such metric here: looked for {', '.join(absent[:NAMED_COUNT])}"
    said += f" and {len(absent) - NAMED_COUNT} more" if len(absent) > NAMED_COUNT else ""
    said += f". Near misses: {', '.join(near)}" if near else f". None of {len(known)} metrics is near"
    return f"{said}. If one of them measures it, add a query under metrics.{question.setting} in config.yaml."
