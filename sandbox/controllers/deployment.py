"""Deployments: a ReplicaSet a template, rolled from the old to the new one. It never touches pods."""

from dataclasses import dataclass

from sandbox.clock import SimClock
from sandbox.controllers import rollout
from sandbox.controllers.claims import adopt, claim
from sandbox.controllers.deployment_status import computed_status, stuck_after_s, with_condition
from sandbox.controllers.rollout import DESIRED, HASH_LABEL, HISTORY, MAXIMUM, REVISION, replicas_of
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import AlreadyExists, ApiError
from sandbox.events import Recorder
from sandbox.fields import Obj, annotations_of, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import (
    Key,
    controller_reference,
    created_at,
    is_finished,
    key_of,
    short_hash,
    with_annotations,
    with_status,
)
from sandbox.store import Store
from sandbox.tables import Change

DEPLOYMENT = kind_of("Deployment")
REPLICA_SET = kind_of("ReplicaSet")
POD = kind_of("Pod")
NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
)


@dataclass(slots=True)
class _Sets:
    """A Deployment's ReplicaSets: the one of its present template, and the others."""

    new: Obj | None
    old: list[Obj]

    @property
    def everything(self) -> list[Obj]:
        return [*self.old, self.new] if self.new is not None else list(self.old)


class DeploymentController:
    """Creates, scales and forgets ReplicaSets as the strategy says."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "deployment-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(DEPLOYMENT, self._deployment_changed)
        store.subscribe(REPLICA_SET, self.queue.on_owned("Deployment"))
        store.subscribe(POD, self._pod_changed)

    def _deployment_changed(self, change: Change) -> None:
        if change.type == "ADDED":
            for replica_set in self._store.list(REPLICA_SET, namespace_of(change.object)):
                adopt(self._store, REPLICA_SET, change.object, replica_set)
        self.queue.on_change(change)

    def _pod_changed(self, change: Change) -> None:
        """A pod that goes away lets a Recreate rollout continue."""
        if change.type != "DELETED" and not is_finished(change.object):
            return
        for owner in meta(change.object).get("ownerReferences") or ():
            if owner["kind"] == "ReplicaSet":
                replica_set = self._store.find(REPLICA_SET, namespace_of(change.object), owner["name"])
                for parent in meta(replica_set).get("ownerReferences", ()) if replica_set else ():
                    self.queue.add((namespace_of(change.object), parent["name"]))

    def _sync(self, key: Key) -> None:
        deployment = self._store.find(DEPLOYMENT, *key)
        if deployment is None:
            return
        owned = claim(self._store, REPLICA_SET, deployment)
        if is_deleting(deployment) or deployment["spec"].get("paused"):
            self._sync_paused(deployment, owned)
        elif self._is_scaling(deployment, owned):
            self._scale(deployment, self._sets(deployment, owned, create=False))
            self._write_status(key)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            self._recreate(deployment, owned)
        else:
            self._roll(deployment, owned)

    def _sync_paused(self, deployment: Obj, owned: list[Obj]) -> None:
        if not is_deleting(deployment):
            self._scale(deployment, self._sets(deployment, owned, create=False))
        self._write_status(key_of(deployment))

    def _is_scaling(self, deployment: Obj, owned: list[Obj]) -> bool:
        active = [rs for rs in owned if replicas_of(rs) > 0]
        desired = [annotations_of(rs).get(DESIRED) for rs in active]
        return any(value is not None and int(value) != replicas_of(deployment) for value in desired)

    # --- strategies

    def _roll(self, deployment: Obj, owned: list[Obj]) -> None:
        sets = self._sets(deployment, owned, create=True)
        if sets.new is not None and not self._grow_new(deployment, sets):
            for name, size in rollout.old_replicas(deployment, sets.new, sets.old).items():
                old = next(rs for rs in sets.old if name_of(rs) == name)
                self._resize(deployment, old, size)
        self._finish(deployment, sets)

    def _grow_new(self, deployment: Obj, sets: _Sets) -> bool:
        assert sets.new is not None
        wanted = replicas_of(deployment)
        if replicas_of(sets.new) > wanted:
            return self._resize(deployment, sets.new, wanted)
        return self._resize(deployment, sets.new, rollout.new_replicas(deployment, sets.everything, sets.new))

    def _recreate(self, deployment: Obj, owned: list[Obj]) -> None:
        sets = self._sets(deployment, owned, create=False)
        shrunk = [self._resize(deployment, rs, 0) for rs in sets.old]
        if not any(shrunk) and not self._old_pods_run(sets.old):
            sets = self._sets(deployment, owned, create=True)
            if sets.new is not None:
                self._resize(deployment, sets.new, replicas_of(deployment))
        self._finish(deployment, sets)

    def _old_pods_run(self, old: list[Obj]) -> bool:
        pods = [pod for rs in old for pod in self._store.owned(POD, meta(rs)["uid"])]
        return any(not is_finished(pod) for pod in pods)

    def _finish(self, deployment: Obj, sets: _Sets) -> None:
        current = self._write_status(key_of(deployment))
        if current is not None and rollout_complete(current):
            self._forget_old(current, sets.old)

    def _forget_old(self, deployment: Obj, old: list[Obj]) -> None:
        """Deletes empty ReplicaSets beyond the history limit, oldest revision first."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        rested = [rs for rs in old if not is_deleting(rs)]
        for rs in sorted(rested, key=rollout.revision_of)[: max(0, len(rested) - limit)]:
            status = rs.get("status") or {}
            if not status.get("replicas") and replicas_of(rs) == 0:
                self._store.delete(REPLICA_SET, namespace_of(rs), name_of(rs))

    # --- scale

    def _scale(self, deployment: Obj, sets: _Sets) -> None:
        only = rollout.active_or_latest(sets.new, sets.old)
        if only is not None:
            self._resize(deployment, only, replicas_of(deployment))
        elif rollout.is_saturated(deployment, sets.new):
            for rs in sets.old:
                self._resize(deployment, rs, 0)
        elif (deployment["spec"].get("strategy") or {}).get("type") != "Recreate":
            active = [rs for rs in sets.everything if replicas_of(rs) > 0]
            sizes = rollout.proportional_sizes(deployment, active)
            for rs in active:
                self._resize(deployment, rs, sizes[name_of(rs)])

    def _resize(self, deployment: Obj, replica_set: Obj, size: int) -> bool:
        """Sets the ReplicaSet's size and its notes of the Deployment's; says whether the size changed."""
        before = replicas_of(replica_set)
        resized = with_annotations(replica_set, _size_notes(deployment))
        resized = {**resized, "spec": {**replica_set["spec"], "replicas": size}}
        if resized != replica_set:
            current = self._store.get(REPLICA_SET, *key_of(replica_set))
            self._store.update(
                REPLICA_SET,
                {
                    **resized,
                    "metadata": {**meta(resized), "resourceVersion": meta(current)["resourceVersion"]},
                },
            )
        if size == before:
            return False
        direction = "up" if size > before else "down"
        message = f"Scaled {direction} replica set {name_of(replica_set)} to {size}"
        self._events.normal(deployment, "ScalingReplicaSet", message)
        return True

    # --- ReplicaSets and revisions

    def _sets(self, deployment: Obj, owned: list[Obj], *, create: bool) -> _Sets:
        owned = [self._store.get(REPLICA_SET, *key_of(rs)) for rs in owned]
        matching = [rs for rs in owned if rollout.same_template(rs, deployment)]
        new = min(matching, key=created_at, default=None)
        old = [rs for rs in owned if new is None or name_of(rs) != name_of(new)]
        revision = max((rollout.revision_of(rs) for rs in old), default=0) + 1
        if new is not None:
            new = self._renew(deployment, new, revision)
        elif create:
            new = self._create_new(deployment, old, revision)
        if new is not None:
            self._note_revision(deployment, new)
        return _Sets(new, old)

    def _renew(self, deployment: Obj, new: Obj, revision: int) -> Obj:
        """Gives the ReplicaSet the newest revision and the Deployment's annotations."""
        notes = _copied(deployment) | {REVISION: str(max(revision, rollout.revision_of(new)))}
        before = annotations_of(new).get(REVISION)
        if before is not None and before != notes[REVISION]:
            past = annotations_of(new).get(HISTORY)
            notes[HISTORY] = f"{past},{before}" if past else before
        renewed = with_annotations(new, notes)
        spec = {**new["spec"]}
        if ready_s := deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = ready_s
        else:
            spec.pop("minReadySeconds", None)
        renewed = {**renewed, "spec": spec}
        if renewed != new:
            renewed = self._store.update(REPLICA_SET, renewed)
        self._note_progress(
            deployment, "FoundNewReplicaSet", f'Found new replica set "{name_of(new)}"', only_first=True
        )
        return renewed

    def _create_new(self, deployment: Obj, old: list[Obj], revision: int) -> Obj | None:
        new = _replica_set(deployment, revision)
        size = rollout.new_replicas(deployment, old, None)
        new = {**new, "spec": {**new["spec"], "replicas": size}}
        try:
            made = self._store.create(REPLICA_SET, new)
        except AlreadyExists:
            self._count_collision(deployment)
            raise
        except ApiError as error:
            text = f'Failed to create new replica set "{new["metadata"]["name"]}": {error.message}'
            self._note_progress(deployment, "ReplicaSetCreateError", text, status="False")
            self._events.warning(deployment, "ReplicaSetCreateError", text)
            raise
        if size > 0:
            self._events.normal(
                deployment, "ScalingReplicaSet", f"Scaled up replica set {name_of(made)} to {size}"
            )
        self._note_progress(deployment, "NewReplicaSetCreated", f'Created new replica set "{name_of(made)}"')
        return made

    def _count_collision(self, deployment: Obj) -> None:
        """Another ReplicaSet has the name already: the next attempt hashes differently."""

        def counted(current: Obj) -> Obj:
            status = current.get("status") or {}
            return with_status(current, {**status, "collisionCount": status.get("collisionCount", 0) + 1})

        self._store.modify(DEPLOYMENT, *key_of(deployment), counted, subresource="status")

    def _note_revision(self, deployment: Obj, new: Obj) -> None:
        current = self._store.get(DEPLOYMENT, *key_of(deployment))
        noted = with_annotations(current, {REVISION: annotations_of(new)[REVISION]})
        if noted != current:
            self._store.update(DEPLOYMENT, noted)

    def _note_progress(
        self, deployment: Obj, reason: str, message: str, *, status: str = "True", only_first: bool = False
    ) -> None:
        if deployment["spec"].get("progressDeadlineSeconds", 600) is None:
            return

        def noted(current: Obj) -> Obj:
            state = current.get("status") or {}
            conditions = state.get("conditions") or []
            if only_first and any(c["type"] == "Progressing" for c in conditions):
                return current
            added = with_condition(conditions, "Progressing", status, reason, message, self._clock.stamp())
            return with_status(current, {**state, "conditions": added})

        self._store.modify(DEPLOYMENT, *key_of(deployment), noted, subresource="status")

    # --- status

    def _write_status(self, key: Key) -> Obj | None:
        deployment = self._store.get(DEPLOYMENT, *key)
        owned = self._store.owned(REPLICA_SET, meta(deployment)["uid"])
        matching = [rs for rs in owned if rollout.same_template(rs, deployment)]
        new = min(matching, key=created_at, default=None)
        status = computed_status(deployment, owned, new, self._clock)
        if status != deployment.get("status"):
            deployment = self._store.update(DEPLOYMENT, with_status(deployment, status), subresource="status")
        wait_s = stuck_after_s(deployment, self._clock)
        if wait_s is not None:
            self.queue.add_after(key, wait_s)
        return deployment


def rollout_complete(deployment: Obj) -> bool:
    wanted = replicas_of(deployment)
    status = deployment.get("status") or {}
    counts = [status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [wanted] * 3 and status.get("observedGeneration", 0) >= meta(deployment).get(
        "generation", 0
    )


def _replica_set(deployment: Obj, revision: int) -> Obj:
    template = deployment["spec"]["template"]
    collisions = (deployment.get("status") or {}).get("collisionCount", 0)
    digest = short_hash([template, collisions] if collisions else template)
    labels = {**labels_of(template), HASH_LABEL: digest}
    selector = deployment["spec"]["selector"]
    spec = {
        "replicas": 0,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
        "template": {**template, "metadata": {**meta(template), "labels": labels}},
    }
    if ready_s := deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = ready_s
    notes = {**_copied(deployment), **_size_notes(deployment), REVISION: str(revision)}
    data = {
        "name": f"{name_of(deployment)}-{digest}",
        "namespace": namespace_of(deployment),
        "labels": labels,
        "annotations": notes,
        "ownerReferences": [controller_reference(deployment)],
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": data, "spec": spec}


def _copied(deployment: Obj) -> dict[str, str]:
    return {name: value for name, value in annotations_of(deployment).items() if name not in NOT_COPIED}


def _size_notes(deployment: Obj) -> dict[str, str]:
    wanted = replicas_of(deployment)
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + rollout.bounds(deployment).surge)}
