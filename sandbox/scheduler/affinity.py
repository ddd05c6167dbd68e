"""Rules between pods: who must, must not or would like to be near whom, by topology. No node rules."""

from collections.abc import Iterable

from sandbox.fields import Obj
from sandbox.scheduler.view import ClusterView, NodeView, PodView
from sandbox.selectors import Selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NOT_MATCHED = "node(s) didn't match pod affinity/anti-affinity"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"

Place = tuple[str, str]  # topology key and value, such as ("topology.kubernetes.io/zone", "zone-a")


class AffinityRules:
    """The places one pod must be in, must keep out of, and would like, as the cluster is now."""

    def __init__(self, pod: PodView, cluster: ClusterView) -> None:
        near = (pod.affinity.get("podAffinity") or {}) if pod.affinity else {}
        apart = (pod.affinity.get("podAntiAffinity") or {}) if pod.affinity else {}
        self._near = [
            (term["topologyKey"], _allowed(term, pod, cluster)) for term in near.get(REQUIRED) or ()
        ]
        self._apart = {place for term in apart.get(REQUIRED) or () for place in _places(term, pod, cluster)}
        self._guarded = _guarded_places(pod, cluster)
        self._likes = _weighted(near.get(PREFERRED) or (), pod, cluster, 1)
        self._likes += _weighted(apart.get(PREFERRED) or (), pod, cluster, -1)

    @property
    def demanding(self) -> bool:
        return bool(self._near or self._apart or self._guarded)

    def refusal(self, node: NodeView) -> tuple[str, ...]:
        """Reasons why the node will not do; empty when it does."""
        for key, allowed in self._near:
            if key not in node.labels or (allowed is not None and (key, node.labels[key]) not in allowed):
                return NOT_MATCHED, AFFINITY
        if _is_in(node, self._apart):
            return NOT_MATCHED, ANTI_AFFINITY
        return (NOT_MATCHED, EXISTING) if _is_in(node, self._guarded) else ()

    def liking(self, node: NodeView) -> int:
        """The summed weights of preferences; negative for places the pod would rather keep out of."""
        return sum(weight for places, weight in self._likes if _is_in(node, places))


def term_matches(term: Obj, owner_namespace: str, other: PodView) -> bool:
    """Whether a pod affinity term, written by a pod of `owner_namespace`, speaks of the other pod."""
    namespaces = term.get("namespaces") or ([] if "namespaceSelector" in term else [owner_namespace])
    if namespaces and other.namespace not in namespaces:
        return False
    return term.get("labelSelector") is not None and Selector.from_obj(term["labelSelector"]).matches(
        other.labels
    )


def _places(term: Obj, pod: PodView, cluster: ClusterView) -> set[Place]:
    key = term["topologyKey"]
    return {
        (key, node.labels[key])
        for node in cluster.nodes.values()
        if key in node.labels
        and any(term_matches(term, pod.namespace, other) for other in node.pods.values())
    }


def _allowed(term: Obj, pod: PodView, cluster: ClusterView) -> set[Place] | None:
    """Places with a matching pod; None (anywhere) when the pod is the first and matches its own term."""
    found = _places(term, pod, cluster)
    return None if not found and term_matches(term, pod.namespace, pod) else found


def _guarded_places(pod: PodView, cluster: ClusterView) -> set[Place]:
    """Places where a pod that is there already does not want this one."""
    places: set[Place] = set()
    for guard in cluster.guarded.values():
        node = cluster.node_of(guard.uid)
        for term in guard.anti_affinity_terms() if node is not None else ():
            key = term["topologyKey"]
            if node is not None and key in node.labels and term_matches(term, guard.namespace, pod):
                places.add((key, node.labels[key]))
    return places


def _weighted(
    terms: Iterable[Obj], pod: PodView, cluster: ClusterView, sign: int
) -> list[tuple[set[Place], int]]:
    return [(_places(t["podAffinityTerm"], pod, cluster), sign * t["weight"]) for t in terms]


def _is_in(node: NodeView, places: set[Place]) -> bool:
    return any(node.labels.get(key) == value for key, value in places)
