"""Changing tools on nodes. Draining and taints have files of their own."""

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.tools import ToolCall
from mcp_servers.kube.applying import Change, apply
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.nodes import maintenance
from mcp_servers.kube.parameters import DryRun, Key, Node
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef

RIGHTS = to_change("Node")


class NodeChanges:
    """cordon_node and uncordon_node."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        functions = (self.cordon_node, self.uncordon_node)
        return [change_tool(function, rights=RIGHTS) for function in functions]

    async def cordon_node(self, node: Node, key: Key, dry_run: DryRun = False) -> ChangeResult:
        """Let no new pods be scheduled on a node; those that run there stay."""
        return await self._set(node, True, undo="uncordon_node", key=key, dry_run=dry_run)

    async def uncordon_node(self, node: Node, key: Key, dry_run: DryRun = False) -> ChangeResult:
        """Let pods be scheduled on a node again."""
        return await self._set(node, False, undo="cordon_node", key=key, dry_run=dry_run)

    async def _set(self, name: str, cordoned: bool, *, undo: str, key: str, dry_run: bool) -> ChangeResult:
        async def plan(node: Doc) -> Change:
            announced = "" if cordoned else maintenance(node)
            return Change(
                ops=({"op": "add", "path": "/spec/unschedulable", "value": cordoned},),
                before={"cordoned": _word(node.flag("spec", "unschedulable"))},
                after={"cordoned": _word(cordoned)},
                undo=ToolCall(tool=undo, arguments={"node": name}),
                warnings=(f"planned work is announced on this node: {announced}",) if announced else (),
            )

        return await apply(self._api, Target(kind="Node", name=name), plan, key=key, dry_run=dry_run)


def _word(yes: bool) -> str:
    return "yes" if yes else "no"
