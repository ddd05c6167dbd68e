"""Objects as manifests: what a person would write, without what the API server keeps for itself."""

import json
from collections.abc import Mapping

from mcp_servers.kube.doc import Doc
from mcp_servers.kube.marks import CHANGE_KEY, RECENT_CHANGES
from mcp_servers.kube.secrecy import HIDDEN, is_secret, shown_text

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OURS = (CHANGE_KEY, RECENT_CHANGES, LAST_APPLIED)
METADATA = ("name", "namespace", "labels", "annotations")  # of metadata, what is written by people
SECRET_PARTS = ("data", "stringData")
VALUED = ("value",)  # beside `name`, as in env


def manifest_of(found: Doc) -> dict[str, object]:
    """The object without status, versions and marks: what creates it again."""
    kept = {key: value for key, value in found.raw.items() if key not in ("status", "metadata")}
    metadata: dict[str, object] = {key: value for key in METADATA if (value := found.at("metadata", key))}
    notes = {key: value for key, value in found.annotations.items() if key not in OURS}
    metadata.pop("annotations", None)
    return {**kept, "kind": found.kind, "metadata": metadata | ({"annotations": notes} if notes else {})}


def shown_object(found: Doc) -> str:
    """The whole object as indented JSON, without credentials and bookkeeping."""
    metadata = {key: value for key, value in found.part("metadata").raw.items() if key != "managedFields"}
    notes = {key: value for key, value in found.annotations.items() if key not in OURS}
    cleaned = {**found.raw, "kind": found.kind, "metadata": {**metadata, "annotations": notes}}
    if found.kind == "Secret":
        for part in SECRET_PARTS:
            cleaned[part] = dict.fromkeys(found.texts(part), HIDDEN)
    return json.dumps(_masked("", cleaned), indent=1, ensure_ascii=False)


def holds_secrets(manifest: Mapping[str, object]) -> bool:
    """Whether any of its texts looks like a credential."""
    return _masked("", manifest) != manifest


def _masked(name: str, value: object) -> object:
    """The value with each text that looks like a credential masked; names of Secrets are none."""
    if isinstance(value, Mapping):
        said = str(value.get("name", ""))  # an env entry: its name tells what its value is
        return {
            str(key): _masked(said if key in VALUED and said else str(key), part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(name, part) for part in value]
    if isinstance(value, str) and not _names_something(name):
        return shown_text(name, value) if is_secret(name, value) else value
    return value


def _names_something(key: str) -> bool:
    """Whether a key holds the name of a Secret or of a key in it, such as `secretName` or `key`."""
    return key in ("key", "tokenKey") or key.endswith(("Name", "Namespace", "Policy", "uid"))
