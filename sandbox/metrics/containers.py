"""Families of running containers, as cAdvisor in the kubelet names them, from the kubelet's usage model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sandbox.fields import name_of, namespace_of, uid_of
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.kubelet import Kubelet
from sandbox.kubelet.pod import PodRun
from sandbox.kubelet.usage import pod_usage
from sandbox.metrics.family import Down, Family, Group, Reading, counter, gauge, taken
from sandbox.metrics.meter import Meter, wobble
from sandbox.store import Store

PERIOD_US = 100_000  # of the CPU bandwidth controller
PERIODS_PER_S = 10.0
NOISE = 0.04  # how far usage strays from the model's value
IDLE_BYTES_PER_S = 1500.0  # what probes and heartbeats of a pod send and receive
RSS_SHARE = 0.82  # of the working set; the rest is file cache in use


@dataclass(frozen=True, slots=True)
class ContainerUse:
    """What one running container used so far, and holds now."""

    labels: dict[str, str]
    cpu_s: float
    periods: float
    throttled_periods: float
    throttled_s: float
    memory_bytes: float
    memory_limit_bytes: int | None
    cpu_limit_millis: int | None
    ooms: float
    started_at: float
    seen_at: float


@dataclass(frozen=True, slots=True)
class PodUse:
    """What one pod sent and received so far."""

    labels: dict[str, str]
    received_bytes: float
    sent_bytes: float


class Advisor:
    """Measures the containers of one node."""

    def __init__(self, store: Store, kubelet: Kubelet) -> None:
        self._store = store
        self._kubelet = kubelet
        self._meter = Meter()
        self._ooms: dict[tuple[str, str], tuple[int, float]] = {}  # restarts seen, kills counted

    def groups(self) -> Iterator[Group]:
        """Raises Down while the node does not answer."""
        if not self._kubelet.host.reachable:
            raise Down
        self._ooms = {key: seen for key, seen in self._ooms.items() if key[0] in self._kubelet.pods}
        for run in self._kubelet.pods.values():
            yield from self._pod(run)

    def _pod(self, run: PodRun) -> Iterator[Group]:
        usage = pod_usage(self._store, run)
        for container in run.everything:
            if container.name in usage:
                use = self._use(
                    run, container, usage[container.name].cpu_millis, usage[container.name].memory_bytes
                )
                yield Group((uid_of(run.pod), container.name), None, partial(taken, CONTAINER_FAMILIES, use))
        if usage:
            yield Group(uid_of(run.pod), None, partial(taken, POD_FAMILIES, self._traffic(run)))

    def _use(self, run: PodRun, container: ContainerRun, cpu_millis: int, memory_bytes: int) -> ContainerUse:
        now, since = self._now, self._now - container.running_s
        grow = self._grower(container.container_id, now, since)
        program, name = container.program, f"{name_of(run.pod)}/{container.name}"
        limit = program.limit_cpu_millis
        cores = cpu_millis / 1000 * (1 + NOISE * wobble(f"{name}/cpu", now))
        throttled = 1 - 1 / program.throttling
        memory = memory_bytes * (1 + NOISE * wobble(f"{name}/memory", now))
        return ContainerUse(
            labels=_labels(run, container),
            cpu_s=grow("cpu", min(cores, limit / 1000) if limit else cores),
            periods=grow("periods", PERIODS_PER_S if limit else 0.0),
            throttled_periods=grow("throttled", PERIODS_PER_S * throttled),
            throttled_s=grow("waited", throttled * cores),
            memory_bytes=min(memory, program.limit_memory_bytes or memory),
            memory_limit_bytes=program.limit_memory_bytes,
            cpu_limit_millis=limit,
            ooms=self._kills(run, container),
            started_at=since,
            seen_at=now,
        )

    def _grower(self, subject: str, at_s: float, since_s: float) -> Callable[[str, float], float]:
        return lambda what, per_s: self._meter.total((subject, what), per_s, at_s=at_s, since_s=since_s)

    def _kills(self, run: PodRun, container: ContainerRun) -> float:
        """How often the container was killed for its memory, as far as its restarts tell."""
        key = (uid_of(run.pod), container.name)
        restarts, kills = self._ooms.get(key, (0, 0.0))
        ended = container.last.get("terminated") or {}
        if container.restarts > restarts and ended.get("reason") == "OOMKilled":
            kills += container.restarts - restarts
        self._ooms[key] = (container.restarts, kills)
        return kills

    def _traffic(self, run: PodRun) -> PodUse:
        name, now = name_of(run.pod), self._now
        since = now - max(container.running_s for container in run.everything)
        grow = self._grower(uid_of(run.pod), now, since)
        received = IDLE_BYTES_PER_S * (1 + 0.3 * wobble(f"{name}/in", now))
        sent = IDLE_BYTES_PER_S * (1 + 0.3 * wobble(f"{name}/out", now))
        labels = {"namespace": namespace_of(run.pod), "pod": name, "interface": "eth0"}
        return PodUse(labels, grow("in", received), grow("out", sent))

    @property
    def _now(self) -> float:
        return self._kubelet.host.clock.time()


def _labels(run: PodRun, container: ContainerRun) -> dict[str, str]:
    uid, runtime_id = uid_of(run.pod), container.container_id.rpartition("/")[2]
    return {
        "namespace": namespace_of(run.pod),
        "pod": name_of(run.pod),
        "container": container.name,
        "image": container.image,
        "name": runtime_id,
        "id": f"/kubepods.slice/kubepods-pod{uid.replace('-', '_')}.slice/cri-containerd-{runtime_id}.scope",
    }


def _value(read: Callable[[ContainerUse], float | None]) -> Callable[[ContainerUse], Iterator[Reading]]:
    def readings(use: ContainerUse) -> Iterator[Reading]:
        value = read(use)
        if value is not None:
            yield Reading(use.labels, value)

    return readings


def _limited(read: Callable[[ContainerUse], float]) -> Callable[[ContainerUse], Iterator[Reading]]:
    """Only of containers with a CPU limit."""
    return _value(lambda use: None if use.cpu_limit_millis is None else read(use))


def _network(read: Callable[[PodUse], float]) -> Callable[[PodUse], Iterator[Reading]]:
    return lambda use: iter((Reading(use.labels, read(use)),))


CONTAINER_FAMILIES: tuple[Family[ContainerUse], ...] = (
    counter("container_cpu_usage_seconds_total", "Cumulative cpu time consumed", _value(lambda u: u.cpu_s)),
    counter(
        "container_cpu_cfs_periods_total",
        "Number of elapsed enforcement period intervals.",
        _limited(lambda u: u.periods),
    ),
    counter(
        "container_cpu_cfs_throttled_periods_total",
        "Number of throttled period intervals.",
        _limited(lambda u: u.throttled_periods),
    ),
    counter(
        "container_cpu_cfs_throttled_seconds_total",
        "Total time duration the container has been throttled.",
        _limited(lambda u: u.throttled_s),
    ),
    gauge("container_memory_working_set_bytes", "Current working set.", _value(lambda u: u.memory_bytes)),
    gauge(
        "container_memory_usage_bytes",
        "Current memory usage, including all memory regardless of when it was accessed",
        _value(lambda u: u.memory_bytes),
    ),
    gauge("container_memory_rss", "Size of RSS in bytes.", _value(lambda u: u.memory_bytes * RSS_SHARE)),
    gauge(
        "container_memory_cache",
        "Number of bytes of page cache memory.",
        _value(lambda u: u.memory_bytes * (1 - RSS_SHARE)),
    ),
    counter("container_oom_events_total", "Count of out of memory events", _value(lambda u: u.ooms)),
    gauge(
        "container_spec_memory_limit_bytes",
        "Memory limit for the container.",
        _value(lambda u: float(u.memory_limit_bytes or 0)),
    ),
    gauge(
        "container_spec_cpu_quota",
        "CPU quota of the container.",
        _limited(lambda u: (u.cpu_limit_millis or 0) * PERIOD_US / 1000),
    ),
    gauge("container_spec_cpu_period", "CPU period of the container.", _value(lambda u: float(PERIOD_US))),
    gauge(
        "container_start_time_seconds",
        "Start time of the container since unix epoch in seconds.",
        _value(lambda u: u.started_at),
    ),
    gauge(
        "container_last_seen",
        "Last time a container was seen by the exporter",
        _value(lambda u: u.seen_at),
    ),
)
POD_FAMILIES: tuple[Family[PodUse], ...] = (
    counter(
        "container_network_receive_bytes_total",
        "Cumulative count of bytes received",
        _network(lambda u: u.received_bytes),
    ),
    counter(
        "container_network_transmit_bytes_total",
        "Cumulative count of bytes transmitted",
        _network(lambda u: u.sent_bytes),
    ),
)
