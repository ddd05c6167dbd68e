"""Deleting exactly the object that was seen. It cannot carry a key afterwards; its uid stands for that."""

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.tools import ToolCall
from mcp_servers.kube.api_errors import Conflict, NotFound
from mcp_servers.kube.applying import management
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is said of a deletion: the object before it, its way back, what to beware of."""

    before: str
    undo: ToolCall | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)


async def remove(
    api: ClusterApi, target: Target, plan: Callable[[Doc], Removal], *, uid: str, dry_run: bool
) -> ChangeResult:
    """Delete the object, with `uid` only the one that was seen; nothing when it is gone or on its way.

    Raises NotFound for an unknown name without a uid: a mistyped name must not look like success.
    """
    try:
        found = await find(api, target.kind, target.namespace, target.name)
    except NotFound:
        if not uid:
            raise
        return _gone(target, uid, dry_run)
    if found.text("metadata", "deletionTimestamp") or uid not in ("", found.uid):
        return _gone(target, uid or found.uid, dry_run)
    try:
        await api.delete(target.kind, target.namespace, target.name, uid=found.uid, dry_run=dry_run)
    except (NotFound, Conflict):  # it went, or another took its name, after it was read
        return _gone(target, found.uid, dry_run)
    return _removed(found, plan(found), dry_run)


def _removed(found: Doc, removal: Removal, dry_run: bool) -> ChangeResult:
    what = found.kind.lower()
    said = "Dry run, nothing changed: " if dry_run else ""
    return ChangeResult(
        target=found.target,
        changed=True,
        dry_run=dry_run,
        summary=f"{said}{found.target}: deleted while {removal.before}",
        before={what: removal.before},
        after={what: "deleted"},
        undo_tool=removal.undo.tool if removal.undo else "",
        undo_arguments=removal.undo.arguments if removal.undo else {},
        uid=found.uid,
        resource_version=found.version,
        warnings=(*removal.warnings, *management(found)),
    )


def _gone(target: Target, uid: str, dry_run: bool) -> ChangeResult:
    what = target.kind.lower()
    return ChangeResult(
        target=target,
        changed=False,
        dry_run=dry_run,
        summary=f"{target} (uid {uid}) is gone already or on its way",
        before={what: "deleted"},
        after={what: "deleted"},
        uid=uid,
    )
