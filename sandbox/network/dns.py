"""The cluster's names: which Service, or which pod of a headless one, a host name means. No connections."""

from dataclasses import dataclass

from sandbox.fields import Obj, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

SERVICE = kind_of("Service")
ENDPOINTS = kind_of("Endpoints")
DOMAIN = ".svc.cluster.local"
LONGEST_ALIAS = 4  # ExternalNames that lead to ExternalNames; a circle ends there


@dataclass(frozen=True, slots=True)
class Destination:
    """What a name leads to: a Service, or with `pod` one pod of a headless Service."""

    service: Obj
    pod: str = ""

    @property
    def is_headless(self) -> bool:
        return bool(self.service["spec"].get("clusterIP") == "None")


def is_inside(host: str) -> bool:
    """Whether the name can only mean something in the cluster."""
    return host.endswith((DOMAIN, ".svc")) or host.count(".") < 2


def locate(store: Store, namespace: str, host: str) -> Destination | None:
    """Reads `db`, `db.data`, `db.data.svc`, and `db-0.db` for a pod, as seen from a namespace."""
    parts = host.removesuffix(".").removesuffix(DOMAIN).removesuffix(".svc").split(".")
    if len(parts) <= 2 and (found := store.find(SERVICE, _at(parts, 1, namespace), parts[0])) is not None:
        return Destination(found)
    if 2 <= len(parts) <= 3:
        service = store.find(SERVICE, _at(parts, 2, namespace), parts[1])
        if service is not None and parts[0] in ready_pods(store, service):
            return Destination(service, parts[0])
    return None


def follow(store: Store, namespace: str, host: str) -> str:
    """The name after following ExternalName Services."""
    for _ in range(LONGEST_ALIAS):
        found = locate(store, namespace, host)
        if found is None or found.service["spec"].get("type") != "ExternalName":
            break
        host = str(found.service["spec"].get("externalName", ""))
    return host


def resolves(store: Store, namespace: str, host: str) -> bool:
    """Whether the name has an address: one from outside always has, a headless Service needs a pod."""
    if not is_inside(host):
        return True
    found = locate(store, namespace, host)
    if found is None:
        return False
    return not found.is_headless or bool(ready_pods(store, found.service))


def ready_pods(store: Store, service: Obj) -> list[str]:
    """Names of the pods behind the Service's ready addresses."""
    endpoints = store.find(ENDPOINTS, namespace_of(service), name_of(service)) or {}
    subsets = endpoints.get("subsets") or ()
    return [a["targetRef"]["name"] for s in subsets for a in s.get("addresses") or () if "targetRef" in a]


def _at(parts: list[str], place: int, default: str) -> str:
    return parts[place] if len(parts) > place else default
