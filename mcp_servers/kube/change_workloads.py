"""Changing tools on whole workloads: restart, rollback, scale."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import Permanent
from domain.tools import ToolCall
from mcp_servers.kube.applying import Change, apply, set_entries
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.parameters import DryRun, Key, Kind, Name, Namespace
from mcp_servers.kube.revisions import Kept, current_number, kept_revisions
from mcp_servers.kube.rights import to_change, to_look_at
from mcp_servers.kube.rollout import desired_count
from mcp_servers.kube.template_diff import LABEL_OF_REPLICA_SET, RESTARTED_AT
from mcp_servers.toolkit import ToolDef

ScalableKind = Annotated[
    Literal["Deployment", "StatefulSet"], Field(description="Kind; a daemon set's count follows its nodes.")
]
ToRevision = Annotated[
    int | None, Field(ge=1, description="Revision number from describe_workload; left out: the one before.")
]
Replicas = Annotated[int, Field(ge=0, le=10_000, description="How many pods there should be.")]
PAUSED = "the deployment is paused: nothing rolls out until it is resumed"

RIGHTS = (*to_change(*WORKLOADS), *to_look_at("ReplicaSet", "ControllerRevision"))


class WorkloadChanges:
    """restart_workload, rollback_workload and scale_workload."""

    def __init__(self, api: ClusterApi, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._api = api
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        functions = (self.restart_workload, self.rollback_workload, self.scale_workload)
        return [change_tool(function, rights=RIGHTS) for function in functions]

    async def restart_workload(
        self, namespace: Namespace, kind: Kind, name: Name, key: Key, dry_run: DryRun = False
    ) -> ChangeResult:
        """Replace all pods, a few at a time, as `kubectl rollout restart` does."""

        async def plan(workload: Doc) -> Change:
            annotations = workload.texts("spec", "template", "metadata", "annotations")
            now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
            ops = set_entries("/spec/template/metadata/annotations", annotations, {RESTARTED_AT: now})
            return Change(
                ops=tuple(ops),
                before={"restarted_at": annotations.get(RESTARTED_AT, "")},
                after={"restarted_at": now},
                warnings=paused_warning(workload),
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)

    async def rollback_workload(
        self,
        namespace: Namespace,
        kind: Kind,
        name: Name,
        key: Key,
        to_revision: ToRevision = None,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Go back to the pod template of an earlier revision, as `kubectl rollout undo` does."""

        async def plan(workload: Doc) -> Change:
            if workload.flag("spec", "paused"):
                raise Permanent(f"{workload.target} is paused and cannot be rolled back; resume it first.")
            kept = await kept_revisions(self._api, workload)
            current = current_number(workload, kept)
            wanted = _wanted(workload, kept, current, to_revision)
            back = {"namespace": namespace, "kind": kind, "name": name, "to_revision": current}
            template = _template(wanted)
            return Change(
                ops=({"op": "replace", "path": "/spec/template", "value": template},),
                before=_told(current, workload.part("spec", "template")),
                after=_told(wanted.number, wanted.template),
                undo=ToolCall(tool="rollback_workload", arguments=back),
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)

    async def scale_workload(
        self,
        namespace: Namespace,
        kind: ScalableKind,
        name: Name,
        replicas: Replicas,
        key: Key,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set how many pods there should be."""

        async def plan(workload: Doc) -> Change:
            before = desired_count(workload)
            back = {"namespace": namespace, "kind": kind, "name": name, "replicas": before}
            return Change(
                ops=({"op": "add", "path": "/spec/replicas", "value": replicas},),
                before={"replicas": str(before)},
                after={"replicas": str(replicas)},
                undo=ToolCall(tool="scale_workload", arguments=back),
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)


def paused_warning(workload: Doc) -> tuple[str, ...]:
    """A warning when the change will wait."""
    return (PAUSED,) if workload.flag("spec", "paused") else ()


def _target(namespace: str, kind: str, name: str) -> Target:
    return Target(kind=kind, namespace=namespace, name=name)


def _wanted(workload: Doc, kept: list[Kept], current: int, number: int | None) -> Kept:
    """The revision to go to. Raises Permanent naming the revisions that are kept."""
    others = [revision for revision in kept if revision.number != current]
    if number is None and others:
        return others[-1]
    found = [revision for revision in kept if revision.number == number]
    if found:
        return found[0]
    numbers = ", ".join(str(revision.number) for revision in kept) or "none"
    asked = f"revision {number}" if number else "an earlier revision"
    raise Permanent(f"{workload.target} does not keep {asked}; kept: {numbers}, current: {current}.")


def _template(kept: Kept) -> Mapping[str, object]:
    """The pod template without what belongs to its holder: the hash label, the patch directive."""
    template = {part: value for part, value in kept.template.raw.items() if part != "$patch"}
    labels = {k: v for k, v in kept.template.texts("metadata", "labels").items() if k != LABEL_OF_REPLICA_SET}
    return {**template, "metadata": {**kept.template.part("metadata").raw, "labels": labels}}


def _told(number: int, template: Doc) -> dict[str, str]:
    images = {
        f"image {container.text('name')}": container.text("image")
        for container in template.parts("spec", "containers")
    }
    return {"revision": str(number), **images}
