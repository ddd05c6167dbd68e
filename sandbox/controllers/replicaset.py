"""ReplicaSets: as many pods as asked for, and a status that counts them. It does not know Deployments."""

from dataclasses import dataclass

from sandbox.clock import SimClock
from sandbox.controllers.claims import adopt, claim, owners_wanting
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import ApiError
from sandbox.events import Recorder
from sandbox.fields import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    meta,
    name_of,
    namespace_of,
)
from sandbox.kinds import kind_of
from sandbox.state import (
    Key,
    available_in_s,
    created_at,
    is_active,
    is_ready,
    key_of,
    merged_condition,
    pod_from_template,
    ready_since,
    with_status,
    without_empty,
)
from sandbox.store import Store
from sandbox.tables import Change

POD = kind_of("Pod")
REPLICA_SET = kind_of("ReplicaSet")
FIRST_BATCH = 1  # pods are created in batches of 1, 2, 4 … so that a refusal costs little
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSetController:
    """Creates and deletes pods until the number is right."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "replicaset-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(REPLICA_SET, self._replica_set_changed)
        store.subscribe(POD, self.queue.on_owned("ReplicaSet"))
        store.subscribe(POD, self._orphan_changed)

    def _replica_set_changed(self, change: Change) -> None:
        if change.type == "ADDED":
            for pod in self._store.list(POD, namespace_of(change.object)):
                adopt(self._store, POD, change.object, pod)
        self.queue.on_change(change)

    def _orphan_changed(self, change: Change) -> None:
        pod = change.object
        if change.type == "DELETED" or controller_of(pod) is not None or not labels_of(pod):
            return
        for owner in owners_wanting(self._store, REPLICA_SET, pod)[:1]:
            if (current := self._store.find(POD, *key_of(pod))) is not None:
                adopt(self._store, POD, owner, current)

    def _sync(self, key: Key) -> None:
        replica_set = self._store.find(REPLICA_SET, *key)
        if replica_set is None:
            return
        pods = [pod for pod in claim(self._store, POD, replica_set) if is_active(pod)]
        refusal = None if is_deleting(replica_set) else self._reconcile(replica_set, pods)
        pods = [pod for pod in self._store.owned(POD, meta(replica_set)["uid"]) if is_active(pod)]
        self._write_status(replica_set, pods, refusal)
        if refusal is not None:
            raise refusal.error

    def _reconcile(self, replica_set: Obj, pods: list[Obj]) -> "_Refusal | None":
        missing = _wanted(replica_set) - len(pods)
        try:
            if missing > 0:
                self._create(replica_set, missing)
            elif missing < 0:
                self._delete(replica_set, pods, -missing)
        except ApiError as error:
            return _Refusal("FailedCreate" if missing > 0 else "FailedDelete", error)
        return None

    def _create(self, replica_set: Obj, count: int) -> None:
        """Slow start: a batch that meets a refusal is the last one. Raises that refusal."""
        batch = FIRST_BATCH
        while count > 0:
            errors = [error for _ in range(min(batch, count)) if (error := self._create_one(replica_set))]
            if errors:
                raise errors[0]
            count -= batch
            batch *= 2

    def _create_one(self, replica_set: Obj) -> ApiError | None:
        pod = pod_from_template(replica_set["spec"]["template"], owner=replica_set)
        try:
            made = self._store.create(POD, pod)
        except ApiError as error:
            self._events.warning(replica_set, "FailedCreate", f"Error creating: {error.message}")
            return error
        self._events.normal(replica_set, "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return None

    def _delete(self, replica_set: Obj, pods: list[Obj], count: int) -> None:
        for pod in sorted(pods, key=deletion_rank)[:count]:
            self._store.delete(POD, namespace_of(pod), name_of(pod), uid=meta(pod)["uid"])
            self._events.normal(replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _write_status(self, replica_set: Obj, pods: list[Obj], refusal: "_Refusal | None") -> None:
        now = self._clock.time()
        min_ready_s = replica_set["spec"].get("minReadySeconds", 0)
        waits = [wait for pod in pods if (wait := available_in_s(pod, min_ready_s, now)) is not None]
        conditions = self._conditions(replica_set, refusal)
        status = counted(replica_set, pods, sum(wait == 0 for wait in waits), conditions)
        if status != replica_set.get("status"):
            self._store.update(
                REPLICA_SET, with_status(_current(self._store, replica_set), status), subresource="status"
            )
        if later := [wait for wait in waits if wait > 0]:
            self.queue.add_after(key_of(replica_set), min(later))

    def _conditions(self, replica_set: Obj, refusal: "_Refusal | None") -> list[Obj]:
        old: list[Obj] = (replica_set.get("status") or {}).get("conditions") or []
        if refusal is None:
            return [entry for entry in old if entry["type"] != "ReplicaFailure"]
        if any(entry["type"] == "ReplicaFailure" for entry in old):
            return old
        failure = {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": self._clock.stamp(),
            "reason": refusal.reason,
            "message": refusal.error.message,
        }
        return merged_condition(old, failure)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What kept the controller from having the right number of pods."""

    reason: str
    error: ApiError


def counted(replica_set: Obj, pods: list[Obj], available: int, conditions: list[Obj]) -> Obj:
    labels = labels_of(replica_set["spec"]["template"]).items()
    status = {
        "fullyLabeledReplicas": sum(labels <= labels_of(pod).items() for pod in pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": available,
        "observedGeneration": meta(replica_set).get("generation", 0),
        "conditions": conditions,
    }
    return {"replicas": len(pods), **without_empty(status)}


def deletion_rank(pod: Obj) -> tuple[bool, int, bool, int, float, int, float]:
    """Smaller goes first: unassigned, pending, not ready, cheap, ready lately, often restarted, young."""
    status = pod.get("status") or {}
    restarts = sum(c.get("restartCount", 0) for c in status.get("containerStatuses") or ())
    phase = {"Pending": 0, "Unknown": 1}.get(status.get("phase", "Pending"), 2)
    cost = int(annotations_of(pod).get(DELETION_COST, "0"))
    assigned = bool(pod["spec"].get("nodeName"))
    return assigned, phase, is_ready(pod), cost, -(ready_since(pod) or 0.0), -restarts, -created_at(pod)


def _wanted(replica_set: Obj) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def _current(store: Store, replica_set: Obj) -> Obj:
    return store.get(REPLICA_SET, *key_of(replica_set))
