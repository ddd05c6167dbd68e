"""Observations out of facts: one line of plain text, a key and a source for each."""

from dataclasses import replace
from datetime import datetime

from domain.alert import Target
from domain.cluster import (
    ClaimState,
    ContainerState,
    EventSummary,
    Fact,
    LimitRangeState,
    LogTail,
    NodeState,
    PodState,
    QuotaState,
    ServiceState,
    ToolText,
    WorkloadState,
)
from domain.evidence import Observation
from utils.redact import redact

LINE_LENGTH = 300  # characters of a message that a person still reads


def of_workload(state: WorkloadState, *, at: datetime) -> Observation:
    """Counts, rollout and the newest change of a workload."""
    text = (
        f"{state.target}: {state.ready_count} of {state.desired_count} ready, rollout {state.rollout}"
        f"{f' ({state.rollout_message})' if state.rollout_message else ''}"
    )
    newest = next((revision for revision in state.revisions if revision.current), None)
    if newest is not None:
        changed = "; ".join(newest.changes) or "first revision"
        text += f"; revision {newest.number}, template of {newest.created_at:%H:%M:%S} ({changed})"
    return _seen(f"workload:{state.target}", state.target, text, state, "describe_workload", at)


def of_pod(state: PodState, *, at: datetime) -> Observation:
    """A pod's status and what its unhappy containers say, which may quote an address with its password."""
    masked = tuple(replace(one, message=redact(one.message)) for one in state.containers)
    state = replace(state, containers=masked)
    text = f"{state.target}: {state.status}, {'ready' if state.ready else 'not ready'}"
    if state.node:
        text += f" on {state.node}"
    if state.unschedulable:
        text += f": {state.unschedulable}"
    said = [line for line in map(_of_container, state.containers) if line]
    return _seen(f"pod:{state.target}", state.target, "; ".join([text, *said]), state, "list_pods", at)


def of_node(state: NodeState, *, at: datetime) -> Observation:
    """A node's readiness, cordon, pressures and taints."""
    words = ["Ready" if state.ready else f"NotReady ({state.ready_message})"]
    words += ["cordoned"] if state.cordoned else []
    words += list(state.pressures) + [f"taint {taint}" for taint in state.taints]
    words += [f"maintenance announced: {state.maintenance}"] if state.maintenance else []
    return _seen(
        f"node:{state.target}", state.target, f"{state.target}: {', '.join(words)}", state, "list_nodes", at
    )


def of_event(state: EventSummary, *, at: datetime) -> Observation:
    """An event with how often and when last; its message is as foreign as a log."""
    state = replace(state, message=redact(state.message))
    times = f" ({state.count} times, last {state.last_at:%H:%M:%S})" if state.count > 1 else ""
    text = f"{state.about}: {state.type} {state.reason}: {short(state.message)}{times}"
    key = f"event:{state.about}:{state.reason}:{state.first_at.isoformat()}"
    return _seen(key, state.about, text, state, "list_events", at)


def of_log(state: LogTail, *, at: datetime) -> Observation:
    """The last lines of a log, the newest of them quoted; what looks like a secret is masked for good."""
    state = replace(state, lines=tuple(map(redact, state.lines)))
    run = "previous run" if state.previous else "current run"
    quoted = " / ".join(short(line) for line in state.lines[-3:]) or "no lines"
    text = f"{state.pod} container {state.container}, {run}: {quoted}"
    key = f"log:{state.pod}:{state.container}:{run}"
    return _seen(key, state.pod, text, state, "get_pod_logs", at)


def of_service(state: ServiceState, *, at: datetime) -> Observation:
    """A service's endpoints, and what does not fit."""
    text = f"{state.target}: {len(state.ready_endpoints)} ready endpoints, selects {state.pods_count} pods"
    said = "; ".join([text, *state.mismatches])
    return _seen(f"service:{state.target}", state.target, said, state, "describe_service", at)


def of_claim(state: ClaimState, *, at: datetime) -> Observation:
    """A volume claim's phase, and why it does not fit."""
    said = "; ".join([f"{state.target}: {state.phase}", *state.mismatches])
    return _seen(f"claim:{state.target}", state.target, said, state, "describe_volume_claim", at)


def of_quota(state: QuotaState | LimitRangeState, *, at: datetime) -> Observation:
    """What may be used at most, and what is used up."""
    if isinstance(state, QuotaState):
        used = ", ".join(f"{name} {state.used.get(name, '0')} of {hard}" for name, hard in state.hard.items())
        said = f"{state.target}: {used}"
    else:
        said = f"{state.target}: {'; '.join(state.rules)}"
    return _seen(f"quota:{state.target}", state.target, said, state, "get_quota", at)


def of_text(state: ToolText, *, about: Target, key: str, at: datetime) -> Observation:
    """What any other tool said, with what looks like a secret masked for good."""
    state = replace(state, text=redact(state.text))
    return _seen(key, about, short(state.text), state, state.tool, at)


def short(text: str) -> str:
    """One line, bounded."""
    line = " ".join(text.split())
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…"


def _of_container(state: ContainerState) -> str:
    words = []
    if state.state != "running" and state.reason not in ("", "Completed"):
        words.append(f"{state.reason} {short(state.message)}".strip())
    if state.last_reason:
        code = "" if state.last_exit_code is None else f" (exit {state.last_exit_code})"
        words.append(f"last ended with {state.last_reason}{code}")
    if state.restart_count:
        words.append(f"{state.restart_count} restarts")
    return f"container {state.name} [{state.image}]: {', '.join(words)}" if words else ""


def _seen(key: str, about: Target, text: str, fact: Fact, tool: str, at: datetime) -> Observation:
    return Observation(key=key, about=about, text=redact(text), fact=fact, source=tool, observed_at=at)
