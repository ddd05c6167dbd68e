"""A cluster's copy from disk, served on loopback: frozen as it was, or living on under the controllers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.dump import Dump, DumpLogs, fill, read_dump
from sandbox.embedded import living
from sandbox.fields import Obj, labels_of, name_of
from sandbox.kinds import Registry
from sandbox.kubelet.node_report import Machine
from sandbox.kubelet.timings import Timings
from sandbox.server import SandboxServer
from sandbox.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How the copy is reached, how much there is of it, and which files could not be read."""

    url: str
    objects_count: int
    problems: tuple[str, ...]
    server: SandboxServer


@asynccontextmanager
async def open_copy(folder: Path, *, port: int, live: bool, speed: float) -> AsyncIterator[Copied]:
    """Serve what is below `folder`. Raises BadInput when that holds no Kubernetes object."""
    dump, clock, registry = read_dump(folder), SimClock.from_wall(), Registry()
    cluster = Cluster(0, clock=clock, timings=Timings.brisk()) if live else None
    store = cluster.store if cluster else Store(clock)
    fill(store, dump, registry)
    if cluster is not None:
        _bring_to_life(cluster, dump)
    logs = cluster.fleet if cluster else DumpLogs(dump)
    async with (
        SandboxServer(store, clock, port=port, logs=logs, registry=registry) as server,
        living(cluster, speed),
    ):
        yield Copied(
            url=server.url,
            objects_count=len(dump.objects),
            problems=tuple(dump.problems),
            server=server,
        )


def _bring_to_life(cluster: Cluster, dump: Dump) -> None:
    """Give every node of the copy a kubelet; it takes over the pods that are bound to it."""
    for obj in dump.objects:
        if obj["kind"] == "Node":
            cluster.fleet.add_node(name_of(obj), machine=_machine(obj), labels=labels_of(obj))


def _machine(node: Obj) -> Machine:
    capacity = (node.get("status") or {}).get("capacity") or {}
    known = {"cpu", "memory", "pods", "ephemeral-storage"}
    return Machine(
        cpu=str(capacity.get("cpu", "4")),
        memory=str(capacity.get("memory", "8Gi")),
        pods=str(capacity.get("pods", "110")),
        storage=str(capacity.get("ephemeral-storage", "100Gi")),
        architecture=labels_of(node).get("kubernetes.io/arch", "amd64"),
        extended={name: str(value) for name, value in capacity.items() if name not in known},
    )
