"""What pods ask of a node: their requests added up as the scheduler adds them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_servers.kube.amounts import cpu, memory
from mcp_servers.kube.doc import Doc

DONE = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Load:
    """Requested cores and bytes."""

    cpu_cores: float
    memory_bytes: int

    def __add__(self, other: "Load") -> "Load":
        return Load(self.cpu_cores + other.cpu_cores, self.memory_bytes + other.memory_bytes)

    def at_least(self, other: "Load") -> "Load":
        """The larger of both in each resource."""
        return Load(max(self.cpu_cores, other.cpu_cores), max(self.memory_bytes, other.memory_bytes))


NOTHING = Load(0.0, 0)


def load_of(pod: Doc) -> Load:
    """A pod's effective request: its containers together, or its largest init container alone."""
    main = sum(map(_asked, pod.parts("spec", "containers")), NOTHING)
    for container in pod.parts("spec", "initContainers"):
        main = main.at_least(_asked(container))
    return main


def loads_of(pods: Sequence[Doc]) -> Load:
    """The requests of all pods that are not done."""
    return sum((load_of(pod) for pod in pods if pod.text("status", "phase") not in DONE), NOTHING)


def _asked(container: Doc) -> Load:
    return Load(cpu(container, "requests") or 0.0, memory(container, "requests") or 0)
