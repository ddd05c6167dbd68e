"""A store as a fresh cluster has it: namespaces, their accounts, priority classes, the API's own service."""

from sandbox.admission.gate import ClusterGate
from sandbox.clock import SimClock
from sandbox.fields import Obj, is_deleting, name_of
from sandbox.kinds import kind_of
from sandbox.store import Change, Store

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
CRITICAL = {
    "system-cluster-critical": (
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be "
        "moved to another node if necessary.",
    ),
    "system-node-critical": (
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}
API_SERVICE: Obj = {
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
}


def new_store(clock: SimClock, *, history_count: int = 5000) -> Store:
    """An empty cluster's store, with admission before it.

    `history_count` bounds the changes kept per kind for watchers.
    """
    store = Store(clock, history_count=history_count)
    store.gate = ClusterGate(store)
    store.subscribe(kind_of("Namespace"), lambda change: _furnish(store, change))
    for name in NAMESPACES:
        store.create(kind_of("Namespace"), {"metadata": {"name": name}})
    for name, (value, text) in CRITICAL.items():
        priority = {"metadata": {"name": name}, "value": value, "description": text}
        store.create(kind_of("PriorityClass"), priority)
    store.create(kind_of("Service"), API_SERVICE)
    return store


def _furnish(store: Store, change: Change) -> None:
    """Every namespace gets a service account and the cluster's certificate authority."""
    namespace = name_of(change.object)
    if change.type == "DELETED" or is_deleting(change.object):
        return
    account = kind_of("ServiceAccount")
    if store.find(account, namespace, "default") is None:
        store.create(account, {"metadata": {"name": "default", "namespace": namespace}})
    authority = kind_of("ConfigMap")
    if store.find(authority, namespace, "kube-root-ca.crt") is None:
        data = {"ca.crt": "the sandbox speaks plain HTTP\n"}
        store.create(
            authority, {"metadata": {"name": "kube-root-ca.crt", "namespace": namespace}, "data": data}
        )
