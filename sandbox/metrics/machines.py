"""Families of the machines under the nodes, as node-exporter names them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sandbox.amounts import amount, whole
from sandbox.fields import Obj, get_in
from sandbox.kinds import kind_of
from sandbox.kubelet.kubelet import Kubelet
from sandbox.kubelet.surroundings import Surroundings
from sandbox.kubelet.usage import Usage, pod_usage
from sandbox.metrics.family import Down, Family, Group, Reading, counter, gauge, taken
from sandbox.metrics.meter import Meter, wobble
from sandbox.state import condition_is, created_at
from sandbox.store import Store

NODE = kind_of("Node")
SYSTEM_CORES = 0.12  # what the system itself uses of each node
SYSTEM_BYTES = 600 * 2**20
PRESSED_SHARE = 0.03  # of memory or disk that is left while the node says that it is short of it
USED_DISK_SHARE = 0.35
ROOT = {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/"}
MODES = {"user": 0.66, "system": 0.27, "softirq": 0.02, "iowait": 0.05}  # shares of busy time
BYTES_PER_INODE = 16384
FILES_MAXIMUM = 9223372036854775807.0
RECEIVED_BYTES_PER_S = 40_000.0
PACKET_BYTES = 600.0
ACCESSES_PER_S = 20.0  # to a disk in ordinary use


@dataclass(frozen=True, slots=True)
class MachineUse:
    """A machine at a moment; `grow` turns a rate into a counter."""

    name: str
    at_s: float
    booted_at: float
    cores: int
    busy_cores: float
    memory_bytes: float
    free_memory_bytes: float
    disk_bytes: float
    free_disk_bytes: float
    around: Surroundings
    grow: Callable[[str, float], float]


class MachineSource:
    """Measures the machine of one node."""

    def __init__(self, store: Store, kubelet: Kubelet) -> None:
        self._store = store
        self._kubelet = kubelet
        self._meter = Meter()

    def groups(self) -> Iterator[Group]:
        """Raises Down while the node does not answer, or is not there."""
        node = self._store.find(NODE, None, self._kubelet.host.name)
        if node is None or not self._kubelet.host.reachable:
            raise Down
        yield Group("machine", None, partial(taken, MACHINE_FAMILIES, self._use(node)))

    def _use(self, node: Obj) -> MachineUse:
        name, now = self._kubelet.host.name, self._kubelet.host.clock.time()
        capacity = get_in(node, ("status", "capacity"), {})
        used, booted = self._used(), created_at(node)
        cores = max(1, whole(capacity.get("cpu", "1")))
        busy = (SYSTEM_CORES + used.cpu_millis / 1000) * (1 + 0.05 * wobble(f"{name}/cpu", now))
        memory, disk = float(amount(capacity.get("memory", "0"))), _disk(capacity)
        held = min(memory, used.memory_bytes + SYSTEM_BYTES * (1 + 0.05 * wobble(f"{name}/memory", now)))
        short, full = condition_is(node, "MemoryPressure"), condition_is(node, "DiskPressure")
        return MachineUse(
            name=name,
            at_s=now,
            booted_at=booted,
            cores=cores,
            busy_cores=min(busy, float(cores)),
            memory_bytes=memory,
            free_memory_bytes=memory * PRESSED_SHARE if short else memory - held,
            disk_bytes=disk,
            free_disk_bytes=disk * (PRESSED_SHARE if full else 1 - USED_DISK_SHARE),
            around=self._kubelet.host.around,
            grow=lambda what, per_s: self._meter.total(what, per_s, at_s=now, since_s=booted),
        )

    def _used(self) -> Usage:
        runs = self._kubelet.pods.values()
        return sum((use for run in runs for use in pod_usage(self._store, run).values()), Usage(0, 0))


def _disk(capacity: Mapping[str, str]) -> float:
    return float(amount(capacity.get("ephemeral-storage", "0")))


def _cpu(use: MachineUse) -> Iterator[Reading]:
    busy = use.busy_cores / use.cores
    for number in range(use.cores):
        for mode, share in {**{m: s * busy for m, s in MODES.items()}, "idle": 1 - busy}.items():
            yield Reading({"cpu": str(number), "mode": mode}, use.grow(f"{number}/{mode}", share))


def _plain(
    read: Callable[[MachineUse], float], labels: Mapping[str, str] | None = None
) -> Callable[[MachineUse], Iterator[Reading]]:
    return lambda use: iter((Reading(labels or {}, read(use)),))


def _grown(
    what: str, read: Callable[[MachineUse], float], labels: Mapping[str, str] | None = None
) -> Callable[[MachineUse], Iterator[Reading]]:
    return lambda use: iter((Reading(labels or {}, use.grow(what, read(use))),))


def _load(factor: float) -> Callable[[MachineUse], Iterator[Reading]]:
    """Load follows how busy the machine is; a fully busy one has waiting processes besides."""
    return _plain(lambda u: round(u.busy_cores * factor * (1.6 if u.busy_cores >= u.cores else 1.0), 2))


def _lost_packets_per_s(around: Surroundings) -> float:
    return around.net_loss_ratio * RECEIVED_BYTES_PER_S / PACKET_BYTES


def _disk_load(use: MachineUse) -> float:
    """Requests at work at the disk at a time: few, unless each of them takes long."""
    return 0.01 + 0.02 * use.busy_cores / use.cores + ACCESSES_PER_S * use.around.disk_delay_s


def _names(use: MachineUse) -> Iterator[Reading]:
    labels = {"nodename": use.name, "sysname": "Linux", "machine": "x86_64", "release": "6.1.0"}
    yield Reading(labels, 1.0)


ETH0, VDA = {"device": "eth0"}, {"device": "vda"}
MACHINE_FAMILIES: tuple[Family[MachineUse], ...] = (
    counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", _cpu),
    gauge("node_load1", "1m load average.", _load(1.05)),
    gauge("node_load5", "5m load average.", _load(1.0)),
    gauge("node_load15", "15m load average.", _load(0.97)),
    gauge(
        "node_memory_MemTotal_bytes",
        "Memory information field MemTotal_bytes.",
        _plain(lambda u: u.memory_bytes),
    ),
    gauge(
        "node_memory_MemAvailable_bytes",
        "Memory information field MemAvailable_bytes.",
        _plain(lambda u: u.free_memory_bytes),
    ),
    gauge(
        "node_memory_MemFree_bytes",
        "Memory information field MemFree_bytes.",
        _plain(lambda u: u.free_memory_bytes * 0.6),
    ),
    gauge(
        "node_memory_Cached_bytes",
        "Memory information field Cached_bytes.",
        _plain(lambda u: u.free_memory_bytes * 0.35),
    ),
    gauge(
        "node_memory_Buffers_bytes",
        "Memory information field Buffers_bytes.",
        _plain(lambda u: u.free_memory_bytes * 0.05),
    ),
    gauge("node_filesystem_size_bytes", "Filesystem size in bytes.", _plain(lambda u: u.disk_bytes, ROOT)),
    gauge(
        "node_filesystem_avail_bytes",
        "Filesystem space available to non-root users in bytes.",
        _plain(lambda u: u.free_disk_bytes, ROOT),
    ),
    gauge(
        "node_filesystem_free_bytes",
        "Filesystem free space in bytes.",
        _plain(lambda u: u.free_disk_bytes, ROOT),
    ),
    gauge(
        "node_filesystem_files",
        "Filesystem total file nodes.",
        _plain(lambda u: float(u.disk_bytes // BYTES_PER_INODE), ROOT),
    ),
    gauge(
        "node_filesystem_files_free",
        "Filesystem total free file nodes.",
        _plain(lambda u: float(u.disk_bytes * 0.9 // BYTES_PER_INODE), ROOT),
    ),
    gauge("node_filesystem_readonly", "Filesystem read-only status.", _plain(lambda u: 0.0, ROOT)),
    counter(
        "node_network_receive_bytes_total",
        "Network device statistic receive_bytes.",
        _grown("in", lambda u: RECEIVED_BYTES_PER_S * (1 + 0.2 * wobble(f"{u.name}/in", u.at_s)), ETH0),
    ),
    counter(
        "node_network_transmit_bytes_total",
        "Network device statistic transmit_bytes.",
        _grown("out", lambda u: RECEIVED_BYTES_PER_S * (1 + 0.2 * wobble(f"{u.name}/out", u.at_s)), ETH0),
    ),
    counter(
        "node_network_receive_packets_total",
        "Network device statistic receive_packets.",
        _grown("packets in", lambda u: RECEIVED_BYTES_PER_S / PACKET_BYTES, ETH0),
    ),
    counter(
        "node_network_transmit_packets_total",
        "Network device statistic transmit_packets.",
        _grown("packets out", lambda u: RECEIVED_BYTES_PER_S / PACKET_BYTES, ETH0),
    ),
    counter(
        "node_network_receive_errs_total",
        "Network device statistic receive_errs.",
        _grown("errs in", lambda u: _lost_packets_per_s(u.around), ETH0),
    ),
    counter(
        "node_network_transmit_errs_total",
        "Network device statistic transmit_errs.",
        _grown("errs out", lambda u: _lost_packets_per_s(u.around), ETH0),
    ),
    counter(
        "node_disk_io_time_seconds_total",
        "Total seconds spent doing I/Os.",
        _grown("disk", lambda u: min(1.0, _disk_load(u)), VDA),
    ),
    counter(
        "node_disk_io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        _grown("disk weighted", lambda u: 1.5 * _disk_load(u), VDA),
    ),
    gauge("node_filefd_allocated", "File descriptor statistics: allocated.", _plain(lambda u: 1600.0)),
    gauge("node_filefd_maximum", "File descriptor statistics: maximum.", _plain(lambda u: FILES_MAXIMUM)),
    gauge("node_boot_time_seconds", "Node boot time, in unixtime.", _plain(lambda u: u.booted_at)),
    gauge(
        "node_time_seconds",
        "System time in seconds since epoch (1970).",
        _plain(lambda u: u.at_s - u.around.clock_behind_s),
    ),
    gauge(
        "node_timex_offset_seconds",
        "Time offset in between local system and reference clock.",
        _plain(lambda u: -u.around.clock_behind_s),
    ),
    gauge(
        "node_timex_sync_status",
        "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
        _plain(lambda u: float(u.around.clock_behind_s == 0)),
    ),
    gauge("node_uname_info", "Labeled system information as provided by the uname system call.", _names),
)
