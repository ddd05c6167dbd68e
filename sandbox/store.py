"""The one object store of the cluster: synchronous, in memory, versioned, watched.

Objects are plain JSON and immutable once stored: writers hand over a new dict, readers must not change what
they get. Rules of single kinds (defaults, validation, admission) are the `Gate`'s; the store keeps
versions, deletion and indexes.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol
from uuid import UUID

from sandbox.clock import SimClock
from sandbox.errors import AlreadyExists, Gone, NotFound
from sandbox.fields import Obj, is_deleting, meta, name_of, namespace_of
from sandbox.kinds import Kind
from sandbox.selectors import FieldSelector, Selector
from sandbox.tables import Change as Change
from sandbox.tables import Record, Table
from sandbox.watching import Watch
from sandbox.writing import (
    ASSIGNED_META,
    body,
    check_preconditions,
    check_versions,
    grace_period_s,
    may_go,
    merged,
    selected,
    terminating,
    with_generation,
)

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: random names must not spell words
Objs = list[Obj]  # named here, because inside Store `list` is a method
Records = list[Record]
Kinds = list[Kind]
FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class Gate(Protocol):
    """What stands before the store: fills in defaults, refuses what is wrong or not admitted."""

    def admit_create(self, kind: Kind, obj: Obj) -> Obj: ...

    def charge(self, kind: Kind, obj: Obj, *, dry_run: bool) -> None:
        """The last step before a new object is stored: takes what it costs from quotas."""

    def admit_update(self, kind: Kind, obj: Obj, old: Obj, *, subresource: str | None) -> Obj: ...

    def admit_delete(self, kind: Kind, obj: Obj) -> None: ...


class OpenGate:
    """Lets everything through unchanged."""

    def admit_create(self, kind: Kind, obj: Obj) -> Obj:
        return obj

    def charge(self, kind: Kind, obj: Obj, *, dry_run: bool) -> None:
        return None

    def admit_update(self, kind: Kind, obj: Obj, old: Obj, *, subresource: str | None) -> Obj:
        return obj

    def admit_delete(self, kind: Kind, obj: Obj) -> None:
        return None


class Store:
    """All objects of one cluster; every call is atomic, as the process has one thread."""

    def __init__(self, clock: SimClock, gate: Gate | None = None, *, history_count: int = 5000) -> None:
        self.clock = clock
        self.gate: Gate = gate or OpenGate()
        self.revision = 1
        self._history_count = history_count
        self._tables: dict[Kind, Table] = {}

    # --- reading

    def find(self, kind: Kind, namespace: str | None, name: str) -> Obj | None:
        record = self.table(kind).records.get((namespace or "", name))
        return record.obj if record else None

    def get(self, kind: Kind, namespace: str | None, name: str) -> Obj:
        """Raises NotFound."""
        return self.record(kind, namespace, name).obj

    def record(self, kind: Kind, namespace: str | None, name: str) -> Record:
        """The object together with its cached JSON; raises NotFound."""
        record = self.table(kind).records.get((namespace or "", name))
        if record is None:
            raise NotFound.of(kind, name)
        return record

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Selector | None = None,
        fields: FieldSelector | None = None,
    ) -> Objs:
        """Objects in order of namespace and name; of all namespaces when none is given."""
        return [record.obj for record in self.records(kind, namespace, labels=labels, fields=fields)]

    def records(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Selector | None = None,
        fields: FieldSelector | None = None,
    ) -> Records:
        return selected(self.table(kind).select(namespace, fields), labels, fields)

    def records_at(
        self,
        kind: Kind,
        revision: int,
        namespace: str | None = None,
        *,
        labels: Selector | None = None,
        fields: FieldSelector | None = None,
    ) -> Records:
        """Records as they were at an older revision; raises Gone when that is forgotten."""
        then = self.table(kind).as_of(revision)
        if then is None:
            raise Gone(
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter."
            )
        inside = [record for record in then if not namespace or record.key[0] == namespace]
        return selected(inside, labels, fields)

    def owned(self, kind: Kind, owner_uid: str) -> Objs:
        """Objects of `kind` whose ownerReferences name that uid."""
        return self.table(kind).indexed("owner", owner_uid)

    def indexed(self, kind: Kind, index: str, value: str) -> Objs:
        """By a named index: `owner` for all kinds, `node` for pods, `involved` (uid) for events."""
        return self.table(kind).indexed(index, value)

    def pods_on(self, pods: Kind, node: str) -> Objs:
        return self.table(pods).indexed("node", node)

    def kinds(self) -> Kinds:
        """Kinds of which objects are or were stored."""
        return [*self._tables]

    def table(self, kind: Kind) -> Table:
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = Table(kind, self._history_count)
        return table

    # --- writing

    def create(self, kind: Kind, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Stores a new object; raises AlreadyExists, or whatever the gate refuses with."""
        obj = self._named(kind, obj)
        obj = self.gate.admit_create(kind, self._born(kind, obj))
        if self.find(kind, namespace_of(obj), name_of(obj)) is not None:
            raise AlreadyExists.of(kind, name_of(obj))
        self.gate.charge(kind, obj, dry_run=dry_run)
        return obj if dry_run else self._commit(kind, "ADDED", obj, None)

    def restore(self, kind: Kind, obj: Obj) -> Obj:
        """Stores an object that lived in another cluster as it was: no gate, its own uid and times."""
        old = self.table(kind).records.get((namespace_of(obj), name_of(obj)))
        return self._commit(kind, "ADDED" if old is None else "MODIFIED", obj, old)

    def update(self, kind: Kind, obj: Obj, *, subresource: str | None = None, dry_run: bool = False) -> Obj:
        """Replaces an object; raises NotFound, or Conflict when its resourceVersion or uid is stale.

        Without `subresource` the status stays as it was (for kinds that have one); with `status` only the
        status changes; with `finalize` only a namespace's finalizers. A write that changes nothing makes no
        revision.
        """
        record = self.record(kind, namespace_of(obj), name_of(obj))
        check_versions(kind, obj, record.obj)
        new = self.gate.admit_update(
            kind, merged(kind, obj, record.obj, subresource), record.obj, subresource=subresource
        )
        new = with_generation(kind, new, record.obj)
        if new == record.obj or dry_run:
            return new
        if is_deleting(new) and may_go(new):
            return self._commit(kind, "DELETED", new, record)
        return self._commit(kind, "MODIFIED", new, record)

    def modify(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        fn: Callable[[Obj], Obj],
        *,
        subresource: str | None = None,
    ) -> Obj:
        """Read, copy and write in one step: `fn` gets the stored object and returns a new one."""
        return self.update(kind, fn(self.get(kind, namespace, name)), subresource=subresource)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        grace_s: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Deletes an object, or marks it when finalizers or a bound pod's kubelet must act first.

        `propagation` is Background (the default), Foreground or Orphan; the garbage collector acts on it.
        Returns the object as it is then. Raises NotFound, and Conflict when a precondition fails.
        """
        record = self.record(kind, namespace, name)
        check_preconditions(kind, record.obj, uid, resource_version)
        self.gate.admit_delete(kind, record.obj)
        obj = self._marked(kind, record.obj, grace_s, propagation)
        if dry_run or obj is record.obj:
            return obj
        return self._commit(kind, "DELETED" if may_go(obj) else "MODIFIED", obj, record)

    # --- watching

    def subscribe(self, kind: Kind, fn: Callable[[Change], None]) -> None:
        """Have `fn` called after each committed change, through the clock's ready queue."""
        self.table(kind).subscribers.append(fn)

    def watch(self, kind: Kind, since: int) -> Watch:
        """Changes after revision `since`; raises Gone when they are no longer all kept."""
        table = self.table(kind)
        if since < table.forgotten:
            raise Gone(f"too old resource version: {since} ({table.forgotten})")
        return Watch(table, since)

    # --- inside

    def _named(self, kind: Kind, obj: Obj) -> Obj:
        data = meta(obj)
        if data.get("name") or not data.get("generateName"):
            return obj
        prefix = data["generateName"]
        for _ in range(8):  # a real server tries once; with five letters eight never run out
            name = prefix[:58] + "".join(self.clock.random.choices(SUFFIX, k=5))
            if self.find(kind, namespace_of(obj), name) is None:
                break
        return {**obj, "metadata": {**data, "name": name}}

    def _born(self, kind: Kind, obj: Obj) -> Obj:
        data = {key: value for key, value in meta(obj).items() if key not in ASSIGNED_META}
        if not kind.namespaced:
            data.pop("namespace", None)
        data["uid"] = str(UUID(int=self.clock.random.getrandbits(128), version=4))
        data["creationTimestamp"] = self.clock.stamp()
        if kind.generation:
            data["generation"] = 1
        return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": data, **body(obj)}

    def _marked(self, kind: Kind, obj: Obj, grace_s: int | None, propagation: str | None) -> Obj:
        """The object with its deletion written down; the same object when it waits already."""
        finalizer = FINALIZERS.get(propagation or "")
        data = dict(meta(obj))
        grace = grace_period_s(kind, obj, grace_s)
        if finalizer and finalizer not in data.get("finalizers", ()):
            data["finalizers"] = [*data.get("finalizers", ()), finalizer]
        elif is_deleting(obj) and not may_go(obj) and grace >= (data["deletionGracePeriodSeconds"] or 0):
            return obj  # marked already; only a shorter grace changes anything
        data["deletionTimestamp"] = self.clock.stamp(after_s=grace)
        data["deletionGracePeriodSeconds"] = grace
        if kind.generation:
            data["generation"] = data.get("generation", 1) + (0 if is_deleting(obj) else 1)
        marked = {**obj, "metadata": data}
        return terminating(marked) if kind.kind == "Namespace" else marked

    def _commit(self, kind: Kind, type_: str, obj: Obj, old: Record | None) -> Obj:
        self.revision += 1
        obj = {**obj, "metadata": {**meta(obj), "resourceVersion": str(self.revision)}}
        record = Record(obj, self.revision)
        change = Change(type_, record, old)
        table = self.table(kind)
        table.apply(change)
        for fn in table.subscribers:
            self.clock.soon(partial(fn, change))
        return obj
