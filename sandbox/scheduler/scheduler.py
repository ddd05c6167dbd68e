"""The scheduler: binds waiting pods one by one to the best node that fits, or says why none does."""

from collections import Counter
from collections.abc import Iterator

from sandbox.clock import SimClock
from sandbox.events import SeriesRecorder
from sandbox.fields import Obj, is_deleting, meta, name_of
from sandbox.kinds import kind_of
from sandbox.scheduler.affinity import AffinityRules
from sandbox.scheduler.filters import Prepared, Unfit, applicable, first_refusal
from sandbox.scheduler.nominations import Nominations
from sandbox.scheduler.preemption import choose_victims
from sandbox.scheduler.queue import SchedulingQueue, Waiting
from sandbox.scheduler.scores import score
from sandbox.scheduler.spread import SpreadRules
from sandbox.scheduler.view import ClusterView, NodeView, PodView
from sandbox.scheduler.volumes import select_node, volume_rules
from sandbox.state import condition, is_finished, key_of, merged_condition, with_status
from sandbox.store import Store
from sandbox.tables import Change

NAME = "default-scheduler"
POD = kind_of("Pod")
NODE = kind_of("Node")
AWAITED_KINDS = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass", "Service")
ENOUGH_NODES = 100  # from this many on, not every node is looked at
SHARE_PERCENT = 10  # `percentageOfNodesToScore` of large clusters


class Scheduler:
    """Watches pods and nodes; binds through the store like any other writer."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = SeriesRecorder(store, clock, NAME)
        self.cluster = ClusterView()
        self._nominations = Nominations()
        self._queue = SchedulingQueue(clock, lambda: clock.soon(self._schedule_next))
        self._start = 0
        store.subscribe(NODE, self._node_changed)
        store.subscribe(POD, self._pod_changed)
        for kind in AWAITED_KINDS:
            store.subscribe(kind_of(kind), lambda _: self._queue.recall_all())

    # --- what happens in the cluster

    def _node_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self.cluster.drop_node(name_of(change.object))
            return
        new = name_of(change.object) not in self.cluster.nodes
        if self.cluster.put_node(change.object) or new:
            for pod in self._store.pods_on(POD, name_of(change.object)) if new else ():
                self._note_bound(pod)
            self._queue.recall_all()

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        if change.type == "DELETED" or is_finished(pod):
            self._queue.drop(meta(pod)["uid"])
            gave_up_room = self._nominations.drop(meta(pod)["uid"])
            if self.cluster.drop_pod(meta(pod)["uid"]) or gave_up_room:
                self._queue.recall_all()
        elif pod["spec"].get("nodeName"):
            self._queue.drop(meta(pod)["uid"])
            self._nominations.drop(meta(pod)["uid"])
            if self._note_bound(pod):
                self._queue.recall_all()
        elif pod["spec"].get("schedulerName", NAME) == NAME and not is_deleting(pod):
            self._queue.add(key_of(pod), meta(pod)["uid"], pod["spec"].get("priority") or 0)

    def _note_bound(self, pod: Obj) -> bool:
        return not is_finished(pod) and self.cluster.put_pod(pod)

    # --- one pod

    def _schedule_next(self) -> None:
        waiting = self._queue.pop()
        if waiting is None:
            return
        pod = self._store.find(POD, *waiting.key)
        if pod is None or meta(pod)["uid"] != waiting.uid or pod["spec"].get("nodeName") or is_deleting(pod):
            self._queue.drop(waiting.uid)
            return
        view = PodView.of(pod)
        prepared = Prepared(
            AffinityRules(view, self.cluster),
            SpreadRules(view, self.cluster),
            volume_rules(self._store, pod),
        )
        self._place(waiting, view, prepared)

    def _place(self, waiting: Waiting, pod: PodView, prepared: Prepared) -> None:
        refusals: dict[str, Unfit] = {}
        fitting = self._fitting(pod, prepared, refusals)
        if not fitting:
            self._refuse(waiting, pod, refusals, prepared)
            return
        best = self._best(pod, fitting, prepared)
        if self._prepare_claims(prepared, best):
            self._bind(waiting, pod, best)
        else:
            self._queue.set_aside(waiting)

    def _fitting(self, pod: PodView, prepared: Prepared, refusals: dict[str, Unfit]) -> list[NodeView]:
        """Nodes that fit: all of a small cluster, enough to choose from in a large one."""
        enough = _enough(len(self.cluster.nodes))
        filters = applicable(pod, prepared)
        fitting: list[NodeView] = []
        for looked_at, node in enumerate(self._in_turn(), start=1):
            unfit = first_refusal(pod, self._nominations.as_seen_by(pod, node), prepared, filters)
            if unfit is not None:
                refusals[node.name] = unfit
                continue
            fitting.append(node)
            if len(fitting) >= enough:
                self._start += looked_at
                break
        return fitting

    def _in_turn(self) -> Iterator[NodeView]:
        """All nodes, beginning where the last search ended, so that each gets its turn."""
        nodes = list(self.cluster.nodes.values())
        start = self._start % len(nodes) if nodes else 0
        yield from nodes[start:]
        yield from nodes[:start]

    def _best(self, pod: PodView, fitting: list[NodeView], prepared: Prepared) -> NodeView:
        scored = [(score(pod, node, prepared), node) for node in fitting]
        top = max(points for points, _ in scored)
        return self._clock.random.choice([node for points, node in scored if points == top])

    def _prepare_claims(self, prepared: Prepared, node: NodeView) -> bool:
        """Asks for the volumes that waited for this decision; says whether there were none to wait for."""
        choices = prepared.volumes.choices(node)
        for claim, _ in choices:
            select_node(self._store, claim, node.name)
        return not choices

    def _bind(self, waiting: Waiting, pod: PodView, node: NodeView) -> None:
        self._queue.drop(waiting.uid)
        self.cluster.assume(pod, node.name)
        bound = self._store.modify(
            POD, *waiting.key, lambda current: _bound(current, node.name), subresource="binding"
        )
        if condition(bound, "PodScheduled") is not None:
            scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
            self._set_condition(bound, scheduled | {"lastTransitionTime": self._clock.stamp()})
        message = f"Successfully assigned {pod.namespace}/{name_of(bound)} to {node.name}"
        self._events.record(pod.pod, "Normal", "Scheduled", "Binding", message)

    # --- when nothing fits

    def _refuse(self, waiting: Waiting, pod: PodView, refusals: dict[str, Unfit], prepared: Prepared) -> None:
        message = fit_error(refusals, len(self.cluster.nodes))
        self._queue.set_aside(waiting)
        self._events.record(pod.pod, "Warning", "FailedScheduling", "Scheduling", message)
        unscheduled = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        stamps = {"lastProbeTime": None, "lastTransitionTime": self._clock.stamp()}
        self._set_condition(self._store.get(POD, *waiting.key), stamps | unscheduled)
        self._preempt(pod, refusals, prepared)

    def _set_condition(self, pod: Obj, new: Obj) -> None:
        status = pod.get("status") or {}
        conditions = merged_condition(status.get("conditions") or [], new)
        self._store.update(POD, with_status(pod, {**status, "conditions": conditions}), subresource="status")

    def _preempt(self, pod: PodView, refusals: dict[str, Unfit], prepared: Prepared) -> None:
        """Evicts pods of lower priority where that makes room, and keeps that room until the pod is bound."""
        if self._is_clearing(pod):
            return
        nodes = [self.cluster.nodes[name] for name, unfit in refusals.items() if not unfit.final]
        candidates = [self._nominations.as_seen_by(pod, node) for node in nodes]
        chosen = choose_victims(pod, candidates, prepared)
        if chosen is None:
            self._nominate(pod, "")
            return
        node, victims = chosen
        for victim in victims:
            self._store.delete(POD, victim.namespace, name_of(victim.pod), uid=victim.uid)
            message = f"Preempted by {pod.namespace}/{name_of(pod.pod)} on node {node.name}"
            self._events.record(victim.pod, "Normal", "Preempted", "Preempting", message)
        for lesser in self._nominations.lesser_than(pod, node.name):
            self._nominate(lesser, "")
        self._nominate(pod, node.name)

    def _nominate(self, pod: PodView, node: str) -> None:
        """Keeps room on the node for the pod, or, with an empty name, gives it up."""
        if self._nominations.node_of(pod.uid) == node:
            return
        if node:
            self._nominations.add(pod, node)
        else:
            self._nominations.drop(pod.uid)
        current = self._store.get(POD, pod.namespace, name_of(pod.pod))
        status = {**(current.get("status") or {}), "nominatedNodeName": node or None}
        kept = {field: value for field, value in status.items() if value is not None}
        self._store.update(POD, with_status(current, kept), subresource="status")

    def _is_clearing(self, pod: PodView) -> bool:
        """Whether victims are still on their way out of the node chosen for the pod earlier."""
        node = self._nominations.node_of(pod.uid)
        return bool(node) and any(is_deleting(other) for other in self._store.pods_on(POD, node))


def fit_error(refusals: dict[str, Unfit], nodes: int) -> str:
    """The sentence of a FailedScheduling event: every reason with its number of nodes."""
    if nodes == 0:
        return "no nodes available to schedule pods"
    counts = Counter(reason for unfit in refusals.values() for reason in unfit.reasons)
    reasons = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return f"0/{nodes} nodes are available: {reasons}."


def _enough(nodes: int) -> int:
    """How many fitting nodes to find before choosing the best of them."""
    return nodes if nodes < ENOUGH_NODES else max(ENOUGH_NODES, nodes * SHARE_PERCENT // 100)


def _bound(pod: Obj, node: str) -> Obj:
    return {**pod, "spec": {**pod["spec"], "nodeName": node}}
