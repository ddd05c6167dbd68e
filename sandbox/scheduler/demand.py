"""What a pod asks of a node: resources, ports. Numbers only; whether it fits is the filters' affair."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.amounts import millis, whole
from sandbox.fields import Obj

ASSUMED_CPU_MILLIS = 100  # what scoring assumes of a container that asks for nothing
ASSUMED_MEMORY_BYTES = 200 * 1024 * 1024
WILDCARD = "0.0.0.0"  # noqa: S104 - stands for every address of a node; nothing is bound to it
MILLI_RESOURCES = ("cpu",)


def units(resource: str, quantity: str | int | float) -> int:
    """A quantity as a whole number: thousandths for cpu, single units for the rest."""
    return millis(quantity) if resource in MILLI_RESOURCES else whole(quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Resources by name in whole units, and the host ports taken as (ip, protocol, port)."""

    resources: dict[str, int] = field(default_factory=dict)
    scored_cpu_millis: int = 0
    scored_memory_bytes: int = 0
    host_ports: frozenset[tuple[str, str, int]] = frozenset()

    @classmethod
    def of(cls, pod: Obj) -> "Demand":
        spec = pod["spec"]
        containers = spec.get("containers") or ()
        return cls(
            resources=pod_requests(spec),
            scored_cpu_millis=sum(_scored(c, "cpu", ASSUMED_CPU_MILLIS) for c in containers),
            scored_memory_bytes=sum(_scored(c, "memory", ASSUMED_MEMORY_BYTES) for c in containers),
            host_ports=_host_ports(spec),
        )


def pod_requests(spec: Obj) -> dict[str, int]:
    """The sum of the containers' requests and sidecars', or the largest init container's if that is more."""
    inits = spec.get("initContainers") or ()
    sidecars = [c for c in inits if c.get("restartPolicy") == "Always"]
    total = _sum([*(spec.get("containers") or ()), *sidecars])
    for container in inits:
        if container.get("restartPolicy") != "Always":
            for name, value in requests(container).items():
                total[name] = max(total.get(name, 0), value)
    for name, quantity in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, 0) + units(name, quantity)
    return total


def requests(container: Obj) -> dict[str, int]:
    """A container's requests; a limit without a request counts as one."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: units(name, quantity) for name, quantity in asked.items()}


def _sum(containers: Iterable[Obj]) -> dict[str, int]:
    total: dict[str, int] = {}
    for container in containers:
        for name, value in requests(container).items():
            total[name] = total.get(name, 0) + value
    return total


def _scored(container: Obj, name: str, assumed: int) -> int:
    return requests(container).get(name, assumed)


def _host_ports(spec: Obj) -> frozenset[tuple[str, str, int]]:
    ports = set()
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("containerPort", 0) if spec.get("hostNetwork") else port.get("hostPort", 0)
            if number:
                ports.add((port.get("hostIP") or WILDCARD, port.get("protocol", "TCP"), number))
    return frozenset(ports)
