"""Garbage collection by ownerReferences: what lost its owners goes, at once, before them, or not."""

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import NotFound
from sandbox.fields import Obj, is_deleting, meta, name_of, namespace_of, owners_of
from sandbox.kinds import KINDS, Kind
from sandbox.state import Key
from sandbox.store import Store
from sandbox.tables import Change

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
NEVER_OWNED = ("Event", "Lease", "Namespace", "Node")


class GarbageCollector:
    """Hears of every deletion, and deletes or frees what belonged to the deleted object."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._kinds = {k.kind: k for k in KINDS if k.view_of is None and k.kind not in NEVER_OWNED}
        self._queues = {name: self._queue(kind) for name, kind in self._kinds.items()}
        for kind in self._kinds.values():
            store.subscribe(kind, self._changed)

    def _queue(self, kind: Kind) -> WorkQueue:
        return WorkQueue(self._clock, lambda key: self._sync(kind, key))

    def _changed(self, change: Change) -> None:
        obj = change.object
        if change.type == "DELETED":
            for kind, dependent in self._dependents(obj):
                self._look_at(kind, dependent)
            for owner in owners_of(obj):
                self._look_at_owner(obj, owner)
        elif _is_held(obj) or (change.type == "ADDED" and owners_of(obj)):
            self._queues[obj["kind"]].add((namespace_of(obj), name_of(obj)))

    def _look_at(self, kind: Kind, obj: Obj) -> None:
        self._queues[kind.kind].add((namespace_of(obj), name_of(obj)))

    def _look_at_owner(self, obj: Obj, owner: Obj) -> None:
        if owner["kind"] in self._queues:
            namespace = namespace_of(obj) if self._kinds[owner["kind"]].namespaced else ""
            self._queues[owner["kind"]].add((namespace, owner["name"]))

    def _dependents(self, owner: Obj) -> list[tuple[Kind, Obj]]:
        uid = meta(owner)["uid"]
        return [(kind, obj) for kind in self._kinds.values() for obj in self._store.owned(kind, uid)]

    def _sync(self, kind: Kind, key: Key) -> None:
        obj = self._store.find(kind, *key)
        if obj is None:
            return
        finalizers = meta(obj).get("finalizers") or []
        if is_deleting(obj) and FOREGROUND in finalizers:
            self._delete_dependents_first(kind, obj)
        elif is_deleting(obj) and ORPHAN in finalizers:
            self._free_dependents(kind, obj)
        elif owners_of(obj) and not is_deleting(obj):
            self._delete_if_abandoned(kind, obj)

    def _delete_dependents_first(self, kind: Kind, obj: Obj) -> None:
        blocking = []
        for dependent_kind, dependent in self._dependents(obj):
            if not is_deleting(dependent):
                self._delete(dependent_kind, dependent, "Foreground")
            mine = next(owner for owner in owners_of(dependent) if owner["uid"] == meta(obj)["uid"])
            if mine.get("blockOwnerDeletion"):
                blocking.append(dependent)
        if not self._dependents(obj) or not blocking:
            self._drop_finalizer(kind, obj, FOREGROUND)

    def _free_dependents(self, kind: Kind, obj: Obj) -> None:
        for dependent_kind, dependent in self._dependents(obj):
            rest = [owner for owner in owners_of(dependent) if owner["uid"] != meta(obj)["uid"]]
            data = {**meta(dependent), "ownerReferences": rest}
            self._store.update(dependent_kind, {**dependent, "metadata": data})
        self._drop_finalizer(kind, obj, ORPHAN)

    def _delete_if_abandoned(self, kind: Kind, obj: Obj) -> None:
        owners = owners_of(obj)
        alive = [owner for owner in owners if self._exists(obj, owner)]
        if not alive:
            self._delete(kind, obj, "Background")
        elif len(alive) < len(owners):
            self._store.update(kind, {**obj, "metadata": {**meta(obj), "ownerReferences": alive}})

    def _exists(self, obj: Obj, owner: Obj) -> bool:
        kind = self._kinds.get(owner["kind"])
        if kind is None:
            return True  # an owner of a kind that is defined at run time, or never collected
        found = self._store.find(kind, namespace_of(obj) if kind.namespaced else None, owner["name"])
        return found is not None and meta(found)["uid"] == owner["uid"]

    def _delete(self, kind: Kind, obj: Obj, propagation: str) -> None:
        try:
            self._store.delete(
                kind, namespace_of(obj), name_of(obj), uid=meta(obj)["uid"], propagation=propagation
            )
        except NotFound:
            return  # gone meanwhile

    def _drop_finalizer(self, kind: Kind, obj: Obj, finalizer: str) -> None:
        current = self._store.get(kind, namespace_of(obj), name_of(obj))
        rest = [name for name in meta(current).get("finalizers") or () if name != finalizer]
        self._store.update(kind, {**current, "metadata": {**meta(current), "finalizers": rest}})


def _is_held(obj: Obj) -> bool:
    return is_deleting(obj) and bool(meta(obj).get("finalizers"))
