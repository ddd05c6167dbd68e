"""Nodes that fall silent: their conditions, the taints that follow from conditions, and what happens to pods.

Leases are what a node's life is judged by. Evicting by taints is in taint_eviction.py.
"""

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.events import Recorder
from sandbox.fields import Obj, meta, name_of
from sandbox.kinds import kind_of
from sandbox.kubelet.timings import Timings
from sandbox.state import (
    Key,
    condition,
    created_at,
    is_ready,
    merged_condition,
    spec_of,
    unix_time,
    with_status,
)
from sandbox.store import Store
from sandbox.tables import Change

NODE = kind_of("Node")
LEASE = kind_of("Lease")
POD = kind_of("Pod")
LEASES = "kube-node-lease"
SILENT = "Kubelet stopped posting node status."
JUDGED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
CORDONED = "node.kubernetes.io/unschedulable"
OWN_TAINTS = (NOT_READY, UNREACHABLE, CORDONED, *PRESSURES.values())


class NodeLifecycle:
    """Looks at every lease now and then, and at every node that changes."""

    def __init__(self, store: Store, clock: SimClock, timings: Timings) -> None:
        self._store = store
        self._clock = clock
        self._timings = timings
        self._events = Recorder(store, clock, "node-controller")
        self._registered: set[str] = set()
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(NODE, self._node_changed)
        clock.call_after(timings.node_monitor_s, self._monitor)

    def _node_changed(self, change: Change) -> None:
        node = change.object
        if change.type == "DELETED":
            self._registered.discard(name_of(node))
            self._tell(
                node,
                "RemovingNode",
                f"Node {name_of(node)} event: Removing Node {name_of(node)} from Controller",
            )
            return
        if name_of(node) not in self._registered:
            self._registered.add(name_of(node))
            text = f"Node {name_of(node)} event: Registered Node {name_of(node)} in Controller"
            self._tell(node, "RegisteredNode", text)
        self.queue.on_change(change)

    def _tell(self, node: Obj, reason: str, message: str) -> None:
        subject = {**node, "metadata": {"name": name_of(node), "uid": meta(node)["uid"]}}
        self._events.normal(subject, reason, message)

    # --- silence

    def _monitor(self) -> None:
        for node in self._store.list(NODE):
            ready = condition(node, "Ready")
            if self._is_late(node) and (ready is None or ready["status"] != "Unknown"):
                self._declare_lost(node)
        self._clock.call_after(self._timings.node_monitor_s, self._monitor)

    def _is_late(self, node: Obj) -> bool:
        lease = self._store.find(LEASE, LEASES, name_of(node))
        heard_at = unix_time(lease["spec"]["renewTime"]) if lease is not None else created_at(node)
        return self._clock.time() - heard_at > self._timings.node_grace_s

    def _declare_lost(self, node: Obj) -> None:
        conditions = (node.get("status") or {}).get("conditions") or []
        for kind in JUDGED:
            old = condition(node, kind) or {"lastHeartbeatTime": meta(node)["creationTimestamp"]}
            unknown = {
                "type": kind,
                "status": "Unknown",
                "lastHeartbeatTime": old["lastHeartbeatTime"],
                "lastTransitionTime": self._clock.stamp(),
                "reason": "NodeStatusUnknown",
                "message": SILENT,
            }
            conditions = merged_condition(conditions, unknown)
        status = {**(node.get("status") or {}), "conditions": conditions}
        self._store.update(NODE, with_status(node, status), subresource="status")
        self._tell(node, "NodeNotReady", f"Node {name_of(node)} status is now: NodeNotReady")

    # --- what follows

    def _sync(self, key: Key) -> None:
        node = self._store.find(NODE, *key)
        if node is None:
            return
        taints = self._taints(node)
        if taints != (spec_of(node).get("taints") or []):
            spec = {name: value for name, value in spec_of(node).items() if name != "taints"}
            node = self._store.update(NODE, {**node, "spec": {**spec, "taints": taints} if taints else spec})
        ready = condition(node, "Ready")
        if ready is not None and ready["status"] != "True":
            self._mark_pods(node)

    def _taints(self, node: Obj) -> list[Obj]:
        """The node's own taints, and those its state asks for; one that is there already keeps its time."""
        given = spec_of(node).get("taints") or []
        kept = [taint for taint in given if taint["key"] not in OWN_TAINTS]
        for key, effect in wanted_taints(node):
            old = next((t for t in given if (t["key"], t["effect"]) == (key, effect)), None)
            fresh = {"key": key, "effect": effect, "timeAdded": self._clock.stamp()}
            kept.append(old or fresh)
        return kept

    def _mark_pods(self, node: Obj) -> None:
        """Pods of a node that is not ready get no traffic any more."""
        for pod in self._store.pods_on(POD, name_of(node)):
            if not is_ready(pod):
                continue
            status = pod["status"]
            unready = {
                **(condition(pod, "Ready") or {}),
                "status": "False",
                "lastTransitionTime": self._clock.stamp(),
            }
            conditions = merged_condition(status["conditions"], unready)
            self._store.update(
                POD, with_status(pod, {**status, "conditions": conditions}), subresource="status"
            )
            self._events.warning(pod, "NodeNotReady", "Node is not ready")


def wanted_taints(node: Obj) -> list[tuple[str, str]]:
    """Taints (key, effect) that the node's conditions and its cordon ask for."""
    found = []
    if spec_of(node).get("unschedulable"):
        found.append((CORDONED, "NoSchedule"))
    for kind, key in PRESSURES.items():
        entry = condition(node, kind)
        if entry is not None and entry["status"] == "True":
            found.append((key, "NoSchedule"))
    ready = condition(node, "Ready")
    if ready is not None and ready["status"] != "True":
        key = UNREACHABLE if ready["status"] == "Unknown" else NOT_READY
        found += [(key, "NoSchedule"), (key, "NoExecute")]
    return found
