"""Pods as `PodState`. Owners are looked up by the caller and handed in."""

from typing import Literal

from domain.alert import Target
from domain.cluster import ContainerState, PodState
from mcp_servers.kube.amounts import cpu, memory
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.pod_parts import conditions, ports, probes, volume
from mcp_servers.kube.pod_status import pod_status
from utils.redact import redact

STATES: tuple[Literal["waiting", "running", "terminated"], ...] = ("waiting", "running", "terminated")


def pod_state(pod: Doc, owner: Target | None, *, in_full: bool = False) -> PodState:
    """The facts of one pod; `in_full` with ports, probes, volumes and conditions."""
    scheduled = pod.condition("PodScheduled")
    return PodState(
        target=pod.target,
        uid=pod.uid,
        phase=pod.text("status", "phase"),
        status=pod_status(pod),
        ready=pod.condition("Ready").text("status") == "True",
        created_at=pod.created_at,
        owner=owner,
        node=pod.text("spec", "nodeName"),
        template_hash=pod.labels.get("pod-template-hash", ""),
        terminating=bool(pod.text("metadata", "deletionTimestamp")),
        unschedulable=scheduled.text("message") if scheduled.text("status") == "False" else "",
        containers=tuple(_containers(pod, in_full)),
        volumes=tuple(volume(part) for part in pod.parts("spec", "volumes")) if in_full else (),
        conditions=conditions(pod) if in_full else (),
    )


def _containers(pod: Doc, in_full: bool) -> list[ContainerState]:
    """Init containers first, as they run."""
    states = []
    for specs, statuses, init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
    ):
        by_name = {status.text("name"): status for status in pod.parts("status", statuses)}
        for spec in pod.parts("spec", specs):
            states.append(_container(spec, by_name.get(spec.text("name"), Doc({})), init, in_full))
    return states


def _container(spec: Doc, status: Doc, init: bool, in_full: bool) -> ContainerState:
    state = next((name for name in STATES if status.has("state", name)), None)
    now = status.part("state", state) if state else Doc({})
    last = status.part("lastState", "terminated")
    return ContainerState(
        name=spec.text("name"),
        image=spec.text("image"),
        state=state or "unknown",
        reason=now.text("reason"),
        message=redact(now.text("message")),  # may be the end of the log
        exit_code=now.number("exitCode") if state == "terminated" else None,
        ready=status.flag("ready"),
        restart_count=status.number("restartCount"),
        started_at=now.maybe_time("startedAt"),
        last_reason=last.text("reason"),
        last_exit_code=last.number("exitCode") if last.raw else None,
        last_finished_at=last.maybe_time("finishedAt"),
        init=init,
        memory_limit_bytes=memory(spec, "limits"),
        memory_request_bytes=memory(spec, "requests"),
        cpu_limit_cores=cpu(spec, "limits"),
        cpu_request_cores=cpu(spec, "requests"),
        ports=ports(spec) if in_full else (),
        probes=tuple(probes(spec)) if in_full else (),
    )
