"""Whom programs call by their environment, what gets lost between nodes, and what requests cost."""

from typing import Any

import pytest

from sandbox.fields import Obj
from sandbox.network.calls import call_in
from sandbox.scenario import LoadStep, Step, play
from tests.sandbox.test_cluster_network import app, error_ratio_now, said, service, shop
from tests.sandbox.worlds import World, deployment, pod_template


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://orders:8080/v1", "orders:8080"),
        ("https://orders.shop", "orders.shop:443"),
        ("postgres://app:secret@db.data/orders", "db.data:5432"),
        ("orders:8080", "orders:8080"),
        ("orders", "orders:80"),
        ("", "None"),
        ("http://orders:many/", "None"),
    ],
)
def test_a_variable_names_host_and_port_in_many_ways(text: str, meant: str) -> None:
    assert str(call_in(text)) == meant


def caller(*env: tuple[str, str]) -> Obj:
    """`front` calls what its variable ORDERS_URL says."""
    variables = [{"name": name, "value": value} for name, value in env]
    box: Obj = {"name": "app", "image": "shop/app:1", "ports": [{"containerPort": 8080}], "env": variables}
    return deployment("front", 1, pod_template(notes={"calls-env": "ORDERS_URL"}, containers=[box]))


@pytest.mark.parametrize(
    ("env", "complaint"),
    [
        ([("ORDERS_URL", "http://orders:8080")], ""),
        ([("ORDERS_URL", "http://order:8080")], "lookup order on 10.96.0.10:53: no such host"),
        ([("ORDERS_URL", "http://orders:8080"), ("ORDERS_URL", "http://old:8080")], "lookup old on"),
        ([("ORDERS_URL", "http://old:8080"), ("ORDERS_URL", "http://orders:8080")], ""),
        ([("HOST", "order"), ("ORDERS_URL", "http://$(HOST):8080")], "lookup order on"),
    ],
)
def test_a_program_calls_what_its_environment_says_last(env: list[tuple[str, str]], complaint: str) -> None:
    world = World()
    world.apply([service("front"), service("orders"), app("orders"), caller(*env)])
    world.settle()
    world.advance(10)
    assert complaint in said(world, "front")
    assert bool(said(world, "front")) == bool(complaint)


def test_a_worker_behind_no_service_calls_a_headless_port_that_is_refused() -> None:
    world = World()
    headless = service("orders")
    headless["spec"]["clusterIP"] = "None"
    world.apply([headless, app("orders"), caller(("ORDERS_URL", "http://orders:9090"))])
    world.settle()
    world.advance(10)
    assert ":9090: connect: connection refused" in said(world, "front")


def node_of(world: World, name: str) -> str:
    return str(world.pods(app=name)[0]["spec"]["nodeName"])


def test_a_slow_node_makes_calls_from_and_to_it_time_out_while_its_pods_are_ready() -> None:
    world = shop()
    assert node_of(world, "orders") != node_of(world, "db")
    world.annotate("Node", node_of(world, "db"), "sandbox/net-delay", "3")
    world.advance(10)
    assert "context deadline exceeded" in said(world, "orders")
    assert world.get("Deployment", "db")["status"]["readyReplicas"] == 1
    world.annotate("Node", node_of(world, "db"), "sandbox/net-delay", None)
    assert error_ratio_now(world, "orders") == 0


def error_ratio(world: World, name: str, seconds: float) -> float:
    totals = world.traffic.of("default", name)
    requests, errors = totals.requests, totals.errors
    world.advance(seconds)
    after = world.traffic.of("default", name)
    return (after.errors - errors) / (after.requests - requests)


def test_a_lossy_node_loses_about_its_share() -> None:
    world = shop()
    world.annotate("Node", node_of(world, "db"), "sandbox/net-loss", "0.3")
    assert 0.15 < error_ratio(world, "orders", 1000) < 0.45
    assert "i/o timeout" in said(world, "orders")


def test_loss_between_two_services_leaves_others_alone() -> None:
    world = shop()
    world.annotate("Pod", world.pods(app="orders")[0]["metadata"]["name"], "sandbox/net-loss", "db=0.5")
    assert 0.3 < error_ratio(world, "orders", 1000) < 0.7
    world.annotate("Pod", world.pods(app="orders")[0]["metadata"]["name"], "sandbox/net-loss", "cache=0.5")
    assert error_ratio(world, "orders", 100) == 0


def test_an_injected_rule_answers_a_share_with_500() -> None:
    world = shop()
    world.annotate("Pod", world.pods(app="db")[0]["metadata"]["name"], "sandbox/aborts", "1")
    world.advance(10)
    assert said(world, "orders").endswith('error="GET http://db:5432/: 500 Internal Server Error"')
    assert error_ratio_now(world, "orders") == 1


def test_an_injected_rule_leaves_the_rest_alone() -> None:
    world = shop()
    world.annotate("Pod", world.pods(app="orders")[0]["metadata"]["name"], "sandbox/aborts", "0.25")
    assert error_ratio(world, "orders", 100) == pytest.approx(0.25)


def test_a_clock_that_is_behind_takes_new_certificates_for_not_yet_valid() -> None:
    world = shop()
    world.annotate("Pod", world.pods(app="db")[0]["metadata"]["name"], "sandbox/tls", "true")
    assert error_ratio_now(world, "orders") == 0
    world.annotate("Node", node_of(world, "orders"), "sandbox/clock-behind", "7200")
    world.advance(10)
    assert 'Get \\"https://db:5432/\\": tls: failed to verify certificate: x509:' in said(world, "orders")
    assert "is not yet valid: current time" in said(world, "orders")


def costly(**limits: str) -> World:
    """`web` pays 10 ms of cpu for each of its 20 requests a second."""
    world = World()
    box: Obj = {"name": "app", "image": "shop/app:1", "ports": [{"containerPort": 8080}]}
    box["resources"] = {"requests": {"cpu": "100m"}, **({"limits": limits} if limits else {})}
    template = pod_template(notes={"cpu-per-request": "10m"}, containers=[box])
    notes: dict[str, Any] = {"requests-per-second": "20"}
    web = service("web", **notes)
    world.apply([web, deployment("web", 2, template)])
    world.settle()
    world.advance(10)
    return world


def cpu_of(world: World) -> list[int]:
    uses = [world.fleet.usage("default", p["metadata"]["name"]) for p in world.pods(app="web")]
    return [use["app"].cpu_millis for use in uses if use is not None]


def load(world: World, factor: float) -> None:
    play(world, Step(load=LoadStep(service="web", factor=factor)))
    world.advance(10)


def test_requests_cost_the_pods_that_share_them_cpu() -> None:
    world = costly()
    assert cpu_of(world) == [110, 110]
    load(world, 5)
    assert cpu_of(world) == [510, 510]
    load(world, 1)
    assert cpu_of(world) == [110, 110]


def test_calls_from_other_services_are_load_too() -> None:
    world = costly()
    world.apply([service("front", calls="web:8080"), app("front")])
    world.settle()
    world.advance(10)
    assert cpu_of(world) == [160, 160], "10 requests a second more, shared by two"


def latency_s(world: World) -> float:
    totals = world.traffic.of("default", "web")
    requests, latency = totals.requests, totals.latency_s
    world.advance(10)
    after = world.traffic.of("default", "web")
    return (after.latency_s - latency) / (after.requests - requests)


def test_load_beyond_the_cpu_limit_makes_answers_slow() -> None:
    world = costly(cpu="200m")
    calm_s = latency_s(world)
    load(world, 5)
    assert latency_s(world) == pytest.approx(calm_s * 510 / 200, rel=0.01)


def test_load_makes_the_autoscaler_add_pods_and_take_them_away_again() -> None:
    world = costly()
    target = {"type": "Utilization", "averageUtilization": 120}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 9,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    meta = {"name": "web", "namespace": "default"}
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    world.apply([{**kind, "metadata": meta, "spec": spec}])
    load(world, 4)
    world.advance(120)
    assert world.get("Deployment", "web")["spec"]["replicas"] > 5
    load(world, 1)
    world.advance(1000)
    assert world.get("Deployment", "web")["spec"]["replicas"] == 2
