"""Deployments, stateful sets and daemon sets as `WorkloadState`."""

import json

from domain.cluster import AutoscalerState, DisruptionBudget, Revision, WorkloadState
from mcp_servers.kube.amounts import container_spec
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.manifests import LAST_APPLIED
from mcp_servers.kube.marks import CHANGE_KEY, managed_by
from mcp_servers.kube.revisions import workload_counts
from mcp_servers.kube.rollout import desired_count, judge_rollout


def workload_state(
    workload: Doc,
    revisions: tuple[Revision, ...] = (),
    autoscaler: AutoscalerState | None = None,
    budgets: tuple[DisruptionBudget, ...] = (),
) -> WorkloadState:
    """The facts of one workload, with what the caller found beside it."""
    rollout, counts = judge_rollout(workload), workload_counts(workload)
    template = workload.part("spec", "template")
    return WorkloadState(
        target=workload.target,
        uid=workload.uid,
        resource_version=workload.version,
        desired_count=desired_count(workload),
        updated_count=counts.updated,
        ready_count=counts.ready,
        available_count=counts.available,
        rollout=rollout.state,
        rollout_message=rollout.message,
        created_at=workload.created_at,
        declared_count=_declared_count(workload),
        containers=tuple(container_spec(container) for container in template.parts("spec", "containers")),
        revisions=revisions,
        change_key=workload.annotations.get(CHANGE_KEY, ""),
        managed_by=managed_by(workload),
        autoscaler=autoscaler,
        budgets=budgets,
    )


def _declared_count(workload: Doc) -> int | None:
    """Replicas in the manifest that was applied last; None where none is kept or it leaves them open."""
    try:
        manifest = json.loads(workload.annotations.get(LAST_APPLIED, "{}"))
    except ValueError:
        return None
    return Doc(manifest).maybe_number("spec", "replicas") if isinstance(manifest, dict) else None
