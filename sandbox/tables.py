"""One kind's objects in memory: by key, by index, and the recent changes for those who watch."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sandbox.fields import Obj, get_in, name_of, namespace_of, owners_of
from sandbox.kinds import Kind
from sandbox.selectors import FieldSelector

Key = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""


class Record:
    """One object at one revision; its JSON is made once, whoever asks."""

    __slots__ = ("_json", "obj", "revision")

    def __init__(self, obj: Obj, revision: int) -> None:
        self.obj = obj
        self.revision = revision
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        if self._json is None:
            self._json = json.dumps(self.obj, separators=(",", ":"), ensure_ascii=False).encode()
        return self._json

    @property
    def key(self) -> Key:
        return namespace_of(self.obj), name_of(self.obj)


@dataclass(frozen=True, slots=True)
class Change:
    """One committed write: ADDED, MODIFIED or DELETED, with the record before it."""

    type: str
    record: Record
    old_record: Record | None

    @property
    def object(self) -> Obj:
        return self.record.obj

    @property
    def old(self) -> Obj | None:
        return self.old_record.obj if self.old_record else None

    @property
    def revision(self) -> int:
        return self.record.revision

    @property
    def line(self) -> bytes:
        """The watch event as one line of JSON."""
        return b'{"type":"%s","object":%s}\n' % (self.type.encode(), self.record.json)


def _owners(obj: Obj) -> Iterable[str]:
    return [owner["uid"] for owner in owners_of(obj)]


def _field(*path: str) -> Callable[[Obj], Iterable[str]]:
    def read(obj: Obj) -> Iterable[str]:
        value = get_in(obj, path)
        return [value] if value else []

    return read


INDEXES: dict[str, dict[str, Callable[[Obj], Iterable[str]]]] = {
    "Pod": {"node": _field("spec", "nodeName")},
    "Event": {"involved": _field("involvedObject", "uid"), "about": _field("involvedObject", "name")},
}
SHORTCUTS = {
    "Pod": (("spec.nodeName", "node"),),
    "Event": (("involvedObject.uid", "involved"), ("involvedObject.name", "about")),
}
"""Which exact field selectors an index answers."""


class Table:
    """Objects of one kind, their indexes, and the last changes (at least `history_count` of them)."""

    def __init__(self, kind: Kind, history_count: int) -> None:
        self.kind = kind
        self.records: dict[Key, Record] = {}
        self.subscribers: list[Callable[[Change], None]] = []
        self.waiting: set[Callable[[], None]] = set()
        self.forgotten = 0  # changes up to here are not kept
        self._names: dict[str, dict[str, Record]] = {}
        self._sorted: list[Key] | None = None
        self._readers = {"owner": _owners, **INDEXES.get(kind.kind, {})}
        self._indexes: dict[str, dict[str, dict[Key, None]]] = {name: {} for name in self._readers}
        self._changes: list[Change] = []
        self._revisions: list[int] = []
        self._history_count = history_count

    def apply(self, change: Change) -> None:
        key = change.record.key
        if change.old_record is not None:
            self._unindex(key, change.old_record.obj)
        if change.type == "DELETED":
            self._drop(key)
        else:
            self._keep(key, change.record)
        self._remember(change)
        for wake in self.waiting:
            wake()

    def select(self, namespace: str | None, fields: FieldSelector | None) -> list[Record]:
        """Records of a namespace (or all), sorted; an exact field selector with an index is fast."""
        keys = self._by_shortcut(fields) if fields else None
        if keys is None:
            return self._in_order(namespace)
        wanted = sorted(key for key in keys if not namespace or key[0] == namespace)
        return [self.records[key] for key in wanted]

    def indexed(self, index: str, value: str) -> list[Obj]:
        return [self.records[key].obj for key in self._indexes[index].get(value, ())]

    def changes_since(self, revision: int) -> Iterator[Change]:
        return islice(self._changes, bisect_right(self._revisions, revision), None)

    def as_of(self, revision: int) -> list[Record] | None:
        """All records as they were at a revision, sorted; None when that is forgotten."""
        if revision < self.forgotten:
            return None
        then = dict(self.records)
        for change in reversed(list(self.changes_since(revision))):
            then.pop(change.record.key, None)
            if change.old_record is not None:
                then[change.old_record.key] = change.old_record
        return [then[key] for key in sorted(then)]

    def _in_order(self, namespace: str | None) -> list[Record]:
        if namespace:
            found = self._names.get(namespace, {})
            return [found[name] for name in sorted(found)]
        if self._sorted is None:
            self._sorted = sorted(self.records)
        return [self.records[key] for key in self._sorted]

    def _by_shortcut(self, fields: FieldSelector) -> Iterable[Key] | None:
        for path, index in SHORTCUTS.get(self.kind.kind, ()):
            value = fields.exact(path)
            if value:
                return self._indexes[index].get(value, {}).keys()
        return None

    def _keep(self, key: Key, record: Record) -> None:
        if key not in self.records:
            self._sorted = None
        self.records[key] = record
        self._names.setdefault(key[0], {})[key[1]] = record
        for name, read in self._readers.items():
            for value in read(record.obj):
                self._indexes[name].setdefault(value, {})[key] = None

    def _drop(self, key: Key) -> None:
        self._sorted = None
        del self.records[key]
        self._names[key[0]].pop(key[1])

    def _unindex(self, key: Key, obj: Obj) -> None:
        for name, read in self._readers.items():
            for value in read(obj):
                keys = self._indexes[name][value]
                del keys[key]
                if not keys:
                    del self._indexes[name][value]

    def _remember(self, change: Change) -> None:
        self._changes.append(change)
        self._revisions.append(change.revision)
        if len(self._changes) > 2 * self._history_count:  # cutting in halves keeps appending cheap
            cut = len(self._changes) - self._history_count
            self.forgotten = self._revisions[cut - 1]
            del self._changes[:cut], self._revisions[:cut]
