"""Calls between Services: what fails, how it is worded, and what it does to the callers."""

import pytest

from sandbox.fields import Obj
from tests.sandbox.worlds import World, deployment, pod_template


def service(name: str, port: int = 8080, calls: str = "", **notes: str) -> Obj:
    annotations = {f"sandbox/{key}": value for key, value in notes.items()}
    annotations |= {"sandbox/calls": calls} if calls else {}
    spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": 8080}]}
    meta = {"name": name, "namespace": "default", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def app(name: str, notes: dict[str, str] | None = None, port: int = 8080) -> Obj:
    box = {"name": "app", "image": "shop/app:1", "ports": [{"containerPort": port}]}
    return deployment(name, 1, pod_template(notes=notes, containers=[box]))


def shop() -> World:
    """`front` calls `orders`, which calls `db`."""
    world = World()
    world.apply(
        [service("front", calls="orders:8080"), service("orders", calls="db:5432"), service("db", 5432)]
    )
    world.apply([app("front"), app("orders"), app("db")])
    world.settle()
    world.advance(10)
    return world


def said(world: World, name: str) -> str:
    """The last complaint in the log of a workload's pod; empty without one."""
    lines = [line for line in world.log(world.pods(app=name)[0]) if "level=error" in line]
    return lines[-1] if lines else ""


def error_ratio_now(world: World, name: str) -> float:
    """Share of failed requests during the next ten seconds."""
    totals = world.traffic.of("default", name)
    before = (totals.requests, totals.errors)
    world.advance(10)
    after = world.traffic.of("default", name)
    return (after.errors - before[1]) / (after.requests - before[0])


def test_a_healthy_shop_makes_no_errors() -> None:
    world = shop()
    assert said(world, "front") == said(world, "orders") == ""
    assert world.traffic.of("default", "front").requests > 0
    assert error_ratio_now(world, "front") == 0


def test_a_name_nobody_has_is_no_such_host() -> None:
    world = shop()
    world.delete("Service", "db")
    world.advance(10)
    assert "dial tcp: lookup db on 10.96.0.10:53: no such host" in said(world, "orders")
    assert said(world, "front").endswith('error="GET http://orders:8080/: 500 Internal Server Error"')
    assert error_ratio_now(world, "front") == 1


def test_a_service_without_endpoints_refuses() -> None:
    world = shop()
    world.change("Deployment", "db", "spec.replicas", 0)
    world.advance(10)
    assert "connect: connection refused" in said(world, "orders")
    assert world.log(world.pods(app="orders")[0])
    world.change("Deployment", "db", "spec.replicas", 1)
    world.advance(15)
    assert 'level=info msg="request succeeded again" target=db:5432' in world.log(world.pods(app="orders")[0])


@pytest.mark.parametrize(
    ("field", "value"),
    [("spec.selector", {"app": "bd"}), ("spec.ports", [{"port": 5432, "targetPort": 5432}])],
)
def test_a_wrong_selector_or_target_port_refuses(field: str, value: object) -> None:
    world = shop()
    world.change("Service", "db", field, value)
    world.advance(10)
    assert "connect: connection refused" in said(world, "orders")


def test_a_port_the_service_does_not_have_times_out() -> None:
    world = shop()
    world.apply([service("orders", calls="db:5433")])
    world.advance(10)
    assert ":5433: i/o timeout" in said(world, "orders")


def policy(name: str, app_label: str, **spec: object) -> Obj:
    body = {"podSelector": {"matchLabels": {"app": app_label}}, **spec}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": body}


def test_a_policy_that_lets_nobody_in_times_out_until_the_caller_is_allowed() -> None:
    world = shop()
    world.apply([policy("deny", "db", policyTypes=["Ingress"])])
    world.advance(10)
    assert ":5432: i/o timeout" in said(world, "orders")
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "orders"}}}], "ports": [{"port": 8080}]}
    world.apply([policy("allow", "db", policyTypes=["Ingress"], ingress=[rule])])
    assert error_ratio_now(world, "orders") == 0


def test_an_egress_policy_without_dns_breaks_names() -> None:
    world = shop()
    to_db = {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}
    world.apply([policy("strict", "orders", policyTypes=["Egress"], egress=[to_db])])
    world.advance(10)
    assert "lookup db on 10.96.0.10:53: read udp" in said(world, "orders")
    dns = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    world.apply([policy("strict", "orders", policyTypes=["Egress"], egress=[to_db, dns])])
    assert error_ratio_now(world, "orders") == 0


def test_the_cluster_dns_without_pods_breaks_every_name() -> None:
    world = shop()
    dns = service("kube-dns", 53)
    dns["metadata"]["namespace"] = "kube-system"
    world.apply([dns])
    world.advance(10)
    assert "i/o timeout" in said(world, "front")
    assert "i/o timeout" in said(world, "orders")


def test_a_slow_dependency_makes_its_callers_slow_and_then_late() -> None:
    world = shop()
    world.annotate("Pod", world.pods(app="db")[0]["metadata"]["name"], "sandbox/answer-seconds", "1.5")
    before = world.traffic.of("default", "front")
    latency_s, requests = before.latency_s, before.requests
    world.advance(10)
    after = world.traffic.of("default", "front")
    assert (after.latency_s - latency_s) / (after.requests - requests) > 1.5
    world.annotate("Pod", world.pods(app="db")[0]["metadata"]["name"], "sandbox/answer-seconds", "30")
    world.advance(10)
    assert "context deadline exceeded (Client.Timeout exceeded while awaiting headers)" in said(
        world, "orders"
    )


def test_throttling_slows_a_program_down() -> None:
    world = World()
    box = {"name": "app", "image": "a:1", "resources": {"limits": {"cpu": "100m"}}}
    world.apply(
        [service("front"), deployment("front", 1, pod_template(notes={"needs-cpu": "1"}, containers=[box]))]
    )
    world.settle()
    run = world.fleet.runs()[0].containers[0]
    assert run.program.throttling == 10
    assert run.program.used_cpu_millis == 100


def test_a_program_that_needs_its_calls_is_unready_while_they_fail() -> None:
    world = World()
    probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2, "failureThreshold": 1}
    box = {"name": "app", "image": "a:1", "ports": [{"containerPort": 8080}], "readinessProbe": probe}
    world.apply([service("front", calls="db:5432")])
    world.apply([deployment("front", 1, pod_template(notes={"needs-calls": "true"}, containers=[box]))])
    world.advance(20)
    assert world.get("Deployment", "front")["status"].get("availableReplicas", 0) == 0
    world.apply([service("db", 5432), app("db")])
    world.advance(20)
    assert world.get("Deployment", "front")["status"]["availableReplicas"] == 1


def shaped(name: str, **spec: object) -> Obj:
    made = service(name)
    return {**made, "spec": {**made["spec"], **spec}}


def test_a_headless_service_leads_to_its_pods_and_without_any_to_nothing() -> None:
    world = World()
    world.apply(
        [service("front", calls="db:8080, db-0.db:8080"), app("front"), shaped("db", clusterIP="None")]
    )
    template = app("db")["spec"]["template"]
    spec = {
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": template,
        "replicas": 1,
    }
    meta = {"name": "db", "namespace": "default"}
    world.apply([{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}])
    world.advance(20)
    assert error_ratio_now(world, "front") == 0
    world.change("StatefulSet", "db", "spec.replicas", 0)
    world.advance(10)
    lines = "\n".join(world.log(world.pods(app="front")[0]))
    assert "lookup db on 10.96.0.10:53: no such host" in lines
    assert "lookup db-0.db on 10.96.0.10:53: no such host" in lines


def test_an_external_name_leads_where_it_says() -> None:
    world = shop()
    world.apply([shaped("store", type="ExternalName", externalName="db.default.svc.cluster.local")])
    world.apply([service("orders", calls="store:5432")])
    assert error_ratio_now(world, "orders") == 0
    world.change("Service", "store", "spec.externalName", "db.elsewhere.svc.cluster.local")
    world.advance(10)
    assert "lookup db.elsewhere.svc.cluster.local on 10.96.0.10:53: no such host" in said(world, "orders")


def pinned(name: str, node: str) -> Obj:
    made = app(name)
    made["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return made


def test_a_lost_node_times_out_until_its_pods_are_no_endpoints_any_more() -> None:
    world = World()
    world.apply([service("orders", calls="db:5432"), service("db", 5432)])
    world.apply([pinned("orders", "node-0"), pinned("db", "node-1")])
    world.settle()
    world.annotate("Node", "node-1", "sandbox/fault", "lost")
    world.advance(6)
    assert ":5432: i/o timeout" in said(world, "orders")
    world.advance(20)
    assert "connect: connection refused" in said(world, "orders")


def test_services_that_call_each_other_in_circles_do_no_harm() -> None:
    world = World()
    names = ("a", "b", "c", "d")
    for name in names:
        world.apply([service(name, calls=", ".join(f"{other}:8080" for other in names)), app(name)])
    world.settle()
    assert error_ratio_now(world, "a") == 0
    world.change("Deployment", "d", "spec.replicas", 0)
    world.advance(10)
    assert error_ratio_now(world, "a") == 1
