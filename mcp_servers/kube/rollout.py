"""How far a rollout is, judged as `kubectl rollout status` judges. Source: kubectl's rollout_status.go."""

from typing import Literal, NamedTuple

from mcp_servers.kube.doc import Doc


class Rollout(NamedTuple):
    """The judgement with its sentence."""

    state: Literal["complete", "progressing", "stalled", "paused"]
    message: str = ""


def judge_rollout(workload: Doc) -> Rollout:
    """The rollout of a deployment, stateful set or daemon set."""
    if workload.number("metadata", "generation") > workload.number("status", "observedGeneration"):
        return Rollout("progressing", "the new specification has not been observed yet")
    match workload.kind:
        case "Deployment":
            return _deployment(workload)
        case "StatefulSet":
            return _stateful_set(workload)
        case _:
            return _daemon_set(workload)


def desired_count(workload: Doc) -> int:
    """Pods there should be. The API's default is one, a daemon set counts its nodes."""
    if workload.kind == "DaemonSet":
        return workload.number("status", "desiredNumberScheduled")
    found = workload.maybe_number("spec", "replicas")
    return 1 if found is None else found


def _deployment(deployment: Doc) -> Rollout:
    progressing, failure = deployment.condition("Progressing"), deployment.condition("ReplicaFailure")
    reason = failure.text("message") if failure.text("status") == "True" else ""
    if deployment.flag("spec", "paused"):
        return Rollout("paused", reason or "paused: changes wait until the deployment is resumed")
    if progressing.text("reason") == "ProgressDeadlineExceeded":
        return Rollout("stalled", reason or progressing.text("message"))
    waits_for = _deployment_waits_for(deployment)
    if not waits_for:
        return Rollout("complete")
    return Rollout("progressing", f"{waits_for}; {reason}" if reason else waits_for)


def _deployment_waits_for(deployment: Doc) -> str:
    desired, updated = desired_count(deployment), deployment.number("status", "updatedReplicas")
    total, available = (
        deployment.number("status", "replicas"),
        deployment.number("status", "availableReplicas"),
    )
    if updated < desired:
        return f"{updated} of {desired} new replicas have been updated"
    if total > updated:
        return f"{total - updated} old replicas are pending termination"
    if available < updated:
        return f"{available} of {updated} updated replicas are available"
    return ""


def _stateful_set(workload: Doc) -> Rollout:
    desired, updated = desired_count(workload), workload.number("status", "updatedReplicas")
    ready = workload.number("status", "readyReplicas")
    target = workload.text("status", "updateRevision")
    if ready < desired:
        return Rollout("progressing", f"waiting for {desired - ready} pods to be ready")
    if workload.text("spec", "updateStrategy", "type") == "OnDelete":
        return Rollout("complete")  # pods change when a person deletes them, nothing is under way
    partition = workload.number("spec", "updateStrategy", "rollingUpdate", "partition")
    if partition:
        wanted = max(desired - partition, 0)
        done = updated >= wanted
        return Rollout("complete") if done else Rollout("progressing", f"{updated} of {wanted} pods updated")
    if target != workload.text("status", "currentRevision"):
        return Rollout("progressing", f"{updated} of {desired} pods are at revision {target}")
    return Rollout("complete")


def _daemon_set(workload: Doc) -> Rollout:
    desired, updated = desired_count(workload), workload.number("status", "updatedNumberScheduled")
    available = workload.number("status", "numberAvailable")
    if workload.text("spec", "updateStrategy", "type") != "OnDelete" and updated < desired:
        return Rollout("progressing", f"{updated} of {desired} new pods have been updated")
    if available < desired:
        return Rollout("progressing", f"{available} of {desired} pods are available")
    return Rollout("complete")
