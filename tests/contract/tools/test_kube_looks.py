"""What the reading tools say about services, policies, claims, configuration, quotas and nodes."""

import pytest

from domain.cluster import (
    ClaimState,
    ConfigState,
    LimitRangeState,
    NodeState,
    PodState,
    PolicyState,
    QuotaState,
    ServiceState,
)
from domain.errors import ToolFailed
from tests.contract.tools.manifests import deployment
from tests.contract.tools.world import World

WELL_HIDDEN = "hunter2hunter2"


def service(name: str, selector: dict[str, str], target: object) -> dict[str, object]:
    ports = [{"name": "http", "port": 80, "targetPort": target}]
    return {"apiVersion": "v1", "metadata": {"name": name}, "spec": {"selector": selector, "ports": ports}}


def listening(name: str) -> dict[str, object]:
    """A deployment whose container declares port 8080 as `web`, asks for memory and is probed."""
    made = deployment(name, replicas=1, memory="64Mi")
    container = made["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index]
    container["ports"] = [{"name": "web", "containerPort": 8080}]
    container["readinessProbe"] = {"httpGet": {"path": "/ready", "port": "web"}, "periodSeconds": 5}
    return made


async def described(world: World, name: str) -> ServiceState:
    (found,) = await world.items(ServiceState, "describe_service", namespace=world.namespace, name=name)
    return found


async def test_a_service_is_held_against_its_pods(world: World) -> None:
    await world.create("Deployment", listening("web"))
    await world.until_complete("web")
    await world.create("Service", service("good", {"app": "web"}, "web"))
    await world.create("Service", service("lost", {"app": "wbe"}, 8080))
    await world.create("Service", service("wrong", {"app": "web"}, 9090))

    good = await world.until(lambda: described(world, "good"), lambda found: bool(found.ready_endpoints))
    assert (good.pods_count, good.owners, good.mismatches) == (1, ("Deployment/web",), ())
    lost = await described(world, "lost")
    assert lost.mismatches[0] == "the selector app=wbe matches no pod of the namespace"
    assert "near: on Deployment/web, app is 'web', not 'wbe'" in lost.mismatches
    wrong = await described(world, "wrong")
    assert wrong.mismatches[0] == (
        "port 80 leads to targetPort 9090/TCP, which no container declares; declared: 8080/TCP (web)"
    )


async def test_a_described_pod_tells_probes_resources_volumes_and_conditions(world: World) -> None:
    await world.create("Deployment", listening("web"))
    await world.until_complete("web")
    (listed,) = await world.pods("Deployment/web")
    assert listed.containers[0].probes == () and listed.conditions == ()
    (pod,) = await world.items(PodState, "describe_pod", namespace=world.namespace, name=listed.target.name)
    (probe,) = pod.containers[0].probes
    assert (probe.purpose, probe.action, probe.port, probe.path, probe.period_s) == (
        "readiness", "http", "web", "/ready", 5,
    )  # fmt: skip
    assert pod.containers[0].ports[0].number == 8080
    assert {"Ready", "PodScheduled"} <= {condition.type for condition in pod.conditions}
    assert any(volume.kind in ("projected", "secret") for volume in pod.volumes) or pod.volumes == ()


async def test_network_policies_are_told_in_words(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=1))
    await world.until_complete("web")
    (pod,) = await world.pods("Deployment/web")
    peer = {"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {}}
    for name, about, spec in (
        ("closed", {"app": "web"}, {"policyTypes": ["Ingress"]}),
        ("other", {"app": "db"}, {"policyTypes": ["Egress"]}),
        ("some", {}, {"ingress": [{"from": [peer], "ports": [{"port": 8080}]}]}),
    ):
        made = {"podSelector": {"matchLabels": about} if about else {}, **spec}
        manifest = {"apiVersion": "networking.k8s.io/v1", "metadata": {"name": name}, "spec": made}
        await world.create("NetworkPolicy", manifest)
    asked = {"namespace": world.namespace, "pod": pod.target.name}
    closed, some = await world.items(PolicyState, "list_network_policies", **asked)
    assert (closed.ingress, closed.egress) == ((), None)
    assert closed.selects == "pods with app=web in the namespace"
    assert some.ingress == ("all pods of namespaces with team=a on 8080/TCP",)


async def test_a_claim_says_why_it_is_not_bound(world: World) -> None:
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"storageClassName": "nowhere", "accessModes": ["ReadWriteOnce"], "resources": resources}
    claim = {"apiVersion": "v1", "metadata": {"name": "data"}, "spec": spec}
    await world.create("PersistentVolumeClaim", claim)
    (found,) = await world.items(ClaimState, "describe_volume_claim", namespace=world.namespace, name="data")
    assert (found.phase, found.requested_bytes, found.used_by) == ("Pending", 2**30, ())
    assert "there is no storage class nowhere" in found.mismatches


async def test_configuration_is_shown_but_no_credential(world: World) -> None:
    data = {"LEVEL": "info", "DB_PASSWORD": WELL_HIDDEN, "app.ini": f"mode=1\npassword={WELL_HIDDEN}\n"}
    await world.create("ConfigMap", {"apiVersion": "v1", "metadata": {"name": "app"}, "data": data})
    secret = {"apiVersion": "v1", "metadata": {"name": "db"}, "stringData": {"user": WELL_HIDDEN}}
    await world.create("Secret", secret)
    place = {"namespace": world.namespace}
    (found,) = await world.items(ConfigState, "get_config", **place, name="app")
    assert found.values["LEVEL"] == "info" and "mode=1" in found.values["app.ini"]
    (keys,) = await world.items(ConfigState, "get_config", **place, name="db", kind="Secret")
    assert (keys.keys, keys.values) == (("user",), {})
    answers = [
        await world.ask("get_config", **place, name="app"),
        await world.ask("get_config", **place, name="db", kind="Secret"),
        await world.ask("get_resource", **place, kind="cm", name="app"),
        await world.ask("get_resource", **place, kind="secrets", name="db"),
    ]
    for answer in answers:
        assert WELL_HIDDEN not in answer.text and WELL_HIDDEN not in str(answer.data)
        assert "aHVudGVyMmh1bnRlcjI" not in answer.text  # the same in base64


async def test_quotas_say_what_is_used_up(world: World) -> None:
    hard = {"pods": "1", "requests.memory": "1Gi"}
    quota = {"apiVersion": "v1", "metadata": {"name": "small"}, "spec": {"hard": hard}}
    await world.create("ResourceQuota", quota)
    limit = {"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}
    ranges = {"apiVersion": "v1", "metadata": {"name": "usual"}, "spec": {"limits": [limit]}}
    await world.create("LimitRange", ranges)
    await world.create("Deployment", deployment("web", replicas=1))
    place = {"namespace": world.namespace}
    (found,) = await world.until(
        lambda: world.items(QuotaState, "get_quota", **place),
        lambda found: found[0].used.get("pods") == "1",
    )
    assert found.exhausted == ("pods",)
    (rules,) = await world.items(LimitRangeState, "get_quota", **place)
    assert "Containers get a limit of 64Mi memory" in rules.rules


async def test_a_node_tells_its_pods_and_what_they_ask_of_it(world: World) -> None:
    made = deployment("web", replicas=1, memory="64Mi")
    await world.create("Deployment", made)
    await world.until_complete("web")
    (pod,) = await world.pods("Deployment/web")
    (node,) = await world.items(NodeState, "describe_node", node=pod.node)
    assert node.requested_memory_bytes is not None and node.requested_memory_bytes >= 64 * 2**20
    on_it = await world.items(PodState, "describe_node", node=pod.node, limit=500)
    assert pod.target in {found.target for found in on_it}


async def test_a_workload_comes_with_its_autoscaler_and_budgets(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=2))
    await world.make_autoscaler("web", least=2, most=5)
    await world.make_budget("web", min_available=1)
    await world.until_complete("web")
    found = await world.until(
        lambda: world.workload("web"), lambda seen: bool(seen.budgets) and seen.budgets[0].healthy_count == 2
    )
    assert found.autoscaler is not None and (found.autoscaler.min_count, found.autoscaler.max_count) == (2, 5)
    assert (found.budgets[0].rule, found.budgets[0].allowed_count) == ("minAvailable 1", 1)


async def test_revisions_are_compared(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    await world.until_complete("web")
    place = {"namespace": world.namespace, "kind": "Deployment", "name": "web"}
    with pytest.raises(ToolFailed, match="does not keep an earlier revision; kept: 1"):
        await world.ask("diff_revisions", **place)
    await world.change("set_image", key="new", **place, image="app:2")
    await world.until_complete("web")
    answer = await world.ask("diff_revisions", **place)
    assert "revision 1 -> 2" in answer.text and "app image app:1 -> app:2" in answer.text


async def test_any_kind_can_be_looked_at(world: World) -> None:
    place = {"namespace": world.namespace}
    await world.create("ServiceAccount", {"apiVersion": "v1", "metadata": {"name": "robot"}})
    found = await world.ask("get_resource", **place, kind="sa", name="robot")
    assert '"kind": "ServiceAccount"' in found.text
    many = await world.ask("get_resource", kind="priorityclasses")
    assert "PriorityClass system-node-critical" in many.text
    with pytest.raises(ToolFailed, match=r"serves no kind 'Deploymnt'. Near names: Deployment"):
        await world.ask("get_resource", **place, kind="Deploymnt")
    with pytest.raises(ToolFailed, match=r"no ServiceAccount 'robto'.*Near names: robot"):
        await world.ask("get_resource", **place, kind="ServiceAccount", name="robto")


async def test_without_a_metrics_server_usage_says_so(world: World) -> None:
    with pytest.raises(ToolFailed, match=r"serves no metrics\.k8s\.io"):
        await world.ask("get_usage", namespace=world.namespace)
