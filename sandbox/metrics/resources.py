"""Families of nodes, volumes, quotas, autoscalers, budgets, Services and namespaces (kube-state-metrics)."""

from collections.abc import Callable, Iterator

from sandbox.amounts import amount
from sandbox.fields import Obj, get_in, labels_of, name_of
from sandbox.metrics.family import Reading, gauge
from sandbox.metrics.objects import Words, identity, resources

ROLE_PREFIX = "node-role.kubernetes.io/"
CLAIM_PHASES = ("Lost", "Bound", "Pending")
VOLUME_PHASES = ("Pending", "Available", "Bound", "Released", "Failed")


def _cluster_wide(label: str) -> Callable[[Obj], dict[str, str]]:
    return lambda obj: {label: name_of(obj)}


NODE = Words("kube_node", _cluster_wide("node"))
CLAIM = Words("kube_persistentvolumeclaim", identity("persistentvolumeclaim"))
VOLUME = Words("kube_persistentvolume", _cluster_wide("persistentvolume"))
QUOTA = Words("kube_resourcequota", identity("resourcequota"))
AUTOSCALER = Words("kube_horizontalpodautoscaler", identity("horizontalpodautoscaler"))
BUDGET = Words("kube_poddisruptionbudget", identity("poddisruptionbudget"))
SERVICE = Words("kube_service", identity("service"))
NAMESPACE = Words("kube_namespace", _cluster_wide("namespace"))


def _node_info(node: Obj) -> dict[str, str]:
    info = get_in(node, ("status", "nodeInfo"), {})
    addresses = get_in(node, ("status", "addresses"), ())
    return {
        "kernel_version": info.get("kernelVersion", ""),
        "os_image": info.get("osImage", ""),
        "container_runtime_version": info.get("containerRuntimeVersion", ""),
        "kubelet_version": info.get("kubeletVersion", ""),
        "internal_ip": next((a["address"] for a in addresses if a["type"] == "InternalIP"), ""),
    }


def _roles(node: Obj) -> Iterator[Reading]:
    for label in labels_of(node):
        if label.startswith(ROLE_PREFIX):
            yield Reading({**NODE.who(node), "role": label.removeprefix(ROLE_PREFIX)}, 1.0)


def _taints(node: Obj) -> Iterator[Reading]:
    for taint in node["spec"].get("taints") or ():
        labels = {"key": taint["key"], "value": taint.get("value", ""), "effect": taint["effect"]}
        yield Reading({**NODE.who(node), **labels}, 1.0)


def _node_resources(field: str) -> Callable[[Obj], Iterator[Reading]]:
    return lambda node: resources(NODE.who(node), get_in(node, ("status", field)))


NODE_FAMILIES = (
    NODE.facts("info", "Information about a cluster node.", _node_info),
    NODE.created(),
    gauge("kube_node_role", "The role of a cluster node.", _roles),
    NODE.number("spec_unschedulable", "Whether a node can schedule new pods.", "spec", "unschedulable"),
    gauge("kube_node_spec_taint", "The taint of a cluster node.", _taints),
    NODE.conditions("status_condition", "The condition of a cluster node."),
    gauge(
        "kube_node_status_capacity",
        "The capacity for different resources of a node.",
        _node_resources("capacity"),
    ),
    gauge(
        "kube_node_status_allocatable",
        "The allocatable for different resources of a node that are available for scheduling.",
        _node_resources("allocatable"),
    ),
)


def _storage(words: Words, *path: str) -> Callable[[Obj], Iterator[Reading]]:
    def read(obj: Obj) -> Iterator[Reading]:
        size = get_in(obj, path)
        if size is not None:
            yield Reading(words.who(obj), float(amount(size)))

    return read


def _access_modes(claim: Obj) -> Iterator[Reading]:
    for mode in claim["spec"].get("accessModes") or ():
        yield Reading({**CLAIM.who(claim), "access_mode": mode}, 1.0)


CLAIM_FAMILIES = (
    CLAIM.facts(
        "info",
        "Information about persistent volume claim.",
        lambda claim: {
            "storageclass": claim["spec"].get("storageClassName", ""),
            "volumename": claim["spec"].get("volumeName", ""),
            "volumemode": claim["spec"].get("volumeMode", ""),
        },
    ),
    CLAIM.created(),
    CLAIM.phase("The phase the persistent volume claim is currently in.", CLAIM_PHASES),
    gauge(
        "kube_persistentvolumeclaim_resource_requests_storage_bytes",
        "The capacity of storage requested by the persistent volume claim.",
        _storage(CLAIM, "spec", "resources", "requests", "storage"),
    ),
    gauge(
        "kube_persistentvolumeclaim_access_mode",
        "The access mode(s) specified by the persistent volume claim.",
        _access_modes,
    ),
)
VOLUME_FAMILIES = (
    VOLUME.facts(
        "info",
        "Information about persistent volume.",
        lambda volume: {"storageclass": volume["spec"].get("storageClassName", "")},
    ),
    VOLUME.facts(
        "claim_ref",
        "Information about the Persistent Volume Claim Reference.",
        lambda volume: {
            "claim_namespace": get_in(volume, ("spec", "claimRef", "namespace"), ""),
            "name": get_in(volume, ("spec", "claimRef", "name"), ""),
        },
    ),
    VOLUME.phase("The phase indicates if a volume is available, bound or released.", VOLUME_PHASES),
    gauge(
        "kube_persistentvolume_capacity_bytes",
        "Persistentvolume capacity in bytes.",
        _storage(VOLUME, "spec", "capacity", "storage"),
    ),
)


def _quota(quota: Obj) -> Iterator[Reading]:
    for kind in ("hard", "used"):
        for resource, value in get_in(quota, ("status", kind), {}).items():
            labels = {"resource": resource, "type": kind}
            yield Reading({**QUOTA.who(quota), **labels}, float(amount(value)))


QUOTA_FAMILIES = (
    QUOTA.created(),
    gauge("kube_resourcequota", "Information about resource quota.", _quota),
)


def _target(autoscaler: Obj) -> dict[str, str]:
    ref = autoscaler["spec"]["scaleTargetRef"]
    return {
        "scaletargetref_api_version": ref.get("apiVersion", ""),
        "scaletargetref_kind": ref["kind"],
        "scaletargetref_name": ref["name"],
    }


def _target_metrics(autoscaler: Obj) -> Iterator[Reading]:
    for metric in autoscaler["spec"].get("metrics") or ():
        resource = metric.get("resource") or {}
        percent = get_in(resource, ("target", "averageUtilization"))
        if percent is not None:
            labels = {"metric_name": resource["name"], "metric_target_type": "utilization"}
            yield Reading({**AUTOSCALER.who(autoscaler), **labels}, float(percent))


AUTOSCALER_FAMILIES = (
    AUTOSCALER.facts("info", "Information about this autoscaler.", _target),
    AUTOSCALER.generation(),
    AUTOSCALER.number(
        "spec_max_replicas",
        "Upper limit for the number of pods that can be set by the autoscaler.",
        "spec",
        "maxReplicas",
    ),
    AUTOSCALER.number(
        "spec_min_replicas",
        "Lower limit for the number of pods that can be set by the autoscaler, default 1.",
        "spec",
        "minReplicas",
        default=1.0,
    ),
    gauge(
        "kube_horizontalpodautoscaler_spec_target_metric",
        "The metric specifications used by this autoscaler when calculating the desired replica count.",
        _target_metrics,
    ),
    AUTOSCALER.number(
        "status_current_replicas",
        "Current number of replicas of pods managed by this autoscaler.",
        "status",
        "currentReplicas",
    ),
    AUTOSCALER.number(
        "status_desired_replicas",
        "Desired number of replicas of pods managed by this autoscaler.",
        "status",
        "desiredReplicas",
    ),
    AUTOSCALER.conditions("status_condition", "The condition of this autoscaler."),
)
BUDGET_FAMILIES = (
    BUDGET.created(),
    BUDGET.number("status_current_healthy", "Current number of healthy pods", "status", "currentHealthy"),
    BUDGET.number(
        "status_desired_healthy", "Minimum desired number of healthy pods", "status", "desiredHealthy"
    ),
    BUDGET.number(
        "status_pod_disruptions_allowed",
        "Number of pod disruptions that are currently allowed",
        "status",
        "disruptionsAllowed",
    ),
    BUDGET.number(
        "status_expected_pods",
        "Total number of pods counted by this disruption budget",
        "status",
        "expectedPods",
    ),
)
SERVICE_FAMILIES = (
    SERVICE.facts(
        "info",
        "Information about service.",
        lambda service: {"cluster_ip": service["spec"].get("clusterIP", "")},
    ),
    SERVICE.facts(
        "spec_type", "Type about service.", lambda service: {"type": service["spec"].get("type", "ClusterIP")}
    ),
)
NAMESPACE_FAMILIES = (
    NAMESPACE.created(),
    NAMESPACE.phase("kubernetes namespace status phase.", ("Active", "Terminating")),
)
