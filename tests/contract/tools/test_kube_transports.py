"""The same tools as programs of their own: over stdio and over HTTP, and what happens when they die."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.errors import ToolUnavailable, Transient
from domain.tools import ToolCall
from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.timing import SystemClock
from utils.tool_server import Pace

pytestmark = pytest.mark.slow

HOME = Path(__file__).resolve().parents[3]
LIST_NODES = ToolCall(tool="list_nodes")
SERVE = ("-m", "mcp_servers.serve")


@asynccontextmanager
async def toolbox(name: str, **entry: object) -> AsyncIterator[McpToolbox]:
    """A toolbox on one server, connected."""
    config = ServersConfig.model_validate({"mcpServers": {name: entry}})
    ours = {
        kube_read.NAME: lambda: kube_read.build(Access()),
        kube_change.NAME: lambda: kube_change.build(Access()),
    }
    pace = Pace(first_s=0.05, most_s=0.2)
    async with McpToolbox(config, builtin=ours, clock=SystemClock(), pace=pace) as box:
        assert await box.wait_ready(20.0), box.state()
        yield box


async def call_until_answered(box: McpToolbox) -> str:
    """Call again while the server comes back."""
    async with asyncio.timeout(20.0):
        while True:
            try:
                return (await box.call(LIST_NODES, budget_s=10.0)).text
            except ToolUnavailable:
                await asyncio.sleep(0.05)


def child_of_this_process(word: str) -> int:
    """The pid of a child whose command line has the word."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and word in (folder / "cmdline").read_text():
                return int(folder.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise AssertionError(f"no child with {word!r}")


async def test_a_server_over_stdio_that_is_killed_comes_back(kubeconfig: Path) -> None:
    env = {"KUBECONFIG": str(kubeconfig)}
    asked = {"command": "python", "args": [*SERVE, "kube-read"], "env": env, "transport": "stdio"}
    async with toolbox("kube-read", **asked) as box:
        first = await call_until_answered(box)
        os.kill(child_of_this_process("kube-read"), signal.SIGKILL)
        with pytest.raises(ToolUnavailable, match="broke off during list_nodes"):
            await box.call(LIST_NODES, budget_s=10.0)
        assert await call_until_answered(box) == first
    with pytest.raises(AssertionError):
        child_of_this_process("kube-read")


async def test_a_server_over_http_that_ends_may_be_started_again(kubeconfig: Path) -> None:
    port = free_port()
    async with (
        served_over_http(kubeconfig, port) as first,
        toolbox("kube-read", url=f"http://127.0.0.1:{port}/mcp") as box,
    ):
        said = await call_until_answered(box)
        first.kill()
        await first.wait()
        with pytest.raises(Transient):
            await box.call(LIST_NODES, budget_s=5.0)
        async with served_over_http(kubeconfig, port):
            assert await call_until_answered(box) == said


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served_over_http(kubeconfig: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The reading server on a port, once it listens; ended afterwards, unless it ended before."""
    options = ["kube-read", "--kubeconfig", str(kubeconfig), "--transport", "http", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(
        sys.executable, *SERVE, *options, cwd=HOME, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20.0):
            while not await listening(port):  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(0.05)
        yield server
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def listening(port: int) -> bool:
    """Whether somebody answers on the port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
