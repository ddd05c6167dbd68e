"""Every tool of every server behind one door: the real `domain.tools.Toolbox`, over MCP.

It decides nothing: who may call what is policy's, what to do about an error the caller's.
"""

import asyncio
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import TracebackType
from typing import Self

from mcp_types import CallToolResult, TextContent

from domain.clock import Clock
from domain.errors import ToolFailed, ToolTimeout, ToolUnavailable
from domain.tools import ToolAnswer, ToolCall, ToolSpec
from utils.servers_config import ServersConfig
from utils.tool_answers import bounded, failure, says_failed
from utils.tool_server import Pace, ServerState, ToolServer
from utils.tool_transports import Builtin

MAX_CALLS = 16  # at a time, over all servers: enough for a look around, gentle to an API server in trouble
CLOSE_S = 8.0  # a child gets 2 s to leave, 2 s after SIGTERM, then it is killed


class McpToolbox:
    """The tools of all servers; `async with` connects and disconnects them.

    `builtin` makes our own servers by their name in the file; they run in this process unless their entry
    says `"transport": "stdio"`. A server that is missing or dies never holds up the others.
    """

    def __init__(
        self,
        config: ServersConfig,
        *,
        builtin: Mapping[str, Builtin],
        clock: Clock,
        max_calls: int = MAX_CALLS,
        pace: Pace | None = None,
    ) -> None:
        self._servers = [
            ToolServer(name, entry, builtin.get(name), pace or Pace())
            for name, entry in config.servers.items()
        ]
        self._clock = clock
        self._slots = asyncio.Semaphore(max_calls)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run(), name="tool-servers")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        for server in self._servers:
            server.close()
        _, left = await asyncio.wait([running], timeout=CLOSE_S)
        for task in left:
            task.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def wait_ready(self, budget_s: float) -> bool:
        """Wait until every server is connected or has failed to; whether all of them are connected."""
        try:
            async with asyncio.timeout(budget_s):
                for server in self._servers:
                    await server.tried.wait()
        except TimeoutError:
            return False
        return all(server.connected for server in self._servers)

    def state(self) -> list[ServerState]:
        """Each server's state, for /status."""
        return [server.state for server in self._servers]

    def specs(self) -> Sequence[ToolSpec]:
        """The tools of all connected servers, under the names that `call` takes."""
        connected = {server.name for server in self._servers if server.connected}
        return [
            ToolSpec(
                name=name,
                server=spec.server,
                description=spec.description,
                read_only=spec.read_only,
                input_schema=spec.input_schema,
            )
            for name, (_, spec) in self._routes().items()
            if spec.server in connected
        ]

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        """Call one tool; `server.tool` reaches a tool whose plain name another server has.

        Raises ToolTimeout after `budget_s` seconds, ToolUnavailable when its server is missing or
        dying, ToolFailed when the tool answered with an error, Transient when it asks to try again.
        """
        server, spec = self._route(call.tool)
        started_s = self._clock.monotonic_s()
        result = await self._within(server, spec, call, budget_s)
        text = _text(result)
        if result.is_error or says_failed(text):
            raise failure(bounded(text))
        took_s = self._clock.monotonic_s() - started_s
        return ToolAnswer(
            text=bounded(text), server=server.name, data=result.structured_content, took_s=took_s
        )

    async def _within(
        self, server: ToolServer, spec: ToolSpec, call: ToolCall, budget_s: float
    ) -> CallToolResult:
        sent = False
        try:
            async with asyncio.timeout(budget_s), self._slots:
                sent = True
                return await server.call(spec.name, dict(call.arguments), read_only=spec.read_only)
        except TimeoutError as error:
            if not sent:
                raise ToolUnavailable(f"{call.tool}: too many calls at a time; try again later.") from error
            raise ToolTimeout(f"{call.tool} did not answer within {budget_s:g} s.") from error

    def _route(self, name: str) -> tuple[ToolServer, ToolSpec]:
        """Raises ToolFailed for a name that no server has, ToolUnavailable while that cannot be known."""
        routes = self._routes()
        if name in routes:
            return routes[name]
        for server in self._servers:
            for spec in server.specs:
                if name == f"{server.name}.{spec.name}":
                    return server, spec
        missing = [
            f"{server.name} ({server.state.last_error})" for server in self._servers if not server.connected
        ]
        if missing:
            raise ToolUnavailable(
                f"No connected server has a tool {name!r}; not connected: {', '.join(missing)}"
            )
        near = get_close_matches(name, routes, n=3)
        raise ToolFailed(f"There is no tool {name!r}." + (f" Near names: {', '.join(near)}." if near else ""))

    def _routes(self) -> dict[str, tuple[ToolServer, ToolSpec]]:
        """Tools by the name they are called by. The first server of the file keeps a plain name even while
        it is lost: a call must not silently reach another server's tool."""
        routes: dict[str, tuple[ToolServer, ToolSpec]] = {}
        for server in self._servers:
            for spec in server.specs:
                name = spec.name if spec.name not in routes else f"{server.name}.{spec.name}"
                routes[name] = (server, spec)
        return routes

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for server in self._servers:
                tasks.create_task(server.run(), name=f"tool-server-{server.name}")


def _text(result: CallToolResult) -> str:
    """The text parts; other parts by their kind."""
    parts = (part.text if isinstance(part, TextContent) else f"[{part.type}]" for part in result.content)
    return "\n".join(parts)
