"""The changing tool for a node's taints."""

import re
from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import BadInput
from domain.tools import ToolCall
from mcp_servers.kube.applying import Change, apply
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.nodes import taint_text
from mcp_servers.kube.parameters import DryRun, Key, Node
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef

SHAPE = re.compile(
    r"(?P<key>[\w./-]+)(=(?P<value>[\w.-]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)"
)
EVICTS = "NoExecute also evicts the pods on the node that do not tolerate it"

Taints = Annotated[tuple[str, ...], Field(max_length=10, description="Each key=value:Effect, or key:Effect.")]


class TaintChanges:
    """set_taints."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [change_tool(self.set_taints, rights=to_change("Node"))]

    async def set_taints(
        self,
        node: Node,
        key: Key,
        add: Taints = (),
        remove: Taints = (),
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Add and remove taints of a node; of one key and effect there is one taint at a time."""
        if not add and not remove:
            raise BadInput("Give taints to add or to remove.", field="add")
        added = {_slot(taint): taint for taint in map(_parsed, add)}
        removed = {_slot(taint) for taint in map(_parsed, remove)}

        async def plan(found: Doc) -> Change:
            present = {_slot(dict(taint.raw)): dict(taint.raw) for taint in found.parts("spec", "taints")}
            after = {slot: taint for slot, taint in present.items() if slot not in removed} | {
                slot: present[slot] if _same(present.get(slot), taint) else taint
                for slot, taint in added.items()
            }
            return Change(
                ops=({"op": "add", "path": "/spec/taints", "value": list(after.values())},),
                before={"taints": _told(present)},
                after={"taints": _told(after)},
                undo=ToolCall(tool="set_taints", arguments=_back(node, present, after)),
                warnings=(EVICTS,) if any(slot[1] == "NoExecute" for slot in after.keys() - present) else (),
            )

        return await apply(self._api, Target(kind="Node", name=node), plan, key=key, dry_run=dry_run)


Taint = dict[str, object]
Slot = tuple[str, str]  # key and effect: what makes a taint the same one


def _parsed(text: str) -> Taint:
    found = SHAPE.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text!r} is no taint such as key=value:NoSchedule; effects are NoSchedule, PreferNoSchedule, "
            "NoExecute",
            field="add",
        )
    return {part: value for part, value in found.groupdict().items() if value}


def _slot(taint: Taint) -> Slot:
    return str(taint.get("key")), str(taint.get("effect"))


def _same(one: Taint | None, other: Taint) -> bool:
    """Whether both say the same; when it was added is no part of it."""
    return one is not None and one.get("value", "") == other.get("value", "")


def _told(taints: dict[Slot, Taint]) -> str:
    return ", ".join(sorted(taint_text(Doc(taint)) for taint in taints.values()))


def _back(node: str, before: dict[Slot, Taint], after: dict[Slot, Taint]) -> dict[str, object]:
    """The arguments that turn `after` into `before`."""
    lost = [taint for slot, taint in before.items() if not _same(after.get(slot), taint)]
    gained = [taint for slot, taint in after.items() if slot not in before]
    return {
        "node": node,
        "add": [taint_text(Doc(taint)) for taint in lost],
        "remove": [taint_text(Doc(taint)) for taint in gained],
    }
