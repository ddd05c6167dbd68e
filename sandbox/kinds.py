"""The table of served kinds: how each is named, grouped, scoped, and which subresources it has.

`KINDS` are built in; a `Registry` adds the kinds that CustomResourceDefinitions bring at run time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

SCALE_STATUS = ("scale", "status")
STATUS = ("status",)
ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Kind:
    """One resource type; compared and hashed by identity, as there is one object a kind.

    `generation` says whether a change of spec counts up `metadata.generation`. `view_of` names the kind
    under which the objects are stored, when this one only shows them in another version's shape.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False
    view_of: str | None = None
    custom: bool = False

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural with its group, as refusals name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


def _core(
    kind: str,
    plural: str,
    *shorts: str,
    namespaced: bool = True,
    sub: tuple[str, ...] = (),
    all_: bool = False,
) -> Kind:
    return Kind(
        group="",
        version="v1",
        kind=kind,
        plural=plural,
        short_names=shorts,
        namespaced=namespaced,
        subresources=sub,
        categories=("all",) if all_ else (),
    )


def _grouped(
    api_version: str,
    kind: str,
    plural: str,
    *shorts: str,
    namespaced: bool = True,
    sub: tuple[str, ...] = (),
    all_: bool = False,
    generation: bool = False,
    view_of: str | None = None,
) -> Kind:
    group, version = api_version.split("/")
    return Kind(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        short_names=shorts,
        namespaced=namespaced,
        subresources=sub,
        categories=("all",) if all_ else (),
        generation=generation,
        view_of=view_of,
    )


RBAC = "rbac.authorization.k8s.io/v1"
HOOKS = "admissionregistration.k8s.io/v1"

KINDS: tuple[Kind, ...] = (
    _core("Namespace", "namespaces", "ns", namespaced=False, sub=("finalize", "status")),
    _core("Node", "nodes", "no", namespaced=False, sub=STATUS),
    _core("Pod", "pods", "po", sub=("binding", "eviction", "log", "status"), all_=True),
    _core("Service", "services", "svc", sub=STATUS, all_=True),
    _core("Endpoints", "endpoints", "ep"),
    _core("ConfigMap", "configmaps", "cm"),
    _core("Secret", "secrets"),
    _core("ServiceAccount", "serviceaccounts", "sa"),
    _core("PersistentVolume", "persistentvolumes", "pv", namespaced=False, sub=STATUS),
    _core("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", sub=STATUS),
    _core("ResourceQuota", "resourcequotas", "quota", sub=STATUS),
    _core("LimitRange", "limitranges", "limits"),
    _core("ReplicationController", "replicationcontrollers", "rc", sub=SCALE_STATUS, all_=True),
    _core("Event", "events", "ev"),
    _grouped("apps/v1", "Deployment", "deployments", "deploy", sub=SCALE_STATUS, all_=True, generation=True),
    _grouped("apps/v1", "ReplicaSet", "replicasets", "rs", sub=SCALE_STATUS, all_=True, generation=True),
    _grouped("apps/v1", "StatefulSet", "statefulsets", "sts", sub=SCALE_STATUS, all_=True, generation=True),
    _grouped("apps/v1", "DaemonSet", "daemonsets", "ds", sub=STATUS, all_=True, generation=True),
    _grouped("apps/v1", "ControllerRevision", "controllerrevisions"),
    _grouped("batch/v1", "Job", "jobs", sub=STATUS, all_=True, generation=True),
    _grouped("batch/v1", "CronJob", "cronjobs", "cj", sub=STATUS, all_=True, generation=True),
    _grouped(
        "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", sub=STATUS, all_=True
    ),
    _grouped(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        sub=STATUS,
        all_=True,
        view_of="HorizontalPodAutoscaler",
    ),
    _grouped("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", sub=STATUS, generation=True),
    _grouped("networking.k8s.io/v1", "Ingress", "ingresses", "ing", sub=STATUS, generation=True),
    _grouped("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False, generation=True),
    _grouped("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol", generation=True),
    _grouped("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", generation=True),
    _grouped("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc", namespaced=False),
    _grouped(
        "scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc", namespaced=False, generation=True
    ),
    _grouped("coordination.k8s.io/v1", "Lease", "leases"),
    _grouped("events.k8s.io/v1", "Event", "events", "ev", view_of="Event"),
    _grouped(RBAC, "Role", "roles"),
    _grouped(RBAC, "RoleBinding", "rolebindings"),
    _grouped(RBAC, "ClusterRole", "clusterroles", namespaced=False),
    _grouped(RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _grouped(
        HOOKS,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        namespaced=False,
        generation=True,
    ),
    _grouped(
        HOOKS,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        namespaced=False,
        generation=True,
    ),
    _grouped(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "crd",
        "crds",
        namespaced=False,
        sub=STATUS,
        generation=True,
    ),
)

_STORED = {kind.kind: kind for kind in KINDS if kind.view_of is None}


def kind_of(name: str) -> Kind:
    """The built-in kind under which objects called `name` are stored; KeyError for an unknown name."""
    return _STORED[name]


class Registry:
    """Built-in kinds and those that definitions add; lookups by path and by kind."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str], Kind] = {}
        for kind in KINDS:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        self._by_path[(kind.group, kind.version, kind.plural)] = kind
        self._by_kind[(kind.api_version, kind.kind)] = kind

    def remove(self, kind: Kind) -> None:
        self._by_path.pop((kind.group, kind.version, kind.plural), None)
        self._by_kind.pop((kind.api_version, kind.kind), None)

    def by_path(self, group: str, version: str, plural: str) -> Kind | None:
        return self._by_path.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        return self._by_kind.get((api_version, kind))

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._by_path.values())

    def stored(self, kind: Kind) -> Kind:
        """The kind that really keeps the objects: itself, unless it is a view."""
        return kind if kind.view_of is None else kind_of(kind.view_of)
