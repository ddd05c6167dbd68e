"""Whom to evict so that a more important pod fits: the fewest and least important pods of one node."""

from sandbox.scheduler.filters import Prepared, applicable, first_refusal
from sandbox.scheduler.nominations import copy_of
from sandbox.scheduler.view import NodeView, PodView
from sandbox.state import created_at

Choice = tuple[NodeView, list[PodView]]


def choose_victims(pod: PodView, candidates: list[NodeView], prepared: Prepared) -> Choice | None:
    """The node on which evictions hurt least, with its victims; None when they would not help."""
    if pod.pod["spec"].get("preemptionPolicy") == "Never":
        return None
    choices = [(node, victims) for node in candidates if (victims := _victims(pod, node, prepared))]
    return min(choices, key=_harm, default=None)


def _victims(pod: PodView, node: NodeView, prepared: Prepared) -> list[PodView]:
    """Pods to evict from the node: all less important ones, less those that may stay. Empty when no help."""
    lesser = [other for other in node.pods.values() if other.priority < pod.priority]
    if not lesser:
        return []
    trial = copy_of(node)
    for other in lesser:
        trial.remove(other.uid)
    filters = applicable(pod, prepared)
    if first_refusal(pod, trial, prepared, filters) is not None:
        return []
    victims = []
    for other in sorted(lesser, key=lambda view: (-view.priority, created_at(view.pod))):
        trial.add(other)
        if first_refusal(pod, trial, prepared, filters) is not None:
            trial.remove(other.uid)
            victims.append(other)
    return victims


def _harm(choice: Choice) -> tuple[int, int, int]:
    priorities = [victim.priority for victim in choice[1]]
    return max(priorities), sum(priorities), len(priorities)
