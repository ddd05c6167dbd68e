"""Topology spread: how unevenly a pod's like may be distributed over zones or nodes."""

from dataclasses import dataclass

from sandbox.fields import Obj
from sandbox.scheduler.matching import suits
from sandbox.scheduler.view import ClusterView, NodeView, PodView
from sandbox.selectors import Selector

SKEWED = "node(s) didn't match pod topology spread constraints"
NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """One constraint with the matching pods counted per topology value."""

    key: str
    max_skew: int
    counts: dict[str, int]
    counts_itself: bool
    hard: bool

    def skew_with(self, value: str) -> int:
        least = min(self.counts.values(), default=0)
        return self.counts.get(value, 0) + int(self.counts_itself) - least


class SpreadRules:
    """The topology spread constraints of one pod, as the cluster is now."""

    def __init__(self, pod: PodView, cluster: ClusterView) -> None:
        constraints = pod.pod["spec"].get("topologySpreadConstraints") or ()
        self._rules = [_rule(constraint, pod, cluster) for constraint in constraints]

    @property
    def demanding(self) -> bool:
        return bool(self._rules)

    def refusal(self, node: NodeView) -> str:
        for rule in self._rules:
            if rule.hard and rule.key not in node.labels:
                return NO_LABEL
            if rule.hard and rule.skew_with(node.labels[rule.key]) > rule.max_skew:
                return SKEWED
        return ""

    def crowding(self, node: NodeView) -> int:
        """Matching pods in the node's places, for constraints that only prefer; fewer is better."""
        soft = [rule for rule in self._rules if not rule.hard]
        return sum(rule.counts.get(node.labels.get(rule.key, ""), 0) for rule in soft)


def _rule(constraint: Obj, pod: PodView, cluster: ClusterView) -> _Rule:
    key = constraint["topologyKey"]
    selector = Selector.from_obj(constraint.get("labelSelector"))
    counts: dict[str, int] = {}
    for node in cluster.nodes.values():
        if key in node.labels and suits(pod.pod["spec"], node.name, node.labels):
            value = node.labels[key]
            alike = sum(_alike(other, pod, selector) for other in node.pods.values())
            counts[value] = counts.get(value, 0) + alike
    hard = constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
    return _Rule(key, constraint.get("maxSkew", 1), counts, selector.matches(pod.labels), hard)


def _alike(other: PodView, pod: PodView, selector: Selector) -> bool:
    return other.namespace == pod.namespace and selector.matches(other.labels)
