"""Namespaces that are deleted: everything in them goes first, then they do. And what every new one gets."""

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import AlreadyExists, NotFound
from sandbox.fields import Obj, is_deleting, name_of, namespace_of
from sandbox.kinds import Kind, kind_of
from sandbox.state import Key, with_status
from sandbox.store import Store
from sandbox.tables import Change

NAMESPACE = kind_of("Namespace")
SERVICE_ACCOUNT = kind_of("ServiceAccount")
CONFIG_MAP = kind_of("ConfigMap")
AGAIN_S = 1.0  # between two looks at a namespace that is not yet empty
ROOT_CERTIFICATE = "kube-root-ca.crt"


class NamespaceController:
    """Gives each namespace its default account and root certificate, and empties those that go."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(NAMESPACE, self.queue.on_change)
        store.subscribe(SERVICE_ACCOUNT, self._account_changed)
        for namespace in store.list(NAMESPACE):
            self.queue.add(("", name_of(namespace)))

    def _account_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self.queue.add(("", namespace_of(change.object)))

    def _sync(self, key: Key) -> None:
        namespace = self._store.find(NAMESPACE, *key)
        if namespace is None:
            return
        if is_deleting(namespace):
            self._empty(namespace)
        else:
            self._furnish(name_of(namespace))

    def _furnish(self, namespace: str) -> None:
        account = {"metadata": {"name": "default", "namespace": namespace}}
        certificate = {
            "metadata": {"name": ROOT_CERTIFICATE, "namespace": namespace},
            "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"},
        }
        for kind, obj in ((SERVICE_ACCOUNT, account), (CONFIG_MAP, certificate)):
            if self._store.find(kind, namespace, name_of(obj)) is None:
                self._create(kind, obj)

    def _create(self, kind: Kind, obj: Obj) -> None:
        try:
            self._store.create(kind, obj)
        except AlreadyExists:
            return  # somebody was faster

    def _empty(self, namespace: Obj) -> None:
        remaining = self._contents(name_of(namespace))
        for kind, obj in remaining:
            if not is_deleting(obj):
                self._delete(kind, obj)
        remaining = self._contents(name_of(namespace))
        if remaining:
            self._tell_remaining(namespace, remaining)
            self.queue.add_after(("", name_of(namespace)), AGAIN_S)
        else:
            self._finalize(namespace)

    def _contents(self, namespace: str) -> list[tuple[Kind, Obj]]:
        kinds = [kind for kind in self._store.kinds() if kind.namespaced]
        return [(kind, obj) for kind in kinds for obj in self._store.list(kind, namespace)]

    def _delete(self, kind: Kind, obj: Obj) -> None:
        try:
            self._store.delete(kind, namespace_of(obj), name_of(obj), propagation="Background")
        except NotFound:
            return  # gone with its owner

    def _tell_remaining(self, namespace: Obj, remaining: list[tuple[Kind, Obj]]) -> None:
        """Says in the namespace's conditions what it still waits for."""
        counts = {kind.qualified: 0 for kind, _ in remaining}
        held = {f for _, obj in remaining for f in obj["metadata"].get("finalizers") or ()}
        for kind, _ in remaining:
            counts[kind.qualified] += 1
        has = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(counts.items()))
        conditions = [
            self._condition(
                "NamespaceContentRemaining", "SomeResourcesRemain", f"Some resources are remaining: {has}"
            )
        ]
        if held:
            text = f"Some content in the namespace has finalizers remaining: {', '.join(sorted(held))}"
            conditions.append(self._condition("NamespaceFinalizersRemaining", "SomeFinalizersRemain", text))
        current = self._store.get(NAMESPACE, None, name_of(namespace))
        status = {**(current.get("status") or {}), "conditions": conditions}
        self._store.update(NAMESPACE, with_status(current, status), subresource="status")

    def _condition(self, kind: str, reason: str, message: str) -> Obj:
        base = {"type": kind, "status": "True", "lastTransitionTime": self._clock.stamp()}
        return {**base, "reason": reason, "message": message}

    def _finalize(self, namespace: Obj) -> None:
        current = self._store.get(NAMESPACE, None, name_of(namespace))
        spec = {**(current.get("spec") or {}), "finalizers": []}
        self._store.update(NAMESPACE, {**current, "spec": spec}, subresource="finalize")
