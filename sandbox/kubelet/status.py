"""A pod's status as its kubelet reports it: phase, conditions, containers, addresses."""

from typing import TYPE_CHECKING

from sandbox.fields import Obj
from sandbox.kubelet.container import container_status
from sandbox.state import merged_condition

if TYPE_CHECKING:
    from sandbox.kubelet.pod import PodRun

KUBELET_CONDITIONS = ("Initialized", "Ready", "ContainersReady", "PodScheduled")


def pod_status(run: "PodRun", current: Obj) -> Obj:
    """The status to write; conditions keep their transition times, and what others wrote stays."""
    before: Obj = current.get("status") or {}
    phase = _phase(run)
    status: Obj = {
        **before,
        "phase": phase,
        "conditions": _conditions(run, phase, before.get("conditions") or []),
        "containerStatuses": [container_status(c) for c in run.containers],
        "hostIP": run.host.address,
        "startTime": run.started_at,
    }
    if run.inits:
        status["initContainerStatuses"] = [container_status(c) for c in run.inits]
    if run.ip:
        status |= {"podIP": run.ip, "podIPs": [{"ip": run.ip}]}
    if run.failure is not None:
        status |= {"reason": run.failure[0], "message": run.failure[1]}
    status.pop("nominatedNodeName", None)
    return status


def _phase(run: "PodRun") -> str:
    if run.failure is not None:
        return "Failed"
    if any(c.finished and not c.ready for c in run.inits if not c.is_sidecar):
        return "Failed"
    if all(c.finished for c in run.containers):
        return "Failed" if any((c.terminated or {}).get("exitCode") for c in run.containers) else "Succeeded"
    return "Running" if any(c.has_run for c in run.containers) else "Pending"


def _conditions(run: "PodRun", phase: str, before: list[Obj]) -> list[Obj]:
    now = run.host.clock.stamp()
    incomplete = [c.name for c in run.inits if not c.ready]
    unready = [c.name for c in run.containers if not c.ready]
    why = _reason(phase, unready)
    gates = _closed_gates(run, before)
    found = [
        _condition("Initialized", now, not incomplete or phase == "Succeeded", _incomplete(incomplete)),
        _condition("Ready", now, not unready and not incomplete and not gates, gates or why),
        _condition("ContainersReady", now, not unready and not incomplete, why),
        _condition("PodScheduled", now, True, {}),
    ]
    merged = [c for c in before if c["type"] in KUBELET_CONDITIONS]
    for new in found:
        merged = merged_condition(merged, new)
    order = {name: place for place, name in enumerate(KUBELET_CONDITIONS)}
    others = [c for c in before if c["type"] not in KUBELET_CONDITIONS]
    return [*sorted(merged, key=lambda c: order[c["type"]]), *others]


def _condition(kind: str, now: str, fulfilled: bool, why: Obj) -> Obj:
    base = {
        "type": kind,
        "status": "True" if fulfilled else "False",
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
    return base if fulfilled else {**base, **why}


def _closed_gates(run: "PodRun", before: list[Obj]) -> Obj:
    """Why readiness gates keep a pod with ready containers from being ready; empty when none does."""
    status = {entry["type"]: entry["status"] for entry in before}
    for gate in run.pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if status.get(kind) != "True" and all(c.ready for c in run.containers):
            what = (
                "does not exist"
                if kind not in status
                else f'has status "{status[kind]}", but it should be "True"'
            )
            text = f'corresponding condition of pod readiness gate "{kind}" {what}.'
            return {"reason": "ReadinessGatesNotReady", "message": text}
    return {}


def _reason(phase: str, unready: list[str]) -> Obj:
    if phase == "Succeeded":
        return {"reason": "PodCompleted"}
    return {
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }


def _incomplete(names: list[str]) -> Obj:
    return {
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: [{' '.join(names)}]",
    }
