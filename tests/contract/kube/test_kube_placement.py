"""Where pods may run: scheduling, cordons, drains, lost nodes and volumes, on every cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.kube.kube_client import Kube, Obj, Refused
from tests.contract.kube.shapes import claim, container, deployment, mounts, pod, template

NODES = "0/3 nodes are available: "


def unschedulable(kube: Kube, name: str = "one") -> str:
    """What the scheduler says of a pod it cannot place."""
    kube.until(lambda: kube.messages(name, "FailedScheduling"), what="a refusal of the scheduler")
    return kube.messages(name, "FailedScheduling")[-1]


@contextmanager
def cordoned(kube: Kube, *names: str) -> Iterator[None]:
    for name in names:
        kube.patch("Node", name, {"spec": {"unschedulable": True}})
    try:
        for name in names:
            kube.until(lambda n=name: "node.kubernetes.io/unschedulable" in taints(kube, n), what="the taint")  # type: ignore[misc]
        yield
    finally:
        for name in names:
            kube.patch("Node", name, {"spec": {"unschedulable": None}})
            kube.until(lambda n=name: not taints(kube, n), what="no taint")  # type: ignore[misc]


def taints(kube: Kube, node: str) -> set[str]:
    return {taint["key"] for taint in kube.get("Node", node)["spec"].get("taints") or ()}


def test_a_pod_that_asks_for_too_much_is_told_what_is_missing(kube: Kube) -> None:
    kube.create(pod("one", container(resources={"requests": {"cpu": "100", "memory": "1Ti"}})))
    assert unschedulable(kube) == f"{NODES}3 Insufficient cpu, 3 Insufficient memory."
    kube.until_condition("Pod", "one", "PodScheduled", "False Unschedulable")
    assert kube.get("Pod", "one")["status"]["phase"] == "Pending"


def test_labels_that_no_node_has(kube: Kube) -> None:
    kube.create(pod("one", nodeSelector={"disk": "ssd"}))
    assert unschedulable(kube) == f"{NODES}3 node(s) didn't match Pod's node affinity."


def test_pods_that_keep_apart_need_a_node_each(kube: Kube) -> None:
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    kube.create(deployment(replicas=4, body=template("web", affinity=rule)))
    assert unschedulable(kube, "web") == (
        f"{NODES}3 node(s) didn't match pod affinity/anti-affinity, "
        "3 node(s) didn't match pod anti-affinity rules."
    )
    kube.until(
        lambda: len({p["spec"].get("nodeName") for p in kube.all("Pod")} - {None}) == 3, what="three nodes"
    )


def test_host_ports_are_not_shared(kube: Kube) -> None:
    box = container(ports=[{"containerPort": 80, "hostPort": 8099}])
    kube.create(deployment(replicas=4, body=template("web", box)))
    assert unschedulable(kube, "web") == (
        f"{NODES}3 node(s) didn't have free ports for the requested pod ports."
    )


def test_a_spread_that_cannot_be_kept(kube: Kube) -> None:
    rule = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    with cordoned(kube, "node-2"):
        kube.create(deployment(replicas=3, body=template("web", topologySpreadConstraints=[rule])))
        assert unschedulable(kube, "web") == (
            f"{NODES}1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints."
        )


def test_a_cordon_keeps_new_pods_away(kube: Kube) -> None:
    with cordoned(kube, "node-0", "node-1"):
        kube.create(deployment(replicas=4))
        kube.until(lambda: placed(kube) == {"node-2"}, what="pods on the one open node")
    with cordoned(kube, "node-0", "node-1", "node-2"):
        kube.create(pod("one"))
        assert unschedulable(kube) == f"{NODES}3 node(s) were unschedulable."
    kube.until(lambda: kube.get("Pod", "one")["spec"].get("nodeName"), what="a node after the cordon")


def placed(kube: Kube) -> set[str]:
    pods = [p for p in kube.all("Pod", app="web") if "deletionTimestamp" not in p["metadata"]]
    return {str(p["spec"].get("nodeName")) for p in pods} if len(pods) == 4 else set()


def test_taints_keep_pods_away_unless_tolerated(kube: Kube) -> None:
    gpu = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    kube.patch("Node", "node-1", {"spec": {"taints": gpu}})
    try:
        here = {"kubernetes.io/hostname": "node-1"}
        kube.create(pod("one", nodeSelector=here))
        assert unschedulable(kube) == (
            f"{NODES}1 node(s) had taint {{gpu: yes}}, that the pod didn't tolerate, "
            "2 node(s) didn't match Pod's node affinity."
        )
        kube.create(pod("two", nodeSelector=here, tolerations=[{"key": "gpu", "operator": "Exists"}]))
        kube.until(
            lambda: kube.get("Pod", "two")["spec"].get("nodeName") == "node-1", what="the tainted node"
        )
    finally:
        kube.patch("Node", "node-1", {"spec": {"taints": None}})


def test_a_budget_refuses_evictions_until_it_is_relaxed(kube: Kube) -> None:
    budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    kube.create(deployment(), {"kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget})

    def counted() -> Obj:
        return dict(kube.get("PodDisruptionBudget", "web").get("status") or {})

    kube.until(lambda: counted().get("currentHealthy") == 2, what="a counted budget")
    assert (counted()["desiredHealthy"], counted()["expectedPods"], counted()["disruptionsAllowed"]) == (
        2,
        2,
        0,
    )
    victim = kube.all("Pod")[0]["metadata"]["name"]
    with pytest.raises(Refused) as refused:
        kube.evict(victim)
    assert (refused.value.code, refused.value.reason) == (429, "TooManyRequests")
    assert refused.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    kube.delete("PodDisruptionBudget", "web")
    kube.evict(victim)
    kube.until(lambda: not kube.exists("Pod", victim), what="the eviction")


def test_a_lost_node_is_unknown_and_its_pods_are_not_ready(kube: Kube) -> None:
    kube.create(pod("one", nodeSelector={"kubernetes.io/hostname": "node-1"}))
    kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="readiness")
    kube.annotate("Node", "node-1", "sandbox/fault", "lost")
    try:
        kube.until_condition("Node", "node-1", "Ready", "Unknown NodeStatusUnknown")
        kube.until(lambda: taints(kube, "node-1") == {"node.kubernetes.io/unreachable"}, what="the taints")
        kube.until(lambda: kube.condition("Pod", "one", "Ready").startswith("False"), what="an unready pod")
    finally:
        kube.annotate("Node", "node-1", "sandbox/fault", None)
    kube.until_condition("Node", "node-1", "Ready", "True KubeletReady")
    kube.until(lambda: not taints(kube, "node-1"), what="no taints")


def test_a_pod_of_a_lost_node_cannot_be_deleted_until_the_node_returns(kube: Kube) -> None:
    kube.create(pod("one", nodeSelector={"kubernetes.io/hostname": "node-1"}))
    kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="readiness")
    kube.annotate("Node", "node-1", "sandbox/fault", "lost")
    try:
        kube.until_condition("Node", "node-1", "Ready", "Unknown NodeStatusUnknown")
        kube.delete("Pod", "one")
        assert kube.get("Pod", "one")["metadata"]["deletionTimestamp"]
    finally:
        kube.annotate("Node", "node-1", "sandbox/fault", None)
    kube.until(lambda: not kube.exists("Pod", "one"), what="the deletion")
    kube.until(lambda: not taints(kube, "node-1"), what="no taints")


def test_a_no_execute_taint_drives_pods_away(kube: Kube) -> None:
    kube.create(pod("one", nodeSelector={"kubernetes.io/hostname": "node-0"}))
    kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="readiness")
    kube.patch("Node", "node-0", {"spec": {"taints": [{"key": "broken", "effect": "NoExecute"}]}})
    try:
        kube.until(lambda: not kube.exists("Pod", "one"), what="the eviction")
    finally:
        kube.patch("Node", "node-0", {"spec": {"taints": None}})
    kube.until_message("one", "TaintManagerEviction", f"Marking for deletion Pod {kube.namespace}/one")


def test_an_important_pod_takes_the_place_of_a_lesser_one(kube: Kube) -> None:
    kind, name = "PriorityClass", f"high-{kube.namespace}"
    kube.create({"kind": kind, "metadata": {"name": name}, "value": 1000})
    here = {"kubernetes.io/hostname": "node-2"}
    box = container(resources={"requests": {"cpu": "3"}})
    try:
        kube.create(pod("one", box, nodeSelector=here))
        kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="readiness")
        kube.create(pod("two", box, nodeSelector=here, priorityClassName=name))
        kube.until(lambda: kube.condition("Pod", "two", "Ready") == "True", what="the important pod")
        kube.until_message("one", "Preempted", f"Preempted by {kube.namespace}/two on node node-2")
        assert not kube.exists("Pod", "one")
    finally:
        kube.delete(kind, name)


def test_impatient_pods_leave_a_node_that_is_not_ready(kube: Kube) -> None:
    soon = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    ]
    kube.create(deployment(replicas=1, body=template("web", tolerations=soon)))
    kube.until(lambda: kube.get("Deployment", "web").get("status", {}).get("availableReplicas") == 1)
    first = kube.all("Pod")[0]
    node = first["spec"]["nodeName"]
    kube.annotate("Node", node, "sandbox/fault", "notready")
    try:
        kube.until(lambda: elsewhere(kube, node), what="a pod on another node", patience=2)
        kube.until(
            lambda: kube.messages(first["metadata"]["name"], "TaintManagerEviction"), what="the eviction"
        )
    finally:
        kube.annotate("Node", node, "sandbox/fault", None)
    kube.until_condition("Node", node, "Ready", "True KubeletReady")
    kube.until(lambda: not taints(kube, node), what="no taints")


def elsewhere(kube: Kube, node: str) -> bool:
    nodes = [p["spec"].get("nodeName") for p in kube.all("Pod") if "deletionTimestamp" not in p["metadata"]]
    return bool(nodes) and nodes[0] not in (None, node)


def test_claims_say_why_they_are_pending(kube: Kube) -> None:
    kube.create(claim("none", None), claim("typo", "no-such-class"))
    kube.until_message(
        "none", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"
    )
    kube.until_message("typo", "ProvisioningFailed", 'storageclass.storage.k8s.io "no-such-class" not found')
    assert kube.get("PersistentVolumeClaim", "none")["status"]["phase"] == "Pending"
    kube.create(pod("one", volumes=mounts("none")), pod("two", volumes=mounts("ghost")))
    assert unschedulable(kube) == f"{NODES}3 pod has unbound immediate PersistentVolumeClaims."
    assert unschedulable(kube, "two") == f'{NODES}3 persistentvolumeclaim "ghost" not found.'


def test_a_volume_is_bound_used_and_released(kube: Kube) -> None:
    name = f"disk-{kube.namespace}"
    spec = {
        "capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/tmp/x"},
        "storageClassName": name,
    }
    kube.create(
        claim("data", name),
        pod("one", volumes=mounts("data")),
        {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec},
    )
    kube.until(
        lambda: kube.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Bound",
        what="binding",
        patience=2,
    )
    bound = kube.get("PersistentVolumeClaim", "data")
    assert bound["spec"]["volumeName"] == name
    assert bound["status"]["capacity"] == {"storage": "2Gi"}
    kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="the pod", patience=2)
    kube.delete("PersistentVolumeClaim", "data")
    assert kube.get("PersistentVolumeClaim", "data")["metadata"]["finalizers"] == [
        "kubernetes.io/pvc-protection"
    ]
    kube.delete("Pod", "one")
    kube.until(
        lambda: kube.get("PersistentVolume", name)["status"]["phase"] == "Released",
        what="the release",
        patience=2,
    )
    kube.delete("PersistentVolume", name)


def test_a_claim_that_waits_for_its_consumer(kube: Kube) -> None:
    name = f"late-{kube.namespace}"
    kube.create(
        {
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        claim("data", name),
    )
    try:
        kube.until_message(
            "data", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
        )
        kube.create(pod("one", volumes=mounts("data")))
        assert unschedulable(kube) == f"{NODES}3 node(s) didn't find available persistent volumes to bind."
    finally:
        kube.delete("StorageClass", name)
