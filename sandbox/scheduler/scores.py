"""Which of the fitting nodes is best: room left, balance, spreading an owner's pods, preferences."""

from sandbox.scheduler.filters import Prepared
from sandbox.scheduler.matching import preference, untolerated
from sandbox.scheduler.view import NodeView, PodView

SPREAD_WEIGHT = 2  # the real scheduler's weight for spreading
FULL_MARK = 100.0


def score(pod: PodView, node: NodeView, prepared: Prepared) -> float:
    """Higher is better; each part is worth up to 100 before its weight."""
    total = _room(pod, node) + SPREAD_WEIGHT * _spreading(pod, node, prepared)
    if node.taints:
        total += _without_soft_taints(pod, node)
    if pod.affinity:
        total += min(preference(pod.pod["spec"], node.name, node.labels), FULL_MARK)
        total += max(-FULL_MARK, min(prepared.affinity.liking(node), FULL_MARK))
    return total


def _room(pod: PodView, node: NodeView) -> float:
    """Least allocated plus balanced allocation of cpu and memory."""
    cpu = _share(node.scored_cpu_millis + pod.demand.scored_cpu_millis, node.allocatable.get("cpu", 0))
    memory = _share(
        node.scored_memory_bytes + pod.demand.scored_memory_bytes, node.allocatable.get("memory", 0)
    )
    least = (2 - cpu - memory) / 2
    balanced = 1 - abs(cpu - memory)
    return (least + balanced) * FULL_MARK


def _share(used: int, allocatable: int) -> float:
    return min(1.0, used / allocatable) if allocatable else 1.0


def _spreading(pod: PodView, node: NodeView, prepared: Prepared) -> float:
    siblings = node.owners.get(pod.owner_uid, 0) if pod.owner_uid else 0
    return FULL_MARK / (1 + siblings + prepared.spread.crowding(node))


def _without_soft_taints(pod: PodView, node: NodeView) -> float:
    taint = untolerated(pod.pod["spec"].get("tolerations") or [], node.taints, ("PreferNoSchedule",))
    return 0.0 if taint is not None else FULL_MARK
