"""What an object costs: the amounts by which it counts towards ResourceQuotas, and which quotas count it."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.amounts import amount
from sandbox.api.schema import quantity
from sandbox.fields import Obj, get_in
from sandbox.kinds import Kind

Usage = dict[str, Decimal]
COUNTED = {
    "pods": "Pod",
    "services": "Service",
    "secrets": "Secret",
    "configmaps": "ConfigMap",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "resourcequotas": "ResourceQuota",
    "replicationcontrollers": "ReplicationController",
}
COMPUTE = ("cpu", "memory", "ephemeral-storage")
FINISHED = ("Succeeded", "Failed")
BINARY = ("memory", "storage", "ephemeral-storage")


def cost(kind: Kind, obj: Obj) -> Usage:
    """What one object takes from every resource that a quota may limit."""
    found: Usage = {f"count/{kind.qualified}": Decimal(1)}
    if kind.kind == "Pod":
        return found | (_pod_cost(obj) if get_in(obj, ("status", "phase")) not in FINISHED else {})
    if COUNTED.get(kind.plural) == kind.kind:
        found[kind.plural] = Decimal(1)
    if kind.kind == "Service":
        found |= _service_cost(obj["spec"])
    if kind.kind == "PersistentVolumeClaim":
        size = amount(get_in(obj, ("spec", "resources", "requests", "storage"), "0"))
        found["requests.storage"] = size
        if storage_class := get_in(obj, ("spec", "storageClassName")):
            prefix = f"{storage_class}.storageclass.storage.k8s.io"
            found |= {f"{prefix}/requests.storage": size, f"{prefix}/persistentvolumeclaims": Decimal(1)}
    return found


def _pod_cost(pod: Obj) -> Usage:
    found: Usage = {"pods": Decimal(1)}
    for field in ("requests", "limits"):
        for name, value in pod_total(pod["spec"], field).items():
            found[f"{field}.{name}"] = value
            if field == "requests":
                found[name] = value
    return found


def pod_total(spec: Obj, field: str) -> Usage:
    """Requests or limits of a whole pod: the sum of its containers, or its largest init container."""
    total: Usage = {}
    for container in spec.get("containers", ()):
        for name, value in get_in(container, ("resources", field), {}).items():
            total[name] = total.get(name, Decimal(0)) + amount(value)
    for container in spec.get("initContainers", ()):
        for name, value in get_in(container, ("resources", field), {}).items():
            total[name] = max(total.get(name, Decimal(0)), amount(value))
    return total


def _service_cost(spec: Obj) -> Usage:
    ports = Decimal(len(spec.get("ports") or ()))
    exposed = spec["type"] in ("NodePort", "LoadBalancer")
    balanced = Decimal(1 if spec["type"] == "LoadBalancer" else 0)
    return {"services.nodeports": ports if exposed else Decimal(0), "services.loadbalancers": balanced}


def in_scope(quota: Obj, kind: Kind, obj: Obj) -> bool:
    """Whether the quota counts this object: scopes are about pods only."""
    spec = quota.get("spec") or {}
    scopes = [(scope, None) for scope in spec.get("scopes") or ()]
    scopes += [(item["scopeName"], item) for item in get_in(spec, ("scopeSelector", "matchExpressions"), [])]
    if not scopes:
        return True
    return kind.kind == "Pod" and all(_fits(scope, item, obj) for scope, item in scopes)


def _fits(scope: str, item: Obj | None, pod: Obj) -> bool:
    ends = get_in(pod, ("spec", "activeDeadlineSeconds")) is not None
    best_effort = get_in(pod, ("status", "qosClass")) == "BestEffort"
    name = get_in(pod, ("spec", "priorityClassName"), "")
    values = (item or {}).get("values") or ()
    operator = (item or {}).get("operator", "Exists")
    classes: dict[str, bool] = {
        "In": name in values,
        "NotIn": name not in values,
        "Exists": bool(name),
        "DoesNotExist": not name,
    }
    answers: dict[str, bool] = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "PriorityClass": classes.get(operator, False),
    }
    return answers.get(scope, True)


def only(found: Usage, hard: Iterable[str]) -> Usage:
    return {name: found[name] for name in hard if found.get(name)}


def written(name: str, value: Decimal) -> str:
    """An amount as a quantity: bytes with binary suffixes, everything else with decimal ones."""
    if not name.endswith(BINARY) or value < 1024:
        return quantity(f"{value:f}")
    return quantity(f"{value / 1024:f}Ki")
