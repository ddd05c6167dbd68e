"""ResourceQuotas: what a namespace uses, and the refusal of what would be too much.

Usage is always counted from the objects themselves, so it cannot drift; `status.used` only reports it.
"""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.amounts import amount
from sandbox.errors import Forbidden
from sandbox.fields import Obj, get_in, name_of, namespace_of
from sandbox.kinds import Kind, kind_of
from sandbox.schema import quantity
from sandbox.store import Store

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


class Quotas:
    """The ResourceQuota plugin on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind = kind_of("ResourceQuota")

    def charge(self, kind: Kind, obj: Obj, *, dry_run: bool) -> None:
        """Raises Forbidden when the new object does not fit; else writes the new usage into the quotas."""
        for quota in self._store.list(self._kind, namespace_of(obj)) if kind.namespaced else ():
            hard = get_in(quota, ("spec", "hard"), {})
            asked = _only(cost(kind, obj), hard) if in_scope(quota, kind, obj) else {}
            if kind.kind == "Pod" and in_scope(quota, kind, obj):
                _check_specified(kind, obj, quota, hard)
            if asked:
                self._check(kind, obj, quota, asked, dry_run=dry_run)

    def _check(self, kind: Kind, obj: Obj, quota: Obj, asked: Usage, *, dry_run: bool) -> None:
        hard, now = get_in(quota, ("spec", "hard"), {}), usage(self._store, quota)
        over = sorted(name for name, more in asked.items() if now[name] + more > amount(hard[name]))
        if over:
            limits = {name: amount(hard[name]) for name in over}
            parts = (
                f"requested: {_text(over, asked)}, used: {_text(over, now)}, limited: {_text(over, limits)}"
            )
            raise Forbidden.because(kind, name_of(obj), f"exceeded quota: {name_of(quota)}, {parts}")
        if not dry_run:
            then = {name: now[name] + asked.get(name, Decimal(0)) for name in hard}
            self._store.update(self._kind, {**quota, "status": status_of(quota, then)}, subresource="status")


def usage(store: Store, quota: Obj) -> Usage:
    """What the quota's namespace uses of each limited resource now."""
    hard = get_in(quota, ("spec", "hard"), {})
    total: Usage = dict.fromkeys(hard, Decimal(0))
    for kind in _kinds(store, hard):
        for obj in store.list(kind, namespace_of(quota)):
            if in_scope(quota, kind, obj):
                for name, more in _only(cost(kind, obj), hard).items():
                    total[name] += more
    return total


def status_of(quota: Obj, used: Usage) -> Obj:
    """The status that reports such usage."""
    hard = get_in(quota, ("spec", "hard"), {})
    return {"hard": hard, "used": {name: written(name, used.get(name, Decimal(0))) for name in hard}}


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


def _check_specified(kind: Kind, pod: Obj, quota: Obj, hard: dict[str, str]) -> None:
    """A quota on compute resources obliges every container to name them."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    missing = set()
    for name in hard:
        field, _, resource = name.rpartition(".")
        if resource in COMPUTE and field in ("", "requests", "limits"):
            path = ("resources", field or "requests", resource)
            if any(get_in(item, path) is None for item in containers):
                missing.add(name)
    if missing:
        why = f"failed quota: {name_of(quota)}: must specify {','.join(sorted(missing))}"
        raise Forbidden.because(kind, name_of(pod), why)


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


def _kinds(store: Store, hard: Iterable[str]) -> list[Kind]:
    """The stored kinds that count towards any of these resources."""
    compute = {"pods", *COMPUTE}
    wanted = set()
    for name in hard:
        wanted.add(name.removeprefix("count/"))
        if name.rpartition(".")[2] in compute and "storageclass" not in name:
            wanted.add("pods")
        if "storage" in name or "persistentvolumeclaims" in name:
            wanted.add("persistentvolumeclaims")
        if name.startswith("services."):
            wanted.add("services")
    return [kind for kind in store.kinds() if kind.qualified in wanted]


def _only(found: Usage, hard: Iterable[str]) -> Usage:
    return {name: found[name] for name in hard if found.get(name)}


def _text(names: list[str], values: Usage) -> str:
    return ",".join(f"{name}={written(name, values[name])}" for name in names)


def written(name: str, value: Decimal) -> str:
    """An amount as a quantity: bytes with binary suffixes, everything else with decimal ones."""
    if not name.endswith(BINARY) or value < 1024:
        return quantity(f"{value:f}")
    return quantity(f"{value / 1024:f}Ki")
