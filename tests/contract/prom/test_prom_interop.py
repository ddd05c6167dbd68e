"""Our client with somebody else's Prometheus server, and our server over stdio, as programs of their own.

Only with PROM_CONTRACT=real: the other server is installed into a virtual environment of its own first.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import ToolFailed
from domain.tools import ToolCall
from tests.contract.prom.world import REAL, Watched
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.timing import SystemClock

OTHER = "prometheus-mcp-server"
INSTALL_S = 120.0
READY_S = 30.0


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the other server."""
    if not REAL:
        pytest.skip("set PROM_CONTRACT=real to install and drive another server")
    folder = tmp_path_factory.mktemp("other")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        install = [str(folder / "bin" / "pip"), "install", "--quiet", OTHER]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{OTHER} cannot be installed here: {error}")
    return folder / "bin" / OTHER


async def test_our_client_drives_another_prometheus_server(watched: Watched, other_server: Path) -> None:
    entry = {
        "command": str(other_server),
        "env": {"PROMETHEUS_URL": watched.url},
        "timeout_s": READY_S,
    }
    async with _connected(entry) as toolbox:
        assert await toolbox.wait_ready(READY_S), toolbox.state()
        names = {spec.name for spec in toolbox.specs()}
        assert {"execute_query", "list_metrics", "get_targets"} <= names
        assert all(spec.read_only for spec in toolbox.specs())
        answer = await toolbox.call(ToolCall(tool="execute_query", arguments={"query": "up"}), budget_s=10.0)
        assert "node-exporter" in answer.text
        with pytest.raises(ToolFailed):
            await toolbox.call(ToolCall(tool="execute_query", arguments={"query": "sum("}), budget_s=10.0)


async def test_our_server_runs_as_a_child_over_stdio(watched: Watched) -> None:
    root = str(Path(__file__).resolve().parents[3])
    args = ["-m", "mcp_servers.serve", "prom", "--url", watched.url]
    async with _connected({"command": sys.executable, "args": args, "cwd": root}) as toolbox:
        assert await toolbox.wait_ready(READY_S), toolbox.state()
        answer = await toolbox.call(ToolCall(tool="prom_query", arguments={"query": "up"}), budget_s=10.0)
    assert "node-exporter" in answer.text and answer.data is not None


def test_a_server_without_a_url_says_what_it_needs() -> None:
    command = [sys.executable, "-m", "mcp_servers.serve", "loki"]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=READY_S, check=False)
    assert done.returncode == 2 and "needs --url" in done.stderr


def _connected(entry: dict[str, object]) -> McpToolbox:
    config = ServersConfig.model_validate({"mcpServers": {"other": entry}})
    return McpToolbox(config, builtin={}, clock=SystemClock())
