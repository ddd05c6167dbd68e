"""The cluster inside the service's own process: simulated, served on loopback, living in real time.

A scenario may fill its past, so that a fault is there, with its history, when the cluster goes live.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.alerting.alert import Alert
from sandbox.alerting.notifications import Routing, body_of
from sandbox.api.audit import Audit
from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.kubelet.timings import Timings
from sandbox.observing import Observer, Pace, served
from sandbox.scenario import Scenario, inject, prepare
from sandbox.server import SandboxServer

PAST_S = 4500.0  # the cluster has lived this long when it is handed over: metrics reach back over an hour
SHORT_PAST_S = 900.0  # of one that nobody measures, or so large that an hour of metrics would take long
LARGE_COUNT = 20  # nodes
ILL_S = 600.0  # since then something is broken, if a scenario says what
SHARP_S = 300.0  # so long before that, everything is measured as often as ever
PACE = Pace(factor=0.1)  # alerts after 1.5 minutes instead of 15, as the kubelets' waits are short too


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A running sandbox: the cluster itself, and how clients reach it."""

    cluster: Cluster
    url: str
    kubeconfig: Path
    audit: Audit
    observer: Observer | None = None
    prometheus_url: str = ""
    loki_url: str = ""


@asynccontextmanager
async def open_embedded(
    kubeconfig: Path,
    *,
    nodes_count: int,
    speed: float,
    port: int = 0,
    scenario: Scenario | None = None,
    observed: bool = True,
) -> AsyncIterator[Embedded]:
    """Start a cluster in which `scenario` has just happened; without one it is empty and well.

    At speed 0 its time stands still until somebody moves it: see `virtual_time.py`. Where it is not
    `observed`, it has neither metrics nor logs over HTTP nor alerts.
    """
    waits_s = sum(step.wait_s or 0.0 for step in scenario.inject) if scenario else 0.0
    past_s = PAST_S if observed and nodes_count <= LARGE_COUNT else SHORT_PAST_S
    clock = SimClock(start=datetime.now(UTC) - timedelta(seconds=past_s + waits_s))
    cluster = Cluster(nodes_count, timings=Timings.brisk(), clock=clock)
    observer = Observer(cluster, pace=PACE) if observed else None
    with observer.sketching() if observer else nullcontext():
        if scenario is not None:
            prepare(cluster, scenario)
        cluster.advance(past_s - ILL_S - SHARP_S)
    cluster.advance(SHARP_S)
    if scenario is not None:
        inject(cluster, scenario)
    cluster.advance(max(0.0, datetime.now(UTC).timestamp() - clock.time()))
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        kubernetes = SandboxServer(cluster.store, clock, logs=cluster.fleet, port=port)
        server = await stack.enter_async_context(kubernetes)
        server.write_kubeconfig(kubeconfig)
        url = await stack.enter_async_context(served(observer)) if observer else ""
        await stack.enter_async_context(living(cluster, speed))
        yield Embedded(
            cluster=cluster,
            url=server.url,
            kubeconfig=kubeconfig,
            audit=server.audit,
            observer=observer,
            prometheus_url=url,
            loki_url=url,
        )


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


def alert_body(scenario: Scenario, *, at: datetime) -> bytes:
    """The webhook body that Alertmanager would send for the scenario's alert at that moment.

    Empty when the scenario leaves it to the sandbox's rules.
    """
    said = scenario.alert
    if said.payload is not None:
        return json.dumps(said.payload).encode()
    if said.labels is None:
        return b""
    alert = Alert(labels=said.labels, annotations=said.annotations, started_at=at)
    routing = Routing()
    return body_of([alert], routing.group_labels(alert), routing)
