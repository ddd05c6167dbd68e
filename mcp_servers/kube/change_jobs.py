"""Changing tools on jobs and cron jobs."""

from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.tools import ToolCall
from mcp_servers.kube.applying import Change, apply
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.parameters import DryRun, Key, Name, Namespace, Uid
from mcp_servers.kube.removing import Removal, remove
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef
from utils.words import counted

Suspended = Annotated[bool, Field(description="True: start no more runs; false: start them again.")]
STILL_RUNS = "runs that have begun go on; delete_job ends one"


class JobChanges:
    """delete_job and suspend_cronjob."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            change_tool(self.delete_job, rights=to_change("Job", verb="delete"), destructive=True),
            change_tool(self.suspend_cronjob, rights=to_change("CronJob")),
        ]

    async def delete_job(
        self, namespace: Namespace, name: Name, key: Key, uid: Uid = "", dry_run: DryRun = False
    ) -> ChangeResult:
        """Delete one job and its pods. There is no way back; a cron job starts the next at its time."""
        target = Target(kind="Job", namespace=namespace, name=name)
        return await remove(self._api, target, _removal, uid=uid, dry_run=dry_run)

    async def suspend_cronjob(
        self, namespace: Namespace, name: Name, key: Key, suspended: Suspended = True, dry_run: DryRun = False
    ) -> ChangeResult:
        """Let a cron job start no more runs, or start them again."""

        async def plan(cron: Doc) -> Change:
            before = cron.flag("spec", "suspend")
            running = cron.at("status", "active")
            back = {"namespace": namespace, "name": name, "suspended": before}
            return Change(
                ops=({"op": "add", "path": "/spec/suspend", "value": suspended},),
                before={"suspended": str(before).lower()},
                after={"suspended": str(suspended).lower()},
                undo=ToolCall(tool="suspend_cronjob", arguments=back),
                warnings=(STILL_RUNS,) if suspended and running else (),
            )

        target = Target(kind="CronJob", namespace=namespace, name=name)
        return await apply(self._api, target, plan, key=key, dry_run=dry_run)


def _removal(job: Doc) -> Removal:
    active = counted(job.number("status", "active"), "active pod")
    failed = counted(job.number("status", "failed"), "failed pod")
    return Removal(before=f"{active}, {failed}")
