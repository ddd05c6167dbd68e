"""The ready-made looks find their metrics whatever the programs were instrumented with."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.mcp_servers.prom_world import Asked, WrittenDown, asking
from utils.metric_names import MetricNames

SHOP = {"namespace": "shop"}


def prometheus_client() -> WrittenDown:
    made = WrittenDown()
    for code, rate in (("200", 9.0), ("500", 1.0)):
        made.counter("http_requests_total", rate, job="web", code=code, **SHOP)
    return made


def opentelemetry() -> WrittenDown:
    made, labels = WrittenDown(), {"service_name": "web", "k8s_namespace_name": "shop"}
    for code, rate in (("200", 9.0), ("503", 1.0)):
        name = "http_server_request_duration_seconds_count"
        made.counter(name, rate, http_response_status_code=code, **labels)
    return made


def micrometer() -> WrittenDown:
    made = WrittenDown()
    for status, rate in (("200", 9.0), ("500", 1.0)):
        made.counter("http_server_requests_seconds_count", rate, application="web", status=status, **SHOP)
    return made


def istio() -> WrittenDown:
    made = WrittenDown()
    labels = {"destination_service_name": "web", "destination_service_namespace": "shop"}
    for code, rate in (("200", 9.0), ("503", 1.0)):
        made.counter("istio_requests_total", rate, response_code=code, **labels)
    return made


def grpc() -> WrittenDown:
    made = WrittenDown()
    for code, rate in (("OK", 9.0), ("Unavailable", 1.0)):
        made.counter("grpc_server_handled_total", rate, app="web", grpc_code=code, **SHOP)
    return made


@pytest.mark.parametrize("made", [prometheus_client, opentelemetry, micrometer, istio, grpc])
async def test_requests_and_errors_are_found_in_every_instrumentation(
    made: Callable[[], WrittenDown],
) -> None:
    async with asking(made()) as ask:
        rate = await first(ask, "prom_service_request_rate", service="web", namespace="shop")
        errors = await first(ask, "prom_service_error_rate", service="web", namespace="shop")
    assert rate["last"] == pytest.approx(10.0)
    assert errors["last"] == pytest.approx(0.1)


async def test_a_service_without_failures_has_an_error_rate_of_zero() -> None:
    async with asking(WrittenDown().counter("http_requests_total", 5.0, job="web", code="200")) as ask:
        assert (await first(ask, "prom_service_error_rate", service="web"))["last"] == 0.0


async def test_requests_without_a_status_have_no_error_rate() -> None:
    async with asking(WrittenDown().counter("http_requests_total", 5.0, job="web")) as ask:
        answer = await ask("prom_service_error_rate", service="web")
    assert answer["items"] == []
    assert "http_requests_total has no label for a status" in str(answer["note"])


async def test_latencies_come_from_a_histogram() -> None:
    made = WrittenDown()
    for le, rate in (("0.1", 50.0), ("0.2", 90.0), ("0.4", 100.0), ("+Inf", 100.0)):
        made.counter("http_request_duration_seconds_bucket", rate, service="web", le=le)
    async with asking(made) as ask:
        answer = await ask("prom_service_latency", service="web")
    assert by_quantile(answer) == {
        "0.5": pytest.approx(0.1), "0.9": pytest.approx(0.2), "0.99": pytest.approx(0.38),
    }  # fmt: skip
    assert answer["unit"] == "s"


async def test_latencies_come_from_a_summary_where_there_is_no_histogram() -> None:
    made = WrittenDown()
    for quantile, value in (("0.5", 20.0), ("0.99", 80.0)):
        made.gauge("rpc_server_duration_milliseconds", value, job="web", quantile=quantile)
    async with asking(made) as ask:
        answer = await ask("prom_service_latency", service="web")
    assert by_quantile(answer) == {"0.5": 20.0, "0.99": 80.0}
    assert answer["unit"] == "ms"


async def test_the_mean_stands_in_where_no_quantile_is_measured() -> None:
    made = WrittenDown().counter("http_server_requests_seconds_sum", 3.0, application="web")
    made.counter("http_server_requests_seconds_count", 10.0, application="web")
    async with asking(made) as ask:
        answer = await ask("prom_service_latency", service="web")
    assert by_quantile(answer) == {"mean": pytest.approx(0.3)}


async def test_pods_are_found_by_the_collectors_names() -> None:
    labels = {"k8s_namespace_name": "shop", "k8s_pod_name": "web-1"}
    made = WrittenDown().gauge("k8s_pod_cpu_usage", 0.25, **labels)
    made.gauge("k8s_pod_memory_working_set_bytes", 2.0**20, **labels)
    async with asking(made) as ask:
        cpu = await first(ask, "prom_pod_cpu_usage", namespace="shop", pod="web-1")
        memory = await first(ask, "prom_pod_memory_usage", namespace="shop", pod="web-*")
    assert (cpu["last"], memory["last"]) == (0.25, 2.0**20)


async def test_a_pod_s_limit_stands_beside_its_use() -> None:
    made = WrittenDown().gauge("container_memory_working_set_bytes", 2.0**20, pod="web-1", container="web")
    made.gauge("kube_pod_container_resource_limits", 2.0**21, pod="web-1", resource="memory")
    async with asking(made) as ask:
        answer = await ask("prom_pod_memory_usage", pod="web-1")
    assert answer["note"] == "limits: web-1 2 MiB"


async def test_containers_without_names_are_counted_too() -> None:
    made = WrittenDown().counter("container_cpu_usage_seconds_total", 0.5, pod="web-1")
    async with asking(made) as ask:
        assert (await first(ask, "prom_pod_cpu_usage", pod="web-1"))["last"] == pytest.approx(0.5)


async def test_a_node_is_found_by_the_address_that_kube_state_metrics_tells() -> None:
    made = WrittenDown()
    for mode, rate in (("idle", 3.0), ("user", 1.0)):
        made.counter("node_cpu_seconds_total", rate, instance="10.0.0.7:9100", mode=mode)
        made.counter("node_cpu_seconds_total", rate, instance="10.0.0.8:9100", mode=mode)
    made.gauge("kube_node_info", 1.0, node="node-1", internal_ip="10.0.0.7")
    async with asking(made) as ask:
        answer = await ask("prom_node_cpu_usage", node="node-1")
    assert labels_of(answer) == [{"instance": "10.0.0.7:9100"}]


async def test_a_service_is_looked_for_in_the_next_metric_when_the_first_does_not_know_it() -> None:
    made = prometheus_client().counter("istio_requests_total", 7.0, app="cart")
    async with asking(made) as ask:
        assert (await first(ask, "prom_service_request_rate", service="cart"))["last"] == pytest.approx(7.0)


async def test_no_such_metric_names_the_near_misses_and_the_setting() -> None:
    async with asking(WrittenDown().counter("shop_http_requests", 5.0, job="web")) as ask:
        note = str((await ask("prom_service_request_rate", service="web"))["note"])
    assert note.startswith("No such metric here: looked for http_requests_total, ")
    assert "Near misses: shop_http_requests." in note
    assert "metrics.request_rate in config.yaml" in note


async def test_a_setups_own_queries_and_labels_go_first() -> None:
    names = MetricNames(
        request_rate=["sum by ($by) (rate(shop_calls{$scope}[$window]))"], service_labels=["shop_service"]
    )
    made = prometheus_client().counter("shop_calls", 3.0, shop_service="web", job="other")
    async with asking(made, names) as ask:
        answer = await ask("prom_service_request_rate", service="web")
    assert [item["last"] for item in items_of(answer)] == [pytest.approx(3.0)]
    assert labels_of(answer) == [{"shop_service": "web"}]


def test_a_query_with_an_unknown_placeholder_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"\$pod is none of"):
        MetricNames(pod_cpu=["rate(x{$pod}[5m])"])


async def first(ask: Asked, tool: str, **arguments: object) -> dict[str, Any]:
    """The one series of an answer."""
    (series,) = items_of(await ask(tool, **arguments))
    return series


def items_of(answer: Any) -> list[dict[str, Any]]:
    return list(answer["items"])


def labels_of(answer: Any) -> list[dict[str, str]]:
    return [item["labels"] for item in items_of(answer)]


def by_quantile(answer: Any) -> dict[str, float]:
    return {item["labels"]["quantile"]: item["last"] for item in items_of(answer)}
