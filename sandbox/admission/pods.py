"""What admission adds to a new pod: service account, priority, tolerations, first status."""

from sandbox.admission.defaults_pod import filled
from sandbox.errors import Forbidden
from sandbox.fields import Obj, get_in, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

TOLERATED_S = 300  # how long pods stay on a node that is not ready or cannot be reached
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
COUNTED = ("cpu", "memory")


class PodAdmission:
    """Admission plugins that complete pods on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pods = kind_of("Pod")
        self._accounts = kind_of("ServiceAccount")
        self._classes = kind_of("PriorityClass")

    def completed(self, pod: Obj) -> Obj:
        """Raises Forbidden when the service account or the priority class is missing."""
        spec = self._with_account(pod)
        spec = self._with_priority({**pod, "spec": spec})
        spec = {**spec, "tolerations": _tolerations(spec)}
        status = filled(pod.get("status") or {}, phase="Pending", qosClass=qos_class(spec))
        return {**pod, "spec": spec, "status": status}

    def _with_account(self, pod: Obj) -> Obj:
        spec: Obj = pod["spec"]
        name = spec.get("serviceAccountName") or "default"
        account = self._store.find(self._accounts, namespace_of(pod), name)
        if account is None and name == "default":  # a new namespace whose account is about to be made
            account = self._store.create(
                self._accounts, {"metadata": {"name": name, "namespace": namespace_of(pod)}}
            )
        if account is None:
            where = f"{namespace_of(pod)}/{name}"
            why = f'error looking up service account {where}: serviceaccount "{name}" not found'
            raise Forbidden.because(self._pods, _name_so_far(pod), why)
        spec = {**spec, "serviceAccountName": name, "serviceAccount": name}
        secrets = account.get("imagePullSecrets")
        return filled(spec, imagePullSecrets=secrets) if secrets else spec

    def _with_priority(self, pod: Obj) -> Obj:
        spec: Obj = pod["spec"]
        name = spec.get("priorityClassName")
        found = self._store.find(self._classes, None, name) if name else self._default_class()
        if name and found is None:
            why = f"no PriorityClass with name {name} was found"
            raise Forbidden.because(self._pods, _name_so_far(pod), why)
        if found is None:
            return filled(spec, priority=0, preemptionPolicy="PreemptLowerPriority")
        policy = found.get("preemptionPolicy", "PreemptLowerPriority")
        return {
            **filled(spec, preemptionPolicy=policy),
            "priorityClassName": name_of(found),
            "priority": found.get("value", 0),
        }

    def _default_class(self) -> Obj | None:
        found = [item for item in self._store.list(self._classes) if item.get("globalDefault")]
        return max(found, key=lambda item: int(item.get("value", 0)), default=None)


def _name_so_far(pod: Obj) -> str:
    """What a refusal calls the pod: a name is made up only after the plugins that complete pods."""
    return str(meta(pod).get("generateName") or name_of(pod))


def _tolerations(spec: Obj) -> list[Obj]:
    """The pod's own, and those that let it stay a while on a failing node."""
    own = list(spec.get("tolerations") or ())
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_S}
        for key in TAINTS
        if not any(_covers(item, key) for item in own)
    ]
    return own + added


def _covers(toleration: Obj, key: str) -> bool:
    if toleration.get("effect") not in (None, "", "NoExecute"):
        return False
    return toleration.get("key") in (None, "", key)


def qos_class(spec: Obj) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits."""
    containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    limits = [get_in(item, ("resources", "limits"), {}) for item in containers]
    requests = [get_in(item, ("resources", "requests"), {}) for item in containers]
    if not any(name in listed for listed in (*limits, *requests) for name in COUNTED):
        return "BestEffort"
    guaranteed = all(
        name in limit and request.get(name, limit[name]) == limit[name]
        for limit, request in zip(limits, requests, strict=True)
        for name in COUNTED
    )
    return "Guaranteed" if guaranteed else "Burstable"
