"""What the Prometheus tools promise, on the sandbox's API and on a real Prometheus alike."""

from typing import Any

import pytest
from mcp import Client

from mcp_servers.http_access import Access
from mcp_servers.prom import server as prom
from mcp_servers.prom.thinning import MAX_POINTS
from tests.contract.prom.world import Tools
from utils.tool_texts import MAX_TOKENS, tokens_count

pytestmark = pytest.mark.slow

TOOLS = {
    *("prom_query", "prom_query_range", "prom_metadata", "prom_targets", "prom_alerts", "prom_rules"),
    *("prom_config", "prom_status", "prom_labels", "prom_series"),
    *("prom_node_cpu_usage", "prom_node_memory_usage", "prom_node_disk_usage"),
    *("prom_pod_cpu_usage", "prom_pod_memory_usage"),
    *("prom_service_latency", "prom_service_error_rate", "prom_service_request_rate"),
}


async def test_the_server_offers_eighteen_tools_that_only_look() -> None:
    async with Client(prom.build(Access(url="http://127.0.0.1:1"))) as client:
        offered = (await client.list_tools()).tools
    assert {tool.name for tool in offered} == TOOLS
    for tool in offered:
        assert tool.annotations is not None and tool.annotations.read_only_hint
        assert tool.description and tool.output_schema
        properties = tool.input_schema["properties"]
        assert all("description" in schema for schema in properties.values()), tool.name


# queries


async def test_a_query_gives_values_with_their_labels(tools: Tools) -> None:
    text, data = await tools.ask("prom_query", query='kube_deployment_spec_replicas{deployment="web"}')
    (sample,) = data["items"]
    assert sample["value"] == 1.0
    assert sample["labels"]["deployment"] == "web"
    assert text.startswith("1 values at 20")


async def test_a_scalar_and_not_a_number_are_answers_too(tools: Tools) -> None:
    for query, value, said in (("1 + 1", 2.0, "2"), ("0 / 0", None, "NaN"), ("1 / 0", None, "+Inf")):
        _, data = await tools.ask("prom_query", query=query)
        assert [(item["value"], item["said"]) for item in data["items"]] == [(value, said)]


async def test_a_bad_query_comes_back_with_the_message_and_its_position(tools: Tools) -> None:
    said = await tools.refused("prom_query", query="sum(rate(up))")
    assert "parse error" in said
    assert 'invalid parameter "query"' in said


async def test_a_metric_that_is_not_there_is_answered_with_near_misses(tools: Tools) -> None:
    text, data = await tools.ask("prom_query", query="kube_deployment_spec_replica")
    assert data["items"] == []
    assert "no such metric here: kube_deployment_spec_replica; near misses: " in text
    assert "kube_deployment_spec_replicas" in text


async def test_a_label_that_does_not_match_is_answered_with_the_labels_there_are(tools: Tools) -> None:
    text, _ = await tools.ask("prom_query_range", query='kube_deployment_spec_replicas{deploy="web"}')
    assert "nothing matches; kube_deployment_spec_replicas has the labels " in text
    assert "deployment" in text


async def test_a_range_is_thinned_and_has_its_numbers_beside_it(tools: Tools) -> None:
    query = 'sum(container_memory_working_set_bytes{namespace="shop"})'
    _, data = await tools.ask("prom_query_range", query=query, window="20m", step="5s")
    (series,) = data["items"]
    points = series["points"]
    assert isinstance(points, list)
    assert 30 < len(points) <= MAX_POINTS < series["points_count"]
    values = [point["value"] for point in points]
    assert (series["min"], series["max"], series["last"]) == (min(values), max(values), values[-1])
    assert data["unit"] == "bytes"


async def test_more_series_than_asked_for_are_counted(tools: Tools) -> None:
    text, data = await tools.ask("prom_query", query="kube_pod_status_phase", limit=2)
    assert len(data["items"]) == 2 and data["truncated"] is True
    assert "the first 2 of" in text and "To get the rest" in text


# about Prometheus


async def test_targets_alerts_and_rules_are_told(tools: Tools) -> None:
    _, targets = await tools.ask("prom_targets")
    assert {item["health"] for item in targets["items"]} == {"up"}
    _, rules = await tools.ask("prom_rules", grep="KubePodCrashLooping")
    assert [item["kind"] for item in rules["items"]] == ["alerting"]
    _, alerts = await tools.ask("prom_alerts", grep="shop")
    assert alerts["items"] and {item["state"] for item in alerts["items"]} <= {"pending", "firing"}


async def test_what_a_metric_is_can_be_asked(tools: Tools) -> None:
    _, data = await tools.ask("prom_metadata", metric="kube_pod_container_status_restarts_total")
    (facts,) = data["items"]
    assert facts["type"] == "counter" and "restarts" in str(facts["help"])
    text, _ = await tools.ask("prom_metadata", metric="kube_pod_container_status_restart_total")
    assert "near names: kube_pod_container_status_restarts_total" in text


async def test_labels_and_series_are_told(tools: Tools) -> None:
    _, names = await tools.ask("prom_labels", match=["kube_deployment_spec_replicas"])
    assert "deployment" in names["items"]
    _, values = await tools.ask("prom_labels", label="deployment", match=["kube_deployment_spec_replicas"])
    assert values["items"] == ["api", "web"]
    _, series = await tools.ask("prom_series", match=['kube_deployment_spec_replicas{deployment="web"}'])
    assert [labels["deployment"] for labels in series["items"]] == ["web"]


async def test_status_and_configuration_are_told(tools: Tools) -> None:
    text, data = await tools.ask("prom_status")
    assert data["build"]["version"] and data["runtime"] and data["storage"]
    assert text.startswith("version ")
    _, config = await tools.ask("prom_config", grep="scrape_interval")
    assert config["lines"]


# ready-made looks


@pytest.mark.parametrize(
    ("tool", "unit", "most"),
    [
        ("prom_node_cpu_usage", "ratio", 1.0),
        ("prom_node_memory_usage", "ratio", 1.0),
        ("prom_node_disk_usage", "ratio", 1.0),
    ],
)
async def test_nodes_are_looked_at_by_name(tools: Tools, tool: str, unit: str, most: float) -> None:
    _, every = await tools.ask(tool, window="20m")
    _, one = await tools.ask(tool, node="node-1", window="20m")
    assert len(every["items"]) >= 3 * len(one["items"]) > 0
    assert one["unit"] == unit
    assert all(0.0 <= item["min"] <= item["max"] <= most for item in every["items"])
    text, nothing = await tools.ask(tool, node="node-9", window="20m")
    assert nothing["items"] == []
    assert "knows no node 'node-9'" in text and "node-1" in text


@pytest.mark.parametrize(
    ("tool", "unit"), [("prom_pod_cpu_usage", "cores"), ("prom_pod_memory_usage", "bytes")]
)
async def test_pods_are_looked_at_by_name_or_beginning(tools: Tools, tool: str, unit: str) -> None:
    text, data = await tools.ask(tool, namespace="shop", pod="web-*", window="20m")
    assert data["unit"] == unit
    assert {item["labels"]["namespace"] for item in data["items"]} == {"shop"}
    name = str(data["items"][0]["labels"]["pod"])
    _, one = await tools.ask(tool, namespace="shop", pod=name, window="20m")
    assert [item["labels"]["pod"] for item in one["items"]] == [name]
    text, nothing = await tools.ask(tool, namespace="shop", pod=name[:-1], window="20m")
    assert nothing["items"] == [] and name in text


async def test_services_are_looked_at(tools: Tools) -> None:
    asked = {"service": "front", "namespace": "shop", "window": "20m"}
    _, rate = await tools.ask("prom_service_request_rate", **asked)
    assert rate["unit"] == "requests/s" and rate["items"][0]["max"] == pytest.approx(20, rel=0.2)
    _, errors = await tools.ask("prom_service_error_rate", **asked)
    assert errors["unit"] == "ratio" and 0.0 <= errors["items"][0]["last"] <= 1.0
    text, latency = await tools.ask("prom_service_latency", **asked)
    assert {item["labels"]["quantile"] for item in latency["items"]} == {"0.5", "0.9", "0.99"}
    assert latency["unit"] == "s"
    text, nothing = await tools.ask("prom_service_error_rate", service="frnt", namespace="shop")
    assert nothing["items"] == [] and "front" in text


async def test_every_answer_is_one_that_a_model_can_take(tools: Tools) -> None:
    needed: dict[str, dict[str, Any]] = {
        "prom_query": {"query": '{__name__=~"kube.+"}', "limit": 1000},
        "prom_query_range": {"query": '{__name__=~"node_.+"}', "limit": 100},
        "prom_series": {"match": ['{__name__=~".+"}'], "limit": 1000},
    }
    for tool in sorted(TOOLS):
        text, _ = await tools.ask(tool, **needed.get(tool, {}))
        assert tokens_count(text) <= MAX_TOKENS + 40, tool
