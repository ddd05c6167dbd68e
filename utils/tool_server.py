"""One tool server as the service sees it: connected by a task of its own, lost, connected again.

It neither chooses between servers nor reads answers; that is `mcp_client.py`.
"""

import asyncio
from dataclasses import dataclass

import structlog
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Tool,
)
from pydantic import ValidationError

from domain.errors import LoopError, ToolFailed, ToolTimeout, ToolUnavailable
from domain.tools import ToolSpec
from utils.servers_config import ServerEntry
from utils.tool_transports import Builtin, open_client

CHECK_S = 30.0  # how soon the death of a server that nobody calls is noticed, and new tools are seen
BROKEN = (
    CONNECTION_CLOSED,
    INVALID_REQUEST,
    PARSE_ERROR,
)  # over HTTP a session that ended is an invalid request
MAX_PAGES = 20  # of a tool list; a server that pages for ever must not hold us

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How soon a lost server is tried again: after `first_s`, doubling up to `most_s`."""

    first_s: float = 0.5
    most_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """One server for /status; `last_error` stays empty while it is connected."""

    name: str
    connected: bool
    tools_count: int
    last_error: str = ""


class ToolServer:
    """Owns the connection to one server; `run` is its task, `call` may come from any other."""

    def __init__(self, name: str, entry: ServerEntry, builtin: Builtin | None, pace: Pace) -> None:
        self.name = name
        self.specs: tuple[ToolSpec, ...] = ()  # as last seen: the tools of a lost server stay known
        self.tried = asyncio.Event()  # connected, or failed to, at least once
        self._entry = entry
        self._builtin = builtin
        self._pace = pace
        self._wait_s = pace.first_s
        self._client: Client | None = None
        self._lost = asyncio.Event()
        self._closing = asyncio.Event()
        self._last_error = "not connected yet"

    @property
    def connected(self) -> bool:
        """Whether calls can be made now."""
        return self._client is not None

    @property
    def state(self) -> ServerState:
        """How it is now."""
        return ServerState(
            name=self.name,
            connected=self.connected,
            tools_count=len(self.specs),
            last_error=self._last_error,
        )

    async def run(self) -> None:
        """Stay connected until `close`. Nothing that a server does ends this task."""
        while not self._closing.is_set():
            try:
                await self._stay()
            except Exception as error:  # noqa: BLE001 - the tool edge: whatever a server does stays its own
                self._note_loss(_reason(error))
            self.tried.set()
            await _until(self._closing, self._wait_s)
            self._wait_s = min(self._wait_s * 2, self._pace.most_s)

    def close(self) -> None:
        """Let `run` end."""
        self._closing.set()
        self._lost.set()

    async def call(self, tool: str, arguments: dict[str, object], *, read_only: bool) -> CallToolResult:
        """Send one call and return the server's answer, failed or not; the caller bounds the time.

        Raises ToolUnavailable when the call was not made or cannot have changed anything, ToolTimeout when it
        is unknown what it did, ToolFailed when the server refused it.
        """
        client = self._client
        if client is None:
            raise ToolUnavailable(f"Tool server {self.name} is not connected: {self._last_error}")
        asked = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
        try:
            # Not `client.call_tool`: that checks the answer against the declared schema once more, in Python,
            # which holds up the loop for 0.2 s at 500 pods. Whoever uses the data checks it anyway.
            return await client.session.send_request(asked, CallToolResult)
        except MCPError as error:
            raise self._failure(client, tool, error, read_only) from error
        except ValidationError as error:
            raise ToolFailed(
                f"{self.name} answered {tool} in a form that MCP does not know: {error}"
            ) from error

    def _failure(self, client: Client, tool: str, error: MCPError, read_only: bool) -> LoopError:
        if error.code == REQUEST_TIMEOUT:
            return ToolTimeout(f"{tool} on {self.name} did not answer in time: {error.message}")
        if error.code not in (*BROKEN, INTERNAL_ERROR):
            return ToolFailed(f"{self.name} refused {tool}: {error.message}")
        if error.code in BROKEN and client is self._client:  # a late answer may be of an earlier connection
            self._lost.set()
        said = f"Tool server {self.name} broke off during {tool} ({error.message})"
        if read_only:
            return ToolUnavailable(f"{said}; try again.")
        return ToolTimeout(f"{said}; it may have been applied: look before repeating.")

    async def _stay(self) -> None:
        """Connect, and hold the connection until it is lost or no longer wanted."""
        async with (
            asyncio.timeout(self._entry.timeout_s) as limit,
            open_client(self._entry, self._builtin) as client,
        ):
            self._take(await _list_tools(client))
            limit.reschedule(None)
            self._come_up(client)
            try:
                await self._hold(client)
            finally:
                self._client = None

    def _come_up(self, client: Client) -> None:
        self._lost.clear()
        self._client, self._last_error, self._wait_s = client, "", self._pace.first_s
        self.tried.set()
        log.info("tool_server_connected", server=self.name, tools=len(self.specs))

    async def _hold(self, client: Client) -> None:
        while not self._closing.is_set():
            if await _until(self._lost, CHECK_S):
                self._note_loss("the connection was closed")
                return
            async with asyncio.timeout(self._entry.timeout_s):
                self._take(await _list_tools(client))

    def _take(self, tools: list[Tool]) -> None:
        allowed = self._entry.allow
        offered = [tool for tool in tools if allowed is None or tool.name in allowed]
        self.specs = tuple(self._spec(tool) for tool in offered)

    def _spec(self, tool: Tool) -> ToolSpec:
        declared = tool.annotations is not None and tool.annotations.read_only_hint is True
        return ToolSpec(
            name=tool.name,
            server=self.name,
            description=tool.description or "",
            read_only=declared or tool.name in self._entry.read_only,
            input_schema=tool.input_schema,
        )

    def _note_loss(self, reason: str) -> None:
        """Lasting trouble is logged when it begins, not at every try."""
        if self._closing.is_set() or reason == self._last_error:
            return
        self._last_error = reason
        log.warning("tool_server_lost", server=self.name, reason=reason)


async def _list_tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


async def _until(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within the time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _reason(error: BaseException) -> str:
    """The innermost reason in one line: libraries wrap theirs in groups of one."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "no answer while connecting"
    if isinstance(error, FileNotFoundError):
        return f"there is no command or folder {error.filename!r}"
    return f"{type(error).__name__}: {error}".splitlines()[0]
