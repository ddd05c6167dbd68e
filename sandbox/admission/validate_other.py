"""What services, volumes, configuration and the rest may not be."""

import base64
import binascii
import re

from sandbox.admission.causes import Causes, Shown
from sandbox.admission.validate_containers import PORT_RANGE, PROTOCOLS
from sandbox.admission.validate_names import label_fault
from sandbox.admission.validate_pod import check_selector
from sandbox.amounts import amount
from sandbox.errors import BadRequest
from sandbox.fields import Obj, get_in, meta

SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
CONFIG_BYTES = 1024 * 1024
QUOTA_RESOURCES = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage",
    "requests.storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "services",
    "services.nodeports", "services.loadbalancers", "replicationcontrollers", "resourcequotas", "secrets",
    "configmaps", "persistentvolumeclaims",
})  # fmt: skip
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def check_service(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    kind, headless = spec["type"], spec.get("clusterIP") == "None"
    if kind not in SERVICE_TYPES:
        causes.unsupported("spec.type", kind, SERVICE_TYPES)
    if kind == "ExternalName" and not spec.get("externalName"):
        causes.required("spec.externalName")
    if not spec.get("ports") and kind != "ExternalName" and not headless:
        causes.required("spec.ports")
    if headless and kind in ("NodePort", "LoadBalancer"):
        causes.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    causes.one_of("spec.sessionAffinity", spec["sessionAffinity"], ("ClientIP", "None"))
    _check_service_ports(spec.get("ports") or [], causes)


def _check_service_ports(ports: list[Obj], causes: Causes) -> None:
    seen: set[tuple[object, ...]] = set()
    names: set[str] = set()
    for number, port in enumerate(ports):
        where, name = f"spec.ports[{number}]", port.get("name", "")
        if not name and len(ports) > 1:
            causes.required(f"{where}.name")
        elif name and (why := label_fault(name)):
            causes.invalid(f"{where}.name", name, why)
        elif name and name in names:
            causes.duplicate(f"{where}.name", name)
        names.add(name)
        _check_service_port(port, where, causes)
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            causes.duplicate(where, port)
        seen.add(key)


def _check_service_port(port: Obj, where: str, causes: Causes) -> None:
    for name in ("port", "targetPort"):
        value = port.get(name, 0)
        if isinstance(value, int) and not 1 <= value <= 65535:
            causes.invalid(f"{where}.{name}", value, PORT_RANGE)
    target = port.get("targetPort")
    if isinstance(target, str) and not re.fullmatch(r"[a-z0-9-]{1,15}", target):
        why = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        causes.invalid(f"{where}.targetPort", target, why)
    causes.one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)


def check_claim(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    modes = spec.get("accessModes") or ()
    if not modes:
        causes.required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        causes.one_of("spec.accessModes", mode, ACCESS_MODES)
    size = get_in(spec, ("resources", "requests", "storage"))
    if size is None:
        causes.required("spec.resources[storage]")
    elif amount(size) <= 0:
        causes.invalid("spec.resources[storage]", size, "must be greater than zero")


def check_volume(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        causes.required("spec.accessModes")
    if not spec.get("capacity"):
        causes.required("spec.capacity")
    settings = {
        "accessModes",
        "capacity",
        "claimRef",
        "persistentVolumeReclaimPolicy",
        "volumeMode",
        "nodeAffinity",
        "storageClassName",
        "mountOptions",
        "volumeAttributesClassName",
    }
    if not any(name not in settings for name in spec):
        causes.required("spec", "must specify a volume type")
    policies = ("Delete", "Recycle", "Retain")
    causes.one_of("spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"], policies)


def check_storage_class(obj: Obj, causes: Causes) -> None:
    if not obj.get("provisioner"):
        causes.required("provisioner")
    causes.one_of("volumeBindingMode", obj["volumeBindingMode"], ("Immediate", "WaitForFirstConsumer"))
    causes.one_of("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain"))


def check_config_map(obj: Obj, causes: Causes) -> None:
    plain, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    _check_keys([*plain, *binary], causes)
    size = sum(len(str(value)) for value in [*plain.values(), *binary.values()])
    if size > CONFIG_BYTES:
        causes.invalid("", Shown('""'), f"must have at most {CONFIG_BYTES} bytes")


def check_secret(obj: Obj, causes: Causes) -> None:
    """Raises BadRequest for values that are not base64, as the real server cannot even read them."""
    data = obj.get("data") or {}
    _check_keys([*data], causes)
    for value in data.values():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadRequest(
                'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0'
            ) from error
    needed = {
        "kubernetes.io/tls": ("tls.crt", "tls.key"),
        "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    }
    for key in needed.get(obj["type"], ()):
        if key not in data:
            causes.required(f"data[{key}]")


def _check_keys(keys: list[str], causes: Causes) -> None:
    for key in keys:
        if not CONFIG_KEY.fullmatch(key):
            causes.invalid(f"data[{key}]", key, CONFIG_KEY_TEXT)


def check_quota(obj: Obj, causes: Causes) -> None:
    for name, value in get_in(obj, ("spec", "hard"), {}).items():
        where = f"spec.hard[{name}]"
        if name not in QUOTA_RESOURCES and "/" not in name:
            causes.invalid(where, name, "must be a standard resource type or fully qualified")
            causes.invalid(where, name, "must be a standard resource for quota")
        if amount(value) < 0:
            causes.invalid(where, value, "must be greater than or equal to 0")


def check_limit_range(obj: Obj, causes: Causes) -> None:
    for number, limit in enumerate(get_in(obj, ("spec", "limits"), [])):
        for low, high in (
            ("min", "max"),
            ("min", "default"),
            ("defaultRequest", "default"),
            ("default", "max"),
            ("defaultRequest", "max"),
        ):
            _check_order(limit, low, high, f"spec.limits[{number}]", causes)


def _check_order(limit: Obj, low: str, high: str, field: str, causes: Causes) -> None:
    words = {"defaultRequest": "default request"}
    for name, value in (limit.get(low) or {}).items():
        top = (limit.get(high) or {}).get(name)
        if top is not None and amount(value) > amount(top):
            why = f"{words.get(low, low)} value {value} is greater than {words.get(high, high)} value {top}"
            causes.invalid(f"{field}.{low}[{name}]", value, why)


def check_ingress(obj: Obj, causes: Causes) -> None:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        causes.invalid("spec", Shown("[]networking.IngressRule(nil)"), why)
    for number, rule in enumerate(spec.get("rules") or ()):
        for place, path in enumerate(get_in(rule, ("http", "paths"), [])):
            _check_path(path, f"spec.rules[{number}].http.paths[{place}]", causes)


def _check_path(path: Obj, field: str, causes: Causes) -> None:
    kind = path.get("pathType")
    if kind is None:
        causes.required(f"{field}.pathType", "pathType must be specified")
    else:
        causes.one_of(f"{field}.pathType", kind, PATH_TYPES)
    if kind in ("Exact", "Prefix") and not str(path.get("path", "")).startswith("/"):
        causes.invalid(f"{field}.path", path.get("path", ""), "must be an absolute path")
    if not get_in(path, ("backend", "service", "name")) and not get_in(path, ("backend", "resource")):
        causes.required(f"{field}.backend.service.name")


def check_network_policy(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    check_selector(spec.get("podSelector"), "spec.podSelector", causes)
    for kind in spec["policyTypes"]:
        causes.one_of("spec.policyTypes", kind, ("Egress", "Ingress"))


def check_event(obj: Obj, causes: Causes) -> None:
    about = (obj.get("involvedObject") or {}).get("namespace")
    mine = meta(obj).get("namespace")
    if about and mine != about:
        causes.invalid("involvedObject.namespace", about, "does not match event.namespace")


def check_definition(obj: Obj, causes: Causes) -> None:
    spec = obj.get("spec") or {}
    for path in (("group",), ("names", "kind"), ("names", "plural"), ("scope",)):
        if not get_in(spec, path):
            causes.required("spec." + ".".join(path))
    wanted = f"{get_in(spec, ('names', 'plural'), '')}.{spec.get('group', '')}"
    if meta(obj).get("name") != wanted:
        causes.invalid("metadata.name", meta(obj).get("name"), 'must be spec.names.plural+"."+spec.group')
    if not spec.get("versions"):
        causes.required("spec.versions", "must have exactly one version marked as storage version")


def check_hooks(obj: Obj, causes: Causes) -> None:
    for number, hook in enumerate(obj.get("webhooks") or ()):
        where, name = f"webhooks[{number}]", hook.get("name", "")
        if len(name.split(".")) < 3:
            causes.invalid(
                f"{where}.name", name, "should be a domain with at least three segments separated by dots"
            )
        if hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            causes.required(f"{where}.sideEffects", "must specify one of None, NoneOnDryRun")
        client = hook.get("clientConfig") or {}
        if bool(client.get("url")) == bool(client.get("service")):
            causes.required(f"{where}.clientConfig", "exactly one of url or service is required")
        if not hook.get("admissionReviewVersions"):
            causes.required(f"{where}.admissionReviewVersions", "must specify one of v1, v1beta1")
