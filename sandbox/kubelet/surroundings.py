"""What a node does to the programs on it: its processors, memory, disk, network and clock.

Faults of the machine are noted at the node by annotations, which docs/sandbox-annotations.md lists. What
becomes of them is worked out where it shows: in programs, in requests, in the node's metrics.
"""

from dataclasses import dataclass

from sandbox.amounts import whole
from sandbox.fields import Obj, annotations_of, labels_of
from sandbox.notes import number, ratio, words

DISK_ERRORS = "sandbox/disk-errors"
DISK_DELAY = "sandbox/disk-delay"
NET_DELAY = "sandbox/net-delay"
NET_LOSS = "sandbox/net-loss"
CLOCK_BEHIND = "sandbox/clock-behind"
NO_SUCH_HOST = "sandbox/no-such-host"
NEVER_RESOLVED = ".invalid"  # a domain that no resolver knows, by RFC 2606


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A node as its programs feel it; a healthy one by default."""

    architecture: str = "amd64"
    memory_bytes: int = 0  # 0: unknown
    disk_fails: bool = False
    disk_delay_s: float = 0.0  # that each access takes longer
    net_delay_s: float = 0.0  # that each request from or to another node takes longer
    net_loss_ratio: float = 0.0  # of requests from or to another node
    clock_behind_s: float = 0.0
    unknown_hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, node: Obj, memory: str) -> "Surroundings":
        notes = annotations_of(node)
        return cls(
            architecture=labels_of(node).get("kubernetes.io/arch", "amd64"),
            memory_bytes=whole(memory),
            disk_fails=notes.get(DISK_ERRORS) == "true",
            disk_delay_s=number(notes.get(DISK_DELAY, "")) or 0.0,
            net_delay_s=number(notes.get(NET_DELAY, "")) or 0.0,
            net_loss_ratio=ratio(notes.get(NET_LOSS, "")),
            clock_behind_s=number(notes.get(CLOCK_BEHIND, "")) or 0.0,
            unknown_hosts=tuple(words(notes.get(NO_SUCH_HOST, ""))),
        )

    def resolves(self, host: str) -> bool:
        """Whether the node's own resolver knows a host outside the cluster."""
        return host not in self.unknown_hosts and not host.endswith(NEVER_RESOLVED)


HEALTHY = Surroundings()
