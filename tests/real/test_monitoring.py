"""A rule fires in a real Prometheus: told through a real Alertmanager and directly, the service mends it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from app import scenario_file
from domain.alert import Alert
from domain.incident import Incident, Resolution
from sandbox.scenario import load_scenario
from tests.crash.world import World, open_world, told
from tests.real.programs import MISSING, alertmanager, prometheus

PATIENCE_S = 15.0
LOOK_S = 0.1

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

RULE: dict[str, object] = {
    "alert": "KubeDeploymentRolloutStuck",
    "expr": "rollout_stuck == 1",
    "labels": {"severity": "warning"},
    "annotations": {"summary": "Deployment {{ $labels.namespace }}/{{ $labels.deployment }} is stuck."},
}


@dataclass(slots=True)
class Gauge:
    """The metric that the rule watches, and where it is served."""

    stuck: bool = True
    address: str = ""

    async def page(self, request: web.Request) -> web.Response:
        """What Prometheus scrapes."""
        return web.Response(text=f'rollout_stuck{{namespace="shop",deployment="web"}} {int(self.stuck)}\n')


async def test_alerts_of_a_real_prometheus_are_mended_and_their_end_is_filed(tmp_path: Path) -> None:
    async with (
        world_in(tmp_path / "behind-alertmanager") as behind,
        world_in(tmp_path / "direct") as direct,
        behind.serve() as fed,
        direct.serve() as told_directly,
        served_gauge() as gauge,
        alertmanager(tmp_path, webhook=fed.url) as relay,
        prometheus(
            tmp_path,
            scraped=gauge.address,
            rule=RULE,
            receivers=[relay, told_directly.url.removeprefix("http://")],
        ),
    ):
        for world in (behind, direct):
            assert_mended(world, await world.until(lambda incident: incident.closed))
        gauge.stuck = False
        for world in (behind, direct):
            firing, resolved = await alerts_until_resolved(world)
            assert firing.firing
            assert resolved.ended_at is not None
            assert resolved.ended_at > firing.started_at
            assert len(await world.incidents()) == 1, "the end of an alert opens nothing"


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """A cluster with a bad image in it, and a service that may mend it."""
    folder.mkdir()
    scenario = load_scenario(scenario_file("bad-image"))
    async with open_world(folder, scenario, mode="auto") as world:
        yield world


@asynccontextmanager
async def served_gauge() -> AsyncIterator[Gauge]:
    """The gauge on a port of its own."""
    gauge = Gauge()
    app = web.Application()
    app.router.add_get("/metrics", gauge.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gauge.address = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gauge
    finally:
        await runner.cleanup()


def assert_mended(world: World, incident: Incident) -> None:
    """The deployment that the rule's labels name was rolled back once, and a report tells of it."""
    assert incident.resolution is Resolution.RESOLVED, told(incident)
    assert str(incident.target) == "Deployment/shop/web"
    assert [change.status for change in world.proxy.changes] == [200]
    assert (world.folder / incident.report_path).exists()


async def alerts_until_resolved(world: World) -> list[Alert]:
    """The alerts filed under the world's incident, once one of them is resolved."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        filed = await world.alerts()
        if any(not alert.firing for alert in filed):
            return filed
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"no resolved alert came: {await world.alerts()}")
