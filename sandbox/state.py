"""Questions controllers and kubelets ask of objects, and the pieces of status they put together.

Nothing here changes an object it is given: every function returns a new one.
"""

import hashlib
import json
from datetime import UTC, datetime

from sandbox.fields import Obj, annotations_of, is_deleting, meta, name_of, namespace_of

Key = tuple[str, str]  # namespace ("" for cluster-wide objects) and name

SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: a hash never spells a word


def key_of(obj: Obj) -> Key:
    return namespace_of(obj), name_of(obj)


def stamp_of(at: float) -> str:
    """RFC 3339 of unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_time(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def spec_of(obj: Obj) -> Obj:
    """The spec; empty where a kind may do without."""
    return obj.get("spec") or {}


def created_at(obj: Obj) -> float:
    return unix_time(meta(obj)["creationTimestamp"])


def controller_reference(owner: Obj) -> Obj:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": meta(owner)["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def with_annotations(obj: Obj, annotations: dict[str, str]) -> Obj:
    return {**obj, "metadata": {**meta(obj), "annotations": {**annotations_of(obj), **annotations}}}


def with_status(obj: Obj, status: Obj) -> Obj:
    return {**obj, "status": status}


def condition(obj: Obj, kind: str) -> Obj | None:
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry["type"] == kind:
            found: Obj = entry
            return found
    return None


def condition_is(obj: Obj, kind: str, status: str = "True") -> bool:
    entry = condition(obj, kind)
    return entry is not None and entry["status"] == status


def merged_condition(conditions: list[Obj], new: Obj) -> list[Obj]:
    """The list with `new` in it; its transition time stays as it was while its status does."""
    old = next((c for c in conditions if c["type"] == new["type"]), None)
    if old is None:
        return [*conditions, new]
    if old["status"] == new["status"] and "lastTransitionTime" in old:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [new if c is old else c for c in conditions]


def without_empty(status: Obj) -> Obj:
    """Leaves out zeros and empty values, as the API's `omitempty` does."""
    return {name: value for name, value in status.items() if value not in (0, None, "", [], {})}


def is_finished(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Obj) -> bool:
    return not is_deleting(pod) and not is_finished(pod)


def is_ready(pod: Obj) -> bool:
    return condition_is(pod, "Ready")


def ready_since(pod: Obj) -> float | None:
    """Unix time since which the pod is ready; None while it is not."""
    entry = condition(pod, "Ready")
    if entry is None or entry["status"] != "True":
        return None
    return unix_time(entry["lastTransitionTime"])


def available_in_s(pod: Obj, min_ready_s: float, now: float) -> float | None:
    """Seconds until the pod has been ready for `min_ready_s`: 0 when it has, None when it is not ready."""
    since = ready_since(pod)
    return None if since is None else max(0.0, since + min_ready_s - now)


def short_hash(value: object) -> str:
    """A short name for a JSON value, in the letters that generated names use."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    number = str(int.from_bytes(digest[:4], "big"))
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in number)


def pod_from_template(template: Obj, *, owner: Obj, name: str = "") -> Obj:
    """A pod to create for `owner`: named, or with a generated name."""
    given = meta(template)
    data: Obj = {
        "labels": dict(given.get("labels") or {}),
        "annotations": dict(given.get("annotations") or {}),
        "finalizers": list(given.get("finalizers") or ()),
        "namespace": namespace_of(owner),
        "ownerReferences": [controller_reference(owner)],
    }
    data |= {"name": name} if name else {"generateName": f"{name_of(owner)}-"}
    data = {field: value for field, value in data.items() if value}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": data, "spec": template["spec"]}
