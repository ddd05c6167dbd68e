"""Reading tools on workloads."""

from domain.cluster import WorkloadState
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.finding import find
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.parameters import AnyNamespace, Kind, Limit, Name, Namespace, Selector
from mcp_servers.kube.revisions import history, kept_revisions
from mcp_servers.kube.shapes import WorkloadList
from mcp_servers.kube.telling import tell_workload, tell_workloads
from mcp_servers.kube.workloads import workload_state
from mcp_servers.toolkit import ToolDef


class WorkloadLooks:
    """list_workloads and describe_workload."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(self.list_workloads, WorkloadList, tell_workloads, read_only=True),
            ToolDef(self.describe_workload, WorkloadList, tell_workload, read_only=True),
        ]

    async def list_workloads(
        self, namespace: AnyNamespace = "", selector: Selector = "", limit: Limit = 500
    ) -> WorkloadList:
        """Deployments, stateful sets and daemon sets with their counts and rollout, without history."""
        found, truncated = list[WorkloadState](), False
        for kind in WORKLOADS:
            listing = await self._api.list(kind, namespace, labels=selector, limit=limit)
            found += (workload_state(workload) for workload in listing.items)
            truncated |= listing.truncated
        return WorkloadList(items=tuple(found[:limit]), truncated=truncated or len(found) > limit)

    async def describe_workload(self, namespace: Namespace, kind: Kind, name: Name) -> WorkloadList:
        """One workload: counts, rollout as `kubectl rollout status` judges, revisions and their changes."""
        workload = await find(self._api, kind, namespace, name)
        revisions = history(workload, await kept_revisions(self._api, workload))
        return WorkloadList(items=(workload_state(workload, revisions),))
