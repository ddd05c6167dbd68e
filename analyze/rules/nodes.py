"""Nodes that take no pods."""

import re

from analyze.scene import Scene, unique
from domain.decision import Hypothesis
from utils.words import counted

UNSCHEDULABLE = re.compile(
    r"node\(s\) were unschedulable|node\(s\) had untolerated taint.*unschedulable", re.IGNORECASE
)
RUNTIME = re.compile(r"container runtime|PLEG", re.IGNORECASE)
OTHER_CAUSE = re.compile(
    r"Insufficient \S+|didn't match|untolerated taint (?!.*unschedulable)", re.IGNORECASE
)


def cordoned(scene: Scene) -> list[Hypothesis]:
    """Pods wait because the nodes that could run them are cordoned."""
    waiting = [pod for pod in scene.pods if UNSCHEDULABLE.search(pod.fact.unschedulable)]
    closed = [node for node in scene.nodes if node.fact.cordoned]
    if not waiting or not closed:
        return []
    announced = [node for node in closed if node.fact.maintenance]
    other = [pod for pod in waiting if OTHER_CAUSE.search(pod.fact.unschedulable)]
    names = ", ".join(node.fact.target.name for node in closed)
    reasons = [
        f"{counted(len(waiting), 'pod')} waiting: {waiting[0].fact.unschedulable}",
        f"cordoned: {names}",
    ]
    if announced:
        reasons.append(f"maintenance is announced: {announced[0].fact.maintenance}")
    return [
        Hypothesis(
            cause="nodes-cordoned",
            title=f"Pods cannot be placed because {names} take none",
            target=closed[0].fact.target,
            confidence=0.9 - (0.15 if other else 0.0),
            reasons=tuple(reasons),
            evidence_for=unique([*(pod.id for pod in waiting), *(node.id for node in closed)]),
            evidence_against=unique(pod.id for pod in other),
        )
    ]


def gone(scene: Scene) -> list[Hypothesis]:
    """A node that is not ready explains what ran on it; only those that the incident is about count."""
    places = {pod.fact.node for pod in scene.pods if not pod.fact.ready} | {scene.target.name}
    return [
        Hypothesis(
            cause=cause,
            title=f"{node.fact.target} is not ready",
            target=node.fact.target,
            confidence=0.9,
            reasons=(node.fact.ready_message or "its kubelet says nothing",),
            evidence_for=(node.id,),
        )
        for node in scene.nodes
        if not node.fact.ready and node.fact.target.name in places
        for cause in [_why_not_ready(node.fact.ready_message)]
    ]


def _why_not_ready(message: str) -> str:
    return "containerd-down" if RUNTIME.search(message) else "kubelet-down"
