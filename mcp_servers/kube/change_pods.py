"""Changing tools on single pods."""

from domain.alert import Target
from domain.cluster import ChangeResult
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.parameters import DryRun, Key, Name, Namespace, Uid
from mcp_servers.kube.pod_status import pod_status
from mcp_servers.kube.removing import Removal, remove
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef

ALONE = "no controller owns this pod: nothing will replace it"


class PodChanges:
    """delete_pod."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [change_tool(self.delete_pod, rights=to_change("Pod", verb="delete"), destructive=True)]

    async def delete_pod(
        self, namespace: Namespace, name: Name, key: Key, uid: Uid = "", dry_run: DryRun = False
    ) -> ChangeResult:
        """Delete one pod so that its controller makes a new one. There is no way back.

        A deleted pod cannot carry the key: give `uid`, and a repeated call finds it gone and does nothing.
        """
        target = Target(kind="Pod", namespace=namespace, name=name)
        return await remove(self._api, target, _removal, uid=uid, dry_run=dry_run)


def _removal(pod: Doc) -> Removal:
    return Removal(before=pod_status(pod), warnings=() if pod.controller.raw else (ALONE,))
