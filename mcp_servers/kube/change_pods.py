"""Changing tools on single pods."""

from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from mcp_servers.kube.api_errors import Conflict, NotFound
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find
from mcp_servers.kube.parameters import DryRun, Key, Name, Namespace
from mcp_servers.kube.pod_status import pod_status
from mcp_servers.kube.telling import tell_change
from mcp_servers.toolkit import ToolDef

Uid = Annotated[str, Field(description="The pod's uid as seen before; spares a later pod of the same name.")]
ALONE = "no controller owns this pod: nothing will replace it"


class PodChanges:
    """delete_pod."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [ToolDef(self.delete_pod, ChangeResult, tell_change, read_only=False)]

    async def delete_pod(
        self, namespace: Namespace, name: Name, key: Key, uid: Uid = "", dry_run: DryRun = False
    ) -> ChangeResult:
        """Delete one pod so that its controller makes a new one. There is no way back.

        A deleted pod cannot carry the key: give `uid`, and a repeated call finds it gone and does nothing.
        """
        target = Target(kind="Pod", namespace=namespace, name=name)
        try:
            pod = await find(self._api, "Pod", namespace, name)
        except NotFound:
            if not uid:
                raise  # a mistyped name must not look like success
            return _gone(target, uid, dry_run)
        if pod.text("metadata", "deletionTimestamp") or uid not in ("", pod.uid):
            return _gone(target, uid or pod.uid, dry_run)
        return await self._delete(pod, dry_run)

    async def _delete(self, pod: Doc, dry_run: bool) -> ChangeResult:
        try:
            await self._api.delete("Pod", pod.namespace, pod.name, uid=pod.uid, dry_run=dry_run)
        except (NotFound, Conflict):  # it went, or another took its name, after it was read
            return _gone(pod.target, pod.uid, dry_run)
        said = "Dry run, nothing changed: " if dry_run else ""
        return ChangeResult(
            target=pod.target,
            changed=True,
            dry_run=dry_run,
            summary=f"{said}{pod.target}: deleted while {pod_status(pod)}",
            before={"pod": pod_status(pod)},
            after={"pod": "deleted"},
            uid=pod.uid,
            resource_version=pod.version,
            warnings=() if pod.controller.raw else (ALONE,),
        )


def _gone(target: Target, uid: str, dry_run: bool) -> ChangeResult:
    return ChangeResult(
        target=target,
        changed=False,
        dry_run=dry_run,
        summary=f"{target} (uid {uid}) is gone already or on its way",
        before={"pod": "deleted"},
        after={"pod": "deleted"},
        uid=uid,
    )
