"""Is the service alive, can it work, what is it doing: GET /health, /ready and /status.

It asks the parts it is handed; it repairs nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from domain.clock import Clock
from domain.errors import LoopError
from domain.incident import IncidentState
from utils.http_answers import json_answer
from web.metrics import QueueState

ASK_S = 2.0  # a probe has little patience


class JournalState(Protocol):
    """What health asks the journal."""

    async def ready(self) -> None:
        """Return when it can commit; else raise JournalUnavailable."""
        ...

    async def counts(self) -> Mapping[IncidentState, int]:
        """Incidents by state."""
        ...


class ToolServerState(Protocol):
    """One tool server as its client sees it."""

    @property
    def name(self) -> str: ...
    @property
    def connected(self) -> bool: ...
    @property
    def tools_count(self) -> int: ...
    @property
    def last_error(self) -> str: ...


class Health:
    """The three pages; `worker_runs` and `tool_servers` are asked at every request."""

    def __init__(
        self,
        journal: JournalState,
        queue: QueueState,
        *,
        clock: Clock,
        version: str,
        analyst: str,
        worker_runs: Callable[[], bool],
        tool_servers: Callable[[], Sequence[ToolServerState]],
    ) -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock
        self._version = version
        self._analyst = analyst
        self._worker_runs = worker_runs
        self._tool_servers = tool_servers
        self._started_s = clock.monotonic_s()

    def routes(self) -> list[web.RouteDef]:
        """GET /health, /ready, /status."""
        return [
            web.get("/health", self._health),
            web.get("/ready", self._ready),
            web.get("/status", self._status),
        ]

    async def _health(self, request: web.Request) -> web.Response:
        return json_answer({"status": "alive"})

    async def _ready(self, request: web.Request) -> web.Response:
        """200 when alerts can be taken in and worked on, else 503 with every reason."""
        reasons = await self._reasons()
        if not reasons:
            return json_answer({"status": "ready", "reasons": []})
        response = json_answer({"status": "not ready", "reasons": reasons}, status=503)
        response.headers["Retry-After"] = "5"
        return response

    async def _reasons(self) -> list[str]:
        reasons = [] if self._worker_runs() else ["the worker is not running: restart the service"]
        reasons += [
            f"tool server {server.name} is not connected: {server.last_error or 'no reason known'}"
            for server in self._tool_servers()
            if not server.connected
        ]
        try:
            async with asyncio.timeout(ASK_S):
                await self._journal.ready()
        except LoopError as error:
            reasons.append(str(error))
        except TimeoutError:
            reasons.append(f"the journal did not commit within {ASK_S:g} s")
        return reasons

    async def _status(self, request: web.Request) -> web.Response:
        return json_answer(
            {
                "version": self._version,
                "uptime_s": round(self._clock.monotonic_s() - self._started_s, 1),
                "analyst": self._analyst,
                "worker_running": self._worker_runs(),
                "queue": {"depth": self._queue.depth, "capacity": self._queue.capacity},
                "incidents": await self._counts(),
                "tool_servers": [
                    {
                        "name": server.name,
                        "connected": server.connected,
                        "tools_count": server.tools_count,
                        "last_error": server.last_error,
                    }
                    for server in self._tool_servers()
                ],
            }
        )

    async def _counts(self) -> dict[str, int] | None:
        """None while the journal cannot be asked."""
        try:
            async with asyncio.timeout(ASK_S):
                return {state.value: count for state, count in (await self._journal.counts()).items()}
        except (LoopError, TimeoutError):
            return None
