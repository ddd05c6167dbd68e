"""What running pods use of cpu and memory, as a metrics server would report it."""

from dataclasses import dataclass

from sandbox.fields import Obj, annotations_of, controller_of
from sandbox.kinds import kind_of
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.pod import PodRun
from sandbox.notes import cpu_millis
from sandbox.state import is_active, is_ready
from sandbox.store import Store

POD = kind_of("Pod")
SHARED_CPU = "sandbox/shared-cpu"


@dataclass(frozen=True, slots=True)
class Usage:
    """Cpu in thousandths of a core, memory in bytes."""

    cpu_millis: int
    memory_bytes: int

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_millis + other.cpu_millis, self.memory_bytes + other.memory_bytes)


def pod_usage(store: Store, run: PodRun) -> dict[str, Usage]:
    """Usage by container; only of those that run."""
    extra = _share_of_load(store, run.pod)
    first = run.containers[0].name
    return {
        container.name: container_usage(container, extra if container.name == first else 0)
        for container in run.everything
        if container.running
    }


def container_usage(container: ContainerRun, extra_millis: int = 0) -> Usage:
    """`extra_millis` of load comes on top; a cpu limit cuts the sum, a memory limit the memory."""
    program = container.program
    cpu, memory = program.needed_cpu_millis + extra_millis, program.used_memory_bytes(container.running_s)
    cpu = min(cpu, program.limit_cpu_millis or cpu)
    return Usage(cpu, min(memory, program.limit_memory_bytes or memory))


def _share_of_load(store: Store, pod: Obj) -> int:
    """The pod's part of a load that its owner's ready pods bear together."""
    load, owner = cpu_millis(annotations_of(pod).get(SHARED_CPU, "")), controller_of(pod)
    if not load or not is_ready(pod):
        return 0
    siblings = store.owned(POD, owner["uid"]) if owner is not None else [pod]
    bearing = sum(is_active(sibling) and is_ready(sibling) for sibling in siblings)
    return load // max(1, bearing)
