"""Where pods go, and what is said when they can go nowhere."""

import pytest

from sandbox.fields import Obj
from tests.sandbox.worlds import World, deployment, pod, pod_template

CPU_HUNGRY = [{"name": "app", "image": "shop/app:1", "resources": {"requests": {"cpu": "3"}}}]


def failure(world: World, name: str = "one") -> str:
    world.settle()
    return world.messages(name, "FailedScheduling")[-1]


def placed(world: World) -> dict[str, int]:
    nodes = [p["spec"].get("nodeName", "") for p in world.pods()]
    return {node: nodes.count(node) for node in nodes}


def test_pods_of_one_owner_are_spread_over_the_nodes() -> None:
    world = World()
    world.apply([deployment("web", 6)])
    world.settle()
    assert placed(world) == {"node-0": 2, "node-1": 2, "node-2": 2}


def test_a_pod_that_asks_for_too_much_is_told_what_is_missing() -> None:
    world = World()
    big = [{"name": "app", "image": "a:1", "resources": {"requests": {"cpu": "100", "memory": "1Ti"}}}]
    world.apply([pod("one", pod_template(containers=big))])
    assert failure(world) == "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory."
    assert world.reason_of("Pod", "one", "PodScheduled") == "False Unschedulable"


def test_a_full_cluster_takes_the_pod_when_another_one_leaves() -> None:
    world = World(1)
    world.apply([pod("one", pod_template(containers=CPU_HUNGRY))])
    world.settle()
    world.apply([pod("two", pod_template(containers=CPU_HUNGRY))])
    assert failure(world, "two") == "0/1 nodes are available: 1 Insufficient cpu."
    world.delete("Pod", "one")
    world.settle()
    assert world.get("Pod", "two")["spec"]["nodeName"] == "node-0"
    assert world.reason_of("Pod", "two", "PodScheduled") == "True"


def test_cordoned_nodes_take_nothing_new() -> None:
    world = World()
    for name in ("node-0", "node-1"):
        world.change("Node", name, "spec.unschedulable", True)
    world.apply([deployment("web", 4), pod("one", pod_template(nodeSelector={"disk": "ssd"}))])
    assert failure(world) == (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity, 2 node(s) were unschedulable."
    )
    assert {p["spec"].get("nodeName") for p in world.pods(app="web")} == {"node-2"}


def test_taints_keep_pods_away_unless_they_are_tolerated() -> None:
    world = World()
    for number in range(3):
        world.change(
            "Node", f"node-{number}", "spec.taints", [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
        )
    world.apply([pod("one")])
    assert (
        failure(world)
        == "0/3 nodes are available: 3 node(s) had taint {gpu: yes}, that the pod didn't tolerate."
    )
    tolerant = pod_template(tolerations=[{"key": "gpu", "operator": "Exists"}])
    world.apply([pod("two", tolerant)])
    world.settle()
    assert world.get("Pod", "two")["spec"]["nodeName"]


def affinity(kind: str, app: str, key: str = "kubernetes.io/hostname") -> Obj:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_anti_affinity_leaves_one_pod_a_node() -> None:
    world = World()
    template = pod_template(affinity=affinity("podAntiAffinity", "web"))
    world.apply([deployment("web", 4, template)])
    world.settle()
    assert sorted(placed(world).values()) == [1, 1, 1, 1]
    assert failure(world, "web") == (
        "0/3 nodes are available: 3 node(s) didn't match pod affinity/anti-affinity, "
        "3 node(s) didn't match pod anti-affinity rules."
    )


def test_affinity_puts_pods_beside_each_other() -> None:
    world = World()
    world.apply([pod("one")])
    world.settle()
    world.apply([deployment("web", 3, pod_template(affinity=affinity("podAffinity", "one")))])
    world.settle()
    assert {p["spec"]["nodeName"] for p in world.pods(app="web")} == {
        world.get("Pod", "one")["spec"]["nodeName"]
    }


def test_topology_spread_balances_zones() -> None:
    world = World()
    world.change("Node", "node-2", "spec.unschedulable", True)
    rule = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    world.apply([deployment("web", 3, pod_template(topologySpreadConstraints=[rule]))])
    assert "1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints" in failure(
        world, "web"
    )


def test_host_ports_are_not_shared() -> None:
    world = World()
    box = [{"name": "app", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    world.apply([deployment("web", 4, pod_template(containers=box))])
    assert failure(world, "web") == (
        "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports."
    )


def test_an_important_pod_evicts_a_lesser_one() -> None:
    world = World(1)
    world.apply([pod("one", pod_template(containers=CPU_HUNGRY, priority=1))])
    world.settle()
    world.apply([pod("two", pod_template(containers=CPU_HUNGRY, priority=1000))])
    world.settle()
    assert world.find("Pod", "one") is None
    assert world.get("Pod", "two")["spec"]["nodeName"] == "node-0"
    assert world.messages("one", "Preempted") == ["Preempted by default/two on node node-0"]


def lesser_set() -> Obj:
    """One pod of low priority, whose replacement has the same name and comes as soon as it is gone."""
    body = deployment("small", 1, pod_template(containers=CPU_HUNGRY, priority=1), serviceName="small")
    return {**body, "kind": "StatefulSet"}


def test_room_made_for_an_important_pod_is_kept_for_it() -> None:
    world = World(1)
    world.apply([lesser_set()])
    world.settle()
    world.apply([pod("big", pod_template(containers=CPU_HUNGRY, priority=1000))])
    world.advance(0.6)
    assert world.get("Pod", "big")["status"]["nominatedNodeName"] == "node-0"
    assert not world.get("Pod", "small-0")["spec"].get("nodeName"), "the replacement is there, and waits"
    world.advance(300)
    assert world.get("Pod", "big")["spec"]["nodeName"] == "node-0"
    assert len(world.messages("small", "Preempted")) == 1


def test_a_pod_that_goes_away_gives_up_the_room_kept_for_it() -> None:
    world = World(1)
    slow = {"stop-seconds": "10"}
    world.apply([deployment("small", 1, pod_template(notes=slow, containers=CPU_HUNGRY, priority=1))])
    world.settle()
    world.apply([pod("big", pod_template(containers=CPU_HUNGRY, priority=1000))])
    world.advance(2)
    world.delete("Pod", "big")
    world.advance(60)
    assert [p["spec"].get("nodeName") for p in world.pods(app="small")] == ["node-0"]


def test_pods_wait_while_there_is_no_node() -> None:
    world = World(0)
    world.apply([pod("one")])
    assert failure(world) == "no nodes available to schedule pods"
    world.fleet.add_node("node-9")
    world.settle()
    assert world.get("Pod", "one")["spec"]["nodeName"] == "node-9"


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [("In", ["zone-a"], 1), ("NotIn", ["zone-a"], 2), ("Exists", [], 3), ("DoesNotExist", [], 0)],
)
def test_node_affinity_expressions(operator: str, values: list[str], fits: int) -> None:
    world = World()
    expression = {"key": "topology.kubernetes.io/zone", "operator": operator, "values": values}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    required = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    world.apply([deployment("web", 6, pod_template(affinity=required))])
    world.settle()
    assert len({p["spec"]["nodeName"] for p in world.pods() if p["spec"].get("nodeName")}) == fits


def test_a_node_that_comes_back_under_its_name_is_as_full_as_before() -> None:
    world = World(1)
    world.apply([pod("one", pod_template(containers=CPU_HUNGRY))])
    world.settle()
    node = world.get("Node", "node-0")
    world.delete("Node", "node-0")
    world.advance(1)
    fresh = {"metadata": {"name": "node-0", "labels": node["metadata"]["labels"]}, "spec": {}}
    world.apply([{"apiVersion": "v1", "kind": "Node", **fresh}])
    world.advance(310)  # until the kubelet reports again
    world.apply([pod("two", pod_template(containers=CPU_HUNGRY))])
    assert failure(world, "two") == "0/1 nodes are available: 1 Insufficient cpu."
