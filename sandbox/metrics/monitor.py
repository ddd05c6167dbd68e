"""Scrapes the cluster as a Prometheus would: every few seconds of cluster time, all targets, into series.

A target that stops to answer, and a subject that is gone, make their series stale.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sandbox.clock import SimClock, Timer
from sandbox.kinds import kind_of
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.kubelet import Kubelet
from sandbox.metrics import batch, pods, resources, workloads
from sandbox.metrics.containers import Advisor
from sandbox.metrics.family import Described, Down, Group, Reading, Target
from sandbox.metrics.kubelets import KubeletSource
from sandbox.metrics.machines import MachineSource
from sandbox.metrics.objects import ObjectFamily, groups_of
from sandbox.metrics.requests import RequestSource
from sandbox.metrics.series import SeriesStore, StoredSeries, Track
from sandbox.network.traffic import Traffic
from sandbox.promql.values import NAME, Labels, labels_from
from sandbox.store import Store

SCRAPE_S = 15.0
KEPT_S = 6 * 3600.0
OBJECT_FAMILIES: dict[str, tuple[ObjectFamily, ...]] = {
    "Pod": pods.POD_FAMILIES,
    "Deployment": workloads.DEPLOYMENT_FAMILIES,
    "ReplicaSet": workloads.REPLICA_SET_FAMILIES,
    "StatefulSet": workloads.STATEFUL_SET_FAMILIES,
    "DaemonSet": workloads.DAEMON_SET_FAMILIES,
    "Job": batch.JOB_FAMILIES,
    "CronJob": batch.CRON_JOB_FAMILIES,
    "HorizontalPodAutoscaler": resources.AUTOSCALER_FAMILIES,
    "PodDisruptionBudget": resources.BUDGET_FAMILIES,
    "PersistentVolumeClaim": resources.CLAIM_FAMILIES,
    "PersistentVolume": resources.VOLUME_FAMILIES,
    "ResourceQuota": resources.QUOTA_FAMILIES,
    "Service": resources.SERVICE_FAMILIES,
    "Namespace": resources.NAMESPACE_FAMILIES,
    "Node": resources.NODE_FAMILIES,
}


@dataclass(slots=True)
class Kept:
    """What the last scrape of a group gave."""

    version: Hashable
    series: dict[tuple[str, tuple[tuple[str, str], ...]], StoredSeries]


@dataclass(slots=True)
class Scraped:
    """A target with what its scrapes left behind."""

    target: Target
    track: Track
    kept: dict[Hashable, Kept] = field(default_factory=dict)
    families: dict[str, Described] = field(default_factory=dict)
    up: bool = True
    at_ms: int = 0


class Monitor:
    """Metrics of one cluster: targets, and the series scraped from them so far."""

    def __init__(
        self,
        store: Store,
        clock: SimClock,
        fleet: Fleet,
        traffic: Traffic | None = None,
        *,
        scrape_s: float = SCRAPE_S,
        kept_s: float = KEPT_S,
    ) -> None:
        self.series = SeriesStore()
        self.clock = clock
        self.scrape_s = scrape_s
        self.stretch = 1.0  # scrapes are so many times rarer
        self._store = store
        self._fleet = fleet
        self._kept_count = int(kept_s / scrape_s)
        self._scraped: dict[str, Scraped] = {}
        self._timer: Timer | None = None
        self._add(
            Target(
                "kube-state-metrics",
                {"job": "kube-state-metrics"} | _at("kube-state-metrics:8080"),
                self._objects,
            )
        )
        if traffic is not None:
            source = RequestSource(traffic)
            self._add(Target("services", {"job": "services"} | _at("services:8080"), source.groups))

    # --- time

    def start(self) -> None:
        """Scrapes now, and from now on; one target after the other, so that nobody waits long meanwhile."""
        at_ms = round(self.clock.time() * 1000)
        for scraped in self.scraped():
            self.clock.soon(partial(self._scrape_one, scraped, at_ms))
        self._timer = self.clock.call_after(self.scrape_s * self.stretch, self.start)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def scrape(self) -> None:
        """Scrapes every target once, at the present moment."""
        at_ms = round(self.clock.time() * 1000)
        for scraped in self.scraped():
            self._scrape_one(scraped, at_ms)

    # --- targets

    def scraped(self) -> list[Scraped]:
        """All targets; those of new nodes are found here."""
        for name, kubelet in self._fleet.kubelets.items():
            if f"node-exporter/{name}" not in self._scraped:
                for target in _node_targets(self._store, kubelet):
                    self._add(target)
        return list(self._scraped.values())

    def find(self, path: str) -> Scraped | None:
        """The target that is scraped at this path."""
        return next((scraped for scraped in self.scraped() if scraped.target.path == path), None)

    def families(self) -> dict[str, Described]:
        """All families scraped so far, by name."""
        return {name: family for scraped in self.scraped() for name, family in scraped.families.items()}

    def _add(self, target: Target) -> None:
        self._scraped[target.path] = Scraped(target, Track(self._kept_count))

    def _objects(self) -> Iterator[Group]:
        for kind, families in OBJECT_FAMILIES.items():
            yield from groups_of(self._store, kind_of(kind), families)

    # --- scraping

    def _scrape_one(self, scraped: Scraped, at_ms: int) -> None:
        scraped.at_ms = at_ms
        scrape = scraped.track.scraped(at_ms)
        try:
            groups = list(scraped.target.groups())
            scraped.up = True
        except Down:
            groups, scraped.up = [], False
        self._end_missing(scraped, {group.key for group in groups}, scrape)
        for group in groups:
            self._take(scraped, group, scrape)
        self._own(scraped, "up", float(scraped.up), scrape)
        count = sum(len(kept.series) for kept in scraped.kept.values())
        self._own(scraped, "scrape_samples_scraped", float(count), scrape)
        if scraped.track.trim():
            self.series.forget()

    def _take(self, scraped: Scraped, group: Group, scrape: int) -> None:
        kept = scraped.kept.get(group.key)
        if kept is not None and group.version is not None and kept.version == group.version:
            return
        before = kept.series if kept is not None else {}
        after = {}
        for family, reading in group.take():
            key = (family.name + reading.suffix, tuple(reading.labels.items()))
            series = before.pop(key, None) or self._series(scraped, family, key[0], reading)
            series.write(scrape, reading.value)
            after[key] = series
        for gone in before.values():
            gone.write(scrape, None)
        scraped.kept[group.key] = Kept(group.version, after)

    def _series(self, scraped: Scraped, family: Described, name: str, reading: Reading) -> StoredSeries:
        scraped.families[family.name] = family
        labels = labels_from({**scraped.target.labels, **reading.labels, NAME: name})
        return self.series.series(labels, scraped.track)

    def _end_missing(self, scraped: Scraped, present: set[Hashable], scrape: int) -> None:
        for key in [key for key in scraped.kept if key not in present]:
            for gone in scraped.kept.pop(key).series.values():
                gone.write(scrape, None)

    def _own(self, scraped: Scraped, name: str, value: float, scrape: int) -> None:
        labels: Labels = labels_from({**scraped.target.labels, NAME: name})
        self.series.series(labels, scraped.track).write(scrape, value)


def _node_targets(store: Store, kubelet: Kubelet) -> Iterator[Target]:
    """The kubelet itself, its containers, and the machine below."""
    name, address = kubelet.host.name, kubelet.host.address
    of_kubelet = {"job": "kubelet", "node": name} | _at(f"{address}:10250")
    own, containers = KubeletSource(store, kubelet), Advisor(store, kubelet)
    machine = MachineSource(store, kubelet)
    yield Target(f"kubelet/{name}", {**of_kubelet, "metrics_path": "/metrics"}, own.groups)
    yield Target(f"cadvisor/{name}", {**of_kubelet, "metrics_path": "/metrics/cadvisor"}, containers.groups)
    yield Target(f"node-exporter/{name}", {"job": "node-exporter"} | _at(name), machine.groups)


def _at(instance: str) -> dict[str, str]:
    return {"instance": instance}
