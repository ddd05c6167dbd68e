"""A cluster that is watched: its metrics in the sandbox's Prometheus, or in a real one that scrapes it."""

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, TextContent

from mcp_servers.http_access import Access
from mcp_servers.loki import server as loki
from mcp_servers.prom import server as prom
from sandbox.alerting.rule_file import SHIPPED
from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.embedded import living
from sandbox.kubelet.timings import Timings
from sandbox.observing import Observer, served
from sandbox.promql.values import NAME, value_of
from sandbox.scenario import inject, load_scenario, prepare
from tests.real_prometheus.processes import prometheus

REAL = os.environ.get("PROM_CONTRACT") == "real"
PATIENCE_S = 20.0
WELL_S, ILL_S = 1500.0, 300.0
SERVICES = """
apiVersion: v1
kind: Service
metadata:
  {name: front, namespace: shop, annotations: {sandbox/calls: "web:80", sandbox/requests-per-second: "20"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {sandbox/requests-per-second: "20"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: sandbox
    honor_labels: true
    http_sd_configs: [{{url: "{url}/targets.json", refresh_interval: 5s}}]
"""


class Watched:
    """A shop that has broken five minutes ago, living in a thread with an event loop of its own."""

    def __init__(self) -> None:
        self.url = ""
        self.observer: Observer | None = None
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="watched")
        self._thread.start()
        assert self._up.wait(PATIENCE_S)

    def stop(self) -> None:
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE_S)

    def openmetrics(self) -> str:
        """All points so far, as promtool reads them."""
        assert self.observer is not None
        stored = sorted(self.observer.monitor.series, key=lambda s: (value_of(s.labels, NAME), s.labels))
        lines = [
            f"{value_of(series.labels, NAME)}{{{_labels(series.labels)}}} {value!r} {at_ms / 1000:.3f}\n"
            for series in stored
            for at_ms, value in zip(*series.window(0, 2**62), strict=True)
        ]
        return "".join(lines) + "# EOF\n"

    def _run(self) -> None:
        self._task = self._loop.create_task(self._live())
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        self._loop.close()

    async def _live(self) -> None:
        start = datetime.now(UTC) - timedelta(seconds=WELL_S + ILL_S)
        cluster = Cluster(3, timings=Timings.brisk(), clock=SimClock(start=start))
        self.observer = Observer(cluster)
        scenario = load_scenario(next(Path("scenarios").rglob("crash-after-rollout.yaml")))
        prepare(cluster, scenario)
        cluster.apply(SERVICES)
        cluster.advance(WELL_S)
        inject(cluster, scenario)
        cluster.advance(max(0.0, time.time() - cluster.clock.time()))
        async with served(self.observer) as self.url, living(cluster, 1.0):
            self._up.set()
            await asyncio.Event().wait()


class Tools:
    """The tool servers on one world."""

    def __init__(self, prometheus_url: str, loki_url: str) -> None:
        self._prom = prom.build(Access(url=prometheus_url))
        self._loki = loki.build(Access(url=loki_url))

    async def call(self, tool: str, **arguments: object) -> CallToolResult:
        """One call, failed or not."""
        async with Client(self._loki if tool.startswith("loki") else self._prom) as client:
            return await client.call_tool(tool, arguments)

    async def ask(self, tool: str, **arguments: object) -> tuple[str, Any]:
        """Text and structure of an answer."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        return text_of(result), result.structured_content

    async def refused(self, tool: str, **arguments: object) -> str:
        """What a call that cannot be answered says."""
        result = await self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)


def text_of(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


@contextmanager
def real_prometheus(watched: Watched, folder: Path) -> Iterator[str]:
    """The URL of a Prometheus that has the world's past, scrapes it, and knows its rules."""
    samples, data = folder / "samples.om", folder / "data"
    samples.write_text(watched.openmetrics())
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(samples), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    config = CONFIG.format(rules=SHIPPED, url=watched.url)
    with prometheus(folder, config, data=data) as url:
        yield url


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    return ",".join(f"{key}={json.dumps(value)}" for key, value in labels if key != NAME)
