"""One world for the suite: the sandbox's Prometheus API, or a real Prometheus with PROM_CONTRACT=real."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.contract.prom.world import REAL, Tools, Watched, real_prometheus
from tests.real_prometheus.processes import missing_programs


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    world = Watched()
    yield world
    world.stop()


@pytest.fixture(scope="module")
def tools(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    if not REAL:
        yield Tools(watched.url, watched.url)
        return
    reason = missing_programs("prometheus", "promtool")
    if reason:
        pytest.skip(reason)
    with real_prometheus(watched, tmp_path_factory.mktemp("prometheus")) as url:
        made = Tools(url, watched.url)
        asyncio.run(_until_scraped(made))
        yield made


async def _until_scraped(tools: Tools) -> None:
    """Twenty seconds at most until every target has been scraped and the rules have been evaluated."""
    for _ in range(40):
        _, targets = await tools.ask("prom_targets")
        _, alerts = await tools.ask("prom_alerts")
        if targets["items"] and all(item["health"] == "up" for item in targets["items"]) and alerts["items"]:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"not everything was scraped: {targets}, {alerts}")
