"""Prometheus tools over series that a test writes down; the hour they cover ends now."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestServer
from mcp import Client

from mcp_servers.http_access import Access
from mcp_servers.prom import server as prom
from sandbox.metrics.monitor import Monitor
from sandbox.prometheus_api import PrometheusApi
from tests.contract.prom.world import text_of
from tests.sandbox.fixed_series import FixedSeries, FixedSource
from utils.metric_names import MetricNames

END_S = 3600.0
POINTS_COUNT = 241  # one every 15 s


@dataclass
class WrittenDown(FixedSource):
    """A store of series, complete enough for the API."""

    def __iter__(self) -> Iterator[FixedSeries]:
        return iter(self.series)

    def counter(self, name: str, per_second: float, **labels: str) -> "WrittenDown":
        """Grows evenly."""
        self.add(name, [15.0 * number * per_second for number in range(POINTS_COUNT)], every_s=15.0, **labels)
        return self

    def gauge(self, name: str, value: float, **labels: str) -> "WrittenDown":
        """Stays as it is."""
        self.add(name, [value] * POINTS_COUNT, every_s=15.0, **labels)
        return self


class Standing:
    """A clock that stands at the end."""

    def time(self) -> float:
        return END_S


@dataclass
class Held:
    """What the API needs of a monitor."""

    series: WrittenDown
    clock: Standing


class Asked:
    """Tools on these series."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, tool: str, **arguments: object) -> Any:
        """The structure of an answer."""
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        return result.structured_content


@asynccontextmanager
async def asking(series: WrittenDown, names: MetricNames | None = None) -> AsyncIterator[Asked]:
    """Tools on a server that has these series."""
    application = web.Application()
    monitor = cast(Monitor, Held(series, Standing()))
    application.add_routes(PrometheusApi(monitor).routes())
    async with TestServer(application) as server:
        built = prom.build(
            Access(url=str(server.make_url(""))), names, lambda: datetime.fromtimestamp(END_S, UTC)
        )
        async with Client(built) as client:
            yield Asked(client)
