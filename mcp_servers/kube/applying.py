"""One change to one object: at most once under its key, never over somebody else's newer change.

It knows how a change is applied, not what any change is.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import ToolTimeout
from domain.tools import ToolCall
from mcp_servers.kube.api_errors import Conflict
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find
from mcp_servers.kube.marks import CHANGE_KEY, managed_by
from mcp_servers.kube.recent import Applied, applied_before, with_recent

MAX_TRIES = 8  # during a rollout controllers write a status many times a second
FIRST_PAUSE_S = 0.02  # doubles at every try: 2.5 s in all, well within a call's budget

Op = Mapping[str, object]  # one operation of a JSON patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a plan wants of the object it was shown; nothing to do when `before` equals `after`.

    `same` decides that instead where the two are told in short, and may look alike or differ by spelling.
    """

    ops: tuple[Op, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    undo: ToolCall | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)
    same: bool | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the object is not yet as asked."""
        return self.before != self.after if self.same is None else not self.same


Plan = Callable[[Doc], Awaitable[Change]]
Sleep = Callable[[float], Awaitable[None]]


async def apply(
    api: ClusterApi, target: Target, plan: Plan, *, key: str, dry_run: bool, sleep: Sleep = asyncio.sleep
) -> ChangeResult:
    """Read, plan, patch; again from the start when the object changed in between.

    Raises Conflict after `MAX_TRIES`, ToolTimeout when it stays unknown whether the change was applied.
    """
    sent: Change | None = None  # a change that was sent and never answered
    for attempt in range(MAX_TRIES):
        await sleep(_pause_s(attempt))
        found = await find(api, target.kind, target.namespace, target.name)
        if earlier := applied_before(found, key):
            return done(found, sent, dry_run) if sent else repeated(found, earlier)
        change = await plan(found)
        if not change.is_needed:
            return _unchanged(found, change, dry_run)
        try:
            changed = await _patch(api, found, change, key, dry_run)
        except Conflict:
            continue
        except ToolTimeout:
            if attempt == MAX_TRIES - 1:
                raise
            sent = change
            continue
        return done(changed, change, dry_run)
    raise Conflict(
        f"{target} changed {MAX_TRIES} times while it was being changed; look at it and call again."
    )


def _pause_s(attempt: int) -> float:
    """None before the first try; then longer and longer, uneven so that two writers do not march in step."""
    return FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5) if attempt else 0.0


async def _patch(api: ClusterApi, found: Doc, change: Change, key: str, dry_run: bool) -> Doc:
    ops = (_unless_changed(found), *change.ops, *marks_of(found, change, key))
    return await api.patch(found.kind, found.namespace, found.name, ops, dry_run=dry_run)


def _unless_changed(found: Doc) -> Op:
    """The API answers 409 when the version is not the newest. A `test` operation would be answered by a 422
    that cannot be told from an invalid patch."""
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": found.version}


def marks_of(found: Doc, change: Change, key: str) -> list[Op]:
    """The key and the way back, written in the same patch as the change itself."""
    return set_entries("/metadata/annotations", found.annotations, marks_for(found, key, change.undo))


def marks_for(found: Doc, key: str, undo: ToolCall | None) -> dict[str, str]:
    """The annotations that remember a change."""
    return {CHANGE_KEY: key} | with_recent(found, Applied(key=key, undo=undo))


def set_entries(path: str, present: Mapping[str, str], entries: Mapping[str, str]) -> list[Op]:
    """Operations that set keys of a mapping which may not exist yet."""
    if not present:
        return [{"op": "add", "path": path, "value": dict(entries)}]
    return [{"op": "add", "path": f"{path}/{escaped(key)}", "value": value} for key, value in entries.items()]


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def done(changed: Doc, change: Change, dry_run: bool) -> ChangeResult:
    """The answer to a change that was applied, or tried."""
    said = _differences(change)
    return ChangeResult(
        target=changed.target,
        changed=True,
        dry_run=dry_run,
        summary=f"{'Dry run, nothing changed: ' if dry_run else ''}{changed.target}: {said}",
        before=change.before,
        after=change.after,
        undo_tool=change.undo.tool if change.undo else "",
        undo_arguments=change.undo.arguments if change.undo else {},
        uid=changed.uid,
        resource_version=changed.version,
        warnings=(*change.warnings, *management(changed)),
    )


def _unchanged(found: Doc, change: Change, dry_run: bool) -> ChangeResult:
    said = ", ".join(f"{name} {value}" for name, value in change.after.items())
    return ChangeResult(
        target=found.target,
        changed=False,
        dry_run=dry_run,
        summary=f"{found.target} already is as asked: {said}",
        before=change.before,
        after=change.after,
        uid=found.uid,
        resource_version=found.version,
    )


def repeated(found: Doc, earlier: Applied) -> ChangeResult:
    """The first call's way back comes from the object; the values before it are no longer known."""
    return ChangeResult(
        target=found.target,
        changed=False,
        repeated=True,
        summary=f"{found.target}: key {earlier.key} was applied before; nothing was done again",
        undo_tool=earlier.undo.tool if earlier.undo else "",
        undo_arguments=earlier.undo.arguments if earlier.undo else {},
        uid=found.uid,
        resource_version=found.version,
    )


def _differences(change: Change) -> str:
    names = [name for name in change.after if change.before.get(name) != change.after[name]]
    return ", ".join(
        f"{name} {change.before.get(name) or 'none'} -> {change.after[name] or 'none'}" for name in names
    )


def management(thing: Doc) -> tuple[str, ...]:
    """A warning where a tool owns the object and would undo the change, or let it drift."""
    tool = managed_by(thing)
    if not tool:
        return ()
    fate = "its next upgrade will revert it" if tool == "Helm" else "it will be reverted, or drift"
    return (f"{tool} manages this object: {fate}; change its source too.",)
