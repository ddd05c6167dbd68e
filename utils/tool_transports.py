"""Ways to reach a tool server: in this process, as a child over stdio, over HTTP. One client a connection."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer

from utils.servers_config import ServerEntry

HOME = Path(__file__).resolve().parent.parent
PYTHON = ("python", "python3")

Builtin = Callable[[], MCPServer[None]]  # makes a server of ours


@asynccontextmanager
async def open_client(entry: ServerEntry, builtin: Builtin | None) -> AsyncIterator[Client]:
    """A connected client; to be entered and left in one task.

    Servers of ours run in this process unless the entry asks for another way.
    """
    if entry.url:
        async with _over_http(entry) as client:
            yield client
    elif builtin is not None and not entry.transport:
        async with Client(builtin(), cache=None) as client:
            yield client
    else:
        async with Client(_child(entry, ours=builtin is not None), cache=None) as client:
            yield client


@asynccontextmanager
async def _over_http(entry: ServerEntry) -> AsyncIterator[Client]:
    if entry.transport == "sse":
        async with Client(sse_client(entry.url, headers=dict(entry.headers)), cache=None) as client:
            yield client
        return
    timeout = httpx2.Timeout(entry.timeout_s, read=300.0)  # a server may hold a stream open
    async with (
        httpx2.AsyncClient(headers=dict(entry.headers), timeout=timeout) as http_client,
        Client(streamable_http_client(entry.url, http_client=http_client), cache=None) as client,
    ):
        yield client


def _child(entry: ServerEntry, *, ours: bool) -> StdioServerParameters:
    """The child process. Our own servers run on this very Python, wherever the service was started."""
    own_python = ours and entry.command in PYTHON
    return StdioServerParameters(
        command=sys.executable if own_python else entry.command,
        args=list(entry.args),
        env=dict(entry.env),
        cwd=entry.cwd or (HOME if ours else None),
    )
