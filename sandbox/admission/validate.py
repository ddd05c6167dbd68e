"""Validation: every rule that an object must keep when it is created, and the extra ones when it changes."""

from collections.abc import Callable

from sandbox.admission import validate_other as other
from sandbox.admission import validate_workloads as work
from sandbox.admission.causes import Causes
from sandbox.admission.validate_changes import check_change
from sandbox.admission.validate_names import check_meta
from sandbox.admission.validate_pod import check_pod_spec
from sandbox.errors import Invalid
from sandbox.fields import Obj, name_of
from sandbox.kinds import Kind

Check = Callable[[Obj, Causes], None]


def check_new(kind: Kind, obj: Obj) -> None:
    """Raises Invalid with everything that is wrong at once."""
    causes = Causes()
    check_meta(obj, causes, namespaced=kind.namespaced)
    if not kind.custom and (check := _BY_KIND.get(kind.kind)):
        check(obj, causes)
    _refuse(kind, obj, causes)


def check_changed(kind: Kind, obj: Obj, old: Obj) -> None:
    """Raises Invalid when the new object is wrong, or the change itself is not allowed."""
    causes = Causes()
    check_meta(obj, causes, namespaced=kind.namespaced)
    if not kind.custom:
        if check := _BY_KIND.get(kind.kind):
            check(obj, causes)
        check_change(obj, old, causes)
    _refuse(kind, obj, causes)


def _refuse(kind: Kind, obj: Obj, causes: Causes) -> None:
    if causes.found:
        raise Invalid.because(kind, name_of(obj), causes.found)


def _check_pod(obj: Obj, causes: Causes) -> None:
    check_pod_spec(obj["spec"], "spec", causes)


_BY_KIND: dict[str, Check] = {
    "Pod": _check_pod,
    "Deployment": work.check_deployment,
    "ReplicaSet": work.check_workload,
    "StatefulSet": work.check_stateful_set,
    "DaemonSet": work.check_daemon_set,
    "Job": work.check_job,
    "CronJob": work.check_cron_job,
    "HorizontalPodAutoscaler": work.check_autoscaler,
    "PodDisruptionBudget": work.check_budget,
    "Service": other.check_service,
    "PersistentVolumeClaim": other.check_claim,
    "PersistentVolume": other.check_volume,
    "StorageClass": other.check_storage_class,
    "ConfigMap": other.check_config_map,
    "Secret": other.check_secret,
    "ResourceQuota": other.check_quota,
    "LimitRange": other.check_limit_range,
    "Ingress": other.check_ingress,
    "NetworkPolicy": other.check_network_policy,
    "Event": other.check_event,
    "CustomResourceDefinition": other.check_definition,
    "MutatingWebhookConfiguration": other.check_hooks,
    "ValidatingWebhookConfiguration": other.check_hooks,
}
