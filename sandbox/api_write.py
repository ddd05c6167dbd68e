"""Writes through the API: create, replace, patch, apply, delete, and the scale subresource."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.api_bodies import load, load_yaml, media_type, parse, placed, read_object
from sandbox.api_call import Call, invalid_options
from sandbox.errors import ApiError, BadRequest, Cause, Conflict, Invalid, NotFound, UnsupportedMediaType
from sandbox.fields import Obj, get_in, is_deleting, meta, name_of, namespace_of, with_in
from sandbox.kinds import Kind, kind_of
from sandbox.managed import Owner, apply, record_update
from sandbox.patch_json import PatchError, apply_operations, merge
from sandbox.patch_strategic import strategic
from sandbox.schema import read_strictly
from sandbox.store import Store
from sandbox.views import keep, show

APPLY = "application/apply-patch+yaml"
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    APPLY,
)
POLICIES = ("Foreground", "Background", "Orphan")
RETURNED = ("Pod", "Service", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota")
"""Kinds whose deletion answers with the object; the others answer with a Status."""


class Writes:
    """The writing verbs on one store; each returns the HTTP status and the object to answer with."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        obj = keep(call.kind, self._understood(call, read_object(call, body)))
        self._check_namespace(call)
        if meta(obj).get("resourceVersion"):
            raise ServerSays("resourceVersion should not be set on objects to be created")
        obj = record_update(None, _typed(stored, obj), self._owner(call, "Update"))
        return 201, show(call.kind, self._store.create(stored, obj, dry_run=call.dry_run))

    def replace(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        if call.subresource == "scale":
            return 200, self._rescale(call, stored, lambda _: parse(body, media_type(call), _SCALE))
        obj = keep(call.kind, self._understood(call, read_object(call, body)))
        old = self._store.get(stored, call.namespace, call.name or "")
        return 200, self._replaced(call, stored, old, obj)

    def patch(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        media = call.headers.get("Content-Type", "").split(";", 1)[0].strip()
        if media not in PATCHES:
            raise UnsupportedMediaType(
                f"the body of the request was in an unknown format - accepted media types "
                f"include: {', '.join(PATCHES)}"
            )
        if media == APPLY:
            return self._apply(call, stored, body)
        change = _patcher(call.kind, media, body)
        if call.subresource == "scale":
            return 200, self._rescale(call, stored, change)
        old = self._store.get(stored, call.namespace, call.name or "")
        shown = show(call.kind, old)
        new = keep(call.kind, self._patched(call, placed(call, change(shown))))
        return 200, self._replaced(call, stored, old, new)

    def delete(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        options = _delete_options(call, body)
        obj = self._delete(call, stored, call.namespace, call.name or "", options)
        if is_deleting(obj) and self._store.find(stored, call.namespace, call.name or "") is not None:
            return 200, show(call.kind, obj)
        if stored.kind in RETURNED:
            return 200, show(call.kind, obj)
        return 200, _success(stored, obj)

    def delete_collection(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        options = _delete_options(call, body)
        found = self._store.list(stored, call.namespace, labels=call.labels, fields=call.fields)
        for obj in found:
            self._delete(call, stored, namespace_of(obj) or None, name_of(obj), options)
        data = {"resourceVersion": str(self._store.revision)}
        return 200, {
            "kind": stored.list_kind,
            "apiVersion": stored.api_version,
            "metadata": data,
            "items": found,
        }

    def scale_of(self, call: Call, stored: Kind) -> Obj:
        return scale(self._store.get(stored, call.namespace, call.name or ""))

    # --- inside

    def _understood(self, call: Call, obj: Obj) -> Obj:
        """The object without unknown fields; raises BadRequest for them when the client is strict."""
        read, unknown = read_strictly(call.kind, obj)
        if unknown and call.query.get("fieldValidation") == "Strict":
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            raise BadRequest(
                f'{call.kind.kind} in version "{call.kind.version}" cannot be handled as a {call.kind.kind}: '
                f"strict decoding error: {listed}"
            )
        return read

    def _patched(self, call: Call, obj: Obj) -> Obj:
        """The same for the outcome of a patch; a wrong type there makes the patch invalid."""
        try:
            return self._understood(call, obj)
        except BadRequest as error:
            if "strict decoding" in error.message:
                raise
            raise _unfit(obj, error.message) from error

    def _replaced(self, call: Call, stored: Kind, old: Obj, new: Obj) -> Obj:
        """Only what this door may change counts as changed, for the store as for the ownership of fields."""
        fields = meta(new).get("managedFields")
        new = _typed(stored, with_in(new, ("metadata", "managedFields"), meta(old).get("managedFields", [])))
        if fields != []:  # an empty list is how a client forgets all ownership
            new = record_update(
                old, _through(stored, old, new, call.subresource), self._owner(call, "Update")
            )
        done = self._store.update(stored, new, subresource=call.subresource, dry_run=call.dry_run)
        return show(call.kind, done)

    def _apply(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        if not call.query.get("fieldManager"):
            cause = Cause("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")
            raise invalid_options("PatchOptions", cause)
        config = _typed(stored, keep(call.kind, self._understood(call, placed(call, _yaml_object(body)))))
        if meta(config).get("managedFields"):
            raise BadRequest("metadata.managedFields must be nil")
        live = self._store.find(stored, call.namespace, call.name or "")
        owner = self._owner(call, "Apply")
        new = apply(live, config, owner, force=call.flag("force"))
        if live is None:
            self._check_namespace(call)
            return 201, show(call.kind, self._store.create(stored, new, dry_run=call.dry_run))
        done = self._store.update(stored, new, subresource=call.subresource, dry_run=call.dry_run)
        return 200, show(call.kind, done)

    def _rescale(self, call: Call, stored: Kind, change: Callable[[Obj], Obj]) -> Obj:
        old = self._store.get(stored, call.namespace, call.name or "")
        wanted = change(scale(old))
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            why = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise Invalid.because(_SCALE, name_of(old), [Cause("spec.replicas", why)])
        version = meta(wanted).get("resourceVersion")
        if version and version != meta(old)["resourceVersion"]:
            raise Conflict.stale(stored, name_of(old))
        new = record_update(old, with_in(old, ("spec", "replicas"), replicas), self._owner(call, "Update"))
        return scale(self._store.update(stored, new, dry_run=call.dry_run))

    def _delete(self, call: Call, stored: Kind, namespace: str | None, name: str, options: Obj) -> Obj:
        conditions = options.get("preconditions") or {}
        return self._store.delete(
            stored,
            namespace,
            name,
            grace_s=options.get("gracePeriodSeconds"),
            uid=conditions.get("uid"),
            resource_version=conditions.get("resourceVersion"),
            propagation=options.get("propagationPolicy") or _default_policy(stored),
            dry_run=call.dry_run or options.get("dryRun") == ["All"],
        )

    def _check_namespace(self, call: Call) -> None:
        spaces = kind_of("Namespace")
        if call.namespace and self._store.find(spaces, None, call.namespace) is None:
            raise NotFound.of(spaces, call.namespace)

    def _owner(self, call: Call, operation: str) -> Owner:
        return Owner(
            manager=call.manager,
            operation=operation,
            api_version=call.kind.api_version,
            subresource=call.subresource,
            time=self._store.clock.stamp(),
            paths=frozenset(),
        )


class ServerSays(ApiError):
    """Refusals that a real server words plainly and sends as 500 without a reason."""

    code, reason = 500, ""


_SCALE = Kind(group="autoscaling", version="v1", kind="Scale", plural="scales")
_DELETE_OPTIONS = Kind(group="", version="v1", kind="DeleteOptions", plural="")


def scale(obj: Obj) -> Obj:
    """The Scale view of a workload."""
    data = {
        key: meta(obj)[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = get_in(obj, ("spec", "selector", "matchLabels"), {})
    status: Obj = {"replicas": get_in(obj, ("status", "replicas"), 0)}
    if labels:
        status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    spec = {"replicas": get_in(obj, ("spec", "replicas"), 0)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": data, "spec": spec, "status": status}


def _through(kind: Kind, old: Obj, new: Obj, subresource: str | None) -> Obj:
    """`new` with the parts this door does not change put back, so that nobody owns them by accident."""
    if subresource == "status":
        return {**old, "status": new.get("status", {})}
    if kind.has_status:
        body = {key: value for key, value in new.items() if key != "status"}
        return body | ({"status": old["status"]} if "status" in old else {})
    return new


def _patcher(kind: Kind, media: str, body: bytes) -> Callable[[Obj], Obj]:
    patch = load(body, "application/json", "error decoding patch")
    if media == PATCHES[0]:
        if not isinstance(patch, list):
            raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        return lambda obj: _operations(kind, obj, patch)
    if not isinstance(patch, dict):
        raise BadRequest("json: cannot unmarshal array into Go value of type map[string]interface {}")
    if media == PATCHES[1]:
        return lambda obj: _object(kind, obj, merge(obj, patch))
    if kind.custom:
        accepted = f"{PATCHES[0]}, {PATCHES[1]}, {APPLY}"
        raise UnsupportedMediaType(
            f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        )
    return lambda obj: _strategic(kind, obj, patch)


def _operations(kind: Kind, obj: Obj, patch: list[Obj]) -> Obj:
    try:
        return _object(kind, obj, apply_operations(obj, patch))
    except PatchError as error:
        raise PatchRefused from error


def _strategic(kind: Kind, obj: Obj, patch: Obj) -> Obj:
    for field in ("metadata", "spec", "status"):
        if not isinstance(patch.get(field, {}), dict | None):
            raise _unfit(patch, f"cannot restore struct from: {_go_type(patch[field])}")
    try:
        return strategic(kind.kind, obj, patch)
    except PatchError as error:
        raise ServerSays(str(error)) from error


class PatchRefused(ApiError):
    """A JSON patch whose test or path fails; the server does not say which."""

    code, reason = 422, "Invalid"

    def __init__(self) -> None:
        super().__init__("the server rejected our request due to an error in our request", {})


def _unfit(patch: Obj, why: str) -> Invalid:
    kind = Kind(group="", version="", kind="", plural="")
    cause = Cause("patch", f"Invalid value: {json.dumps(json.dumps(patch))}: {why}")
    return Invalid.because(kind, "", [cause])


def _go_type(value: Any) -> str:
    return {str: "string", int: "int64", list: "slice", bool: "bool"}.get(type(value), "value")


def _object(kind: Kind, old: Obj, new: Any) -> Obj:
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise BadRequest(f"a patch must leave a {kind.kind} with metadata")
    return {**new, "apiVersion": old["apiVersion"], "kind": old["kind"]}


def _yaml_object(body: bytes) -> Obj:
    try:
        value = load_yaml(body)
    except ValueError as error:
        raise BadRequest(f"error decoding YAML: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("error decoding YAML: the applied configuration must be an object")
    return value


def _typed(kind: Kind, obj: Obj) -> Obj:
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind}


def _delete_options(call: Call, body: bytes) -> Obj:
    """Options of the body, overridden by the query's; raises Invalid for an unknown policy."""
    options: Obj = dict(parse(body, media_type(call), _DELETE_OPTIONS)) if body.strip() else {}
    if (grace := call.number("gracePeriodSeconds")) is not None:
        options["gracePeriodSeconds"] = grace
    policy = call.query.get("propagationPolicy") or options.get("propagationPolicy")
    if call.flag("orphanDependents") or options.get("orphanDependents"):
        policy = "Orphan"
    if policy is not None and policy not in POLICIES:
        known = ", ".join(f'"{name}"' for name in (*POLICIES, "nil"))
        why = f'Unsupported value: "{policy}": supported values: {known}'
        raise invalid_options("DeleteOptions", Cause("propagationPolicy", why, "FieldValueNotSupported"))
    return options | {"propagationPolicy": policy}


def _default_policy(kind: Kind) -> str:
    """Jobs orphan their pods unless told otherwise: an old promise of batch/v1."""
    return "Orphan" if kind.kind == "Job" else "Background"


def _success(kind: Kind, obj: Obj) -> Obj:
    group = {"group": kind.group} if kind.group else {}
    details = {"name": name_of(obj), **group, "kind": kind.plural, "uid": meta(obj)["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
