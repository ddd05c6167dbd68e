"""A whole cluster in one process: store, clock, controllers, scheduler and kubelets, wired together.

The HTTP API is a separate thing that is put in front of `store`, `clock` and `fleet` (the source of logs).
"""

from collections.abc import Iterable

import yaml

from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.controllers.autoscaler import AutoscalerController
from sandbox.controllers.cronjob import CronJobController
from sandbox.controllers.daemonset import DaemonSetController
from sandbox.controllers.deployment import DeploymentController
from sandbox.controllers.disruption import DisruptionController
from sandbox.controllers.endpoints import EndpointsController
from sandbox.controllers.event_expiry import EventExpiry
from sandbox.controllers.garbage import GarbageCollector
from sandbox.controllers.job import JobController
from sandbox.controllers.namespace import NamespaceController
from sandbox.controllers.node_lifecycle import NodeLifecycle
from sandbox.controllers.pod_gc import PodGarbageCollector
from sandbox.controllers.quota import QuotaController
from sandbox.controllers.replicaset import ReplicaSetController
from sandbox.controllers.statefulset import StatefulSetController
from sandbox.controllers.taint_eviction import TaintEviction
from sandbox.controllers.volume_binder import VolumeBinder
from sandbox.errors import BadRequest
from sandbox.fields import Obj, name_of, namespace_of
from sandbox.kinds import Registry, kind_of
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.node_report import Machine
from sandbox.kubelet.timings import Timings
from sandbox.network.traffic import Traffic
from sandbox.scheduler.scheduler import Scheduler
from sandbox.yaml_loader import PlainLoader

STEP_S = 0.5  # how far `settle` moves before it looks again
QUIET_S = 3.0  # nothing moved for so long: settled
CONTROLLERS = (
    NamespaceController,
    DeploymentController,
    ReplicaSetController,
    StatefulSetController,
    DaemonSetController,
    JobController,
    CronJobController,
    EndpointsController,
    VolumeBinder,
    DisruptionController,
    QuotaController,
    TaintEviction,
    PodGarbageCollector,
    GarbageCollector,
    EventExpiry,
)
WATCHED_KINDS = (
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "PersistentVolumeClaim",
    "Endpoints",
    "Namespace",
)


class Cluster:
    """A cluster with `nodes` machines; `seed` decides every name and every chance."""

    def __init__(
        self,
        nodes: int = 3,
        seed: int = 0,
        *,
        timings: Timings | None = None,
        machine: Machine | None = None,
        clock: SimClock | None = None,
    ) -> None:
        self.clock = clock or SimClock(seed=seed)
        self.store = new_store(self.clock)
        timings = timings or Timings()
        self.fleet = Fleet(self.store, self.clock, timings)
        self.scheduler = Scheduler(self.store, self.clock)
        self.controllers = (
            *(controller(self.store, self.clock) for controller in CONTROLLERS),
            NodeLifecycle(self.store, self.clock, timings),
            AutoscalerController(self.store, self.clock, self.fleet),
        )
        self.traffic = Traffic(self.store, self.clock, self.fleet)
        self._kinds = Registry()
        self._moved_at = self.clock.time()
        for name in WATCHED_KINDS:
            self.store.subscribe(kind_of(name), lambda _: self._note_move())
        for number in range(nodes):
            self.fleet.add_node(f"node-{number}", machine=machine)
        self.clock.run_due()

    # --- what people do

    def apply(self, docs: str | Iterable[Obj]) -> list[Obj]:
        """Creates objects, or merges them into those that exist; YAML text or parsed documents."""
        parsed = yaml.load_all(docs, PlainLoader) if isinstance(docs, str) else docs
        return [self._apply_one(doc) for doc in parsed if doc]

    def _apply_one(self, doc: Obj) -> Obj:
        kind = self._kinds.by_kind(doc["apiVersion"], doc["kind"])
        if kind is None:
            raise BadRequest(f'no matches for kind "{doc["kind"]}" in version "{doc["apiVersion"]}"')
        kind = self._kinds.stored(kind)
        if kind.namespaced and not namespace_of(doc):
            doc = {**doc, "metadata": {**doc["metadata"], "namespace": "default"}}
        current = self.store.find(kind, namespace_of(doc), name_of(doc))
        if current is None:
            return self.store.create(kind, doc)
        return self.store.update(kind, merged(current, doc))

    # --- time

    def advance(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self.clock.advance(seconds)

    def settle(self, max_s: float = 120.0, quiet_s: float = QUIET_S) -> bool:
        """Lets virtual time pass until no workload changed for `quiet_s`; False when `max_s` did not do.

        A pod that waits for its next restart looks quiet too: this is about movement, not about health.
        """
        end = self.clock.time() + max_s
        self._note_move()
        while self.clock.time() < end:
            self.clock.advance(STEP_S)
            if self.clock.time() - self._moved_at >= quiet_s:
                return True
        return False

    async def run(self, speed: float = 1.0) -> None:
        """Lives in real time until cancelled; `speed` cluster seconds pass in a real one."""
        await self.clock.run(speed)

    def _note_move(self) -> None:
        self._moved_at = self.clock.time()


def merged(old: Obj, new: Obj) -> Obj:
    """A JSON merge: objects are merged, everything else is replaced, null removes."""
    result = dict(old)
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result
