"""Changing tools for objects at large, each on an allow-list: patch, restore, create, delete."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import BadInput, Permanent
from domain.tools import ToolCall
from mcp_servers.kube.allowed import (
    CREATABLE,
    DELETABLE,
    PATCHABLE,
    RESTORABLE,
    check_kind,
    check_paths,
    check_unmasked,
)
from mcp_servers.kube.api_errors import Conflict, NotFound, NotServed
from mcp_servers.kube.applying import Change, Op, apply, done, marks_for, repeated
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.json_patch import differences, play, value_at
from mcp_servers.kube.kinds import KINDS
from mcp_servers.kube.manifests import holds_secrets, manifest_of
from mcp_servers.kube.parameters import DryRun, Key, Name, Namespace, Uid
from mcp_servers.kube.recent import applied_before
from mcp_servers.kube.removing import Removal, remove
from mcp_servers.kube.rights import to_change
from mcp_servers.kube.secrecy import is_secret
from mcp_servers.toolkit import ToolDef

MAX_OPS = 20
MAX_TOLD_LENGTH = 200
NO_WAY_BACK = "no way back is given: the object holds what looks like a credential"
PARTS = ("spec", "data", "binaryData", "immutable")  # what restoring brings back


class PatchOp(BaseModel):
    """One operation of a JSON patch."""

    model_config = ConfigDict(extra="forbid")

    op: Literal["add", "replace", "remove", "test"] = Field(description="What to do.")
    path: str = Field(description="JSON pointer such as /spec/selector/app.")
    value: object = Field(default=None, description="The value, for all but remove.")


AnyKind = Annotated[str, Field(description="Kind of the object, such as Service.")]
Patch = Annotated[
    list[PatchOp], Field(min_length=1, max_length=MAX_OPS, description="JSON patch (RFC 6902).")
]
Manifest = Annotated[dict[str, object], Field(description="The object in full, as in a manifest file.")]


class ObjectChanges:
    """patch_resource, restore_object, create_resource and delete_resource."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        deleting = to_change(*DELETABLE, verb="delete")
        return [
            change_tool(self.patch_resource, rights=to_change(*PATCHABLE)),
            change_tool(self.restore_object, rights=to_change(*RESTORABLE)),
            change_tool(self.create_resource, rights=to_change(*CREATABLE, verb="create")),
            change_tool(self.delete_resource, rights=deleting, destructive=True),
        ]

    async def patch_resource(
        self,
        namespace: Namespace,
        kind: AnyKind,
        name: Name,
        patch: Patch,
        key: Key,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Apply a JSON patch, on kinds and paths that are allowed; a wrong one is answered with these."""
        check_kind(kind, PATCHABLE, "patched")
        check_paths(kind, [op.path for op in patch])
        ops = [_written(op) for op in patch]
        check_unmasked(ops, "patch")

        async def plan(found: Doc) -> Change:
            played = play(found.raw, ops)
            paths = list(dict.fromkeys(op.path for op in patch))
            back = {"namespace": namespace, "kind": kind, "name": name, "patch": list(played.back)}
            return _change(
                found, ops, played.document, paths, ToolCall(tool="patch_resource", arguments=back)
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)

    async def restore_object(
        self,
        namespace: Namespace,
        kind: AnyKind,
        name: Name,
        manifest: Manifest,
        key: Key,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Bring an object back to an earlier version, given in full as get_resource showed it."""
        check_kind(kind, RESTORABLE, "restored")
        check_unmasked(manifest, "manifest")
        wanted = Doc(manifest, kind)
        if not any(part in manifest for part in PARTS):
            raise BadInput("manifest holds neither spec nor data", field="manifest")

        async def plan(found: Doc) -> Change:
            _check_keeps_credentials(found, wanted)
            ops = _restoring(found, wanted)
            after = play(found.raw, ops).document
            earlier = {"namespace": namespace, "kind": kind, "name": name, "manifest": manifest_of(found)}
            paths = list(differences(_parts(found.raw), _parts(after)))
            return _change(found, ops, after, paths, ToolCall(tool="restore_object", arguments=earlier))

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)

    async def create_resource(
        self,
        namespace: Namespace,
        kind: AnyKind,
        name: Name,
        manifest: Manifest,
        key: Key,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Create an object of an allowed kind; never a workload. The answer names how to delete it."""
        check_kind(kind, CREATABLE, "created")
        check_unmasked(manifest, "manifest")
        body = self._body(namespace, kind, name, manifest, key)
        if (found := await self._maybe(namespace, kind, name)) is None:
            try:
                made = await self._api.create(kind, namespace, body, dry_run=dry_run)
            except Conflict as error:  # somebody, perhaps this very call before, was quicker
                found = await self._maybe(namespace, kind, name)
                if found is None:
                    raise Conflict(f"{kind} {name} came and went; look and call again.") from error
            else:
                return done(made, _creation(made), dry_run)
        if earlier := applied_before(found, key):
            return repeated(found, earlier)
        raise Permanent(f"{found.target} exists already; use patch_resource or restore_object.")

    async def delete_resource(
        self,
        namespace: Namespace,
        kind: AnyKind,
        name: Name,
        key: Key,
        uid: Uid = "",
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Delete an object of an allowed kind; never a workload, namespace, volume or definition."""
        check_kind(kind, DELETABLE, "deleted")
        return await remove(self._api, _target(namespace, kind, name), _removal, uid=uid, dry_run=dry_run)

    async def _maybe(self, namespace: str, kind: str, name: str) -> Doc | None:
        try:
            return await self._api.get(kind, namespace, name)
        except NotServed:
            raise
        except NotFound:
            return None

    def _body(
        self, namespace: str, kind: str, name: str, manifest: Mapping[str, object], key: str
    ) -> dict[str, object]:
        """The manifest under the names that were asked for, with the key on it."""
        given = Doc(manifest, kind)
        for part, asked in (("name", name), ("namespace", namespace)):
            if given.text("metadata", part) not in ("", asked):
                raise BadInput(f"the manifest names another {part} than {asked!r}", field="manifest")
        kept = manifest_of(given)
        version = given.text("apiVersion") or (self._api.kind(kind) or KINDS[kind]).api_version
        undo = ToolCall(tool="delete_resource", arguments=_place(namespace, kind, name))
        notes = given.annotations | marks_for(given, key, undo if kind in DELETABLE else None)
        metadata = {"name": name, "namespace": namespace, "annotations": notes, "labels": given.labels}
        return {**kept, "apiVersion": version, "kind": kind, "metadata": metadata}


def _target(namespace: str, kind: str, name: str) -> Target:
    return Target(kind=kind, namespace=namespace, name=name)


def _place(namespace: str, kind: str, name: str) -> dict[str, object]:
    return {"namespace": namespace, "kind": kind, "name": name}


def _written(op: PatchOp) -> Op:
    given = {"op": op.op, "path": op.path}
    return given if op.op == "remove" else {**given, "value": op.value}


def _change(
    found: Doc, ops: Sequence[Op], after: Mapping[str, object], paths: Sequence[str], undo: ToolCall
) -> Change:
    """The change told by the paths that differ; its way back only where that tells no credential."""
    secret = holds_secrets(undo.arguments)
    return Change(
        ops=tuple(ops),
        before={path: _told(path, value_at(found.raw, path)) for path in paths[:MAX_OPS]},
        after={path: _told(path, value_at(after, path)) for path in paths[:MAX_OPS]},
        undo=None if secret else undo,
        warnings=(NO_WAY_BACK,) if secret else (),
        same=not any(differences(found.raw, after)),
    )


def _told(path: str, value: object) -> str:
    """A value in short, as compact JSON; masked where it looks like a credential."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if holds_secrets({"value": value}) or is_secret(path.rpartition("/")[2], text):
        return "(not shown)"
    return text if len(text) <= MAX_TOLD_LENGTH else f"{text[:MAX_TOLD_LENGTH]}…"


def _parts(raw: Mapping[str, object]) -> dict[str, object]:
    """What restoring is about, labels included."""
    kept = {part: raw[part] for part in PARTS if part in raw}
    return {**kept, "metadata": {"labels": Doc(raw).labels}}


def _check_keeps_credentials(found: Doc, wanted: Doc) -> None:
    """Raises Permanent where a value would be lost that no answer may tell: nothing would bring it back."""
    kept = wanted.texts("data")
    lost = [
        key for key, value in found.texts("data").items() if is_secret(key, value) and kept.get(key) != value
    ]
    if lost:
        raise Permanent(
            f"{found.target} would lose what looks like a credential ({', '.join(lost)}); "
            "change its other keys with set_config_key."
        )


def _restoring(found: Doc, wanted: Doc) -> list[Op]:
    """Operations that make parts and labels those of the manifest."""
    ops: list[Op] = []
    for part in PARTS:
        if part in wanted.raw:
            ops.append({"op": "add", "path": f"/{part}", "value": wanted.raw[part]})
        elif part in found.raw and part != "spec":
            ops.append({"op": "remove", "path": f"/{part}"})
    if wanted.has("metadata", "labels") and wanted.labels != found.labels:
        ops.append({"op": "add", "path": "/metadata/labels", "value": wanted.labels})
    return ops


def _creation(made: Doc) -> Change:
    place = _place(made.namespace, made.kind, made.name)
    undo = ToolCall(tool="delete_resource", arguments={**place, "uid": made.uid})
    return Change(
        ops=(),
        before={made.kind.lower(): ""},
        after={made.kind.lower(): "created"},
        undo=undo if made.kind in DELETABLE else None,
    )


def _removal(found: Doc) -> Removal:
    manifest = manifest_of(found)
    if holds_secrets(manifest):
        return Removal(before="present", warnings=(NO_WAY_BACK,))
    back = {**_place(found.namespace, found.kind, found.name), "manifest": manifest}
    return Removal(before="present", undo=ToolCall(tool="create_resource", arguments=back))
