"""Large clusters do not fill the memory; how long they hold up the loop is measured in `make bench-tools`."""

import tracemalloc
from pathlib import Path

from mcp_servers.kube.look_pods import PodLooks
from tests.mcp_servers.large_cluster import large_cluster

MAX_GROWTH_BYTES = 50 * 2**20


async def test_thousands_of_pods_are_looked_through_page_by_page(tmp_path: Path) -> None:
    async with large_cluster(5_000, tmp_path) as api:
        looks = PodLooks(api)
        await looks.list_pods("shop", limit=1)  # imports the client, opens the connection
        found = await looks.list_pods("shop", only_unhealthy=True)
        assert len(found.items) == 60 and not found.truncated
        tracemalloc.start()
        try:
            await looks.list_pods("shop", status="ImagePullBackOff", limit=10)
            growth_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert growth_bytes < MAX_GROWTH_BYTES / 2


async def test_a_page_of_a_long_list_ends_the_reading(tmp_path: Path) -> None:
    async with large_cluster(50_000, tmp_path) as api:
        found = await PodLooks(api).list_pods("shop", limit=100, page=2)
    assert len(found.items) == 100 and found.truncated
    assert found.items[0].target.name == "web-00100"
