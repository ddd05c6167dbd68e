"""Answers in words: a heading and a line for each item, as an operator would want to read them."""

from collections.abc import Iterable

from domain.cluster import (
    ChangeResult,
    ContainerSpec,
    ContainerState,
    EventSummary,
    LogTail,
    NodeState,
    PodState,
    Revision,
    WorkloadState,
)
from mcp_servers.kube.shapes import EventList, LogList, NodeList, PodDescription, PodList, WorkloadList


def tell_workloads(found: WorkloadList) -> str:
    """One line a workload."""
    return _listed("workloads", [workload_line(item) for item in found.items], found.truncated)


def tell_workload(found: WorkloadList) -> str:
    """One workload with its containers and history."""
    lines = []
    for workload in found.items:
        lines.append(workload_line(workload))
        lines += (f"  container {_container_line(container)}" for container in workload.containers)
        lines += (f"  {_revision_line(revision)}" for revision in workload.revisions)
    return "\n".join(lines)


def tell_pods(found: PodList) -> str:
    """One line a pod."""
    return _listed("pods", [pod_line(item) for item in found.items], found.truncated)


def tell_pod(found: PodDescription) -> str:
    """One pod with its containers and events."""
    lines = []
    for item in found.items:
        if isinstance(item, EventSummary):
            lines.append(f"  {event_line(item)}")
        else:
            lines.append(pod_line(item))
            lines += (f"  {_container_state_line(container)}" for container in item.containers)
    return "\n".join(lines)


def tell_events(found: EventList) -> str:
    """One line for each object and reason."""
    return _listed("events", [event_line(item) for item in found.items], found.truncated)


def tell_nodes(found: NodeList) -> str:
    """One line a node."""
    return _listed("nodes", [node_line(item) for item in found.items], found.truncated)


def tell_logs(found: LogList) -> str:
    """The log lines under a heading."""
    return "\n".join("\n".join((log_line(item), *item.lines)) for item in found.items)


def tell_change(result: ChangeResult) -> str:
    """What was done, in a sentence, with the server's warnings."""
    return "\n".join((result.summary, *(f"warning: {warning}" for warning in result.warnings)))


def workload_line(workload: WorkloadState) -> str:
    """Counts and rollout of a workload."""
    said = (
        f"{workload.target}: {workload.ready_count}/{workload.desired_count} ready, "
        f"{workload.updated_count} updated, rollout {workload.rollout}"
    )
    return f"{said} ({workload.rollout_message})" if workload.rollout_message else said


def pod_line(pod: PodState) -> str:
    """Status, readiness, restarts and place of a pod."""
    main = [container for container in pod.containers if not container.init]
    ready = sum(container.ready for container in main)
    restarts = sum(container.restart_count for container in pod.containers)
    said = f"{pod.target}: {pod.status}, {ready}/{len(main)} ready, {restarts} restarts"
    place = f", on {pod.node}" if pod.node else ""
    return f"{said}{place}" + (f" ({pod.unschedulable})" if pod.unschedulable else "")


def node_line(node: NodeState) -> str:
    """Readiness and what is special about a node."""
    marks = [
        "Ready" if node.ready else "NotReady",
        *(["cordoned"] if node.cordoned else []),
        *node.pressures,
        *([f"maintenance: {node.maintenance}"] if node.maintenance else []),
        *([node.ready_message] if node.ready_message else []),
    ]
    return f"{node.target}: {', '.join(marks)}"


def event_line(event: EventSummary) -> str:
    """One merged event."""
    return (
        f"{event.last_at:%Y-%m-%dT%H:%M:%SZ} {event.type} {event.reason} ×{event.count} "
        f"{event.about}: {event.message}"
    )


def log_line(log: LogTail) -> str:
    """What the log is, without its lines."""
    run = "the run before the last restart" if log.previous else "the current run"
    cut = ", cut to its end" if log.truncated else ""
    return f"{log.pod} container {log.container}, {run}: {len(log.lines)} lines{cut}"


def _container_state_line(container: ContainerState) -> str:
    kind = "init container" if container.init else "container"
    said = f"{kind} {container.name} ({container.image}): {container.state} {container.reason}".rstrip()
    said += f", {container.restart_count} restarts"
    if container.last_reason:
        said += f", last ended {container.last_reason} with exit code {container.last_exit_code}"
    return f"{said}: {container.message}" if container.message else said


def _container_line(container: ContainerSpec) -> str:
    limit = container.memory_limit_bytes
    return f"{container.name}: {container.image}" + (f", memory limit {limit} bytes" if limit else "")


def _revision_line(revision: Revision) -> str:
    current = ", current" if revision.current else ""
    changes = "; ".join(revision.changes) or revision.cause or "first kept"
    return f"revision {revision.number}{current} ({revision.created_at:%Y-%m-%dT%H:%M:%SZ}): {changes}"


def _listed(what: str, lines: Iterable[str], truncated: bool) -> str:
    told = list(lines)
    more = ", and more left out: narrow the question" if truncated else ""
    return "\n".join((f"{what}: {len(told)}{more}", *told))
