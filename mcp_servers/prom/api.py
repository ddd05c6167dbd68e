"""Prometheus' HTTP API, as Thanos, Mimir and VictoriaMetrics speak it too. Answers are checked only."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.errors import Permanent
from mcp_servers.http_access import Access, HttpAccess, Parameters, json_object, refusal
from mcp_servers.prom.wire import Metadata, QueryAnswer, RuleGroup, Target, WireAlert

NAME = "Prometheus"

T = TypeVar("T")

STRINGS = TypeAdapter(list[str])
SETS = TypeAdapter(list[dict[str, str]])
METADATA = TypeAdapter(dict[str, list[Metadata]])
TARGETS = TypeAdapter(list[Target])
ALERTS = TypeAdapter(list[WireAlert])
GROUPS = TypeAdapter(list[RuleGroup])
QUERY = TypeAdapter(QueryAnswer)


class NoSuchPath(Permanent):
    """The server is a Prometheus but has no such path: Thanos and others leave some out."""


class PromApi:
    """One method a path. Raises Transient, or Permanent with Prometheus' own message."""

    def __init__(self, access: Access) -> None:
        self._http = HttpAccess(access, NAME)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections open."""
        async with self._http.lifespan():
            yield

    async def query(self, expr: str, at: datetime | None = None) -> QueryAnswer:
        """Evaluate at one moment, now by default."""
        form = [("query", expr), *([("time", _seconds(at))] if at else [])]
        return _checked(QUERY, await self._data("/api/v1/query", form=form))

    async def query_range(self, expr: str, start: datetime, end: datetime, step_s: float) -> QueryAnswer:
        """Evaluate along a time."""
        times = [("start", _seconds(start)), ("end", _seconds(end)), ("step", f"{step_s:g}")]
        return _checked(QUERY, await self._data("/api/v1/query_range", form=[("query", expr), *times]))

    async def label_names(self, match: Sequence[str], start: datetime) -> list[str]:
        """Names of labels that the matching series have had since `start`."""
        return _checked(STRINGS, await self._data("/api/v1/labels", query=_matched(match, start)))

    async def label_values(self, label: str, match: Sequence[str], start: datetime) -> list[str]:
        """Values of one label that the matching series have had since `start`."""
        path = f"/api/v1/label/{label}/values"
        return _checked(STRINGS, await self._data(path, query=_matched(match, start)))

    async def series(
        self, match: Sequence[str], start: datetime, end: datetime, limit: int
    ) -> list[dict[str, str]]:
        """Label sets; `limit` is only obeyed by newer servers."""
        query = [*_matched(match, start), ("end", _seconds(end)), ("limit", str(limit))]
        return _checked(SETS, await self._data("/api/v1/series", query=query))

    async def metadata(self, metric: str, limit: int) -> dict[str, list[Metadata]]:
        """Type, help and unit by metric; all metrics where none is named."""
        query = [("metric", metric)] if metric else [("limit", str(limit))]
        return _checked(METADATA, await self._data("/api/v1/metadata", query=query))

    async def targets(self, pool: str = "") -> list[Target]:
        """What is scraped now; `pool` is a scrape job, obeyed by newer servers."""
        query = [("state", "active"), *([("scrapePool", pool)] if pool else [])]
        data = await self._data("/api/v1/targets", query=query)
        return _checked(TARGETS, _member(data, "activeTargets"))

    async def alerts(self) -> list[WireAlert]:
        """Pending and firing alerts."""
        return _checked(ALERTS, _member(await self._data("/api/v1/alerts"), "alerts"))

    async def rules(self, kind: str) -> list[RuleGroup]:
        """Groups of rules; `kind` is alert, record, or empty for both."""
        query = [("type", kind)] if kind else []
        return _checked(GROUPS, _member(await self._data("/api/v1/rules", query=query), "groups"))

    async def config(self) -> str:
        """The configuration as YAML; Prometheus masks secrets itself."""
        return str(_member(await self._data("/api/v1/status/config"), "yaml"))

    async def status(self, part: str) -> Mapping[str, object]:
        """One of buildinfo, runtimeinfo, tsdb. Raises NoSuchPath where the server leaves it out."""
        data = await self._data(f"/api/v1/status/{part}")
        return data if isinstance(data, dict) else {}

    async def _data(self, path: str, *, query: Parameters = (), form: Parameters = ()) -> object:
        reply = await (self._http.post(path, form) if form else self._http.get(path, query))
        if reply.status == 401:  # tokens are renewed while we run: read the files anew, once
            await self._http.forget_secrets()
            reply = await (self._http.post(path, form) if form else self._http.get(path, query))
        if reply.status == 404:
            raise NoSuchPath(str(refusal(404, "", NAME, path)))
        if reply.status in (401, 403):
            raise refusal(reply.status, "", NAME, path)
        body = json_object(reply, NAME)
        if reply.status >= 400 or body.get("status") != "success":
            raise refusal(max(reply.status, 400), str(body.get("error", "")), NAME, path)
        return body.get("data")


def _checked(shape: TypeAdapter[T], data: object) -> T:
    """The data in its shape. Raises Permanent for another API's."""
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "data"
        raise Permanent(f"The answer is not {NAME}'s ({place}: {first['msg']}); check the url.") from error


def _member(data: object, name: str) -> object:
    return data.get(name) if isinstance(data, dict) else None


def _matched(match: Sequence[str], start: datetime) -> list[tuple[str, str]]:
    return [*(("match[]", text) for text in match), ("start", _seconds(start))]


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"
