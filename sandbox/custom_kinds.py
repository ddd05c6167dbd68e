"""CustomResourceDefinitions: kinds that come and go at run time, as plain objects without a schema."""

from sandbox.fields import Obj, get_in, name_of, namespace_of
from sandbox.kinds import Kind, Registry, kind_of
from sandbox.store import Change, Store

ESTABLISHED = (
    ("NamesAccepted", "NoConflicts", "no conflicts found"),
    ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
)


class CustomKinds:
    """Keeps a registry up to the definitions in the store."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._definitions = kind_of("CustomResourceDefinition")
        self._served: dict[str, list[Kind]] = {}
        for definition in store.list(self._definitions):
            self._serve(definition)
        store.subscribe(self._definitions, self._changed)

    def _changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self._withdraw(name_of(change.object))
        else:
            self._serve(change.object)

    def _serve(self, definition: Obj) -> None:
        """Makes every served version a kind, and says so in the definition's status."""
        name = name_of(definition)
        if name in self._served:
            return
        kinds = [_kind(definition["spec"], version) for version in definition["spec"]["versions"]]
        self._served[name] = kinds
        for kind in kinds:
            self._registry.add(kind)
        status = {
            "conditions": self._conditions(),
            "acceptedNames": definition["spec"]["names"],
            "storedVersions": [kinds[0].version],
        }
        self._store.update(self._definitions, {**definition, "status": status}, subresource="status")

    def _withdraw(self, name: str) -> None:
        """Objects of a withdrawn kind go with it."""
        for kind in self._served.pop(name, ()):
            self._registry.remove(kind)
            for obj in self._store.list(kind):
                self._store.delete(kind, namespace_of(obj) or None, name_of(obj))

    def _conditions(self) -> list[Obj]:
        now = self._store.clock.stamp()
        return [
            {"type": type_, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
            for type_, reason, message in ESTABLISHED
        ]


def _kind(spec: Obj, version: Obj) -> Kind:
    names = spec["names"]
    return Kind(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=("status",) if get_in(version, ("subresources", "status")) is not None else (),
        generation=True,
        custom=True,
    )
