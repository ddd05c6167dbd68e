"""What stands between a request and the store: defaults, admission, validation, quota, in the real order.

`ClusterGate` is the store's gate, so that controllers meet the same refusals as people.
"""

from sandbox.admission.defaults import with_defaults
from sandbox.admission.defaults_pod import filled
from sandbox.admission.limit_ranges import LimitRanges
from sandbox.admission.pod_security import check_pod_security
from sandbox.admission.pods import PodAdmission
from sandbox.admission.quota import Quotas
from sandbox.admission.service_addresses import ServiceAddresses, keep_addresses
from sandbox.admission.validate import check_changed, check_new
from sandbox.admission.webhooks import Webhooks
from sandbox.errors import Forbidden, NotFound, details_of
from sandbox.fields import Obj, annotations_of, is_deleting, name_of, namespace_of
from sandbox.kinds import Kind, kind_of
from sandbox.store import Store

PROTECTED = ("default", "kube-system", "kube-public")
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class ClusterGate:
    """The admission chain of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pods = PodAdmission(store)
        self._limits = LimitRanges(store)
        self._quotas = Quotas(store)
        self._webhooks = Webhooks(store)
        self._addresses = ServiceAddresses(store)
        self._namespaces = kind_of("Namespace")
        self._classes = kind_of("StorageClass")

    def admit_create(self, kind: Kind, obj: Obj) -> Obj:
        """The object as it will be stored; raises whatever refuses it first."""
        self._check_namespace(kind, obj)
        obj = with_defaults(obj)
        obj = self._mutated(kind, obj)
        self._webhooks.call("CREATE", kind, obj, mutating=True)
        check_new(kind, obj)
        obj = self._addresses.assigned(obj) if kind.kind == "Service" else obj
        self._webhooks.call("CREATE", kind, obj, mutating=False)
        if kind.kind == "Pod":
            self._limits.check(obj)
            check_pod_security(self._namespace_of(obj), obj)
        return obj

    def charge(self, kind: Kind, obj: Obj, *, dry_run: bool) -> None:
        self._quotas.charge(kind, obj, dry_run=dry_run)

    def admit_update(self, kind: Kind, obj: Obj, old: Obj, *, subresource: str | None) -> Obj:
        """Status is written as it comes: it is the controllers' own account of things."""
        if subresource is not None:
            return obj
        if kind.kind == "Service":
            obj = keep_addresses(obj, old)
        obj = with_defaults(obj)
        if obj == old:
            return obj
        self._webhooks.call("UPDATE", kind, obj, mutating=True)
        check_changed(kind, obj, old)
        if kind.kind == "Service":
            obj = self._addresses.assigned(obj)
        self._webhooks.call("UPDATE", kind, obj, mutating=False)
        return obj

    def admit_delete(self, kind: Kind, obj: Obj) -> None:
        if kind is self._namespaces and name_of(obj) in PROTECTED:
            raise Forbidden.because(kind, name_of(obj), "this namespace may not be deleted")
        self._webhooks.call("DELETE", kind, obj, mutating=False)

    def _mutated(self, kind: Kind, obj: Obj) -> Obj:
        if kind.kind == "Pod":
            return self._pods.completed(self._limits.defaulted(obj))
        if kind.kind == "PersistentVolumeClaim":
            return self._with_class(obj)
        return obj

    def _with_class(self, claim: Obj) -> Obj:
        """A claim that names no class gets the default one, if there is one."""
        spec = claim["spec"]
        if spec.get("storageClassName") is not None or spec.get("volumeName"):
            return claim
        found = (
            item
            for item in self._store.list(self._classes)
            if annotations_of(item).get(DEFAULT_CLASS) == "true"
        )
        default = max(found, key=lambda item: str(item["metadata"]["creationTimestamp"]), default=None)
        return (
            claim if default is None else {**claim, "spec": filled(spec, storageClassName=name_of(default))}
        )

    def _check_namespace(self, kind: Kind, obj: Obj) -> None:
        if not kind.namespaced or not namespace_of(obj):
            return
        space = self._namespace_of(obj)
        if is_deleting(space):
            name = namespace_of(obj)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise Forbidden(
                f'{kind.qualified} "{name_of(obj)}" is forbidden: {why}',
                {**details_of(kind, name_of(obj)), "causes": [cause]},
            )

    def _namespace_of(self, obj: Obj) -> Obj:
        space = self._store.find(self._namespaces, None, namespace_of(obj))
        if space is None:
            raise NotFound.of(self._namespaces, namespace_of(obj))
        return space
