"""Columns of everything that is neither pod nor workload: network, storage, configuration, events."""

from sandbox.api.cells import (
    NONE,
    UNSET,
    Cell,
    Column,
    age,
    count,
    created_at,
    field,
    joined,
    name_cell,
    pairs,
    selector,
    since,
    size,
)
from sandbox.fields import Obj, annotations_of, get_in, is_deleting, name_of

NAME, AGE = Column("Name", name_cell), Column("Age", age)
CREATED = (NAME, Column("Created At", created_at))
MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SHOWN_ENDPOINTS = 3  # longer lists end in "+ 2 more..."


def _ports(service: Obj, now: float) -> Cell:
    shown = []
    for port in get_in(service, ("spec", "ports"), []):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return joined(shown)


def _external(service: Obj, now: float) -> Cell:
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    ingress = get_in(service, ("status", "loadBalancer", "ingress"), [])
    found = [item.get("ip") or item.get("hostname") for item in ingress] + list(spec.get("externalIPs") or ())
    return joined(found, "<pending>" if spec.get("type") == "LoadBalancer" else NONE)


def _endpoints(obj: Obj, now: float) -> Cell:
    found = []
    for subset in obj.get("subsets") or ():
        ports = [port["port"] for port in subset.get("ports") or ()]
        for address in subset.get("addresses") or ():
            found += [f"{address['ip']}:{port}" for port in ports] or [address["ip"]]
    return _first(found)


def _first(found: list[str]) -> str:
    rest = len(found) - SHOWN_ENDPOINTS
    return joined(found[:SHOWN_ENDPOINTS]) + (f" + {rest} more..." if rest > 0 else "")


def _slice_ports(obj: Obj, now: float) -> Cell:
    return joined((port.get("port", "*") for port in obj.get("ports") or ()), UNSET)


def _slice_endpoints(obj: Obj, now: float) -> Cell:
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint["addresses"]]
    return _first(found) if found else UNSET


def _hosts(ingress: Obj, now: float) -> Cell:
    return joined((rule["host"] for rule in get_in(ingress, ("spec", "rules"), []) if rule.get("host")), "*")


def _ingress_address(ingress: Obj, now: float) -> Cell:
    found = get_in(ingress, ("status", "loadBalancer", "ingress"), [])
    return joined((item.get("ip") or item.get("hostname") for item in found), "")


def _modes(*path: str) -> Column:
    return Column(
        "Access Modes", lambda obj, now: joined((MODES.get(mode, mode) for mode in get_in(obj, path, [])), "")
    )


def _leaving(obj: Obj, now: float) -> Cell:
    return "Terminating" if is_deleting(obj) else str(get_in(obj, ("status", "phase"), ""))


def _claim(volume: Obj, now: float) -> Cell:
    claim = get_in(volume, ("spec", "claimRef"))
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""


def _class_name(obj: Obj, now: float) -> Cell:
    default = annotations_of(obj).get(DEFAULT_CLASS) == "true"
    return f"{name_of(obj)} (default)" if default else name_of(obj)


def _quota(prefix: str) -> Column:
    def cell(quota: Obj, now: float) -> Cell:
        hard = get_in(quota, ("status", "hard"), {})
        used = get_in(quota, ("status", "used"), {})
        chosen = sorted(name for name in hard if name.startswith("limits") == (prefix == "limits"))
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in chosen)

    return Column("Limit" if prefix == "limits" else "Request", cell)


def _event_object(event: Obj, now: float) -> Cell:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _event_source(event: Obj, now: float) -> Cell:
    source = event.get("source") or event.get("deprecatedSource") or {}
    return joined(
        (source[key] for key in ("component", "host") if source.get(key)),
        str(event.get("reportingComponent") or event.get("reportingController") or ""),
    )


def _event_last(event: Obj, now: float) -> Cell:
    last = get_in(event, ("series", "lastObservedTime")) or _first_of(event, "lastTimestamp", "LastTimestamp")
    return since(last or _first_of(event, "firstTimestamp", "FirstTimestamp") or event.get("eventTime"), now)


def _event_first(event: Obj, now: float) -> Cell:
    return since(_first_of(event, "firstTimestamp", "FirstTimestamp") or event.get("eventTime"), now)


def _first_of(event: Obj, name: str, deprecated: str) -> str | None:
    found: str | None = event.get(name) or event.get(f"deprecated{deprecated}")
    return found


def _event_count(event: Obj, now: float) -> Cell:
    series = get_in(event, ("series", "count"))
    return int(series or event.get("count") or event.get("deprecatedCount") or 1)


def _role(binding: Obj, now: float) -> Cell:
    role = binding.get("roleRef") or {}
    return f"{role.get('kind')}/{role.get('name')}"


def _subjects(kind: str, title: str) -> Column:
    def cell(binding: Obj, now: float) -> Cell:
        found = [item for item in binding.get("subjects") or () if item["kind"] == kind]
        names = (
            f"{item['namespace']}/{item['name']}" if kind == "ServiceAccount" else item["name"]
            for item in found
        )
        return joined(names, "")

    return Column(title, cell, wide=True)


BINDING = (
    NAME,
    Column("Role", _role),
    AGE,
    _subjects("User", "Users"),
    _subjects("Group", "Groups"),
    _subjects("ServiceAccount", "ServiceAccounts"),
)
HOOKS = (NAME, Column("Webhooks", size("webhooks"), type="integer"), AGE)

OTHERS: dict[str, tuple[Column, ...]] = {
    "Namespace": (NAME, Column("Status", field("status", "phase")), AGE),
    "Service": (
        NAME,
        Column("Type", field("spec", "type")),
        Column("Cluster-IP", field("spec", "clusterIP")),
        Column("External-IP", _external),
        Column("Port(s)", _ports),
        AGE,
        Column("Selector", lambda obj, now: pairs(get_in(obj, ("spec", "selector"))), wide=True),
    ),
    "Endpoints": (NAME, Column("Endpoints", _endpoints), AGE),
    "EndpointSlice": (
        NAME,
        Column("AddressType", field("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    "Ingress": (
        NAME,
        Column("Class", field("spec", "ingressClassName")),
        Column("Hosts", _hosts),
        Column("Address", _ingress_address),
        Column("Ports", lambda obj, now: "80, 443" if get_in(obj, ("spec", "tls")) else "80"),
        AGE,
    ),
    "IngressClass": (
        NAME,
        Column("Controller", field("spec", "controller")),
        Column("Parameters", field("spec", "parameters", "name")),
        AGE,
    ),
    "NetworkPolicy": (
        NAME,
        Column("Pod-Selector", lambda obj, now: selector(get_in(obj, ("spec", "podSelector")))),
        AGE,
    ),
    "ConfigMap": (
        NAME,
        Column("Data", lambda obj, now: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())),
        AGE,
    ),
    "Secret": (NAME, Column("Type", field("type")), Column("Data", size("data"), type="integer"), AGE),
    "ServiceAccount": (NAME, Column("Secrets", size("secrets"), type="integer"), AGE),
    "PersistentVolume": (
        NAME,
        Column("Capacity", field("spec", "capacity", "storage", default="")),
        _modes("spec", "accessModes"),
        Column("Reclaim Policy", field("spec", "persistentVolumeReclaimPolicy", default="")),
        Column("Status", _leaving),
        Column("Claim", _claim),
        Column("StorageClass", field("spec", "storageClassName", default="")),
        Column("VolumeAttributesClass", field("spec", "volumeAttributesClassName", default=UNSET)),
        Column("Reason", field("status", "reason", default="")),
        AGE,
        Column("VolumeMode", field("spec", "volumeMode", default=UNSET), wide=True),
    ),
    "PersistentVolumeClaim": (
        NAME,
        Column("Status", _leaving),
        Column("Volume", field("spec", "volumeName", default="")),
        Column("Capacity", field("status", "capacity", "storage", default="")),
        _modes("status", "accessModes"),
        Column("StorageClass", field("spec", "storageClassName", default="")),
        Column("VolumeAttributesClass", field("spec", "volumeAttributesClassName", default=UNSET)),
        AGE,
        Column("VolumeMode", field("spec", "volumeMode", default=UNSET), wide=True),
    ),
    "StorageClass": (
        Column("Name", _class_name),
        Column("Provisioner", field("provisioner")),
        Column("ReclaimPolicy", field("reclaimPolicy", default="Delete")),
        Column("VolumeBindingMode", field("volumeBindingMode", default="Immediate")),
        Column(
            "AllowVolumeExpansion", lambda obj, now: bool(obj.get("allowVolumeExpansion")), type="boolean"
        ),
        AGE,
    ),
    "ResourceQuota": (NAME, _quota("requests"), _quota("limits"), AGE),
    "LimitRange": CREATED,
    "PriorityClass": (
        NAME,
        Column("Value", count("value"), type="integer"),
        Column("Global-Default", lambda obj, now: bool(obj.get("globalDefault")), type="boolean"),
        AGE,
        Column("PreemptionPolicy", field("preemptionPolicy", default="PreemptLowerPriority")),
    ),
    "Lease": (NAME, Column("Holder", field("spec", "holderIdentity", default="")), AGE),
    "Event": (
        Column("Last Seen", _event_last),
        Column("Type", field("type", default="")),
        Column("Reason", field("reason", default="")),
        Column("Object", _event_object),
        Column("Subobject", field("involvedObject", "fieldPath", default=""), wide=True),
        Column("Source", _event_source, wide=True),
        Column("Message", lambda obj, now: str(obj.get("message") or obj.get("note") or "").strip()),
        Column("First Seen", _event_first, wide=True),
        Column("Count", _event_count, wide=True),
        Column("Name", name_cell, wide=True),
    ),
    "Role": CREATED,
    "ClusterRole": CREATED,
    "RoleBinding": BINDING,
    "ClusterRoleBinding": BINDING,
    "MutatingWebhookConfiguration": HOOKS,
    "ValidatingWebhookConfiguration": HOOKS,
    "CustomResourceDefinition": CREATED,
}
