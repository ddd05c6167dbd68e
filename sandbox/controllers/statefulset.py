"""StatefulSets: pods with a number and a volume of their own, started, replaced and stopped in order."""

from collections.abc import Iterable

from sandbox.clock import SimClock
from sandbox.controllers import revisions
from sandbox.controllers.claims import claim
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import ApiError
from sandbox.events import Recorder
from sandbox.fields import Obj, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import (
    Key,
    available_in_s,
    is_finished,
    is_ready,
    key_of,
    pod_from_template,
    with_status,
    without_empty,
)
from sandbox.store import Store

STATEFUL_SET = kind_of("StatefulSet")
POD = kind_of("Pod")
CLAIM = kind_of("PersistentVolumeClaim")
REVISION_LABEL = "controller-revision-hash"
HASH_LABEL = "controller.kubernetes.io/hash"
POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"


class StatefulSetController:
    """Moves one pod at a time, unless the policy is Parallel."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "statefulset-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(STATEFUL_SET, self.queue.on_change)
        store.subscribe(POD, self.queue.on_owned("StatefulSet"))

    def _sync(self, key: Key) -> None:
        owner = self._store.find(STATEFUL_SET, *key)
        if owner is None:
            return
        present = revisions.present_revision(self._store, owner, HASH_LABEL)
        pods = {ordinal_of(pod): pod for pod in claim(self._store, POD, owner) if ordinal_of(pod) >= 0}
        try:
            if not is_deleting(owner):
                self._reconcile(owner, pods, present)
        finally:
            self._write_status(owner, present)

    def _reconcile(self, owner: Obj, pods: dict[int, Obj], present: Obj) -> None:
        in_order = owner["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        first = (owner["spec"].get("ordinals") or {}).get("start", 0)
        wanted = range(first, first + replicas_of(owner))
        if self._bring_up(owner, pods, wanted, present, in_order=in_order):
            return
        surplus = sorted((ordinal for ordinal in pods if ordinal not in wanted), reverse=True)
        if self._take_down(owner, [pods[ordinal] for ordinal in surplus], in_order=in_order):
            return
        self._roll(owner, pods, wanted, present)

    def _bring_up(
        self, owner: Obj, pods: dict[int, Obj], wanted: Iterable[int], present: Obj, *, in_order: bool
    ) -> bool:
        """Creates what is missing; True while one pod has to be waited for."""
        for ordinal in wanted:
            pod = pods.get(ordinal)
            if pod is not None and is_finished(pod) and not is_deleting(pod):
                self._replace_failed(owner, pod)
                return True
            if pod is None:
                self._create(owner, ordinal, self._revision_for(owner, ordinal, present))
            if in_order and (pod is None or is_deleting(pod) or not self._is_available(owner, pod)):
                return True
        return False

    def _replace_failed(self, owner: Obj, pod: Obj) -> None:
        self._events.warning(
            owner,
            "RecreatingFailedPod",
            f"StatefulSet {'/'.join(key_of(owner))} is recreating failed Pod {name_of(pod)}",
        )
        self._delete(owner, pod)

    def _take_down(self, owner: Obj, surplus: list[Obj], *, in_order: bool) -> bool:
        """Deletes surplus pods, highest number first; True while one has to be waited for."""
        for pod in surplus:
            if not is_deleting(pod):
                self._delete(owner, pod)
            if in_order:
                return True
        return bool(surplus)

    def _roll(self, owner: Obj, pods: dict[int, Obj], wanted: Iterable[int], present: Obj) -> None:
        """Replaces the highest pod of an old revision, when all above it are well."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in sorted((o for o in wanted if o >= partition), reverse=True):
            pod = pods.get(ordinal)
            if pod is None:  # made a moment ago: the next look finds it, and waits for it
                return
            if labels_of(pod).get(REVISION_LABEL) != name_of(present) and not is_deleting(pod):
                self._delete(owner, pod)
                return
            if is_deleting(pod) or not self._is_available(owner, pod):
                return

    # --- single pods

    def _revision_for(self, owner: Obj, ordinal: int, present: Obj) -> Obj:
        """Pods below the partition stay with the revision that the set has rolled out."""
        rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        if ordinal >= rolling.get("partition", 0):
            return present
        current = (owner.get("status") or {}).get("currentRevision")
        known = revisions.history(self._store, owner)
        return next((revision for revision in known if name_of(revision) == current), present)

    def _create(self, owner: Obj, ordinal: int, revision: Obj) -> None:
        pod = numbered_pod(owner, ordinal, revision)
        name = pod["metadata"]["name"]
        try:
            for volume_claim in claims_for(owner, ordinal):
                self._create_claim(owner, volume_claim, name)
            self._store.create(POD, pod)
        except ApiError as error:
            text = f"create Pod {name} in StatefulSet {name_of(owner)} failed error: {error.message}"
            self._events.warning(owner, "FailedCreate", text)
            raise
        text = f"create Pod {name} in StatefulSet {name_of(owner)} successful"
        self._events.normal(owner, "SuccessfulCreate", text)

    def _create_claim(self, owner: Obj, volume_claim: Obj, pod_name: str) -> None:
        if self._store.find(CLAIM, *key_of(volume_claim)) is None:
            self._store.create(CLAIM, volume_claim)
            text = (
                f"create Claim {name_of(volume_claim)} Pod {pod_name} in StatefulSet {name_of(owner)} success"
            )
            self._events.normal(owner, "SuccessfulCreate", text)

    def _delete(self, owner: Obj, pod: Obj) -> None:
        self._store.delete(POD, namespace_of(pod), name_of(pod), uid=meta(pod)["uid"])
        text = f"delete Pod {name_of(pod)} in StatefulSet {name_of(owner)} successful"
        self._events.normal(owner, "SuccessfulDelete", text)

    def _is_available(self, owner: Obj, pod: Obj) -> bool:
        wait_s = available_in_s(pod, owner["spec"].get("minReadySeconds", 0), self._clock.time())
        if wait_s:
            self.queue.add_after(key_of(owner), wait_s)
        return wait_s == 0

    # --- status

    def _write_status(self, owner: Obj, present: Obj) -> None:
        owner = self._store.get(STATEFUL_SET, *key_of(owner))
        pods = [p for p in self._store.owned(POD, meta(owner)["uid"]) if not is_finished(p)]
        status = set_status(owner, pods, name_of(present))
        if status != owner.get("status"):
            self._store.update(STATEFUL_SET, with_status(owner, status), subresource="status")
        in_use = {status["currentRevision"], status["updateRevision"]}
        revisions.forget_old(
            self._store, owner, in_use | {labels_of(p).get(REVISION_LABEL, "") for p in pods}
        )


def set_status(owner: Obj, pods: list[Obj], update_revision: str) -> Obj:
    """Counts pods by revision; the update becomes the current revision when every pod has it."""
    current = (owner.get("status") or {}).get("currentRevision") or update_revision
    alive = [pod for pod in pods if not is_deleting(pod)]
    updated = [pod for pod in alive if labels_of(pod).get(REVISION_LABEL) == update_revision]
    ready = [pod for pod in pods if is_ready(pod)]
    wanted = replicas_of(owner)
    if len(updated) == wanted == len(pods) and all(is_ready(pod) for pod in updated):
        current = update_revision
    at_current = [pod for pod in alive if labels_of(pod).get(REVISION_LABEL) == current]
    counts = {
        "currentReplicas": len(at_current),
        "observedGeneration": meta(owner).get("generation", 0),
        "readyReplicas": len(ready),
        "availableReplicas": len(ready),
        "updatedReplicas": len(updated),
        "currentRevision": current,
        "updateRevision": update_revision,
    }
    return {"replicas": len(pods), "collisionCount": 0, **without_empty(counts)}


def numbered_pod(owner: Obj, ordinal: int, revision: Obj) -> Obj:
    name = f"{name_of(owner)}-{ordinal}"
    pod = pod_from_template(revisions.template_of(revision), owner=owner, name=name)
    labels = {**labels_of(pod), REVISION_LABEL: name_of(revision), POD_NAME_LABEL: name}
    spec = {**pod["spec"], "hostname": name}
    if service := owner["spec"].get("serviceName"):
        spec["subdomain"] = service
    if templates := owner["spec"].get("volumeClaimTemplates"):
        spec["volumes"] = _volumes(spec, [(t["metadata"]["name"], name) for t in templates])
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def claims_for(owner: Obj, ordinal: int) -> list[Obj]:
    """The claims of one pod, from the set's templates."""
    selected = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    found = []
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        data = {
            "name": f"{template['metadata']['name']}-{name_of(owner)}-{ordinal}",
            "namespace": namespace_of(owner),
            "labels": {**(template["metadata"].get("labels") or {}), **selected},
        }
        found.append({"metadata": data, "spec": template["spec"]})
    return found


def ordinal_of(pod: Obj) -> int:
    """The pod's number; -1 for a pod that has none."""
    tail = name_of(pod).rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


def replicas_of(owner: Obj) -> int:
    return int(owner["spec"].get("replicas", 1))


def _volumes(spec: Obj, claimed: list[tuple[str, str]]) -> list[Obj]:
    names = [volume for volume, _ in claimed]
    kept = [volume for volume in spec.get("volumes") or () if volume["name"] not in names]
    own = [{"name": v, "persistentVolumeClaim": {"claimName": f"{v}-{pod}"}} for v, pod in claimed]
    return [*kept, *own]
