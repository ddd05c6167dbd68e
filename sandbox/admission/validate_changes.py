"""Which fields stay as they are once an object exists."""

from collections.abc import Callable
from typing import Any

from sandbox.admission.causes import Causes, Shown, go_selector
from sandbox.amounts import amount
from sandbox.fields import Obj, get_in, without_in

POD_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`, "
    "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, "
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative) or `spec.tolerations` (only additions to existing tolerations)"
)
CLAIM_TEXT = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)
STATEFUL_OPEN = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "revisionHistoryLimit",
)
STATEFUL_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
IMMUTABLE = "field is immutable"


def check_change(obj: Obj, old: Obj, causes: Causes) -> None:
    """The rules of the object's kind about what may differ from `old`."""
    if check := _BY_KIND.get(obj["kind"]):
        check(obj, old, causes)


def _pod(obj: Obj, old: Obj, causes: Causes) -> None:
    if _fixed_pod(obj["spec"], old["spec"]) != _fixed_pod(old["spec"], old["spec"]):
        causes.forbidden("spec", POD_TEXT)
    before, after = old["spec"].get("tolerations") or [], obj["spec"].get("tolerations") or []
    if any(item not in after for item in before):
        causes.forbidden(
            "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
        )


def _fixed_pod(spec: Obj, old: Obj) -> Obj:
    """The part of a pod spec that may not change; a pod without a node may still get one."""
    opened = ["tolerations", "activeDeadlineSeconds", "schedulingGates", "ephemeralContainers"]
    if not old.get("nodeName"):
        opened.append("nodeName")
    kept = {key: value for key, value in spec.items() if key not in opened}
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [without_in(container, ("image",)) for container in kept[field]]
    return kept


def _selector(obj: Obj, old: Obj, causes: Causes) -> None:
    new, before = get_in(obj, ("spec", "selector")), get_in(old, ("spec", "selector"))
    if new != before:
        causes.invalid("spec.selector", go_selector(new), IMMUTABLE)


def _stateful_set(obj: Obj, old: Obj, causes: Causes) -> None:
    def fixed(whole: Obj) -> Obj:
        return {key: value for key, value in whole["spec"].items() if key not in STATEFUL_OPEN}

    if fixed(obj) != fixed(old):
        causes.forbidden("spec", STATEFUL_TEXT)


def _job(obj: Obj, old: Obj, causes: Causes) -> None:
    _selector(obj, old, causes)
    suspended = get_in(old, ("spec", "suspend"), False)
    if not suspended and obj["spec"].get("template") != old["spec"].get("template"):
        causes.invalid("spec.template", Shown("core.PodTemplateSpec"), IMMUTABLE)
    if obj["spec"].get("completionMode") != old["spec"].get("completionMode"):
        causes.invalid("spec.completionMode", obj["spec"].get("completionMode"), IMMUTABLE)
    if obj["spec"].get("completions") != old["spec"].get("completions"):
        causes.invalid("spec.completions", obj["spec"].get("completions"), IMMUTABLE)


def _service(obj: Obj, old: Obj, causes: Causes) -> None:
    new, before = obj["spec"].get("clusterIP"), old["spec"].get("clusterIP")
    leaves = obj["spec"]["type"] == "ExternalName" or old["spec"]["type"] == "ExternalName"
    if before and new != before and not leaves:
        causes.invalid("spec.clusterIPs[0]", Shown(f'[]string{{"{new or ""}"}}'), "may not change once set")


def _claim(obj: Obj, old: Obj, causes: Causes) -> None:
    """A bound claim may grow and get its volume's name; everything else stays."""
    new, before = obj["spec"], old["spec"]
    bound = get_in(old, ("status", "phase")) == "Bound"
    opened = {"resources", "volumeAttributesClassName"} if bound else set()
    opened |= {name for name in ("volumeName", "storageClassName") if not before.get(name)}
    if _closed(new, opened) != _closed(before, opened):
        causes.forbidden("spec", CLAIM_TEXT)
        return
    wanted, had = (get_in(spec, ("resources", "requests", "storage"), "0") for spec in (new, before))
    if amount(wanted) < amount(had):
        causes.forbidden("spec.resources.requests.storage", "field can not be less than previous value")


def _closed(spec: Obj, opened: set[str]) -> Obj:
    return {key: value for key, value in spec.items() if key not in opened}


def _frozen(obj: Obj, old: Obj, causes: Causes) -> None:
    """ConfigMaps and Secrets that were declared immutable."""
    if not old.get("immutable"):
        return
    why = "field is immutable when `immutable` is set"
    if not obj.get("immutable"):
        causes.forbidden("immutable", why)
    for field in ("data", "binaryData"):
        if obj.get(field) != old.get(field):
            causes.forbidden(field, why)


def _secret(obj: Obj, old: Obj, causes: Causes) -> None:
    if obj.get("type") != old.get("type"):
        causes.invalid("type", obj.get("type"), IMMUTABLE)
    _frozen(obj, old, causes)


def _fixed_fields(*fields: str) -> Callable[[Obj, Obj, Causes], None]:
    """Top-level fields that may not change at all."""

    def check(obj: Obj, old: Obj, causes: Causes) -> None:
        for field in fields:
            if obj.get(field) != old.get(field):
                causes.forbidden(field, f"updates to {field} are forbidden.")

    return check


def _role_ref(obj: Obj, old: Obj, causes: Causes) -> None:
    new: Any = obj.get("roleRef")
    if new != old.get("roleRef"):
        causes.invalid("roleRef", new, "cannot change roleRef")


_BY_KIND: dict[str, Callable[[Obj, Obj, Causes], None]] = {
    "Pod": _pod,
    "Deployment": _selector,
    "ReplicaSet": _selector,
    "DaemonSet": _selector,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "ConfigMap": _frozen,
    "Secret": _secret,
    "StorageClass": _fixed_fields("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "RoleBinding": _role_ref,
    "ClusterRoleBinding": _role_ref,
}
