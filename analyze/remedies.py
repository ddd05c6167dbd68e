"""From a cause to the one change that mends it: what an engineer would do first, with bounds.

A remedy gives None when it would be a guess; then a person is called.
"""

from collections.abc import Callable

from analyze.rules.rollouts import blames_rollout
from analyze.rules.scaling import replicas_before
from analyze.scene import Scene, earlier_revision
from domain.decision import Action, Hypothesis
from utils.quantity import memory_text

Remedy = Callable[[Scene, Hypothesis, str], Action | None]


def remedy(scene: Scene, hypothesis: Hypothesis, key: str) -> Action | None:
    """The action for this cause under idempotency key `key`; None when none is known or safe."""
    part = next((part for part in scene.each_workload() if part.target == hypothesis.target), scene)
    known = REMEDIES.get(hypothesis.cause)
    if known is None and blames_rollout(part, hypothesis):
        known = _roll_back
    return known(part, hypothesis, key) if known else None


def _roll_back(scene: Scene, hypothesis: Hypothesis, key: str) -> Action | None:
    workload = scene.workload
    earlier = earlier_revision(workload.fact) if workload else None
    if earlier is None:
        return None
    return Action(
        key=key,
        tool="rollback_workload",
        target=hypothesis.target,
        arguments={"to_revision": earlier.number},
        reason=hypothesis.title,
        expects=f"all pods run revision {earlier.number}'s template and are ready",
    )


def _raise_memory(scene: Scene, hypothesis: Hypothesis, key: str) -> Action | None:
    killed = [
        c for _, c in scene.containers() if "OOMKilled" in (c.reason, c.last_reason) and c.memory_limit_bytes
    ]
    if not killed:
        return None
    container = killed[0]
    limit = memory_text(2 * (container.memory_limit_bytes or 0))
    return Action(
        key=key,
        tool="set_resources",
        target=hypothesis.target,
        arguments={"container": container.name, "memory_limit": limit},
        reason=hypothesis.title,
        expects=f"no container is killed with a limit of {limit}",
    )


def _scale_back(scene: Scene, hypothesis: Hypothesis, key: str) -> Action | None:
    workload = scene.workload
    count, _ = replicas_before(scene, workload) if workload else (None, ())
    if not count:
        return None
    return Action(
        key=key,
        tool="scale_workload",
        target=hypothesis.target,
        arguments={"replicas": count},
        reason=hypothesis.title,
        expects=f"{count} replicas are ready",
    )


def _uncordon(scene: Scene, hypothesis: Hypothesis, key: str) -> Action | None:
    closed = [node.fact for node in scene.nodes if node.fact.cordoned and node.fact.ready]
    if not closed or any(node.maintenance for node in closed):
        return None  # somebody is at work there, or the node would not run pods anyway
    return Action(
        key=key,
        tool="uncordon_node",
        target=closed[0].target,
        reason=hypothesis.title,
        expects="the waiting pods are placed and become ready",
    )


REMEDIES: dict[str, Remedy] = {
    "image-nonexistent": _roll_back,
    "image-bad-version": _roll_back,
    "oom-limit-low": _raise_memory,
    "scaled-to-zero": _scale_back,
    "nodes-cordoned": _uncordon,
}
