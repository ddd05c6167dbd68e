"""Alerts that are no disturbance: what they say about Kubernetes objects is not so any more, or never was."""

import re
from datetime import timedelta

from analyze.scene import Scene
from domain.cluster import PodState, WorkloadState
from domain.incident import Incident

# kube-prometheus' rules speak about the state of objects, which can be looked up; others cannot.
ABOUT_STATE = re.compile(r"^Kube(?:Pod|Deployment|StatefulSet|DaemonSet|Container|Job|Pdb|Hpa)")
HEARTBEATS = frozenset(
    {"Watchdog", "InfoInhibitor", "DeadMansSwitch"}
)  # fire always, to show that alerting works
TROUBLE = re.compile(
    r"\b(?:error|exception|panic|fatal|failed|refused|timeout|timed out|denied)\b", re.IGNORECASE
)
QUIET = timedelta(minutes=10)  # since the last end of a container


def contradicted(scene: Scene, incident: Incident) -> str:
    """Why nothing has to be done, in a sentence; empty when something may be wrong."""
    names = {alert.name for alert in incident.alerts if alert.firing}
    if names <= HEARTBEATS:
        return f"{', '.join(sorted(names))} fires always, to show that alerting works"
    workload = scene.workload
    if workload is None or not all(ABOUT_STATE.match(name) for name in names):
        return ""
    if not _well(workload.fact) or not scene.pods or not all(_pod_well(pod.fact) for pod in scene.pods):
        return ""
    if any(TROUBLE.search(line) for log in scene.logs for line in log.fact.lines if not log.fact.previous):
        return ""
    counts = f"{workload.fact.ready_count} of {workload.fact.desired_count} ready"
    return f"{workload.fact.target} is well: {counts}, rollout complete, no restarts, no trouble in its log"


def _well(state: WorkloadState) -> bool:
    return state.rollout == "complete" and 0 < state.desired_count <= state.ready_count


def _pod_well(pod: PodState) -> bool:
    """Ready, done, or on its way out; no container ended a moment ago."""
    if pod.phase == "Succeeded" or pod.terminating:
        return True
    ended = [c.last_finished_at for c in pod.containers if c.last_finished_at and c.started_at]
    starts = [c.started_at for c in pod.containers if c.started_at]
    restless = bool(ended) and bool(starts) and max(ended) > max(starts) - QUIET and _often(pod)
    return pod.ready and not restless


def _often(pod: PodState) -> bool:
    return any(container.restart_count >= 3 for container in pod.containers)
