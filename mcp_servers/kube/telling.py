"""Answers in words: a heading and a line for each item, as an operator would want to read them."""

from collections.abc import Iterable, Iterator

from domain.cluster import (
    ChangeResult,
    Condition,
    ContainerSpec,
    ContainerState,
    EventSummary,
    LogTail,
    NodeState,
    PodState,
    Probe,
    Revision,
    Volume,
    WorkloadState,
)
from mcp_servers.kube.shapes import (
    EventList,
    LogList,
    NodeList,
    PodDescription,
    PodList,
    TemplateDiff,
    WorkloadList,
)
from utils.quantity import memory_text


def tell_workloads(found: WorkloadList) -> str:
    """One line a workload."""
    return listed("workloads", [workload_line(item) for item in found.items], found.truncated)


def tell_workload(found: WorkloadList) -> str:
    """One workload with its containers and history."""
    lines = []
    for workload in found.items:
        lines.append(workload_line(workload))
        lines += (f"  container {_container_line(container)}" for container in workload.containers)
        lines += (f"  {_revision_line(revision)}" for revision in workload.revisions)
        lines += _bounds_lines(workload)
    return "\n".join(lines)


def tell_diff(found: TemplateDiff) -> str:
    """What changed, a line each."""
    head = f"{found.workload}: revision {found.from_revision} -> {found.to_revision}"
    return "\n".join((head, *(f"  {change}" for change in found.changes or ("no change",))))


def tell_pods(found: PodList) -> str:
    """One line a pod."""
    return listed("pods", [pod_line(item) for item in found.items], found.truncated)


def tell_pod(found: PodDescription) -> str:
    """One pod with its containers and events."""
    lines = []
    for item in found.items:
        if isinstance(item, EventSummary):
            lines.append(f"  {event_line(item)}")
        else:
            lines.append(pod_line(item))
            for container in item.containers:
                lines.append(f"  {_container_state_line(container)}")
                lines += (f"    {line}" for line in _container_parts(container))
            lines += (f"  volume {_volume_line(part)}" for part in item.volumes)
            lines += (f"  {_condition_line(part)}" for part in item.conditions if part.status != "True")
    return "\n".join(lines)


def tell_events(found: EventList) -> str:
    """One line for each object and reason."""
    return listed("events", [event_line(item) for item in found.items], found.truncated)


def tell_nodes(found: NodeList) -> str:
    """One line a node."""
    return listed("nodes", [node_line(item) for item in found.items], found.truncated)


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


def listed(what: str, lines: Iterable[str], truncated: bool) -> str:
    """A heading with the count, then the lines."""
    told = list(lines)
    more = ", and there are more" if truncated else ""
    return "\n".join((f"{what}: {len(told)}{more}", *told))


def _container_state_line(container: ContainerState) -> str:
    kind = "init container" if container.init else "container"
    said = f"{kind} {container.name} ({container.image}): {container.state} {container.reason}".rstrip()
    said += f", {container.restart_count} restarts"
    if container.last_reason:
        said += f", last ended {container.last_reason} with exit code {container.last_exit_code}"
    return f"{said}: {container.message}" if container.message else said


def _container_parts(container: ContainerState) -> Iterator[str]:
    """Resources, ports and probes, as far as they are known."""
    amounts = {
        "memory limit": container.memory_limit_bytes and memory_text(container.memory_limit_bytes),
        "memory request": container.memory_request_bytes and memory_text(container.memory_request_bytes),
        "cpu limit": container.cpu_limit_cores,
        "cpu request": container.cpu_request_cores,
    }
    said = [f"{name} {amount}" for name, amount in amounts.items() if amount]
    said += [f"port {port.number}/{port.protocol} {port.name}".rstrip() for port in container.ports]
    if said:
        yield ", ".join(said)
    yield from map(_probe_line, container.probes)


def _probe_line(probe: Probe) -> str:
    where = f"{probe.scheme} :{probe.port}{probe.path}" if probe.action != "exec" else " ".join(probe.command)
    times = f"after {probe.initial_delay_s} s, every {probe.period_s} s, within {probe.timeout_s} s"
    return f"{probe.purpose} probe {probe.action} {where.strip()}, {times}, {probe.failures_count} failures"


def _volume_line(part: Volume) -> str:
    return f"{part.name}: {part.kind} {part.source}".rstrip()


def _condition_line(part: Condition) -> str:
    said = f"condition {part.type} {part.status} {part.reason}".rstrip()
    return f"{said}: {part.message}" if part.message else said


def _bounds_lines(workload: WorkloadState) -> Iterator[str]:
    """The autoscaler and the disruption budgets."""
    if (scaler := workload.autoscaler) is not None:
        counts = f"{scaler.min_count} to {scaler.max_count} pods, now {scaler.current_count}"
        yield f"  {scaler.target}: {counts}, wants {scaler.desired_count}; {'; '.join(scaler.metrics)}"
        if scaler.trouble:
            yield f"  {scaler.target}: {scaler.trouble}"
    for budget in workload.budgets:
        healthy = f"{budget.healthy_count} of {budget.desired_healthy_count} healthy"
        yield f"  {budget.target}: {budget.rule}, {healthy}, {budget.allowed_count} may go now"


def _container_line(container: ContainerSpec) -> str:
    limit = container.memory_limit_bytes
    return f"{container.name}: {container.image}" + (f", memory limit {memory_text(limit)}" if limit else "")


def _revision_line(revision: Revision) -> str:
    current = ", current" if revision.current else ""
    changes = "; ".join(revision.changes) or revision.cause or "first kept"
    return f"revision {revision.number}{current} ({revision.created_at:%Y-%m-%dT%H:%M:%SZ}): {changes}"
