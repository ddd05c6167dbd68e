"""The cluster inside the service's own process: simulated, served on loopback, living in real time.

A scenario may fill its past, so that a fault is there, with its history, when the cluster goes live.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sandbox.audit import Audit
from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.kubelet.timings import Timings
from sandbox.scenario import Scenario, inject, prepare
from sandbox.server import SandboxServer

PAST_S = 900.0  # the cluster has lived this long when it is handed over
QUIET_S = 300.0  # of which it was well before anything broke


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A running sandbox: the cluster itself, and how clients reach it."""

    cluster: Cluster
    url: str
    kubeconfig: Path
    audit: Audit


@asynccontextmanager
async def open_embedded(
    kubeconfig: Path, *, nodes_count: int, speed: float, port: int = 0, scenario: Scenario | None = None
) -> AsyncIterator[Embedded]:
    """Start a cluster in which `scenario` has just happened; without one it is empty and well.

    At speed 0 its time stands still until somebody moves it: see `virtual_time.py`.
    """
    waits_s = sum(step.wait_s or 0.0 for step in scenario.inject) if scenario else 0.0
    clock = SimClock(start=datetime.now(UTC) - timedelta(seconds=PAST_S + waits_s))
    cluster = Cluster(nodes_count, timings=Timings.brisk(), clock=clock)
    if scenario is not None:
        _live_through(cluster, scenario)
    cluster.advance(max(0.0, datetime.now(UTC).timestamp() - clock.time()))
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    async with SandboxServer(cluster.store, clock, logs=cluster.fleet, port=port) as server:
        server.write_kubeconfig(kubeconfig)
        embedded = Embedded(cluster=cluster, url=server.url, kubeconfig=kubeconfig, audit=server.audit)
        async with living(cluster, speed):
            yield embedded


@asynccontextmanager
async def living(cluster: Cluster | None, speed: float) -> AsyncIterator[None]:
    """Let real time drive the cluster, if there is one, while the block runs; not at speed 0."""
    pump = asyncio.create_task(cluster.run(speed), name="sandbox") if cluster and speed else None
    try:
        yield
    finally:
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)


def _live_through(cluster: Cluster, scenario: Scenario) -> None:
    prepare(cluster, scenario)
    cluster.advance(QUIET_S)
    inject(cluster, scenario)


def alert_body(scenario: Scenario, *, at: datetime) -> bytes:
    """The webhook body, version 4, that Alertmanager would send for the scenario's alert at that moment."""
    labels, annotations = scenario.alert.labels, scenario.alert.annotations
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": at.isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": _fingerprint(labels),
    }
    group = {"alertname": labels.get("alertname", "")}
    body = {
        "version": "4",
        "receiver": "alert-agent",
        "status": "firing",
        "groupKey": f'{{}}:{{alertname="{group["alertname"]}"}}',
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "truncatedAlerts": 0,
        "alerts": [alert],
    }
    return json.dumps(body).encode()


def _fingerprint(labels: Mapping[str, str]) -> str:
    text = "\n".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return sha256(text.encode()).hexdigest()[:16]
