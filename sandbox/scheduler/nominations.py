"""Pods for which others were evicted, and the nodes whose room is kept for them. It evicts nobody."""

from dataclasses import replace

from sandbox.scheduler.view import NodeView, PodView


class Nominations:
    """Which pod waits for room on which node."""

    def __init__(self) -> None:
        self._node_of: dict[str, str] = {}
        self._waiting: dict[str, dict[str, PodView]] = {}  # pods by uid, by node

    def node_of(self, uid: str) -> str:
        """The node that was cleared for the pod; empty when there is none."""
        return self._node_of.get(uid, "")

    def add(self, pod: PodView, node: str) -> None:
        self.drop(pod.uid)
        self._node_of[pod.uid] = node
        self._waiting.setdefault(node, {})[pod.uid] = pod

    def drop(self, uid: str) -> bool:
        """Gives the room up; says whether any was kept."""
        node = self._node_of.pop(uid, None)
        return node is not None and self._waiting[node].pop(uid, None) is not None

    def lesser_than(self, pod: PodView, node: str) -> list[PodView]:
        """Those who lose their room when a more important pod clears the same node."""
        return [other for other in self._waiting.get(node, {}).values() if other.priority < pod.priority]

    def as_seen_by(self, pod: PodView, node: NodeView) -> NodeView:
        """The node as full as it will be with those that room is kept for and that are no less important."""
        waiting = self._waiting.get(node.name, {}).values()
        ahead = [other for other in waiting if other.uid != pod.uid and other.priority >= pod.priority]
        if not ahead:
            return node
        fuller = copy_of(node)
        for other in ahead:
            fuller.add(other)
        return fuller


def copy_of(node: NodeView) -> NodeView:
    """A view to try things on."""
    return replace(node, used=dict(node.used), pods=dict(node.pods), owners=dict(node.owners))
