"""A node that runs out of memory gives up the pods that use most beyond their requests."""

from dataclasses import replace

from sandbox.amounts import whole
from sandbox.fields import Obj
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.node_report import Health, Machine
from sandbox.kubelet.pod import PodRun
from sandbox.kubelet.usage import container_usage
from sandbox.scheduler.demand import pod_requests, requests

THRESHOLD_BYTES = 100 * 1024 * 1024  # `memory.available` below which a kubelet evicts
LOOK_S = 10.0  # between two looks; also how long pressure is reported after it ended, at least
REASON = "Evicted"


def memory_used(runs: list[PodRun]) -> int:
    return sum(_run_memory(run) for run in runs)


def is_short_of_memory(machine: Machine, runs: list[PodRun]) -> bool:
    return whole(machine.memory) - memory_used(runs) < THRESHOLD_BYTES


def with_pressure(health: Health, *, pressure: bool) -> Health:
    return replace(health, memory_pressure=pressure)


def next_victim(runs: list[PodRun]) -> PodRun | None:
    """The pod to give up: beyond its request, of low priority, far beyond; in this order."""
    candidates = [run for run in runs if any(c.running for c in run.containers) and not run.stopping]
    return max(candidates, key=_eviction_rank, default=None)


def eviction_message(run: PodRun) -> str:
    parts = ["The node was low on resource: memory. "]
    for container in run.containers:
        if container.running:
            parts.append(_usage_text(container))
    return "".join(parts)


def _eviction_rank(run: PodRun) -> tuple[bool, int, int]:
    excess = _run_memory(run) - pod_requests(run.pod["spec"]).get("memory", 0)
    return excess > 0, -(run.pod["spec"].get("priority") or 0), excess


def _run_memory(run: PodRun) -> int:
    return sum(container_usage(container).memory_bytes for container in run.everything if container.running)


def _usage_text(container: ContainerRun) -> str:
    spec: Obj = container.spec
    used_kib = container_usage(container).memory_bytes // 1024
    asked = requests(spec).get("memory", 0)
    asked_text = f"{asked // 1024}Ki" if asked else "0"
    return f"Container {container.name} was using {used_kib}Ki, which exceeds its request of {asked_text}. "
