"""DaemonSets: one pod on every node that suits, replaced node by node when the template changes."""

from sandbox.clock import SimClock
from sandbox.controllers import revisions
from sandbox.controllers.claims import claim
from sandbox.controllers.rollout import share
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import ApiError
from sandbox.events import Recorder
from sandbox.fields import Obj, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.scheduler.matching import suits, untolerated
from sandbox.state import (
    Key,
    available_in_s,
    created_at,
    is_active,
    is_finished,
    is_ready,
    key_of,
    pod_from_template,
    spec_of,
    with_status,
)
from sandbox.store import Store
from sandbox.tables import Change

DAEMON_SET = kind_of("DaemonSet")
POD = kind_of("Pod")
NODE = kind_of("Node")
HASH_LABEL = "controller-revision-hash"
ALWAYS_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSetController:
    """Compares the nodes that suit with the pods that are there."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "daemonset-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(DAEMON_SET, self.queue.on_change)
        store.subscribe(POD, self.queue.on_owned("DaemonSet"))
        store.subscribe(NODE, self._node_changed)

    def _node_changed(self, change: Change) -> None:
        moved = change.old is None or _placement(change.object) != _placement(change.old)
        if not moved and change.type != "DELETED":
            return
        for daemon_set in self._store.list(DAEMON_SET):
            self.queue.add(key_of(daemon_set))

    def _sync(self, key: Key) -> None:
        daemon_set = self._store.find(DAEMON_SET, *key)
        if daemon_set is None:
            return
        present = revisions.present_revision(self._store, daemon_set, HASH_LABEL)
        try:
            if not is_deleting(daemon_set):
                self._reconcile(daemon_set, present)
        finally:
            self._write_status(daemon_set, present)

    def _reconcile(self, daemon_set: Obj, present: Obj) -> None:
        pods = self._pods_by_node(daemon_set)
        for node in self._store.list(NODE):
            here = pods.pop(name_of(node), [])
            if belongs(daemon_set, node, to_start=not here):
                self._keep_one(daemon_set, node, here, present)
            else:
                self._delete_all(daemon_set, here)
        for leftover in pods.values():
            self._delete_all(daemon_set, leftover)
        self._roll(daemon_set, present)

    def _keep_one(self, daemon_set: Obj, node: Obj, here: list[Obj], present: Obj) -> None:
        failed = [pod for pod in here if _has_failed(pod) and not is_deleting(pod)]
        for pod in failed:
            where = f"{'/'.join(key_of(pod))} on node {name_of(node)}"
            text = f"Found failed daemon pod {where}, will try to kill it"
            self._events.warning(daemon_set, "FailedDaemonPod", text)
        self._delete_all(daemon_set, failed)
        alive = sorted((pod for pod in here if not is_finished(pod)), key=created_at)
        if not alive and not failed:
            self._create(daemon_set, node, present)
        self._delete_all(daemon_set, [pod for pod in alive[1:] if not is_deleting(pod)])

    def _create(self, daemon_set: Obj, node: Obj, present: Obj) -> None:
        try:
            made = self._store.create(POD, daemon_pod(daemon_set, name_of(node), present))
        except ApiError as error:
            self._events.warning(daemon_set, "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.normal(daemon_set, "SuccessfulCreate", f"Created pod: {name_of(made)}")

    def _delete_all(self, daemon_set: Obj, pods: list[Obj]) -> None:
        for pod in pods:
            if not is_deleting(pod):
                self._store.delete(POD, namespace_of(pod), name_of(pod), uid=meta(pod)["uid"])
                self._events.normal(daemon_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _roll(self, daemon_set: Obj, present: Obj) -> None:
        """Deletes outdated pods: those that do not work at once, the others as far as may be unavailable."""
        strategy = daemon_set["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        pods = [pod for pods in self._pods_by_node(daemon_set).values() for pod in pods]
        outdated = [
            pod for pod in pods if labels_of(pod).get(HASH_LABEL) != _hash(present) and is_active(pod)
        ]
        rolling = strategy.get("rollingUpdate") or {}
        wanted = self._wanted(daemon_set)
        may_lack = max(1, share(rolling.get("maxUnavailable", 1), wanted, round_up=True))
        available = sum(self._is_available(daemon_set, pod) for pod in pods if not is_deleting(pod))
        idle = [pod for pod in outdated if not is_ready(pod)]
        working = [pod for pod in outdated if is_ready(pod)]
        self._delete_all(daemon_set, idle + working[: max(0, may_lack - (wanted - available))])

    def _wanted(self, daemon_set: Obj) -> int:
        return sum(belongs(daemon_set, node, to_start=True) for node in self._store.list(NODE))

    def _pods_by_node(self, daemon_set: Obj) -> dict[str, list[Obj]]:
        found: dict[str, list[Obj]] = {}
        for pod in claim(self._store, POD, daemon_set):
            found.setdefault(target_of(pod), []).append(pod)
        return found

    def _is_available(self, daemon_set: Obj, pod: Obj) -> bool:
        wait_s = available_in_s(pod, daemon_set["spec"].get("minReadySeconds", 0), self._clock.time())
        if wait_s:
            self.queue.add_after(key_of(daemon_set), wait_s)
        return wait_s == 0

    # --- status

    def _write_status(self, daemon_set: Obj, present: Obj) -> None:
        daemon_set = self._store.get(DAEMON_SET, *key_of(daemon_set))
        pods = self._pods_by_node(daemon_set)
        wanted = {name_of(n) for n in self._store.list(NODE) if belongs(daemon_set, n, to_start=True)}
        running = [pods[name][0] for name in wanted if pods.get(name)]
        status = {
            "currentNumberScheduled": len(running),
            "numberMisscheduled": sum(name not in wanted for name in pods),
            "desiredNumberScheduled": len(wanted),
            "numberReady": sum(is_ready(pod) for pod in running),
            "observedGeneration": meta(daemon_set).get("generation", 0),
        }
        updated = sum(labels_of(pod).get(HASH_LABEL) == _hash(present) for pod in running)
        available = sum(self._is_available(daemon_set, pod) for pod in running)
        extra = {"updatedNumberScheduled": updated, "numberAvailable": available}
        extra["numberUnavailable"] = len(wanted) - available
        status |= {name: value for name, value in extra.items() if value}
        if status != daemon_set.get("status"):
            self._store.update(DAEMON_SET, with_status(daemon_set, status), subresource="status")
        everyone = [pod for here in pods.values() for pod in here]
        prefix = f"{name_of(daemon_set)}-"
        in_use = {name_of(present)} | {prefix + labels_of(pod).get(HASH_LABEL, "") for pod in everyone}
        revisions.forget_old(self._store, daemon_set, in_use)


def belongs(daemon_set: Obj, node: Obj, *, to_start: bool) -> bool:
    """Whether a pod should be on the node; one that is there already only leaves for a NoExecute taint."""
    spec = daemon_set["spec"]["template"]["spec"]
    if not suits(spec, name_of(node), labels_of(node)):
        return False
    tolerations = [*(spec.get("tolerations") or ()), *_tolerations(spec)]
    effects = ("NoSchedule", "NoExecute") if to_start else ("NoExecute",)
    return untolerated(tolerations, spec_of(node).get("taints") or (), effects) is None


def daemon_pod(daemon_set: Obj, node: str, present: Obj) -> Obj:
    """A pod that the scheduler can only put on that node."""
    pod = pod_from_template(daemon_set["spec"]["template"], owner=daemon_set)
    labels = {**labels_of(pod), HASH_LABEL: _hash(present), "pod-template-generation": "1"}
    spec = pod["spec"]
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [here]}}
    spec = {
        **spec,
        "affinity": {**(spec.get("affinity") or {}), "nodeAffinity": required},
        "tolerations": [*(spec.get("tolerations") or ()), *_tolerations(spec)],
    }
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def target_of(pod: Obj) -> str:
    """The node a daemon pod is on, or is meant for."""
    if bound := pod["spec"].get("nodeName"):
        return str(bound)
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def _tolerations(spec: Obj) -> list[Obj]:
    found = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in ALWAYS_TOLERATED]
    if spec.get("hostNetwork"):
        key = "node.kubernetes.io/network-unavailable"
        found.append({"key": key, "operator": "Exists", "effect": "NoSchedule"})
    return found


def _has_failed(pod: Obj) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Failed")


def _hash(revision: Obj) -> str:
    return labels_of(revision)[HASH_LABEL]


def _placement(node: Obj) -> tuple[Obj, object]:
    return labels_of(node), spec_of(node).get("taints")
