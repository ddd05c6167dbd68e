"""ConfigMaps and Secrets containers and volumes refer to: which is missing, in the kubelet's words."""

from sandbox.fields import Obj, annotations_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

CONFIG_MAP = kind_of("ConfigMap")
SECRET = kind_of("Secret")
CLAIM = kind_of("PersistentVolumeClaim")
IMAGE_USER = "sandbox/image-user"
WORDS = {"ConfigMap": "configmap", "Secret": "secret"}


def config_problem(store: Store, pod: Obj, container: Obj) -> str:
    """Why the container's environment cannot be put together; empty when it can."""
    for source in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if field in source and (problem := _missing(store, pod, kind, source[field], key=None)):
                return problem
    for entry in container.get("env") or ():
        value_from = entry.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            reference = value_from.get(field)
            if reference and (problem := _missing(store, pod, kind, reference, key=reference["key"])):
                return problem
    return _run_as_root_problem(pod, container)


def mount_problem(store: Store, pod: Obj, volume: Obj) -> str:
    """Why the volume cannot be set up; empty when it can."""
    if "configMap" in volume:
        source = volume["configMap"]
        return _mount_missing(store, pod, "ConfigMap", source.get("name", ""), source)
    if "secret" in volume:
        source = volume["secret"]
        return _mount_missing(store, pod, "Secret", source.get("secretName", ""), source)
    for source in (volume.get("projected") or {}).get("sources") or ():
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if field in source and (
                problem := _mount_missing(store, pod, kind, source[field]["name"], source[field])
            ):
                return problem
    return ""


def _missing(store: Store, pod: Obj, kind: str, reference: Obj, key: str | None) -> str:
    if reference.get("optional"):
        return ""
    found = _find(store, pod, kind, reference["name"])
    if found is None:
        return f'{WORDS[kind]} "{reference["name"]}" not found'
    if key is None or key in _keys(found):
        return ""
    return f"couldn't find key {key} in {kind} {namespace_of(pod)}/{reference['name']}"


def _mount_missing(store: Store, pod: Obj, kind: str, name: str, source: Obj) -> str:
    if source.get("optional") or _is_root_certificate(kind, name):
        return ""
    found = _find(store, pod, kind, name)
    if found is None:
        return f'{WORDS[kind]} "{name}" not found'
    absent = [item["key"] for item in source.get("items") or () if item["key"] not in _keys(found)]
    return f"references non-existent {WORDS[kind]} key: {absent[0]}" if absent else ""


def _is_root_certificate(kind: str, name: str) -> bool:
    """Every namespace has the cluster's root certificate, which needs no object here."""
    return kind == "ConfigMap" and name == "kube-root-ca.crt"


def _find(store: Store, pod: Obj, kind: str, name: str) -> Obj | None:
    return store.find(CONFIG_MAP if kind == "ConfigMap" else SECRET, namespace_of(pod), name)


def _keys(found: Obj) -> set[str]:
    return {key for field in ("data", "binaryData", "stringData") for key in found.get(field) or ()}


def _run_as_root_problem(pod: Obj, container: Obj) -> str:
    """Root where root is forbidden: by the spec, or by the image's own user when that is noted."""
    whole, own = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    if not own.get("runAsNonRoot", whole.get("runAsNonRoot")):
        return ""
    user = own.get("runAsUser", whole.get("runAsUser"))
    if user == 0:
        return "container's runAsUser breaks non-root policy"
    if user is None and annotations_of(pod).get(IMAGE_USER) == "root":
        return "container has runAsNonRoot and image will run as root"
    return ""
