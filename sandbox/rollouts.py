"""Whether workloads have the pods they want, as their own status tells it. It knows no Jobs: they end."""

from sandbox.fields import Obj, meta
from sandbox.kinds import kind_of
from sandbox.store import Store

COUNTED = tuple(kind_of(name) for name in ("Deployment", "ReplicaSet", "StatefulSet"))
DAEMON_SET = kind_of("DaemonSet")


def is_complete(store: Store) -> bool:
    """Whether every workload's pods are there and ready."""
    counted = all(_has_its_replicas(obj) for kind in COUNTED for obj in store.list(kind))
    return counted and all(_is_on_its_nodes(obj) for obj in store.list(DAEMON_SET))


def _has_its_replicas(workload: Obj) -> bool:
    status, wanted = workload.get("status") or {}, workload["spec"].get("replicas", 1)
    return _is_seen(workload, status) and status.get("readyReplicas", 0) >= wanted


def _is_on_its_nodes(workload: Obj) -> bool:
    status = workload.get("status") or {}
    return _is_seen(workload, status) and status.get("numberReady", 0) >= status["desiredNumberScheduled"]


def _is_seen(workload: Obj, status: Obj) -> bool:
    """Whether the status speaks of the present spec."""
    return bool(status.get("observedGeneration", 0) >= meta(workload).get("generation", 0))
