"""PodDisruptionBudgets: how many pods may be evicted now. The eviction itself asks the status."""

from sandbox.clock import SimClock
from sandbox.controllers.rollout import share
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import NotFound
from sandbox.fields import Obj, controller_of, is_deleting, labels_of, meta, namespace_of
from sandbox.kinds import kind_of
from sandbox.selectors import Selector
from sandbox.state import Key, is_active, is_ready, key_of, merged_condition, spec_of, with_status
from sandbox.store import Store
from sandbox.tables import Change

BUDGET = kind_of("PodDisruptionBudget")
POD = kind_of("Pod")
SCALABLE = ("ReplicaSet", "StatefulSet", "Deployment")


class DisruptionController:
    """Counts healthy pods against each budget."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(BUDGET, self.queue.on_change)
        store.subscribe(POD, self._pod_changed)
        for kind in SCALABLE:
            store.subscribe(kind_of(kind), self._scaled)

    def _pod_changed(self, change: Change) -> None:
        versions = [change.object] if change.old is None else [change.object, change.old]
        for obj in versions:
            for budget in self._store.list(BUDGET, namespace_of(obj)):
                if Selector.from_obj(spec_of(budget).get("selector")).matches(labels_of(obj)):
                    self.queue.add(key_of(budget))

    def _scaled(self, change: Change) -> None:
        if change.old is None or change.old["spec"].get("replicas") != change.object["spec"].get("replicas"):
            for budget in self._store.list(BUDGET, namespace_of(change.object)):
                self.queue.add(key_of(budget))

    def _sync(self, key: Key) -> None:
        budget = self._store.find(BUDGET, *key)
        if budget is None:
            return
        selector = Selector.from_obj(spec_of(budget).get("selector"))
        pods = [pod for pod in self._store.list(POD, key[0], labels=selector) if is_active(pod)]
        expected, desired = self._demand(budget, pods)
        healthy = sum(is_ready(pod) for pod in pods)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        self._write(budget, expected, desired, healthy, allowed)

    def _demand(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """How many pods there should be, and how many of them must stay healthy."""
        spec = spec_of(budget)
        if spec.get("maxUnavailable") is not None:
            expected = self._expected(pods)
            return expected, max(0, expected - share(spec["maxUnavailable"], expected, round_up=True))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._expected(pods)
        return expected, share(least, expected, round_up=True)

    def _expected(self, pods: list[Obj]) -> int:
        """The summed size of the pods' controllers; a pod without one counts for itself."""
        sizes: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            if owner is None:
                sizes[meta(pod)["uid"]] = 1
            else:
                sizes[owner["uid"]] = self._size_of(pod, owner)
        return sum(sizes.values())

    def _size_of(self, pod: Obj, owner: Obj) -> int:
        """The size of what the pod belongs to in the end: a ReplicaSet's Deployment counts for it."""
        if owner["kind"] not in SCALABLE:
            return 1
        try:
            found = self._store.get(kind_of(owner["kind"]), namespace_of(pod), owner["name"])
        except NotFound:
            return 0
        parent = controller_of(found)
        if parent is not None and parent["kind"] in SCALABLE:
            return self._size_of(pod, parent)
        return int(found["spec"].get("replicas", 1))

    def _write(self, budget: Obj, expected: int, desired: int, healthy: int, allowed: int) -> None:
        if is_deleting(budget):
            return
        before = budget.get("status") or {}
        enough = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "lastTransitionTime": self._clock.stamp(),
            "observedGeneration": meta(budget).get("generation", 1),
        }
        status = {
            **before,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": meta(budget).get("generation", 1),
            "conditions": merged_condition(before.get("conditions") or [], enough),
        }
        if status != before:
            self._store.update(BUDGET, with_status(budget, status), subresource="status")
