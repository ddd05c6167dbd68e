"""Containers that need more than they are given."""

from analyze.scene import Cited, Scene, unique
from domain.cluster import ContainerState, PodState
from domain.decision import Hypothesis
from utils.words import counted


def killed_for_memory(scene: Scene) -> list[Hypothesis]:
    """Containers with a memory limit were ended by the kernel for reaching it."""
    workload = scene.workload
    killed = [(pod, c) for pod, c in scene.containers() if _killed(c)]
    if workload is None or not killed:
        return []
    pressed = [node.id for node in scene.nodes if "MemoryPressure" in node.fact.pressures]
    limits = sorted({c.memory_limit_bytes for _, c in killed if c.memory_limit_bytes})
    said = ", ".join(f"{limit / 2**20:g} MiB" for limit in limits)
    return [
        Hypothesis(
            cause="oom-limit-low",
            title=f"The memory limit of {workload.fact.target} is too low",
            target=workload.fact.target,
            confidence=(0.92 if limits else 0.6) - (0.2 if pressed else 0.0),
            reasons=(
                f"{counted(len(killed), 'container')} ended with OOMKilled: {_restarts(killed)}",
                f"their memory limit is {said}" if said else "they have no memory limit of their own",
            ),
            evidence_for=unique([*(pod.id for pod, _ in killed), workload.id]),
            evidence_against=unique(pressed),
        )
    ]


def _killed(container: ContainerState) -> bool:
    if container.reason == "OOMKilled":
        return True
    return container.last_reason == "OOMKilled" and not container.ready


def _restarts(killed: list[tuple[Cited[PodState], ContainerState]]) -> str:
    return ", ".join(f"{pod.fact.target.name}/{c.name} {c.restart_count} restarts" for pod, c in killed[:3])
