"""One node's kubelet: registers the node, keeps its lease and status alive, and runs its pods."""

from sandbox.clock import SimClock
from sandbox.errors import AlreadyExists, NotFound
from sandbox.events import Recorder
from sandbox.fields import Obj, annotations_of, meta, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.eviction import (
    LOOK_S,
    REASON,
    eviction_message,
    is_short_of_memory,
    next_victim,
    with_pressure,
)
from sandbox.kubelet.host import Host
from sandbox.kubelet.node_report import Health, Machine, conditions, new_node, node_status, turned
from sandbox.kubelet.pod import PodRun
from sandbox.kubelet.surroundings import Surroundings
from sandbox.kubelet.timings import Timings
from sandbox.state import is_finished, merged_condition, with_status
from sandbox.store import Store

NODE = kind_of("Node")
LEASE = kind_of("Lease")
LEASES = "kube-node-lease"
LEASE_DURATION_S = 40  # what a kubelet writes into its lease; whoever is later than that is late
FAULT = "sandbox/fault"
DISK_ERROR = "Buffer I/O error on dev vdb1, logical block 1573921, lost sync page write"


class Kubelet:
    """The agent of one node."""

    def __init__(
        self, store: Store, clock: SimClock, name: str, number: int, machine: Machine, timings: Timings
    ) -> None:
        self._store = store
        self._clock = clock
        self._machine = machine
        self._health = Health()
        self._fault = ""
        self.pods: dict[str, PodRun] = {}
        events = Recorder(store, clock, "kubelet", name)
        self.host = Host(name, number, store, clock, timings, events)
        self.host.address = f"192.168.{number // 250}.{number % 250 + 2}"

    # --- the node

    def register(self, labels: dict[str, str]) -> None:
        """Makes the node known, or takes it over when it is known already, and starts the heartbeats."""
        node = new_node(self.host.name, self.host.number, self._machine, labels)
        try:
            self._store.create(NODE, node)
        except AlreadyExists:
            self._clock.soon(self._report)
        self._report()
        self._renew()
        self._tell("Starting", "Starting kubelet.")
        self._clock.call_after(self.host.timings.node_status_s, self._report_again)
        self._clock.call_after(LOOK_S, self._look_at_memory)

    def node_changed(self, node: Obj) -> None:
        """Takes note of how the node is and of its fault."""
        self._notice(Surroundings.of(node, self._machine.memory))
        fault = annotations_of(node).get(FAULT, "")
        if fault != self._fault:
            self._fault = fault
            self._turn_to(fault)
        elif self.host.reachable and self._contradicted(node):
            self._clock.call_after(1.0, self._report)  # a kubelet overrules what others say about it

    def _notice(self, around: Surroundings) -> None:
        """Another machine below the same pods: some of them will fare differently."""
        before, self.host.around = self.host.around, around
        if around == before:
            return
        if around.disk_fails and not before.disk_fails:
            kernel = Recorder(self._store, self._clock, "kernel-monitor", self.host.name)
            kernel.warning(self._subject, "IOError", DISK_ERROR)
        for run in self.pods.values():
            run.reconsider()

    def _turn_to(self, fault: str) -> None:
        came_back = not self.host.reachable and fault != "lost"
        self.host.reachable = fault != "lost"
        if not self.host.reachable:
            return
        self._set_health(
            Health(
                ready=fault != "notready",
                memory_pressure=fault == "memorypressure",
                disk_pressure=fault == "diskpressure",
            )
        )
        if came_back:
            self._come_back()

    def _set_health(self, health: Health) -> None:
        before, self._health = self._health, health
        self._report()
        for reason in turned(before, health):
            self._tell(reason, f"Node {self.host.name} status is now: {reason}")

    def _come_back(self) -> None:
        self._renew_lease()
        unsaid, self.host.unsaid = self.host.unsaid, set()
        for run in unsaid:
            run.container_changed()

    def _contradicted(self, node: Obj) -> bool:
        ready = next((c for c in node.get("status", {}).get("conditions", ()) if c["type"] == "Ready"), None)
        return ready is not None and ready["status"] == "Unknown"

    def _report(self) -> None:
        node = self._store.find(NODE, None, self.host.name)
        if node is None or not self.host.reachable:
            return
        told = (node.get("status") or {}).get("conditions") or []
        for new in conditions(self._health, self._clock.stamp()):
            told = merged_condition(told, new)
        status = node_status(self.host.name, self.host.address, self._machine, told)
        self._store.update(
            NODE, with_status(node, {**(node.get("status") or {}), **status}), subresource="status"
        )

    def _report_again(self) -> None:
        self._report()
        self._clock.call_after(self.host.timings.node_status_s, self._report_again)

    def _renew(self) -> None:
        if self.host.reachable:
            self._renew_lease()
        self._clock.call_after(self.host.timings.lease_s, self._renew)

    def _renew_lease(self) -> None:
        name = self.host.name
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_DURATION_S,
            "renewTime": self._clock.micro_stamp(),
        }
        try:
            self._store.modify(LEASE, LEASES, name, lambda lease: {**lease, "spec": spec})
        except NotFound:
            data = {"name": name, "namespace": LEASES}
            self._store.create(LEASE, {"metadata": data, "spec": spec})

    def _tell(self, reason: str, message: str) -> None:
        self.host.events.normal(self._subject, reason, message)

    @property
    def _subject(self) -> Obj:
        """Kubelets name their node by its name where others give the uid."""
        name = self.host.name
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}

    # --- its memory

    def _look_at_memory(self) -> None:
        """Evicts one pod a look while memory is short; says so in the node's conditions."""
        runs = list(self.pods.values())
        short = is_short_of_memory(self._machine, runs)
        if self.host.reachable and self._fault == "" and short != self._health.memory_pressure:
            self._set_health(with_pressure(self._health, pressure=short))
        if short and self.host.reachable and (victim := next_victim(runs)) is not None:
            self._evict(victim)
        self._clock.call_after(LOOK_S, self._look_at_memory)

    def _evict(self, victim: PodRun) -> None:
        self.host.events.warning(self._subject, "EvictionThresholdMet", "Attempting to reclaim memory")
        message = eviction_message(victim)
        self.host.events.warning(victim.pod, REASON, message)
        victim.give_up(REASON, message)

    # --- its pods

    def pod_changed(self, pod: Obj) -> None:
        run = self.pods.get(uid_of(pod))
        if run is not None:
            run.update(pod)
        elif not is_finished(pod):
            run = self.pods[uid_of(pod)] = PodRun(self.host, pod)
            run.update(pod) if "deletionTimestamp" in meta(pod) else run.begin()

    def pod_deleted(self, pod: Obj) -> None:
        run = self.pods.pop(uid_of(pod), None)
        if run is not None:
            run.forget()
            self.host.unsaid.discard(run)
