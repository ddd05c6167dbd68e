"""The four tools on logs: lines, labels, templates, and the first errors."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain.errors import BadInput
from mcp_servers.loki.api import LokiApi, StreamsAnswer
from mcp_servers.loki.reading import exact_matchers, lines_of, shared_labels
from mcp_servers.loki.shapes import LogEntry, LogLabelsAnswer, LogsAnswer, PatternsAnswer
from mcp_servers.loki.telling import tell_labels, tell_logs, tell_patterns
from mcp_servers.prom.near import near_values
from mcp_servers.prom.parameters import End, Grep, Limit, Span, Window, at, span
from mcp_servers.prom.promql import quoted
from mcp_servers.prom.thinning import MAX_POINTS, thinned
from mcp_servers.toolkit import ToolDef
from utils.log_patterns import SAYS_ERROR, LogLine, LogPattern, group_lines, says_error, shown_line

READ_LINES = 2000  # on each side of the alert: grouped within half a second
REST = "narrow the query or window, use grep, or raise limit"

LogQuery = Annotated[str, Field(min_length=1, description='LogQL, such as {namespace="shop"} |= "timeout".')]
Selector = Annotated[
    str,
    Field(
        pattern=r"^\s*\{", description='LogQL that selects lines, such as {namespace="shop", pod=~"web-.*"}.'
    ),
]
Since = Annotated[
    str, Field(description="When the alert started, ISO 8601 with zone: what came later is new.")
]
Label = Annotated[str, Field(description="Label whose values are wanted; empty for the names of labels.")]
Among = Annotated[str, Field(description='Only among streams of this selector, such as {namespace="shop"}.')]


class LogLooks:
    """Looks at the logs that Loki keeps."""

    def __init__(self, api: LokiApi, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(self.loki_query, LogsAnswer, tell_logs, read_only=True, rest=REST),
            ToolDef(self.loki_labels, LogLabelsAnswer, tell_labels, read_only=True, rest=REST),
            ToolDef(self.loki_patterns, PatternsAnswer, tell_patterns, read_only=True, rest=REST),
            ToolDef(self.loki_first_errors, PatternsAnswer, tell_patterns, read_only=True, rest=REST),
        ]

    async def loki_query(
        self, query: LogQuery, window: Window = "1h", end: End = "", grep: Grep = "", limit: Limit = 100
    ) -> LogsAnswer:
        """The newest lines of a log query, oldest first, or the series of a metric query."""
        asked = span(window, end, self._now(), points=MAX_POINTS)
        answer = await self._api.query_range(query, asked.start, asked.end, limit=limit)
        if not isinstance(answer, StreamsAnswer):
            series = tuple(thinned(item.metric, item.values) for item in answer.result)
            return LogsAnswer(
                items=(), series=series[:limit], labels={}, truncated=len(series) > limit,
                note="" if series else "no values",
            )  # fmt: skip
        lines = lines_of(answer.result)
        entries = [_entry(line) for line in lines if grep.lower() in line.text.lower()]
        note = "" if entries else await self._why_nothing(query, asked)
        return LogsAnswer(
            items=tuple(entries),
            labels=shared_labels(answer.result),
            truncated=len(lines) >= limit,
            note=note,
        )

    async def loki_labels(
        self, label: Label = "", query: Among = "", window: Window = "6h", grep: Grep = "", limit: Limit = 200
    ) -> LogLabelsAnswer:
        """Names of labels, or the values of one."""
        asked = span(window, "", self._now(), points=MAX_POINTS)
        if label:
            found = await self._api.label_values(label, query, asked.start, asked.end)
        else:
            found = await self._api.labels(asked.start, asked.end)
        chosen = [name for name in found if grep.lower() in name.lower()]
        note = "nothing matches" if not chosen else ""
        return LogLabelsAnswer(items=tuple(chosen[:limit]), note=note, truncated=len(chosen) > limit)

    async def loki_patterns(
        self,
        query: Selector,
        since: Since = "",
        window: Window = "1h",
        end: End = "",
        grep: Grep = "",
        limit: Limit = 30,
    ) -> PatternsAnswer:
        """Lines grouped into templates: errors first, with counts, first and last seen, and what is new."""
        asked, started = span(window, end, self._now(), points=MAX_POINTS), self._started(since)
        lines = await self._around(query, asked, started)
        patterns = await asyncio.to_thread(group_lines, lines, new_since=started)
        return await self._grouped(query, asked, patterns, len(lines), grep, limit)

    async def loki_first_errors(
        self, query: Selector, window: Window = "1h", end: End = "", grep: Grep = "", limit: Limit = 10
    ) -> PatternsAnswer:
        """The first line of each kind of error, in the order in which they began: the cause stands early."""
        asked = span(window, end, self._now(), points=MAX_POINTS)
        lines = [
            line
            for line in await self._lines(f"{query} |~ {quoted(f'(?i){SAYS_ERROR}')}", asked, forward=True)
            if says_error(line.text)
        ]
        patterns = await asyncio.to_thread(group_lines, lines)
        patterns.sort(key=lambda pattern: pattern.first_at or asked.end)
        return await self._grouped(query, asked, patterns, len(lines), grep, limit)

    async def _around(self, query: str, asked: Span, started: datetime | None) -> list[LogLine]:
        """The newest lines before the alert, and those after it began."""
        if started is None or not asked.start < started < asked.end:
            return await self._lines(query, asked)
        before = Span(start=asked.start, end=started, step_s=asked.step_s)
        after = Span(start=started, end=asked.end, step_s=asked.step_s)
        return [*await self._lines(query, before), *await self._lines(query, after, forward=True)]

    async def _lines(self, query: str, asked: Span, *, forward: bool = False) -> list[LogLine]:
        answer = await self._api.query_range(query, asked.start, asked.end, limit=READ_LINES, forward=forward)
        if not isinstance(answer, StreamsAnswer):
            raise BadInput('This needs a query for lines, such as {namespace="shop"}.', field="query")
        return lines_of(answer.result)

    async def _grouped(
        self, query: str, asked: Span, patterns: list[LogPattern], count: int, grep: str, limit: int
    ) -> PatternsAnswer:
        chosen = [pattern for pattern in patterns if grep.lower() in pattern.sample.lower()]
        note = "" if chosen else await self._why_nothing(query, asked)
        if len(chosen) > limit:
            note = f"the first {limit} of {len(chosen)} templates"
        return PatternsAnswer(
            items=tuple(chosen[:limit]), lines_count=count, note=note, truncated=len(chosen) > limit
        )

    async def _why_nothing(self, query: str, asked: Span) -> str:
        """Which label of the query has no such value, with near ones; else that no line matches."""
        for label, value in exact_matchers(query):
            values = await self._api.label_values(label, "", asked.start, asked.end)
            if value not in values:
                near = near_values(value, values) or values[:5]
                known = f"it has {', '.join(near)}" if near else "it has no values in that time"
                return f"no stream has {label}={value!r}; {known}"
        return "no line matches in that time"

    def _started(self, since: str) -> datetime | None:
        return at(since, self._now()) if since else None


def _entry(line: LogLine) -> LogEntry:
    assert line.at is not None  # Loki keeps no line without a time
    return LogEntry(at=line.at, source=line.source, line=shown_line(line.text))
