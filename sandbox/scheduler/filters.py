"""Why a node cannot take a pod: one filter a reason, in the order and the words of the real scheduler.

A filter looks at one pod and one node. What must be known about the whole cluster first is in `Prepared`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.scheduler.affinity import AffinityRules
from sandbox.scheduler.matching import suits, untolerated
from sandbox.scheduler.spread import SpreadRules
from sandbox.scheduler.view import NodeView, PodView
from sandbox.scheduler.volumes import VolumeRules

UNSCHEDULABLE = "node(s) were unschedulable"
PORTS_TAKEN = "node(s) didn't have free ports for the requested pod ports"
WRONG_AFFINITY = "node(s) didn't match Pod's node affinity"
CORDON_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was worked out once for a pod before it is held against each node."""

    affinity: AffinityRules
    spread: SpreadRules
    volumes: VolumeRules


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a node does not do; `final` when evicting other pods would not help."""

    reasons: tuple[str, ...]
    final: bool = False


def _unschedulable(pod: PodView, node: NodeView, _: Prepared) -> Unfit | None:
    if not node.unschedulable:
        return None
    if untolerated(pod.pod["spec"].get("tolerations") or [], [CORDON_TAINT]) is None:
        return None
    return Unfit((UNSCHEDULABLE,), final=True)


def _resources(pod: PodView, node: NodeView, _: Prepared) -> Unfit | None:
    reasons = []
    if len(node.pods) + 1 > node.allocatable.get("pods", 0):
        reasons.append("Too many pods")
    for name, value in pod.demand.resources.items():
        if value > 0 and value > node.free(name):
            reasons.append(f"Insufficient {name}")
    return Unfit(tuple(reasons)) if reasons else None


def _ports(pod: PodView, node: NodeView, _: Prepared) -> Unfit | None:
    ports = pod.demand.host_ports
    return Unfit((PORTS_TAKEN,)) if ports and node.has_port_of(ports) else None


def _node_affinity(pod: PodView, node: NodeView, _: Prepared) -> Unfit | None:
    if suits(pod.pod["spec"], node.name, node.labels):
        return None
    return Unfit((WRONG_AFFINITY,), final=True)


def _taints(pod: PodView, node: NodeView, _: Prepared) -> Unfit | None:
    if not node.taints:
        return None
    taint = untolerated(pod.pod["spec"].get("tolerations") or [], node.taints)
    if taint is None:
        return None
    text = f"node(s) had taint {{{taint['key']}: {taint.get('value') or ''}}}, that the pod didn't tolerate"
    return Unfit((text,), final=True)


def _volumes(_: PodView, node: NodeView, prepared: Prepared) -> Unfit | None:
    reason = prepared.volumes.refusal(node)
    return Unfit((reason,), final=True) if reason else None


def _spread(_: PodView, node: NodeView, prepared: Prepared) -> Unfit | None:
    reason = prepared.spread.refusal(node)
    return Unfit((reason,)) if reason else None


def _pod_affinity(_: PodView, node: NodeView, prepared: Prepared) -> Unfit | None:
    reasons = prepared.affinity.refusal(node)
    return Unfit(reasons) if reasons else None


Filter = Callable[[PodView, NodeView, Prepared], Unfit | None]


def applicable(pod: PodView, prepared: Prepared) -> tuple[Filter, ...]:
    """The filters that may say no to this pod, in the real scheduler's order; the others are not asked."""
    spec = pod.pod["spec"]
    chosen: list[tuple[Filter, object]] = [
        (_unschedulable, True),
        (_resources, True),
        (_ports, pod.demand.host_ports),
        (_node_affinity, spec.get("nodeSelector") or pod.affinity.get("nodeAffinity")),
        (_taints, True),
        (_volumes, prepared.volumes.demanding),
        (_spread, prepared.spread.demanding),
        (_pod_affinity, prepared.affinity.demanding),
    ]
    return tuple(check for check, needed in chosen if needed)


def first_refusal(
    pod: PodView, node: NodeView, prepared: Prepared, filters: tuple[Filter, ...]
) -> Unfit | None:
    """The first filter that says no, as the real scheduler reports it; None when the node fits."""
    for check in filters:
        unfit = check(pod, node, prepared)
        if unfit is not None:
            return unfit
    return None
