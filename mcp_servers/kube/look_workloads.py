"""Reading tools on workloads."""

from typing import Annotated

from pydantic import Field

from domain.cluster import WorkloadState
from domain.errors import Permanent
from mcp_servers.kube.bounds import autoscaler_of, budgets_of
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.finding import find
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.parameters import AnyNamespace, Kind, Limit, Name, Namespace, Page, Selector
from mcp_servers.kube.revisions import Kept, current_number, history, kept_revisions
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.shapes import TemplateDiff, WorkloadList, paged
from mcp_servers.kube.telling import tell_diff, tell_workload, tell_workloads
from mcp_servers.kube.template_diff import template_changes
from mcp_servers.kube.workloads import workload_state
from mcp_servers.toolkit import ToolDef

HISTORY = ("ReplicaSet", "ControllerRevision")
FromRevision = Annotated[int | None, Field(ge=1, description="Left out: the one before to_revision.")]
ToRevision = Annotated[int | None, Field(ge=1, description="Left out: the current one.")]


class WorkloadLooks:
    """list_workloads, describe_workload and diff_revisions."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.list_workloads, WorkloadList, tell_workloads, read_only=True,
                rights=to_look_at(*WORKLOADS), rest="give page=2, a namespace or a selector",
            ),
            ToolDef(
                self.describe_workload, WorkloadList, tell_workload, read_only=True,
                rights=to_look_at(*WORKLOADS, *HISTORY, "HorizontalPodAutoscaler", "PodDisruptionBudget"),
            ),
            ToolDef(
                self.diff_revisions, TemplateDiff, tell_diff, read_only=True,
                rights=to_look_at(*WORKLOADS, *HISTORY),
            ),
        ]  # fmt: skip

    async def list_workloads(
        self, namespace: AnyNamespace = "", selector: Selector = "", limit: Limit = 500, page: Page = 1
    ) -> WorkloadList:
        """Deployments, stateful sets and daemon sets with their counts and rollout, without history."""
        found, truncated = list[WorkloadState](), False
        for kind in WORKLOADS:
            listing = await self._api.list(kind, namespace, labels=selector, limit=page * limit + 1)
            found += (workload_state(workload) for workload in listing.items)
            truncated |= listing.truncated
        items, more = paged(found, page, limit)
        return WorkloadList(items=items, truncated=truncated or more)

    async def describe_workload(self, namespace: Namespace, kind: Kind, name: Name) -> WorkloadList:
        """One workload: counts, rollout as kubectl judges it, revisions and changes, autoscaler, budgets."""
        workload = await find(self._api, kind, namespace, name)
        revisions = history(workload, await kept_revisions(self._api, workload))
        autoscaler = await autoscaler_of(self._api, workload.target)
        labels = workload.texts("spec", "template", "metadata", "labels")
        budgets = await budgets_of(self._api, namespace, labels)
        return WorkloadList(items=(workload_state(workload, revisions, autoscaler, budgets),))

    async def diff_revisions(
        self,
        namespace: Namespace,
        kind: Kind,
        name: Name,
        from_revision: FromRevision = None,
        to_revision: ToRevision = None,
    ) -> TemplateDiff:
        """What changed between two revisions of a workload's pods, in short sentences."""
        workload = await find(self._api, kind, namespace, name)
        kept = await kept_revisions(self._api, workload)
        to = _chosen(workload.name, kept, to_revision or current_number(workload, kept))
        before = [revision.number for revision in kept if revision.number < to.number]
        start = _chosen(workload.name, kept, from_revision or (before[-1] if before else 0))
        return TemplateDiff(
            workload=str(workload.target),
            from_revision=start.number,
            to_revision=to.number,
            changes=template_changes(start.template, to.template),
            from_images=_images(start),
            to_images=_images(to),
        )


def _chosen(workload: str, kept: list[Kept], number: int) -> Kept:
    """The revision. Raises Permanent naming those that are kept."""
    found = next((revision for revision in kept if revision.number == number), None)
    if found is None:
        numbers = ", ".join(str(revision.number) for revision in kept) or "none"
        asked = f"revision {number}" if number else "an earlier revision"
        raise Permanent(f"{workload} does not keep {asked}; kept: {numbers}.")
    return found


def _images(kept: Kept) -> tuple[str, ...]:
    return tuple(part.text("image") for part in kept.template.parts("spec", "containers"))
