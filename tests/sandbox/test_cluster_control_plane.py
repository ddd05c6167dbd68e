"""Endpoints, garbage, namespaces, volumes, budgets, quotas, nodes and autoscaling."""

import pytest

from sandbox.errors import NotFound
from sandbox.fields import Obj
from sandbox.state import condition
from tests.sandbox.worlds import World, deployment, pod, pod_template

SIZED = {"requests": {"cpu": "100m", "memory": "64Mi"}}


def obj(api_version: str, kind: str, name: str, **body: object) -> Obj:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        **body,
    }


def service(name: str = "web", target: object = 8080, **selector: str) -> Obj:
    spec = {"selector": selector or {"app": "web"}, "ports": [{"port": 80, "targetPort": target}]}
    return obj("v1", "Service", name, spec=spec)


def with_ports(*ports: Obj, **more: object) -> Obj:
    return pod_template(containers=[{"name": "app", "image": "shop/app:1", "ports": list(ports), **more}])


# --- endpoints


def test_endpoints_follow_readiness() -> None:
    world = World()
    world.apply([service(), deployment("web", 2)])
    world.settle()
    subset = world.get("Endpoints", "web")["subsets"][0]
    assert len(subset["addresses"]) == 2
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    sick = world.pods()[0]["metadata"]["name"]
    world.annotate("Pod", sick, "sandbox/fault", "unready")
    world.settle()
    subset = world.get("Endpoints", "web")["subsets"][0]
    assert [a["targetRef"]["name"] for a in subset["notReadyAddresses"]] == [sick]
    slice_ = world.all("EndpointSlice")[0]
    assert sorted(e["conditions"]["ready"] for e in slice_["endpoints"]) == [False, True]


def test_a_wrong_selector_or_port_name_leaves_a_service_without_endpoints() -> None:
    world = World()
    world.apply([service(app="wbe"), service("named", "http"), deployment("web", 1)])
    world.settle()
    assert "subsets" not in world.get("Endpoints", "web")
    assert "subsets" not in world.get("Endpoints", "named")
    world.apply([deployment("web", 1, with_ports({"name": "http", "containerPort": 9090}))])
    world.settle()
    assert world.get("Endpoints", "named")["subsets"][0]["ports"][0]["port"] == 9090
    world.delete("Service", "named")
    world.settle()
    assert world.find("Endpoints", "named") is None


# --- deletion


def test_background_deletion_takes_everything_owned_along() -> None:
    world = World()
    world.apply([deployment("web", 2)])
    world.settle()
    world.delete("Deployment", "web", propagation="Background")
    world.settle()
    assert world.all("ReplicaSet") == world.pods() == []


def test_foreground_deletion_waits_for_the_owned() -> None:
    world = World()
    world.apply([deployment("web", 2)])
    world.settle()
    world.delete("Deployment", "web", propagation="Foreground")
    world.clock.run_due()
    assert world.get("Deployment", "web")["metadata"]["deletionTimestamp"]
    world.settle()
    assert world.find("Deployment", "web") is None
    assert world.pods() == []


def test_orphaned_pods_stay_and_can_be_adopted_again() -> None:
    world = World()
    world.apply([deployment("web", 2)])
    world.settle()
    before = {p["metadata"]["uid"] for p in world.pods()}
    world.delete("Deployment", "web", propagation="Orphan")
    world.settle()
    assert len(world.all("ReplicaSet")) == 1
    world.apply([deployment("web", 2)])
    world.settle()
    assert {p["metadata"]["uid"] for p in world.pods()} == before


def test_a_deleted_namespace_takes_its_contents_along() -> None:
    world = World()
    world.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "shop"},
                "spec": {"finalizers": ["kubernetes"]},
            }
        ]
    )
    web = deployment("web", 2)
    web["metadata"]["namespace"] = "shop"
    world.apply([web])
    world.settle()
    assert world.get("ServiceAccount", "default", "shop")
    world.delete("Namespace", "shop")
    world.clock.run_due()
    assert world.get("Namespace", "shop")["status"]["phase"] == "Terminating"
    world.settle()
    assert world.find("Namespace", "shop") is None
    assert world.pods() == []


# --- volumes


def storage_class(name: str = "ssd", notes: dict[str, str] | None = None, **more: object) -> Obj:
    made = obj("storage.k8s.io/v1", "StorageClass", name, provisioner="disk.example.com", **more)
    made["metadata"] = {"name": name, "annotations": notes or {}}
    return made


def volume_claim(class_name: str | None = "ssd", size: str = "1Gi", **spec: object) -> Obj:
    body: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    if class_name is not None:
        body["storageClassName"] = class_name
    return obj("v1", "PersistentVolumeClaim", "data", spec=body)


def volume(name: str, size: str, **spec: object) -> Obj:
    body = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
        **spec,
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": body}


def user() -> Obj:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return pod("one", pod_template(volumes=volumes))


def test_a_claim_is_provisioned_by_its_class_and_the_pod_starts() -> None:
    world = World()
    world.apply([storage_class(), volume_claim(), user()])
    world.settle()
    assert world.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Bound"
    assert world.get("Pod", "one")["status"]["phase"] == "Running"
    assert world.all("PersistentVolume")[0]["status"]["phase"] == "Bound"


@pytest.mark.parametrize(
    ("class_name", "reason", "message"),
    [
        (None, "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
        ("fast", "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'),
        (
            "slow",
            "ExternalProvisioning",
            'waiting for a volume to be created, either by external provisioner "disk.example.com" '
            "or manually created by system administrator",
        ),
        ("ssd", "ProvisioningFailed", 'failed to provision volume with StorageClass "ssd": quota exceeded'),
    ],
)
def test_a_claim_that_cannot_be_bound_says_why(class_name: str | None, reason: str, message: str) -> None:
    world = World()
    full = storage_class("ssd", {"sandbox/provisioner": "quota exceeded"})
    world.apply(
        [full, storage_class("slow", {"sandbox/provisioner": "absent"}), volume_claim(class_name), user()]
    )
    world.settle()
    assert message in world.messages("data", reason)
    assert world.messages("one", "FailedScheduling")[-1] == (
        "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims."
    )


def test_the_smallest_volume_that_fits_is_bound_and_released_with_its_claim() -> None:
    world = World()
    world.apply([volume("big", "10Gi"), volume("small", "2Gi"), volume("tiny", "500Mi"), volume_claim("")])
    world.settle()
    assert world.get("PersistentVolumeClaim", "data")["spec"]["volumeName"] == "small"
    world.delete("PersistentVolumeClaim", "data")
    world.settle()
    assert world.get("PersistentVolume", "small")["status"]["phase"] == "Released"
    assert world.get("PersistentVolume", "big")["status"]["phase"] == "Available"


def test_a_claim_in_use_is_protected() -> None:
    world = World()
    world.apply([storage_class(), volume_claim(), user()])
    world.settle()
    world.delete("PersistentVolumeClaim", "data")
    world.settle()
    assert world.find("PersistentVolumeClaim", "data") is not None
    world.delete("Pod", "one")
    world.settle()
    assert world.find("PersistentVolumeClaim", "data") is None
    assert world.all("PersistentVolume") == []


def test_waiting_for_the_first_consumer_binds_where_the_pod_can_run() -> None:
    world = World()
    world.change("Node", "node-0", "spec.unschedulable", True)
    world.apply(
        [
            storage_class(volumeBindingMode="WaitForFirstConsumer", parameters={"topology": "node"}),
            volume_claim(),
        ]
    )
    world.settle()
    assert world.messages("data", "WaitForFirstConsumer")
    world.apply([user()])
    world.settle()
    node = world.get("Pod", "one")["spec"]["nodeName"]
    assert node in ("node-1", "node-2")
    world.delete("Pod", "one")
    world.change("Node", node, "spec.unschedulable", True)
    world.apply([{**user(), "metadata": {"name": "two", "namespace": "default"}}])
    world.settle()
    assert "1 node(s) had volume node affinity conflict" in world.messages("two", "FailedScheduling")[-1]


def test_a_claim_grows_when_its_class_allows_it() -> None:
    world = World()
    world.apply([storage_class(allowVolumeExpansion=True), volume_claim()])
    world.settle()
    world.change("PersistentVolumeClaim", "data", "spec.resources.requests.storage", "5Gi")
    world.settle()
    assert world.get("PersistentVolumeClaim", "data")["status"]["capacity"]["storage"] == "5Gi"


# --- budgets and quotas


def test_a_budget_counts_what_may_be_disrupted() -> None:
    world = World()
    budget = obj(
        "policy/v1",
        "PodDisruptionBudget",
        "web",
        spec={"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}}},
    )
    world.apply([deployment("web", 3), budget])
    world.settle()
    status = world.get("PodDisruptionBudget", "web")["status"]
    assert (status["expectedPods"], status["desiredHealthy"], status["disruptionsAllowed"]) == (3, 2, 1)
    world.annotate("Pod", world.pods()[0]["metadata"]["name"], "sandbox/fault", "unready")
    world.settle()
    assert world.get("PodDisruptionBudget", "web")["status"]["disruptionsAllowed"] == 0
    assert world.reason_of("PodDisruptionBudget", "web", "DisruptionAllowed") == "False InsufficientPods"


def test_a_quota_counts_what_is_used() -> None:
    world = World()
    hard = {
        "pods": "10",
        "requests.cpu": "2",
        "requests.memory": "1Gi",
        "count/deployments.apps": "3",
        "services": "5",
    }
    world.apply([obj("v1", "ResourceQuota", "all", spec={"hard": hard}), service()])
    world.apply([deployment("web", 2, with_ports(resources=SIZED))])
    world.settle()
    assert world.get("ResourceQuota", "all")["status"]["used"] == {
        "pods": "2",
        "requests.cpu": "200m",
        "requests.memory": "128Mi",
        "count/deployments.apps": "1",
        "services": "2",
    }


# --- nodes


def test_a_silent_node_is_unknown_tainted_and_its_pods_leave_when_their_patience_ends() -> None:
    world = World(2)
    patient = [
        {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        }
    ]
    world.apply([deployment("web", 2, pod_template(tolerations=patient))])
    world.settle()
    world.annotate("Node", "node-0", "sandbox/fault", "lost")
    world.advance(20)
    node = world.get("Node", "node-0")
    ready = condition(node, "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert {t["key"] for t in node["spec"]["taints"]} == {"node.kubernetes.io/unreachable"}
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 1
    world.advance(70)
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 2
    stuck = [p for p in world.pods() if p["metadata"].get("deletionTimestamp")]
    assert [p["spec"]["nodeName"] for p in stuck] == ["node-0"]
    assert world.events("web", "TaintManagerEviction")
    world.annotate("Node", "node-0", "sandbox/fault", None)
    world.settle()
    assert world.reason_of("Node", "node-0", "Ready") == "True KubeletReady"
    assert "taints" not in world.get("Node", "node-0")["spec"]
    assert len(world.pods()) == 2


def test_pressure_and_cordon_become_taints() -> None:
    world = World(1)
    world.annotate("Node", "node-0", "sandbox/fault", "memorypressure")
    world.change("Node", "node-0", "spec.unschedulable", True)
    world.advance(1)
    keys = {t["key"] for t in world.get("Node", "node-0")["spec"]["taints"]}
    assert keys == {"node.kubernetes.io/memory-pressure", "node.kubernetes.io/unschedulable"}
    assert world.messages("node-0", "NodeHasInsufficientMemory")


def test_pods_of_a_deleted_node_are_cleared_away() -> None:
    world = World(2)
    world.apply([deployment("web", 2)])
    world.settle()
    world.annotate("Node", "node-0", "sandbox/fault", "lost")
    world.delete("Node", "node-0")
    world.advance(60)
    assert {p["spec"]["nodeName"] for p in world.pods()} == {"node-1"}
    with pytest.raises(NotFound):
        world.get("Node", "node-0")


# --- autoscaling


def autoscaler(**spec: object) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    body = {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": target, **spec}
    body["metrics"] = [{"type": "Resource", "resource": metric}]
    return obj("autoscaling/v2", "HorizontalPodAutoscaler", "web", spec=body)


def loaded(load: str, resources: Obj) -> Obj:
    template = with_ports(resources=resources)
    template["metadata"]["annotations"] = {"sandbox/shared-cpu": load}
    return deployment("web", 2, template)


def test_load_makes_a_workload_grow_up_to_its_bound() -> None:
    world = World()
    world.apply([loaded("400m", SIZED), autoscaler()])
    world.advance(90)
    assert world.get("Deployment", "web")["spec"]["replicas"] == 6
    assert world.reason_of("HorizontalPodAutoscaler", "web", "ScalingLimited") == "True TooManyReplicas"
    assert world.messages("web", "SuccessfulRescale")[0].startswith(
        "New size: 4; reason: cpu resource utilization"
    )


def test_an_autoscaler_without_requests_says_what_is_missing() -> None:
    world = World()
    world.apply([loaded("400m", {}), autoscaler()])
    world.advance(40)
    assert (
        world.reason_of("HorizontalPodAutoscaler", "web", "ScalingActive") == "False FailedGetResourceMetric"
    )
    assert "failed to get cpu utilization: missing request for cpu" in world.messages(
        "web", "FailedGetResourceMetric"
    )


def test_a_workload_shrinks_only_after_the_window() -> None:
    world = World()
    world.apply([loaded("10m", SIZED), autoscaler()])
    world.change("Deployment", "web", "spec.replicas", 5)
    world.advance(100)
    assert world.get("Deployment", "web")["spec"]["replicas"] == 5
    world.advance(400)
    assert world.get("Deployment", "web")["spec"]["replicas"] == 2


def test_an_autoscaler_of_nothing_says_so() -> None:
    world = World()
    world.apply([autoscaler()])
    world.advance(30)
    assert world.reason_of("HorizontalPodAutoscaler", "web", "AbleToScale") == "False FailedGetScale"


def test_events_are_forgotten_after_an_hour() -> None:
    world = World(1)
    world.apply([pod("one")])
    world.settle()
    world.advance(5000)
    assert world.events("one") == []
