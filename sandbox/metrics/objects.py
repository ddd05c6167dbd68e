"""Families that are read off stored objects alone, as kube-state-metrics has them: the shared words.

Readings are taken again only when an object has a new revision.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sandbox.amounts import amount
from sandbox.fields import Obj, controller_of, get_in, meta, owners_of
from sandbox.kinds import Kind
from sandbox.metrics.family import Family, Group, Reading, gauge, one_of, taken
from sandbox.state import unix_time
from sandbox.store import Store

CONDITION_STATUS = ("true", "false", "unknown")
UNITS = {"cpu": "core", "memory": "byte", "storage": "byte", "ephemeral-storage": "byte"}

ObjectFamily = Family[Obj]
Identity = Callable[[Obj], dict[str, str]]


def groups_of(store: Store, kind: Kind, families: Sequence[ObjectFamily]) -> Iterator[Group]:
    """One group for each object of the kind."""
    for record in store.records(kind):
        yield Group((kind.kind, *record.key), record.revision, partial(taken, families, record.obj))


def identity(label: str) -> Identity:
    """Namespace and name, as every family of a kind labels its readings."""

    def read(obj: Obj) -> dict[str, str]:
        data = meta(obj)
        return {"namespace": data.get("namespace") or "", label: data["name"]}

    return read


class Words:
    """Makes the usual families of one kind."""

    def __init__(self, prefix: str, who: Identity) -> None:
        self._prefix = prefix
        self.who = who

    def number(self, suffix: str, text: str, *path: str, default: float | None = 0.0) -> ObjectFamily:
        """A number of the object; left out when it is absent and there is no default."""

        def read(obj: Obj) -> Iterable[Reading]:
            value = get_in(obj, path, default)
            return () if value is None else (Reading(self.who(obj), float(value)),)

        return gauge(f"{self._prefix}_{suffix}", text, read)

    def time(self, suffix: str, text: str, *path: str) -> ObjectFamily:
        """A moment of the object in unix seconds."""

        def read(obj: Obj) -> Iterable[Reading]:
            stamp = get_in(obj, path)
            return (Reading(self.who(obj), unix_time(stamp)),) if stamp else ()

        return gauge(f"{self._prefix}_{suffix}", text, read)

    def created(self) -> ObjectFamily:
        return self.time("created", "Unix creation timestamp", "metadata", "creationTimestamp")

    def generation(self) -> ObjectFamily:
        text = "Sequence number representing a specific generation of the desired state."
        return self.number("metadata_generation", text, "metadata", "generation")

    def facts(self, suffix: str, text: str, read: Callable[[Obj], dict[str, str]]) -> ObjectFamily:
        """A constant 1 whose labels tell something."""
        return gauge(
            f"{self._prefix}_{suffix}", text, lambda obj: (Reading({**self.who(obj), **read(obj)}, 1.0),)
        )

    def owners(self) -> ObjectFamily:
        def read(obj: Obj) -> Iterator[Reading]:
            for owner in owners_of(obj) or ({},):
                yield Reading({**self.who(obj), **_owner(owner)}, 1.0)

        return gauge(f"{self._prefix}_owner", "Information about the owner.", read)

    def conditions(self, suffix: str, text: str) -> ObjectFamily:
        """Every condition with every status: 1 for the one it has."""

        def read(obj: Obj) -> Iterator[Reading]:
            for entry in get_in(obj, ("status", "conditions"), ()):
                labels = {**self.who(obj), "condition": entry["type"]}
                yield from one_of(labels, "status", CONDITION_STATUS, entry["status"].lower())

        return gauge(f"{self._prefix}_{suffix}", text, read)

    def phase(self, text: str, phases: Sequence[str]) -> ObjectFamily:
        return gauge(
            f"{self._prefix}_status_phase",
            text,
            lambda obj: one_of(self.who(obj), "phase", phases, get_in(obj, ("status", "phase"))),
        )


def resources(labels: dict[str, str], amounts: Obj | None) -> Iterator[Reading]:
    """One reading for each resource, in cores, bytes or pieces."""
    for name, value in (amounts or {}).items():
        known = {"resource": name.replace("-", "_").replace("/", "_").replace(".", "_")}
        yield Reading({**labels, **known, "unit": UNITS.get(name, "integer")}, float(amount(value)))


def _owner(owner: Obj) -> dict[str, str]:
    if not owner:
        return {}
    return {
        "owner_kind": owner["kind"],
        "owner_name": owner["name"],
        "owner_is_controller": str(bool(owner.get("controller"))).lower(),
    }


def created_by(obj: Obj) -> dict[str, str]:
    owner = controller_of(obj)
    return {"created_by_kind": owner["kind"], "created_by_name": owner["name"]} if owner else {}
