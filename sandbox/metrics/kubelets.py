"""Families that a kubelet tells of itself and of mounted volumes.

How full a volume is, its claim says by annotations: `sandbox/volume-used` (an amount, default a fifth of the
capacity) and `sandbox/volume-grows` (an amount a minute).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sandbox.amounts import amount
from sandbox.fields import Obj, annotations_of, get_in, name_of, namespace_of, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.kubelet import Kubelet
from sandbox.metrics.family import Down, Family, Group, Reading, gauge, taken
from sandbox.metrics.meter import Meter
from sandbox.notes import size_bytes
from sandbox.store import Store

CLAIM = kind_of("PersistentVolumeClaim")
USED, GROWS = "sandbox/volume-used", "sandbox/volume-grows"
DEFAULT_SHARE = 0.2  # of the capacity
MINUTE_S = 60.0
BYTES_PER_INODE = 16384  # as ext4 lays out a filesystem


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """A mounted claim and how full it is."""

    labels: dict[str, str]
    capacity_bytes: float
    used_bytes: float


@dataclass(frozen=True, slots=True)
class KubeletState:
    """What a kubelet says of itself."""

    node: str
    pods: int
    containers: int


class KubeletSource:
    """Reads one kubelet."""

    def __init__(self, store: Store, kubelet: Kubelet) -> None:
        self._store = store
        self._kubelet = kubelet
        self._meter = Meter()

    def groups(self) -> Iterator[Group]:
        """Raises Down while the node does not answer."""
        if not self._kubelet.host.reachable:
            raise Down
        yield Group("kubelet", None, partial(taken, KUBELET_FAMILIES, self._state()))
        for claim in self._mounted():
            use = self._use(claim)
            if use is not None:
                yield Group(uid_of(claim), None, partial(taken, VOLUME_FAMILIES, use))

    def _state(self) -> KubeletState:
        runs = self._kubelet.pods.values()
        running = [sum(container.running for container in run.everything) for run in runs]
        return KubeletState(self._kubelet.host.name, sum(count > 0 for count in running), sum(running))

    def _mounted(self) -> list[Obj]:
        """Claims of pods that run here."""
        names = {
            (namespace_of(run.pod), volume["persistentVolumeClaim"]["claimName"])
            for run in self._kubelet.pods.values()
            for volume in run.pod["spec"].get("volumes") or ()
            if "persistentVolumeClaim" in volume and any(container.running for container in run.containers)
        }
        found = (self._store.find(CLAIM, *name) for name in sorted(names))
        return [claim for claim in found if claim is not None]

    def _use(self, claim: Obj) -> VolumeUse | None:
        size = get_in(claim, ("status", "capacity", "storage"))
        if size is None:
            return None
        capacity, notes = float(amount(size)), annotations_of(claim)
        grown = self._grown(claim, (size_bytes(notes.get(GROWS, "0")) or 0) / MINUTE_S)
        noted = size_bytes(notes[USED]) if USED in notes else None
        used = capacity * DEFAULT_SHARE if noted is None else float(noted)
        labels = {"namespace": namespace_of(claim), "persistentvolumeclaim": name_of(claim)}
        return VolumeUse(labels, capacity, min(capacity, used + grown))

    def _grown(self, claim: Obj, per_s: float) -> float:
        now = self._kubelet.host.clock.time()
        return self._meter.total(uid_of(claim), per_s, at_s=now, since_s=now)


def _bytes(read: Callable[[VolumeUse], float]) -> Callable[[VolumeUse], Iterator[Reading]]:
    return lambda use: iter((Reading(use.labels, read(use)),))


def _inodes(read: Callable[[VolumeUse], float]) -> Callable[[VolumeUse], Iterator[Reading]]:
    return lambda use: iter((Reading(use.labels, float(read(use) // BYTES_PER_INODE)),))


VOLUME_FAMILIES: tuple[Family[VolumeUse], ...] = (
    gauge(
        "kubelet_volume_stats_capacity_bytes",
        "Capacity in bytes of the volume",
        _bytes(lambda u: u.capacity_bytes),
    ),
    gauge(
        "kubelet_volume_stats_used_bytes",
        "Number of used bytes in the volume",
        _bytes(lambda u: u.used_bytes),
    ),
    gauge(
        "kubelet_volume_stats_available_bytes",
        "Number of available bytes in the volume",
        _bytes(lambda u: u.capacity_bytes - u.used_bytes),
    ),
    gauge(
        "kubelet_volume_stats_inodes",
        "Maximum number of inodes in the volume",
        _inodes(lambda u: u.capacity_bytes),
    ),
    gauge(
        "kubelet_volume_stats_inodes_used",
        "Number of used inodes in the volume",
        _inodes(lambda u: u.used_bytes / 8),
    ),
    gauge(
        "kubelet_volume_stats_inodes_free",
        "Number of free inodes in the volume",
        _inodes(lambda u: u.capacity_bytes - u.used_bytes / 8),
    ),
)
KUBELET_FAMILIES: tuple[Family[KubeletState], ...] = (
    gauge(
        "kubelet_node_name",
        "The node's name. The count is always 1.",
        lambda s: (Reading({"node": s.node}, 1.0),),
    ),
    gauge(
        "kubelet_running_pods",
        "Number of pods that have a running pod sandbox",
        lambda s: (Reading({}, float(s.pods)),),
    ),
    gauge(
        "kubelet_running_containers",
        "Number of containers currently running",
        lambda s: (Reading({"container_state": "running"}, float(s.containers)),),
    ),
)
