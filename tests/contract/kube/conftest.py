"""One cluster for the whole contract suite: the sandbox, or the real one that KUBE_CONTRACT_KUBECONFIG names.

Every test gets a namespace of its own. What the stand-in kubelets of a real control plane do not play is
skipped there by the mark `played_only_here`.
"""

import asyncio
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.kubelet.timings import Timings
from sandbox.server import SandboxServer
from tests.contract.kube.kube_client import Kube, Server

REAL = os.environ.get("KUBE_CONTRACT_KUBECONFIG", "")
SPEED = 60.0  # sandbox seconds in a second
PATIENCE_S = 10.0
REAL_PATIENCE_S = 60.0

played_only_here = pytest.mark.skipif(bool(REAL), reason="the stand-in kubelets do not play this")


class Sandbox:
    """A cluster that lives in a thread with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox")
        self._thread.start()
        assert self._up.wait(10)

    def stop(self) -> None:
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        self._task = self._loop.create_task(self._live())
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        self._loop.close()

    async def _live(self) -> None:
        cluster = Cluster(3, timings=Timings.brisk(), clock=SimClock.from_wall())
        async with SandboxServer(cluster.store, cluster.clock, logs=cluster.fleet) as server:
            server.write_kubeconfig(self.kubeconfig)
            self._up.set()
            await cluster.run(SPEED)


@pytest.fixture(scope="session")
def kube_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if REAL:
        yield Server.read(Path(REAL))
        return
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield Server.read(sandbox.kubeconfig)
    sandbox.stop()


def _has_account(kube: Kube) -> bool:
    """Old servers also want a token for the account before they take pods."""
    accounts = kube.all("ServiceAccount")
    return bool(accounts) and (not kube.is_real or bool(accounts[0].get("secrets")))


@pytest.fixture
def kube(kube_server: Server) -> Iterator[Kube]:
    """A fresh namespace whose default account is there."""
    name = f"contract-{uuid.uuid4().hex[:8]}"
    made = Kube(kube_server, name, is_real=bool(REAL), patience_s=REAL_PATIENCE_S if REAL else PATIENCE_S)
    made.create({"kind": "Namespace", "metadata": {"name": name}})
    made.until(lambda: _has_account(made), what="the default account")
    yield made
    made.delete("Namespace", name)
