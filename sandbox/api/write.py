"""Writes through the API: create, replace, patch, apply, delete, and the scale subresource."""

from collections.abc import Callable

from sandbox.api.bodies import media_type, parse, placed, read_object
from sandbox.api.call import Call, invalid_options
from sandbox.api.managed import Owner, apply, record_update
from sandbox.api.patches import APPLY, PATCHES, patcher, unfit, yaml_object
from sandbox.api.scale import SCALE, rescaled, scale
from sandbox.api.schema import read_strictly
from sandbox.api.views import keep, show
from sandbox.errors import BadRequest, Cause, NotFound, ServerSays, UnsupportedMediaType
from sandbox.fields import Obj, is_deleting, meta, name_of, namespace_of, with_in
from sandbox.kinds import Kind, kind_of
from sandbox.store import Store

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
        obj = record_update(None, _newborn(stored, obj), self._owner(call, "Update"))
        return 201, show(call.kind, self._store.create(stored, obj, dry_run=call.dry_run))

    def replace(self, call: Call, stored: Kind, body: bytes) -> tuple[int, Obj]:
        if call.subresource == "scale":
            return 200, self._rescale(call, stored, lambda _: parse(body, media_type(call), SCALE))
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
        change = patcher(call.kind, media, body)
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
            raise unfit(obj, error.message) from error

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
        config = _typed(stored, keep(call.kind, self._understood(call, placed(call, yaml_object(body)))))
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
        new = record_update(old, rescaled(stored, old, change(scale(old))), self._owner(call, "Update"))
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


_DELETE_OPTIONS = Kind(group="", version="v1", kind="DeleteOptions", plural="")


def _through(kind: Kind, old: Obj, new: Obj, subresource: str | None) -> Obj:
    """`new` with the parts this door does not change put back, so that nobody owns them by accident."""
    if subresource == "status":
        return {**old, "status": new.get("status", {})}
    if kind.has_status:
        body = {key: value for key, value in new.items() if key != "status"}
        return body | ({"status": old["status"]} if "status" in old else {})
    return new


def _newborn(kind: Kind, obj: Obj) -> Obj:
    """A new object has no status yet; only nodes register with one."""
    if not kind.has_status or kind.kind == "Node":
        return _typed(kind, obj)
    return _typed(kind, {key: value for key, value in obj.items() if key != "status"})


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
