"""What the Loki tools promise, on the sandbox's logs of a shop whose new version crashes."""

from datetime import UTC, datetime, timedelta

import pytest
from mcp import Client

from mcp_servers.http_access import Access
from mcp_servers.loki import server as loki
from tests.contract.prom.world import ILL_S, Tools, Watched

pytestmark = pytest.mark.slow

SHOP = '{namespace="shop"}'


@pytest.fixture
def tools(watched: Watched) -> Tools:
    """Always the sandbox's: no other log store is at hand."""
    return Tools(watched.url, watched.url)


async def test_the_server_offers_four_tools_that_only_look() -> None:
    async with Client(loki.build(Access(url="http://127.0.0.1:1"))) as client:
        offered = (await client.list_tools()).tools
    assert {tool.name for tool in offered} == {
        "loki_query", "loki_labels", "loki_patterns", "loki_first_errors",
    }  # fmt: skip
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in offered)


async def test_lines_come_oldest_first_with_their_source(tools: Tools) -> None:
    text, data = await tools.ask("loki_query", query=SHOP, limit=5)
    times = [str(item["at"]) for item in data["items"]]
    assert len(times) == 5 and times == sorted(times)
    assert data["labels"]["namespace"] == "shop"
    assert text.startswith("5 lines of {") and "To get the rest" in text


async def test_a_metric_query_gives_series(tools: Tools) -> None:
    _, data = await tools.ask("loki_query", query=f"sum by (app) (count_over_time({SHOP}[5m]))")
    assert data["items"] == [] and data["series"]
    assert all(float(str(series["max"])) > 0 for series in data["series"])


async def test_labels_and_their_values_are_told(tools: Tools) -> None:
    _, names = await tools.ask("loki_labels")
    assert {"namespace", "pod", "container"} <= {str(name) for name in names["items"]}
    _, values = await tools.ask("loki_labels", label="namespace")
    assert "shop" in values["items"]


async def test_what_the_crash_says_is_new_and_comes_first(tools: Tools) -> None:
    broken_at = datetime.now(UTC) - timedelta(seconds=ILL_S + 60)
    text, data = await tools.ask("loki_patterns", query=SHOP, since=broken_at.isoformat())
    first = data["items"][0]
    assert (first["is_error"], first["is_new"]) == (True, True)
    assert any(item["is_new"] is False for item in data["items"])
    assert "new error" in text


async def test_the_first_errors_stand_in_the_order_they_began(tools: Tools) -> None:
    _, data = await tools.ask("loki_first_errors", query=SHOP)
    began = [str(item["first_at"]) for item in data["items"]]
    assert began and began == sorted(began)
    assert all(item["is_error"] for item in data["items"])


async def test_a_label_without_such_a_value_is_answered_with_near_ones(tools: Tools) -> None:
    for tool in ("loki_query", "loki_patterns", "loki_first_errors"):
        text, data = await tools.ask(tool, query='{namespace="shopp"}')
        assert data["items"] == []
        assert "no stream has namespace='shopp'; it has shop" in text


async def test_a_bad_query_comes_back_with_the_message_and_its_position(tools: Tools) -> None:
    assert "parse error at line 1, col " in await tools.refused("loki_query", query="{namespace=")
