"""One cluster for the contract of the Kubernetes tools: the sandbox, or the real one that
KUBE_CONTRACT_KUBECONFIG names. Every test gets a namespace of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access, Connection
from mcp_servers.kube.kinds import KINDS
from sandbox.cluster import Cluster
from sandbox.server import SandboxServer
from tests.contract.tools.world import REAL, World
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.timing import SystemClock

SPEED = 40.0  # sandbox seconds in a second


@pytest.fixture
async def kubeconfig(tmp_path: Path) -> AsyncIterator[Path]:
    """A kubeconfig of a cluster that lives."""
    if REAL:
        yield Path(REAL)
        return
    cluster = Cluster(nodes=3)
    async with SandboxServer(cluster.store, cluster.clock, logs=cluster.fleet) as server:
        running = asyncio.create_task(cluster.run(speed=SPEED))
        yield server.write_kubeconfig(tmp_path / "kubeconfig")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    """Both tool servers in this process, connected, and a fresh namespace."""
    access = Access(kubeconfig=str(kubeconfig))
    entry = {"command": "python"}
    config = ServersConfig.model_validate({"mcpServers": {"kube-read": entry, "kube-change": entry}})
    builtin = {
        kube_read.NAME: lambda: kube_read.build(access),
        kube_change.NAME: lambda: kube_change.build(access),
    }
    connection = await Connection.open(access)
    async with McpToolbox(config, builtin=builtin, clock=SystemClock()) as toolbox:
        assert await toolbox.wait_ready(5.0), toolbox.state()
        name = f"contract-{uuid.uuid4().hex[:8]}"
        made = World(toolbox, connection, name)
        await made.create("Namespace", {"apiVersion": "v1", "metadata": {"name": name}})
        yield made
        await connection.exchange("DELETE", KINDS["Namespace"].path(name=name), {}, None)
    await connection.close()
