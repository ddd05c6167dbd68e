"""Defaults of every kind: what the API server adds to an object that leaves it out.

Pure functions from object to object; what needs other objects (addresses, quotas) is admission's.
"""

from collections.abc import Callable
from typing import Any

from sandbox.admission.defaults_pod import each, filled, live_pod_spec, pod_spec, template
from sandbox.fields import Obj, get_in, labels_of, meta, name_of, uid_of

NODE_PORT_TYPES = ("NodePort", "LoadBalancer")
CPU_TARGET_PERCENT = 80  # of an autoscaler that names no metric


def with_defaults(obj: Obj) -> Obj:
    """The object with the defaults of its kind; itself for kinds that have none."""
    add = _BY_KIND.get(obj["kind"])
    return add(obj) if add else obj


def _spec(obj: Obj, **defaults: Any) -> Obj:
    return {**obj, "spec": filled(obj.get("spec") or {}, **defaults)}


def _pod(obj: Obj) -> Obj:
    return {**obj, "spec": live_pod_spec(pod_spec(obj.get("spec") or {}))}


def _templated(obj: Obj) -> Obj:
    spec = obj["spec"]
    return {**obj, "spec": {**spec, "template": template(spec.get("template"))}}


def _deployment(obj: Obj) -> Obj:
    obj = _templated(
        _spec(obj, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    )
    strategy = filled(obj["spec"]["strategy"], type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = filled(strategy.get("rollingUpdate") or {}, maxUnavailable="25%", maxSurge="25%")
        strategy = {**strategy, "rollingUpdate": rolling}
    obj["spec"]["strategy"] = strategy
    return obj


def _replica_set(obj: Obj) -> Obj:
    return _templated(_spec(obj, replicas=1))


def _stateful_set(obj: Obj) -> Obj:
    obj = _templated(
        _spec(obj, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10, updateStrategy={})
    )
    strategy = filled(obj["spec"]["updateStrategy"], type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = filled(strategy.get("rollingUpdate") or {}, partition=0)
    retention = filled(
        obj["spec"].get("persistentVolumeClaimRetentionPolicy") or {},
        whenDeleted="Retain",
        whenScaled="Retain",
    )
    spec = {**obj["spec"], "updateStrategy": strategy, "persistentVolumeClaimRetentionPolicy": retention}
    return {**obj, "spec": each(spec, "volumeClaimTemplates", _claim_template)}


def _claim_template(claim: Obj) -> Obj:
    typed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim}
    return _claim(filled(typed, status={"phase": "Pending"}))


def _daemon_set(obj: Obj) -> Obj:
    obj = _templated(_spec(obj, revisionHistoryLimit=10, updateStrategy={}))
    strategy = filled(obj["spec"]["updateStrategy"], type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = filled(strategy.get("rollingUpdate") or {}, maxUnavailable=1, maxSurge=0)
        strategy["rollingUpdate"] = rolling
    obj["spec"]["updateStrategy"] = strategy
    return obj


def _job_spec(spec: Obj) -> Obj:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec = {**spec, "completions": 1, "parallelism": 1}
    return filled(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)


def _job(obj: Obj) -> Obj:
    """A job selects its pods by its own uid, unless it says `manualSelector`."""
    obj = _templated({**obj, "spec": _job_spec(obj.get("spec") or {})})
    spec = obj["spec"]
    if spec.get("manualSelector") or not uid_of(obj):
        return obj
    uid, name = uid_of(obj), name_of(obj)
    marks = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    inner = spec["template"]
    labels = {**labels_of(inner), **marks}
    spec["template"] = {**inner, "metadata": {**meta(inner), "labels": labels}}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    return obj


def _cron_job(obj: Obj) -> Obj:
    obj = _spec(
        obj, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1
    )
    job = obj["spec"].get("jobTemplate") or {}
    inner = job.get("spec") or {}
    inner = {**inner, "template": template(inner.get("template"))}
    named = {"creationTimestamp": None, **(job.get("metadata") or {})}
    obj["spec"]["jobTemplate"] = {**job, "metadata": named, "spec": inner}
    return obj


def _service(obj: Obj) -> Obj:
    obj = _spec(obj, type="ClusterIP", sessionAffinity="None")
    spec = obj["spec"]
    if spec["type"] != "ExternalName":
        spec = filled(
            spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack"
        )
    if spec["type"] in NODE_PORT_TYPES:
        spec = filled(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec = filled(spec, allocateLoadBalancerNodePorts=True)
    if spec["sessionAffinity"] == "ClientIP":
        spec = filled(spec, sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}})
    obj = {**obj, "spec": each(spec, "ports", _service_port)}
    return filled(obj, status={"loadBalancer": {}})


def _service_port(port: Obj) -> Obj:
    return filled(port, protocol="TCP", targetPort=port.get("port"))


def _namespace(obj: Obj) -> Obj:
    labels = {**labels_of(obj), "kubernetes.io/metadata.name": name_of(obj)}
    obj = {**obj, "metadata": {**meta(obj), "labels": labels}}
    return filled(_spec(obj, finalizers=["kubernetes"]), status={"phase": "Active"})


def _claim(obj: Obj) -> Obj:
    return filled(_spec(obj, volumeMode="Filesystem"), status={"phase": "Pending"})


def _volume(obj: Obj) -> Obj:
    obj = _spec(obj, persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    return filled(obj, status={"phase": "Pending"})


def _secret(obj: Obj) -> Obj:
    """`stringData` is written into `data`, as the server never shows it again."""
    import base64

    obj = filled(obj, type="Opaque")
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict):
        coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **coded}
    return obj


def _storage_class(obj: Obj) -> Obj:
    return filled(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _autoscaler(obj: Obj) -> Obj:
    target = {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    obj = _spec(obj, minReplicas=1)
    if not obj["spec"].get("metrics"):
        obj["spec"]["metrics"] = [metric]
    return filled(obj, status={"currentReplicas": 0, "desiredReplicas": 0, "currentMetrics": None})


def _network_policy(obj: Obj) -> Obj:
    spec = obj.get("spec") or {}
    types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    spec = filled(spec, podSelector={}, policyTypes=types)
    for field in ("ingress", "egress"):
        spec = each(spec, field, lambda rule: each(rule, "ports", lambda port: filled(port, protocol="TCP")))
    return {**obj, "spec": spec}


def _ingress(obj: Obj) -> Obj:
    return filled(obj, status={"loadBalancer": {}})


def _priority_class(obj: Obj) -> Obj:
    return filled(obj, preemptionPolicy="PreemptLowerPriority")


def _limit_range(obj: Obj) -> Obj:
    return {**obj, "spec": each(obj.get("spec") or {}, "limits", _limit)}


def _limit(limit: Obj) -> Obj:
    """Maximum stands for a missing default; default or minimum for a missing default request."""
    if limit.get("type") != "Container":
        return limit
    most, least = limit.get("max") or {}, limit.get("min") or {}
    default = {**most, **(limit.get("default") or {})}
    request = {**least, **default, **(limit.get("defaultRequest") or {})}
    return {
        **limit,
        **({"default": default} if default else {}),
        **({"defaultRequest": request} if request else {}),
    }


def _event(obj: Obj) -> Obj:
    obj = filled(obj, source={}, reportingComponent="", reportingInstance="")
    return {"firstTimestamp": None, "lastTimestamp": None, "eventTime": None, **obj}


def _hooks(obj: Obj) -> Obj:
    return each(obj, "webhooks", _hook)


def _hook(hook: Obj) -> Obj:
    hook = filled(
        hook,
        failurePolicy="Fail",
        matchPolicy="Equivalent",
        namespaceSelector={},
        objectSelector={},
        timeoutSeconds=10,
    )
    hook = each(hook, "rules", lambda rule: filled(rule, scope="*"))
    service = get_in(hook, ("clientConfig", "service"))
    if service:
        hook["clientConfig"] = {**hook["clientConfig"], "service": filled(service, port=443)}
    return hook


def _mutating_hooks(obj: Obj) -> Obj:
    return each(_hooks(obj), "webhooks", lambda hook: filled(hook, reinvocationPolicy="Never"))


def _role_binding(obj: Obj) -> Obj:
    role = obj.get("roleRef")
    if isinstance(role, dict):
        obj = {**obj, "roleRef": filled(role, apiGroup="rbac.authorization.k8s.io")}
    return each(obj, "subjects", _subject)


def _subject(subject: Obj) -> Obj:
    group = "" if subject.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io"
    return filled(subject, apiGroup=group) if group else subject


_BY_KIND: dict[str, Callable[[Obj], Obj]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Secret": _secret,
    "StorageClass": _storage_class,
    "HorizontalPodAutoscaler": _autoscaler,
    "NetworkPolicy": _network_policy,
    "Ingress": _ingress,
    "PriorityClass": _priority_class,
    "LimitRange": _limit_range,
    "Event": _event,
    "MutatingWebhookConfiguration": _mutating_hooks,
    "ValidatingWebhookConfiguration": _hooks,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
}
