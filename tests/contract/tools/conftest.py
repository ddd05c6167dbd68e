"""One cluster for the contract of the Kubernetes tools: the sandbox, or the real one that
KUBE_CONTRACT_KUBECONFIG names. Every test gets a namespace of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mcp_servers import kube_change, kube_read
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access, Connection
from mcp_servers.kube.kinds import KINDS, Kind
from mcp_servers.kube.roles import declared
from sandbox.cluster import Cluster
from sandbox.server import SandboxServer
from tests.contract.tools.accounts import apply_roles, kubeconfig_of
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


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who each server is; in the sandbox, where everybody may do everything, all the same."""

    admin: Access
    read: Access
    change: Access


@pytest.fixture
async def accounts(kubeconfig: Path, tmp_path: Path) -> Accounts:
    """On a real cluster each server speaks with the role that deploy/rbac gives it, and no more."""
    admin = Access(kubeconfig=str(kubeconfig))
    if not REAL:
        return Accounts(admin, admin, admin)
    connection = await Connection.open(admin)
    await apply_roles(connection)
    files = [
        await kubeconfig_of(connection, name, kubeconfig, tmp_path)
        for name in (kube_read.NAME, kube_change.NAME)
    ]
    await connection.close()
    return Accounts(admin, *(Access(kubeconfig=str(file)) for file in files))


@pytest.fixture
async def world(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Both tool servers in this process, connected, and a fresh namespace.

    Afterwards, what the servers asked of the API is held against what their tools declare.
    """
    used: dict[str, set[str]] = {kube_read.NAME: set(), kube_change.NAME: set()}
    for server in (kube_read, kube_change):
        monkeypatch.setattr(server, "ClusterApi", partial(RecordedApi, used[server.NAME]))
    async for made in _worlds(accounts.admin, accounts.read, accounts.change):
        yield made
    for name, rights in used.items():
        assert rights <= declared(name), f"{name} uses rights that no tool of it declares"


@pytest.fixture
async def world_of_reader(accounts: Accounts) -> AsyncIterator[World]:
    """The same, but the changing server has the reading account."""
    async for made in _worlds(accounts.admin, accounts.read, accounts.read):
        yield made


class RecordedApi(ClusterApi):
    """An API that writes down which rights were needed."""

    def __init__(self, used: set[str], access: Access) -> None:
        super().__init__(access)
        self._used = used

    async def _send(
        self,
        method: str,
        kind: Kind,
        path: str,
        *,
        verb: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        keep_bytes: int = 0,
    ) -> bytes:
        if not kind.plural.startswith("/"):  # the lists of what is served are open to every account
            self._used.add(f"{verb} {kind.resource}")
        return await super()._send(
            method, kind, path, verb=verb, query=query, body=body, keep_bytes=keep_bytes
        )


async def _worlds(admin: Access, read: Access, change: Access) -> AsyncIterator[World]:
    entry = {"command": "python"}
    config = ServersConfig.model_validate({"mcpServers": {"kube-read": entry, "kube-change": entry}})
    builtin = {
        kube_read.NAME: lambda: kube_read.build(read),
        kube_change.NAME: lambda: kube_change.build(change),
    }
    connection = await Connection.open(admin)
    async with McpToolbox(config, builtin=builtin, clock=SystemClock()) as toolbox:
        assert await toolbox.wait_ready(5.0), toolbox.state()
        name = f"contract-{uuid.uuid4().hex[:8]}"
        made = World(toolbox, connection, name)
        await made.create("Namespace", {"apiVersion": "v1", "metadata": {"name": name}})
        yield made
        await connection.exchange("DELETE", KINDS["Namespace"].path(name=name), {}, None)
    await connection.close()
