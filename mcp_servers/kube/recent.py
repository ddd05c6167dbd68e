"""The last few changes that an object went through, kept on the object itself.

A caller that lost an answer finds there whether its change was applied and how to take it back, even when
other changes came after it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from domain.tools import ToolCall
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.marks import RECENT_CHANGES

KEPT_COUNT = 5  # a repeated call comes within seconds; annotations should stay readable
MAX_UNDO_LENGTH = 8_000  # whole manifests are not kept: all annotations together may have 256 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A change that was applied under its key."""

    key: str
    undo: ToolCall | None


def applied_before(found: Doc, key: str) -> Applied | None:
    """The change with this key, when it is among the last few."""
    return next((applied for applied in _recent(found) if applied.key == key), None)


def with_recent(found: Doc, applied: Applied) -> dict[str, str]:
    """The annotation that remembers one more change."""
    kept = [*_recent(found), applied][-KEPT_COUNT:]
    return {RECENT_CHANGES: json.dumps([_written(change) for change in kept])}


def _recent(found: Doc) -> Iterator[Applied]:
    """Oldest first; nothing when people edited the annotation into something else."""
    try:
        kept = json.loads(found.annotations.get(RECENT_CHANGES, "[]"))
    except ValueError:
        return
    for change in Doc({"kept": kept}).parts("kept"):
        tool = change.text("tool")
        undo = ToolCall(tool=tool, arguments=change.part("arguments").raw) if tool else None
        yield Applied(key=change.text("key"), undo=undo)


def _written(change: Applied) -> dict[str, object]:
    if change.undo is None:
        return {"key": change.key}
    written: dict[str, object] = {
        "key": change.key,
        "tool": change.undo.tool,
        "arguments": dict(change.undo.arguments),
    }
    return written if len(json.dumps(written)) <= MAX_UNDO_LENGTH else {"key": change.key}
