"""Which object an alert is about, and which alerts belong together.

The key is (cluster, namespace, stem of the workload's name), so that an alert about a deployment and one
about its pod meet in one incident. It reads labels only: whether the object exists is for others to see.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from domain.alert import Alert, AlertGroup, Target
from receive.parcel import Parcel, fingerprint_of

Labels = Mapping[str, str]

# Kubernetes builds suffixes from letters and digits that never spell a word.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_REPLICA_SET_POD = re.compile(rf"-{_SAFE}{{6,10}}-{_SAFE}{{5}}$")
_REPLICA_SET = re.compile(rf"-{_SAFE}{{6,10}}$")
_POD = re.compile(rf"-{_SAFE}{{5}}$")
_ORDINAL = re.compile(r"-\d{1,4}$")
_CRON_TIME = re.compile(r"-\d{7,10}$")  # a cron job names its jobs by minutes or seconds since 1970

# Labels that name an object, the most telling first: label, kind.
_OBJECTS = (
    ("deployment", "Deployment"),
    ("exported_deployment", "Deployment"),
    ("kube_deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("kube_stateful_set", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("kube_daemon_set", "DaemonSet"),
    ("replicaset", "ReplicaSet"),
    ("cronjob", "CronJob"),
    ("kube_cronjob", "CronJob"),
    ("job_name", "Job"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("poddisruptionbudget", "PodDisruptionBudget"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("resourcequota", "ResourceQuota"),
    ("ingress", "Ingress"),
    ("persistentvolume", "PersistentVolume"),
)
_PODS = ("exported_pod", "pod", "pod_name", "kubernetes_pod_name")
_NODES = ("exported_node", "node", "kubernetes_node", "nodename")
_APPS = ("app_kubernetes_io_name", "label_app_kubernetes_io_name", "app", "label_app", "k8s_app")
_SERVICES = ("exported_service", "service", "kubernetes_service", "kubernetes_name")
_NAMESPACES = (
    "exported_namespace",
    "namespace",
    "kubernetes_namespace",
    "kube_namespace",
    "target_namespace",
)
CLUSTER_LABEL = "cluster"
_CLUSTERS = (CLUSTER_LABEL, "k8s_cluster", "kubernetes_cluster", "cluster_name")

_WORKLOAD_TYPES = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
}

# Programs that report on others: their own pod, service and instance labels are not what the alert is about.
_EXPORTER = re.compile(r"(^|[-_/])(kube-state-metrics|node-exporter|kubelet|cadvisor)($|[-_/])")
_NODE_JOBS = re.compile(r"(^|[-_/])(kubelet|node-exporter|node|cadvisor)($|[-_/])")
_NODE_RULES = ("KubeNode", "Kubelet", "Node")  # alert names of rules that speak about nodes

# Kinds that have no namespace, and kinds whose names say nothing about a workload.
_CLUSTER_KINDS = ("Node", "PersistentVolume")
_OWN_KEY_KINDS = (*_CLUSTER_KINDS, "PersistentVolumeClaim", "ResourceQuota")
_PREFERRED_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")


def group_alerts(
    parcel: Parcel, *, cluster: str = "", cluster_label: str = CLUSTER_LABEL
) -> list[AlertGroup]:
    """The parcel's alerts by what they are about, in order of first mention.

    `cluster` is the name to assume where labels name none; `cluster_label` is asked before the usual ones.
    """
    grouped: dict[str, list[tuple[Target, Alert]]] = {}
    for alert in parcel.alerts:
        target = target_of(alert.labels, cluster=cluster, cluster_label=cluster_label)
        key = group_key(target) if target.name else _key_without_target(alert.labels, parcel.group_key)
        grouped.setdefault(key, []).append((target, alert))
    return [
        AlertGroup(
            key=key,
            target=_speaking([target for target, _ in pairs]),
            alerts=tuple(alert for _, alert in pairs),
            truncated_count=parcel.truncated_count,
        )
        for key, pairs in grouped.items()
    ]


def target_of(labels: Labels, *, cluster: str = "", cluster_label: str = CLUSTER_LABEL) -> Target:
    """The object that these labels name; without a kind and a name when they name none."""
    kind, name = _object(labels)
    namespace = "" if kind in _CLUSTER_KINDS else _first(labels, _NAMESPACES)
    named = _first(labels, (cluster_label, *_CLUSTERS))
    return Target(kind=kind, name=name, namespace=namespace, cluster=named or cluster)


def group_key(target: Target) -> str:
    """Equal for a workload, its pods and what hangs on its name; `kind/cluster/namespace/name`."""
    kind, name = "workload", stem(target)
    if target.kind in _OWN_KEY_KINDS:
        kind, name = target.kind.lower(), target.name
    return "/".join((kind, target.cluster, target.namespace, name))


def stem(target: Target) -> str:
    """The name that a workload shares with its pods, replica sets and jobs."""
    if target.kind == "Pod":
        return _pod_stem(target.name)
    if target.kind == "ReplicaSet":
        return _REPLICA_SET.sub("", target.name)
    if target.kind == "Job":
        return _CRON_TIME.sub("", target.name)
    return target.name


def _pod_stem(name: str) -> str:
    for suffix in (_REPLICA_SET_POD, _POD, _ORDINAL):
        if suffix.search(name):
            return _CRON_TIME.sub("", suffix.sub("", name)) or name
    return name


def _object(labels: Labels) -> tuple[str, str]:
    """Kind and name, ("", "") when the labels name no object."""
    for candidate in _CANDIDATES:
        kind, name = candidate(labels)
        if name:
            return kind, name
    return "", ""


def _workload(labels: Labels) -> tuple[str, str]:
    kind = _WORKLOAD_TYPES.get(labels.get("workload_type", "").lower(), "")
    return (kind, labels.get("workload", "")) if kind else ("", "")


def _named(labels: Labels) -> tuple[str, str]:
    for label, kind in _OBJECTS:
        if labels.get(label):
            return kind, labels[label]
    return "", ""


def _foreign_pod(labels: Labels) -> tuple[str, str]:
    """A pod that is not merely the exporter which reported."""
    if labels.get("exported_pod"):
        return "Pod", labels["exported_pod"]
    pod = _first(labels, _PODS)
    return ("", "") if _EXPORTER.search(pod) else ("Pod", pod)


def _pod(labels: Labels) -> tuple[str, str]:
    """Any pod: when nothing else is named, the exporter itself is what the alert is about.

    Not so for a node's agent: it speaks about its node, even where that goes only by an address.
    """
    of_node = _NODE_JOBS.search(labels.get("job", "")) and labels.get("instance")
    return ("", "") if of_node else ("Pod", _first(labels, _PODS))


def _node_by_rule(labels: Labels) -> tuple[str, str]:
    return _node(labels) if labels.get("alertname", "").startswith(_NODE_RULES) else ("", "")


def _node(labels: Labels) -> tuple[str, str]:
    return "Node", _first(labels, _NODES)


def _app(labels: Labels) -> tuple[str, str]:
    """An application's label says no kind; most are deployments."""
    app = _first(labels, _APPS)
    return ("", "") if _EXPORTER.search(app) or not _first(labels, _NAMESPACES) else ("Deployment", app)


def _service(labels: Labels) -> tuple[str, str]:
    service = _first(labels, _SERVICES)
    return ("", "") if _EXPORTER.search(service) or not _first(labels, _NAMESPACES) else ("Service", service)


def _node_instance(labels: Labels) -> tuple[str, str]:
    """Node agents are scraped under their node's name; an address alone names nothing."""
    if not _NODE_JOBS.search(labels.get("job", "")):
        return "", ""
    host = labels.get("instance", "").rpartition(":")[0] or labels.get("instance", "")
    return ("", "") if _is_address(host) else ("Node", host)


_CANDIDATES = (
    _workload, _named, _node_by_rule, _foreign_pod, _node, _app, _service, _node_instance, _pod,
)  # fmt: skip


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _key_without_target(labels: Labels, sender_key: str) -> str:
    if sender_key:
        return f"group/{sender_key}"
    shared = {label: labels[label] for label in ("alertname", *_CLUSTERS, *_NAMESPACES) if label in labels}
    return f"rule/{fingerprint_of(shared)}"


def _speaking(targets: Sequence[Target]) -> Target:
    """The target to name an incident by: a workload rather than one of its pods, else what all agree on."""
    known = [target for target in targets if target.name]
    if not known:
        return Target(
            cluster=_agreed(t.cluster for t in targets), namespace=_agreed(t.namespace for t in targets)
        )
    for kind in _PREFERRED_KINDS:
        for target in known:
            if target.kind == kind:
                return target
    return known[0]


def _agreed(values: Iterable[str]) -> str:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else ""


def _first(labels: Labels, names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
