"""What a kubelet says about its node: capacity, conditions, and the events when a condition turns."""

from dataclasses import dataclass, field

from sandbox.fields import Obj

KUBELET_VERSION = "v1.32.0"  # the version that the API tells
NOT_READY = (
    "container runtime is down, PLEG is not healthy: pleg was last seen active 3m10s ago; threshold is 3m0s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The hardware of a node, in Kubernetes quantities."""

    cpu: str = "4"
    memory: str = "8Gi"
    pods: str = "110"
    storage: str = "100Gi"
    architecture: str = "amd64"
    extended: dict[str, str] = field(default_factory=dict)  # such as {"nvidia.com/gpu": "2"}

    def capacity(self) -> Obj:
        base = {"cpu": self.cpu, "memory": self.memory, "pods": self.pods, "ephemeral-storage": self.storage}
        return {**base, **self.extended}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the node is, as its kubelet sees it."""

    ready: bool = True
    memory_pressure: bool = False
    disk_pressure: bool = False


def new_node(name: str, number: int, machine: Machine, labels: dict[str, str]) -> Obj:
    zone = f"zone-{'abc'[number % 3]}"
    base = {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**base, **labels}},
        "spec": {},
    }


def node_status(name: str, address: str, machine: Machine, conditions: list[Obj]) -> Obj:
    capacity = machine.capacity()
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": conditions,
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _node_info(name, machine),
    }


def conditions(health: Health, now: str) -> list[Obj]:
    """The four conditions every kubelet reports, without transition times."""
    memory = (
        ("Insufficient", "insufficient memory")
        if health.memory_pressure
        else ("Sufficient", "sufficient memory")
    )
    return [
        _condition(
            "MemoryPressure",
            health.memory_pressure,
            f"KubeletHas{memory[0]}Memory",
            f"kubelet has {memory[1]} available",
            now,
        ),
        _condition(
            "DiskPressure",
            health.disk_pressure,
            "KubeletHasDiskPressure" if health.disk_pressure else "KubeletHasNoDiskPressure",
            "kubelet has disk pressure" if health.disk_pressure else "kubelet has no disk pressure",
            now,
        ),
        _condition(
            "PIDPressure", False, "KubeletHasSufficientPID", "kubelet has sufficient PID available", now
        ),
        _condition(
            "Ready",
            health.ready,
            "KubeletReady" if health.ready else "KubeletNotReady",
            "kubelet is posting ready status" if health.ready else NOT_READY,
            now,
        ),
    ]


def turned(before: Health, after: Health) -> list[str]:
    """Reasons of the events that tell how the node's health changed."""
    reasons = []
    if before.memory_pressure != after.memory_pressure:
        reasons.append("NodeHasInsufficientMemory" if after.memory_pressure else "NodeHasSufficientMemory")
    if before.disk_pressure != after.disk_pressure:
        reasons.append("NodeHasDiskPressure" if after.disk_pressure else "NodeHasNoDiskPressure")
    if before.ready != after.ready:
        reasons.append("NodeReady" if after.ready else "NodeNotReady")
    return reasons


def _condition(kind: str, holds: bool, reason: str, message: str, now: str) -> Obj:
    status = "True" if holds else "False"
    stamps = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, **stamps, "reason": reason, "message": message}


def _node_info(name: str, machine: Machine) -> Obj:
    return {
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
        "kernelVersion": "6.1.0",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "containerRuntimeVersion": "containerd://1.7.24",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": KUBELET_VERSION,
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }
