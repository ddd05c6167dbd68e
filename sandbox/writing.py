"""The rules of writing that all kinds share: versions, doors, generations, graceful deletion.

Pure functions on objects; the store calls them and keeps the outcome.
"""

from sandbox.errors import Conflict
from sandbox.fields import Obj, labels_of, meta, name_of
from sandbox.kinds import Kind
from sandbox.selectors import FieldSelector, Selector
from sandbox.tables import Record

SYSTEM_META = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
ASSIGNED_META = (*SYSTEM_META, "resourceVersion", "selfLink")


def selected(found: list[Record], labels: Selector | None, fields: FieldSelector | None) -> list[Record]:
    if labels is not None and not labels.empty:
        found = [record for record in found if labels.matches(labels_of(record.obj))]
    if fields is not None and fields.terms:
        found = [record for record in found if fields.matches(record.obj)]
    return found


def body(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}


def check_versions(kind: Kind, obj: Obj, old: Obj) -> None:
    given, current = meta(obj), meta(old)
    uid = given.get("uid")
    if uid and uid != current["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {current['uid']}"
        raise Conflict.because(kind, name_of(old), why)
    version = given.get("resourceVersion")
    if version and version not in ("0", current["resourceVersion"]):  # "0" is how some clients say "any"
        raise Conflict.stale(kind, name_of(old))


def check_preconditions(kind: Kind, obj: Obj, uid: str | None, version: str | None) -> None:
    current = meta(obj)
    if uid and uid != current["uid"]:
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({current['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise Conflict.precondition(kind, name_of(obj), why)
    if version and version != current["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in "
            f"record ({current['resourceVersion']}). The object might have been modified"
        )
        raise Conflict.precondition(kind, name_of(obj), why)


def merged(kind: Kind, obj: Obj, old: Obj, subresource: str | None) -> Obj:
    """What an update through that door leaves: each door changes its own part only."""
    if subresource == "status":
        return {**old, "status": obj.get("status", {})}
    if subresource == "finalize":
        spec = {**old.get("spec", {}), "finalizers": (obj.get("spec") or {}).get("finalizers", [])}
        return {**old, "spec": spec}
    data = {key: value for key, value in meta(obj).items() if key not in SYSTEM_META}
    data |= {key: meta(old)[key] for key in (*SYSTEM_META, "resourceVersion") if key in meta(old)}
    new = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": data, **body(obj)}
    if kind.has_status:
        new.pop("status", None)
        new |= {"status": old["status"]} if "status" in old else {}
    return new


def with_generation(kind: Kind, new: Obj, old: Obj) -> Obj:
    if not kind.generation:
        return new
    ignored = ("metadata", "status")
    keys = {key for key in (*new, *old) if key not in ignored}
    if all(new.get(key) == old.get(key) for key in keys):
        return new
    return {**new, "metadata": {**meta(new), "generation": meta(old).get("generation", 0) + 1}}


def grace_period_s(kind: Kind, obj: Obj, asked_s: int | None) -> int:
    """Seconds a pod's kubelet gets; none for other kinds, unbound pods and finished ones."""
    if kind.kind != "Pod" or not (obj.get("spec") or {}).get("nodeName"):
        return 0
    if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if asked_s is not None:
        return max(asked_s, 0)
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def terminating(namespace: Obj) -> Obj:
    return {**namespace, "status": {**(namespace.get("status") or {}), "phase": "Terminating"}}


def may_go(obj: Obj) -> bool:
    """Nothing holds the marked object any more: no finalizer, no grace left."""
    data = meta(obj)
    held = bool(data.get("finalizers"))
    if obj["kind"] == "Namespace":  # its finalizers of contents stand in spec
        held = held or bool((obj.get("spec") or {}).get("finalizers"))
    return not held and not data.get("deletionGracePeriodSeconds")
