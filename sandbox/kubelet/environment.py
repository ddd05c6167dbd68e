"""The environment a container starts with, put together from its spec, ConfigMaps and Secrets."""

import base64
import binascii
import re

from sandbox.fields import Obj, get_in, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

CONFIG_MAP = kind_of("ConfigMap")
SECRET = kind_of("Secret")
REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


def environment(store: Store, pod: Obj, container: Obj) -> dict[str, str]:
    """Variables by name: of two entries of one name the later one counts, and `env` more than `envFrom`."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        found |= {f"{source.get('prefix', '')}{k}": v for k, v in _all_of(store, pod, source).items()}
    for entry in container.get("env") or ():
        value = _value(store, pod, entry)
        if value is not None:
            found[entry["name"]] = REFERENCE.sub(lambda match: found.get(match[1], match[0]), value)
    return found


def _all_of(store: Store, pod: Obj, source: Obj) -> dict[str, str]:
    if "configMapRef" in source:
        return _config(store, pod, source["configMapRef"]["name"])
    return _secret(store, pod, source["secretRef"]["name"])


def _value(store: Store, pod: Obj, entry: Obj) -> str | None:
    """None where a source has nothing to give, which is an error only for sources that are not optional."""
    source: Obj = entry.get("valueFrom") or {}
    if (reference := source.get("configMapKeyRef")) is not None:
        return _config(store, pod, reference["name"]).get(reference["key"])
    if (reference := source.get("secretKeyRef")) is not None:
        return _secret(store, pod, reference["name"]).get(reference["key"])
    if (reference := source.get("fieldRef")) is not None:
        return str(get_in(pod, tuple(reference["fieldPath"].split(".")), ""))
    return str(entry.get("value", ""))


def _config(store: Store, pod: Obj, name: str) -> dict[str, str]:
    found = store.find(CONFIG_MAP, namespace_of(pod), name) or {}
    return dict(found.get("data") or {})


def _secret(store: Store, pod: Obj, name: str) -> dict[str, str]:
    found = store.find(SECRET, namespace_of(pod), name) or {}
    return {key: _decoded(text) for key, text in (found.get("data") or {}).items()}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except binascii.Error:
        return ""
