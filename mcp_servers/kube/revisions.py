"""The rollout history of a workload, from the replica sets or controller revisions that it owns."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.cluster import Revision
from mcp_servers.kube.amounts import container_spec
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.rollout import desired_count
from mcp_servers.kube.selectors import selector_text
from mcp_servers.kube.template_diff import template_changes

NUMBER = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True)
class Kept:
    """One revision as the cluster keeps it: its number, its holder and its pod template."""

    number: int
    holder: Doc
    template: Doc


async def kept_revisions(api: ClusterApi, workload: Doc) -> list[Kept]:
    """Oldest first."""
    kind = "ReplicaSet" if workload.kind == "Deployment" else "ControllerRevision"
    listing = await api.list(
        kind, workload.namespace, labels=selector_text(workload.part("spec", "selector"))
    )
    owned = (holder for holder in listing.items if holder.controller.text("uid") == workload.uid)
    kept = [_kept(holder) for holder in owned]
    return sorted((revision for revision in kept if revision.number), key=lambda revision: revision.number)


def current_number(workload: Doc, kept: Sequence[Kept]) -> int:
    """The revision that the workload asks for now; the newest one, unless its status names another."""
    wanted = workload.text("status", "updateRevision")  # stateful sets alone
    named = [revision.number for revision in kept if revision.holder.name == wanted]
    return (named or [revision.number for revision in kept[-1:]] or [0])[0]


def history(workload: Doc, kept: Sequence[Kept]) -> tuple[Revision, ...]:
    """Newest first, each with what changed against the one before."""
    current = current_number(workload, kept)
    befores = [None, *kept[:-1]]
    revisions = (
        [
            _revision(workload, revision, before, current=revision.number == current)
            for before, revision in zip(befores, kept, strict=True)
        ]
        if kept
        else []
    )
    return tuple(reversed(revisions))


def _kept(holder: Doc) -> Kept:
    if holder.kind == "ReplicaSet":
        number = holder.annotations.get(NUMBER, "0")
        return Kept(int(number) if number.isdigit() else 0, holder, holder.part("spec", "template"))
    return Kept(holder.number("revision"), holder, holder.part("data", "spec", "template"))


def _revision(workload: Doc, kept: Kept, before: Kept | None, *, current: bool) -> Revision:
    replicas, ready = _counts(workload, kept.holder, current)
    return Revision(
        number=kept.number,
        name=kept.holder.name,
        created_at=kept.holder.created_at,
        containers=tuple(
            container_spec(container) for container in kept.template.parts("spec", "containers")
        ),
        replicas_count=replicas,
        ready_count=ready,
        current=current,
        changes=template_changes(before.template, kept.template) if before else (),
        cause=kept.holder.annotations.get(CAUSE, ""),
    )


def _counts(workload: Doc, holder: Doc, current: bool) -> tuple[int, int]:
    """Pods and ready pods of a revision. Controller revisions carry no counts: for the current one they come
    from the workload's status, where all pods of older revisions are taken to be ready (a lower bound)."""
    if holder.kind == "ReplicaSet":
        return holder.number("status", "replicas"), holder.number("status", "readyReplicas")
    if not current:
        return 0, 0
    counts = workload_counts(workload)
    return counts.updated, max(0, counts.ready - (desired_count(workload) - counts.updated))


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of a workload by how far they are."""

    updated: int
    ready: int
    available: int


def workload_counts(workload: Doc) -> Counts:
    """The counts in the status of any workload kind."""
    if workload.kind == "DaemonSet":
        names = ("updatedNumberScheduled", "numberReady", "numberAvailable")
    else:
        names = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return Counts(*(workload.number("status", name) for name in names))
