"""The scheduler's picture of the cluster: nodes with what runs on them, kept up to date by changes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.fields import Obj, controller_of, labels_of, meta, name_of, namespace_of
from sandbox.scheduler.demand import WILDCARD, Demand, units
from sandbox.state import spec_of


@dataclass(frozen=True, slots=True, eq=False)
class PodView:
    """A pod as the scheduler sees it; read once, kept while the pod lives."""

    pod: Obj
    uid: str
    namespace: str
    labels: dict[str, str]
    demand: Demand
    priority: int
    owner_uid: str
    affinity: Obj

    @classmethod
    def of(cls, pod: Obj) -> "PodView":
        owner = controller_of(pod)
        return cls(
            pod=pod,
            uid=meta(pod)["uid"],
            namespace=namespace_of(pod),
            labels=labels_of(pod),
            demand=Demand.of(pod),
            priority=pod["spec"].get("priority") or 0,
            owner_uid=owner["uid"] if owner else "",
            affinity=pod["spec"].get("affinity") or {},
        )

    def anti_affinity_terms(self) -> list[Obj]:
        return (self.affinity.get("podAntiAffinity") or {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution"
        ) or []


@dataclass(slots=True, eq=False)
class NodeView:
    """A node with the pods that are on it or on their way to it."""

    name: str
    node: Obj
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[Obj] = field(default_factory=list)
    unschedulable: bool = False
    allocatable: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    scored_cpu_millis: int = 0
    scored_memory_bytes: int = 0
    pods: dict[str, PodView] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)

    def refresh(self, node: Obj) -> bool:
        """Takes over the node's present state; says whether that may matter to a waiting pod."""
        before = (self.labels, self.taints, self.unschedulable, self.allocatable)
        self.node = node
        self.labels = labels_of(node)
        self.taints = spec_of(node).get("taints") or []
        self.unschedulable = bool(spec_of(node).get("unschedulable"))
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        self.allocatable = {name: units(name, quantity) for name, quantity in allocatable.items()}
        return before != (self.labels, self.taints, self.unschedulable, self.allocatable)

    def add(self, view: PodView) -> None:
        if view.uid not in self.pods:
            self.pods[view.uid] = view
            self._account(view, 1)

    def remove(self, uid: str) -> PodView | None:
        view = self.pods.pop(uid, None)
        if view is not None:
            self._account(view, -1)
        return view

    def free(self, resource: str) -> int:
        return self.allocatable.get(resource, 0) - self.used.get(resource, 0)

    def has_port_of(self, ports: Iterable[tuple[str, str, int]]) -> bool:
        taken = [port for view in self.pods.values() for port in view.demand.host_ports]
        return any(_collide(mine, other) for mine in ports for other in taken)

    def _account(self, view: PodView, sign: int) -> None:
        for name, value in view.demand.resources.items():
            self.used[name] = self.used.get(name, 0) + sign * value
        self.scored_cpu_millis += sign * view.demand.scored_cpu_millis
        self.scored_memory_bytes += sign * view.demand.scored_memory_bytes
        self.owners[view.owner_uid] = self.owners.get(view.owner_uid, 0) + sign


class ClusterView:
    """All nodes, in the order in which they came, and where each pod is."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeView] = {}
        self._node_of: dict[str, str] = {}
        self.guarded: dict[str, PodView] = {}  # pods with anti-affinity, which others must respect

    def put_node(self, node: Obj) -> bool:
        """Adds or refreshes a node; says whether that may matter to a waiting pod."""
        view = self.nodes.get(name_of(node))
        if view is None:
            view = self.nodes[name_of(node)] = NodeView(name_of(node), node)
        return view.refresh(node)

    def drop_node(self, name: str) -> None:
        """Forgets the node and where its pods were: a node of that name may come back."""
        gone = self.nodes.pop(name, None)
        for uid in gone.pods if gone is not None else ():
            self._node_of.pop(uid, None)
            self.guarded.pop(uid, None)

    def put_pod(self, pod: Obj) -> bool:
        """Notes where a bound pod is; says whether that is news."""
        uid, node = meta(pod)["uid"], pod["spec"]["nodeName"]
        if self._node_of.get(uid) == node:
            return False
        self.assume(PodView.of(pod), node)
        return True

    def assume(self, view: PodView, node: str) -> None:
        """Counts the pod on the node before the binding is written."""
        target = self.nodes.get(node)
        if target is None:
            return
        self._node_of[view.uid] = node
        target.add(view)
        if view.anti_affinity_terms():
            self.guarded[view.uid] = view

    def drop_pod(self, uid: str) -> bool:
        """Frees what a pod took; says whether it was known."""
        node = self.nodes.get(self._node_of.pop(uid, ""))
        self.guarded.pop(uid, None)
        return node is not None and node.remove(uid) is not None

    def node_of(self, uid: str) -> NodeView | None:
        return self.nodes.get(self._node_of.get(uid, ""))


def _collide(mine: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return mine[1:] == other[1:] and (mine[0] == other[0] or WILDCARD in (mine[0], other[0]))
