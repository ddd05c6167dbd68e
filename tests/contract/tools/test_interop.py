"""Other people's MCP programs: a client that drives our servers, a server that our client drives.

They come from npm: `@modelcontextprotocol/inspector` and `kubernetes-mcp-server`. Where their commands are
neither on the PATH nor in the folder that INTEROP_BIN names, these tests are skipped and say so.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.tools import ToolCall
from mcp_servers import kube_change, kube_read
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.timing import SystemClock

HOME = Path(__file__).resolve().parents[3]
PATH = os.pathsep.join(filter(None, (os.environ.get("INTEROP_BIN", ""), os.environ.get("PATH", ""))))
PATIENCE_S = 60.0  # node needs seconds to start on a busy machine


def command(name: str) -> str:
    """Where a command is; skips the test when it is nowhere."""
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed: npm install it and set INTEROP_BIN to its folder")
    return found


async def inspector(server: str, kubeconfig: Path, *words: str) -> Mapping[str, object]:
    """What the inspector printed as JSON after one request to one of our servers."""
    served = (sys.executable, "-m", "mcp_servers.serve", server)
    asked = [command("mcp-inspector"), "--cli", "-e", f"KUBECONFIG={kubeconfig}", *served, *words]
    process = await asyncio.create_subprocess_exec(
        *asked,
        cwd=HOME,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": PATH},
    )
    async with asyncio.timeout(PATIENCE_S):
        said, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()[-2000:]
    found = json.loads(said)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("server", "least_count"), [(kube_read.NAME, 16), (kube_change.NAME, 20)])
async def test_the_inspector_lists_our_tools(kubeconfig: Path, server: str, least_count: int) -> None:
    found = await inspector(server, kubeconfig, "--method", "tools/list")
    tools = found["tools"]
    assert isinstance(tools, list) and len(tools) >= least_count
    assert all(tool["annotations"]["readOnlyHint"] is (server == kube_read.NAME) for tool in tools)


async def test_the_inspector_calls_our_tools(kubeconfig: Path) -> None:
    call = ("--method", "tools/call", "--tool-name", "list_nodes", "--tool-arg", "limit=2")
    found = await inspector(kube_read.NAME, kubeconfig, *call)
    structure = found["structuredContent"]
    assert isinstance(structure, dict) and len(structure["items"]) == 2
    assert structure["truncated"] is True and structure["rest"]


async def test_our_client_drives_another_servers_tools(kubeconfig: Path) -> None:
    words = ["--kubeconfig", str(kubeconfig), "--read-only"]
    other = {"command": command("kubernetes-mcp-server"), "args": words, "env": {"PATH": PATH}}
    config = ServersConfig.model_validate({"mcpServers": {"other": other}})
    async with McpToolbox(config, builtin={}, clock=SystemClock()) as box:
        assert await box.wait_ready(PATIENCE_S), box.state()
        specs = {spec.name: spec for spec in box.specs()}
        assert len(specs) >= 5 and all(spec.read_only for spec in specs.values())
        answer = await box.call(ToolCall(tool="namespaces_list"), budget_s=PATIENCE_S)
    assert "kube-system" in answer.text
