"""The one object store of the cluster: synchronous, in memory, versioned, watched.

Objects are plain JSON and immutable once stored: writers hand over a new dict, readers must not change what
they get. Rules of single kinds (defaults, validation, admission) are the `Gate`'s; the store keeps
versions, deletion and indexes.
"""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from sandbox.clock import SimClock
from sandbox.errors import AlreadyExists, Conflict, Gone, NotFound
from sandbox.fields import Obj, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import Kind
from sandbox.selectors import FieldSelector, Selector
from sandbox.tables import Change as Change
from sandbox.tables import Record, Table
from sandbox.watching import Watch

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: random names must not spell words
Objs = list[Obj]  # named here, because inside Store `list` is a method
Records = list[Record]
Kinds = list[Kind]
FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
SYSTEM_META = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
ASSIGNED_META = (*SYSTEM_META, "resourceVersion", "selfLink")


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
        return _selected(self.table(kind).select(namespace, fields), labels, fields)

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
        return _selected(inside, labels, fields)

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
        _check_versions(kind, obj, record.obj)
        new = self.gate.admit_update(
            kind, _merged(kind, obj, record.obj, subresource), record.obj, subresource=subresource
        )
        new = _with_generation(kind, new, record.obj)
        if new == record.obj or dry_run:
            return new
        if is_deleting(new) and _may_go(new):
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
        _check_preconditions(kind, record.obj, uid, resource_version)
        self.gate.admit_delete(kind, record.obj)
        obj = self._marked(kind, record.obj, grace_s, propagation)
        if dry_run or obj is record.obj:
            return obj
        return self._commit(kind, "DELETED" if _may_go(obj) else "MODIFIED", obj, record)

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
        return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": data, **_body(obj)}

    def _marked(self, kind: Kind, obj: Obj, grace_s: int | None, propagation: str | None) -> Obj:
        """The object with its deletion written down; the same object when it waits already."""
        finalizer = FINALIZERS.get(propagation or "")
        data = dict(meta(obj))
        grace = _grace_s(kind, obj, grace_s)
        if finalizer and finalizer not in data.get("finalizers", ()):
            data["finalizers"] = [*data.get("finalizers", ()), finalizer]
        elif is_deleting(obj) and not _may_go(obj) and grace >= (data["deletionGracePeriodSeconds"] or 0):
            return obj  # marked already; only a shorter grace changes anything
        data["deletionTimestamp"] = self.clock.stamp(after_s=grace)
        data["deletionGracePeriodSeconds"] = grace
        if kind.generation:
            data["generation"] = data.get("generation", 1) + (0 if is_deleting(obj) else 1)
        marked = {**obj, "metadata": data}
        return _terminating(marked) if kind.kind == "Namespace" else marked

    def _commit(self, kind: Kind, type_: str, obj: Obj, old: Record | None) -> Obj:
        self.revision += 1
        obj = {**obj, "metadata": {**meta(obj), "resourceVersion": str(self.revision)}}
        record = Record(obj, self.revision)
        change = Change(type_, record, old)
        table = self.table(kind)
        table.apply(change)
        for fn in table.subscribers:
            self.clock.soon(lambda fn=fn: fn(change))  # type: ignore[misc]
        return obj


def _selected(found: Records, labels: Selector | None, fields: FieldSelector | None) -> Records:
    if labels is not None and not labels.empty:
        found = [record for record in found if labels.matches(labels_of(record.obj))]
    if fields is not None and fields.terms:
        found = [record for record in found if fields.matches(record.obj)]
    return found


def _body(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}


def _check_versions(kind: Kind, obj: Obj, old: Obj) -> None:
    given, current = meta(obj), meta(old)
    uid = given.get("uid")
    if uid and uid != current["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {current['uid']}"
        raise Conflict.because(kind, name_of(old), why)
    version = given.get("resourceVersion")
    if version and version not in ("0", current["resourceVersion"]):  # "0" is how some clients say "any"
        raise Conflict.stale(kind, name_of(old))


def _check_preconditions(kind: Kind, obj: Obj, uid: str | None, version: str | None) -> None:
    current = meta(obj)
    if uid and uid != current["uid"]:
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({current['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise Conflict.precondition(kind, name_of(obj), why)
    if version and version != current["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in "
            f"record ({current['resourceVersion']}). The object might have been modified"
        )
        raise Conflict.precondition(kind, name_of(obj), why)


def _merged(kind: Kind, obj: Obj, old: Obj, subresource: str | None) -> Obj:
    """What an update through that door leaves: each door changes its own part only."""
    if subresource == "status":
        return {**old, "status": obj.get("status", {})}
    if subresource == "finalize":
        spec = {**old.get("spec", {}), "finalizers": (obj.get("spec") or {}).get("finalizers", [])}
        return {**old, "spec": spec}
    data = {key: value for key, value in meta(obj).items() if key not in SYSTEM_META}
    data |= {key: meta(old)[key] for key in (*SYSTEM_META, "resourceVersion") if key in meta(old)}
    new = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": data, **_body(obj)}
    if kind.has_status:
        new.pop("status", None)
        new |= {"status": old["status"]} if "status" in old else {}
    return new


def _with_generation(kind: Kind, new: Obj, old: Obj) -> Obj:
    if not kind.generation:
        return new
    ignored = ("metadata", "status")
    keys = {key for key in (*new, *old) if key not in ignored}
    if all(new.get(key) == old.get(key) for key in keys):
        return new
    return {**new, "metadata": {**meta(new), "generation": meta(old).get("generation", 0) + 1}}


def _grace_s(kind: Kind, obj: Obj, asked_s: int | None) -> int:
    """Seconds a pod's kubelet gets; none for other kinds, unbound pods and finished ones."""
    if kind.kind != "Pod" or not (obj.get("spec") or {}).get("nodeName"):
        return 0
    if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if asked_s is not None:
        return max(asked_s, 0)
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def _terminating(namespace: Obj) -> Obj:
    return {**namespace, "status": {**(namespace.get("status") or {}), "phase": "Terminating"}}


def _may_go(obj: Obj) -> bool:
    """Nothing holds the marked object any more: no finalizer, no grace left."""
    data = meta(obj)
    held = bool(data.get("finalizers"))
    if obj["kind"] == "Namespace":  # its finalizers of contents stand in spec
        held = held or bool((obj.get("spec") or {}).get("finalizers"))
    return not held and not data.get("deletionGracePeriodSeconds")
