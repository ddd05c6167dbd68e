"""A store as a fresh cluster has it: the four namespaces every cluster starts with."""

from sandbox.clock import SimClock
from sandbox.fields import Obj
from sandbox.kinds import kind_of
from sandbox.store import Store

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def new_store(clock: SimClock, *, history_count: int = 5000) -> Store:
    """An empty cluster's store; `history_count` bounds the changes kept per kind for watchers."""
    store = Store(clock, history_count=history_count)
    for name in NAMESPACES:
        store.create(kind_of("Namespace"), _namespace(name))
    return store


def _namespace(name: str) -> Obj:
    labels = {"kubernetes.io/metadata.name": name}
    spec = {"finalizers": ["kubernetes"]}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"phase": "Active"}}
