"""The sentences' meanings are those of `kubectl rollout status`."""

import pytest

from mcp_servers.kube.doc import Doc
from mcp_servers.kube.rollout import judge_rollout
from mcp_servers.kube.workloads import workload_state


def workload(kind: str, spec: dict[str, object], status: dict[str, object], generation: int = 2) -> Doc:
    """A workload whose controller has seen its second generation."""
    return Doc(
        {
            "kind": kind,
            "metadata": {"name": "web", "namespace": "shop", "generation": generation},
            "spec": spec,
            "status": {"observedGeneration": 2, **status},
        }
    )


def counts(total: int, updated: int, available: int) -> dict[str, object]:
    return {"replicas": total, "updatedReplicas": updated, "availableReplicas": available}


def condition(kind: str, status: str, reason: str, message: str) -> dict[str, object]:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


LATE = condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing")
QUOTA = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: small")
THREE: dict[str, object] = {"replicas": 3}
STEPS = {"rollingUpdate": {"partition": 2}}


@pytest.mark.parametrize(
    ("seen", "state", "said"),
    [
        (workload("Deployment", THREE, counts(3, 3, 3)), "complete", ""),
        (workload("Deployment", THREE, counts(3, 3, 3), generation=3), "progressing", "not been observed"),
        (workload("Deployment", THREE, counts(4, 1, 3)), "progressing", "1 of 3 new replicas"),
        (workload("Deployment", THREE, counts(4, 3, 3)), "progressing", "1 old replicas are pending"),
        (workload("Deployment", THREE, counts(3, 3, 2)), "progressing", "2 of 3 updated replicas"),
        (workload("Deployment", THREE, {**counts(4, 1, 3), **LATE}), "stalled", "timed out progressing"),
        (workload("Deployment", THREE, {**counts(1, 1, 1), **QUOTA}), "progressing", "exceeded quota"),
        (workload("Deployment", {**THREE, "paused": True}, counts(3, 0, 3)), "paused", "paused"),
        (workload("Deployment", {}, counts(1, 1, 1)), "complete", ""),
        (workload("StatefulSet", THREE, {"readyReplicas": 2}), "progressing", "1 pods to be ready"),
        (
            workload(
                "StatefulSet",
                THREE,
                {"readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"},
            ),
            "progressing",
            "1 of 3 pods are at revision b",
        ),
        (
            workload(
                "StatefulSet", {**THREE, "updateStrategy": STEPS}, {"readyReplicas": 3, "updatedReplicas": 1}
            ),
            "complete",
            "",
        ),
        (
            workload("DaemonSet", {}, {"desiredNumberScheduled": 3, "updatedNumberScheduled": 1}),
            "progressing",
            "1 of 3 new pods",
        ),
        (
            workload(
                "DaemonSet",
                {},
                {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2},
            ),
            "progressing",
            "2 of 3 pods are available",
        ),
    ],
)
def test_rollouts_are_judged_as_kubectl_judges(seen: Doc, state: str, said: str) -> None:
    judged = judge_rollout(seen)
    assert judged.state == state
    assert said in judged.message


def test_the_declared_count_is_that_of_the_last_applied_manifest() -> None:
    seen = workload("Deployment", {"replicas": 0}, {})
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"spec": {"replicas": 3}}'}
    declared = workload_state(Doc({**seen.raw, "metadata": {"annotations": applied}}))
    assert (declared.desired_count, declared.declared_count) == (0, 3)
    assert workload_state(seen).declared_count is None


@pytest.mark.parametrize(
    ("labels", "annotations", "tool"),
    [
        ({"app.kubernetes.io/managed-by": "Helm"}, {}, "Helm"),
        ({}, {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}, "Argo CD"),
        ({"app.kubernetes.io/managed-by": "Helm", "helm.toolkit.fluxcd.io/name": "shop"}, {}, "Flux"),
        ({"app": "web"}, {}, ""),
    ],
)
def test_the_tool_that_manages_a_workload_is_named(
    labels: dict[str, str], annotations: dict[str, str], tool: str
) -> None:
    seen = Doc({"kind": "Deployment", "metadata": {"labels": labels, "annotations": annotations}})
    assert workload_state(seen).managed_by == tool
