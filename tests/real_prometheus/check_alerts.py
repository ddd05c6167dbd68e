"""Broken clusters under a real Prometheus and Alertmanager: the same alerts must fire as in the sandbox.

Each cluster is lived through in virtual time up to its fault; then both begin to watch it at the same moment,
in real time, with rules that fire 300 times sooner than usual.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from sandbox.alerting.alert import fingerprint
from sandbox.alerting.rule_file import SHIPPED, duration_s
from sandbox.embedded import living
from sandbox.observing import Observer, Pace, served
from sandbox.promql.engine import instant
from sandbox.promql.values import labels_from
from sandbox.scenario import inject, load_scenario, prepare
from tests.real_prometheus.processes import alertmanager, prometheus
from tests.sandbox.worlds import World

FACTOR = 1 / 300
ILL_S = 700.0  # longer than a rollout may take, so that it counts as stuck
PATIENCE_S = 40.0
EXPECTED = {
    "bad-image": {"KubeDeploymentRolloutStuck", "KubeContainerWaiting", "KubePodNotReady"},
    "crash-after-rollout": {"KubePodCrashLooping", "KubeDeploymentRolloutStuck", "KubePodNotReady"},
    "memory-limit-too-low": {"KubePodCrashLooping", "KubeDeploymentRolloutStuck", "KubePodNotReady"},
    "nodes-cordoned": {"KubeDeploymentReplicasMismatch", "KubePodNotReady"},
    "processor-limit-throttles": {"CPUThrottlingHigh", "KubeDeploymentRolloutStuck", "KubePodNotReady"},
    "unknown-crash": {"KubePodCrashLooping", "KubeDeploymentReplicasMismatch", "KubePodNotReady"},
}
SHAPES = (
    'count by (__name__, job) ({__name__=~"(kube|container|node|kubelet)_.+"})',
    "up",
    "kube_pod_info",
    "kube_deployment_status_condition == 1",
    "sum by (node) (container_spec_memory_limit_bytes)",
)
ALERTMANAGER = """
route: {{receiver: test, group_by: [alertname, namespace, cluster], group_wait: 1s, group_interval: 2s}}
receivers: [{{name: test, webhook_configs: [{{url: "{url}/hook"}}]}}]
"""

Told = frozenset[tuple[tuple[str, str], ...]]
"""Label sets of alerts."""


@dataclass
class Watched:
    """One broken cluster with its own observer, and what that told."""

    name: str
    observer: Observer
    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def firing(self) -> Told:
        states = self.observer.rules.states
        return frozenset(
            labels_from(active.labels)
            for state in states
            for active in state.shown()
            if active.state == "firing"
        )

    def told(self) -> Told:
        return told_by(self.bodies)


@dataclass
class Real:
    """The real programs, and what they posted."""

    url: str
    bodies: list[dict[str, Any]]
    session: aiohttp.ClientSession

    async def ask(self, path: str, **parameters: str) -> Any:
        async with self.session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            return (await answer.json())["data"]

    async def firing(self, cluster: str) -> Told:
        alerts = (await self.ask("alerts"))["alerts"]
        return own(
            a["labels"] for a in alerts if a["state"] == "firing" and a["labels"].get("cluster") == cluster
        )

    def told(self, cluster: str) -> Told:
        bodies = [body for body in self.bodies if body["groupLabels"].get("cluster") == cluster]
        return told_by(bodies)


def own(labels: Iterable[dict[str, str]]) -> Told:
    """Label sets without the label that says which cluster is meant."""
    return frozenset(labels_from({k: v for k, v in each.items() if k != "cluster"}) for each in labels)


def told_by(bodies: list[dict[str, Any]]) -> Told:
    return own(alert["labels"] for body in bodies for alert in body["alerts"] if alert["status"] == "firing")


def names(alerts: Told) -> set[str]:
    return {dict(labels)["alertname"] for labels in alerts}


async def until(holds: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it holds within the patience that is left; looks twice a second."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if await holds():
            return True
        await asyncio.sleep(0.5)
    return False


@asynccontextmanager
async def broken(name: str) -> AsyncIterator[Watched]:
    """The cluster of a scenario, living in real time under its own observer."""
    world, scenario = World(), load_scenario(next(Path("scenarios").rglob(f"{name}.yaml")))
    prepare(world, scenario)
    inject(world, scenario)
    world.advance(ILL_S)
    observer = Observer(world, pace=Pace(scrape_s=1.0, evaluation_s=1.0, factor=FACTOR))
    async with served(observer) as url, living(world, 1.0):
        watched = Watched(name, observer, url)
        observer.notify(lambda body: watched.bodies.append(json.loads(body)))
        yield watched


@asynccontextmanager
async def watching(folder: Path, clusters: list[Watched]) -> AsyncIterator[Real]:
    """A real Prometheus that scrapes all clusters, and a real Alertmanager that posts to this process."""
    bodies: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        hook = await stack.enter_async_context(_hook(bodies))
        processes = ExitStack()
        stack.push_async_callback(asyncio.to_thread, processes.close)
        manager = alertmanager(folder, ALERTMANAGER.format(url=hook))
        manager_url = await asyncio.to_thread(processes.enter_context, manager)
        server = prometheus(folder, _config(folder, clusters, manager_url), "--rules.alert.resend-delay=1s")
        url = await asyncio.to_thread(processes.enter_context, server)
        yield Real(url, bodies, session)


@asynccontextmanager
async def _hook(bodies: list[dict[str, Any]]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _config(folder: Path, clusters: list[Watched], manager_url: str) -> str:
    """All clusters by HTTP discovery, told apart by the label that the rules expect for that."""
    rules = folder / "rules.yaml"
    rules.write_text(_sooner(SHIPPED.read_text()))
    jobs = [
        {
            "job_name": cluster.name,
            "honor_labels": True,
            "http_sd_configs": [{"url": f"{cluster.url}/targets.json"}],
            "relabel_configs": [{"target_label": "cluster", "replacement": cluster.name}],
        }
        for cluster in clusters
    ]
    target = manager_url.removeprefix("http://")
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]},
        "scrape_configs": jobs,
    }
    return yaml.safe_dump(config)


def _sooner(text: str) -> str:
    """The rules with every `for` shortened."""
    file = yaml.safe_load(text)
    for rule in (rule for group in file["groups"] for rule in group["rules"] if "for" in rule):
        rule["for"] = f"{round(duration_s(rule['for']) * FACTOR * 1000)}ms"
    return yaml.safe_dump(file)


async def test_the_same_alerts_fire_and_are_told(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        clusters = [await stack.enter_async_context(broken(name)) for name in EXPECTED]
        real = await stack.enter_async_context(watching(tmp_path, clusters))
        for cluster in clusters:
            await _check(cluster, real)
        for alert in (alert for body in real.bodies for alert in body["alerts"]):
            assert alert["fingerprint"] == fingerprint(alert["labels"])
        for query in SHAPES:
            await _check_shape(clusters[0], real, query)


async def _check(cluster: Watched, real: Real) -> None:
    """Both agree, and each has told what fires."""

    async def agreed() -> bool:
        theirs, ours = await real.firing(cluster.name), cluster.firing()
        complete = EXPECTED[cluster.name] <= names(ours)
        return ours == theirs and complete and ours <= cluster.told() and theirs <= real.told(cluster.name)

    if not await until(agreed):
        theirs, ours = await real.firing(cluster.name), cluster.firing()
        untold = ours - cluster.told(), theirs - real.told(cluster.name)
        pytest.fail(f"{cluster.name}: only here {ours - theirs}, only there {theirs - ours}, untold {untold}")


async def _check_shape(cluster: Watched, real: Real, query: str) -> None:
    """The same label sets in both, for what a cluster's targets give."""

    async def agreed() -> bool:
        now_ms = round(cluster.observer.monitor.clock.time() * 1000)
        found = instant(query, cluster.observer.monitor.series, now_ms)
        assert isinstance(found, list)
        narrowed = query.replace("{", f'{{cluster="{cluster.name}",', 1)
        theirs = (await real.ask("query", query=narrowed))["result"]
        return {labels for labels, _ in found} == own(
            item["metric"] for item in theirs if item["metric"].get("cluster", cluster.name) == cluster.name
        )

    assert await until(agreed), query
