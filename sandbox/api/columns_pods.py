"""Columns of pods and nodes: the STATUS words are computed from many fields."""

from sandbox.api.cells import NONE, UNKNOWN, Cell, Column, age, field, joined, name_cell, since
from sandbox.fields import Obj, get_in, is_deleting, labels_of

ROLE = "node-role.kubernetes.io/"


def pod_status(pod: Obj, now: float) -> Cell:
    """The STATUS column: the most telling reason among phase, containers and deletion."""
    status = pod.get("status") or {}
    reason: str = status.get("reason") or status.get("phase") or UNKNOWN
    reason = _gated(status) or reason
    started, init = _init_reason(pod)
    if init:
        reason = init
    if started:
        reason = _container_reason(status, reason)
    if is_deleting(pod):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _gated(status: Obj) -> str | None:
    scheduled = _condition(status, "PodScheduled")
    return "SchedulingGated" if (scheduled or {}).get("reason") == "SchedulingGated" else None


def _init_reason(pod: Obj) -> tuple[bool, str | None]:
    """Whether the app containers count already, and what the init containers say if they do not."""
    declared = get_in(pod, ("spec", "initContainers"), [])
    sidecars = {item["name"] for item in declared if item.get("restartPolicy") == "Always"}
    for position, item in enumerate(get_in(pod, ("status", "initContainerStatuses"), [])):
        word = _init_word(item, f"{position}/{len(declared)}", sidecar=item.get("name") in sidecars)
        if word is not None:
            initialized = _condition(pod["status"], "Initialized")
            return (initialized or {}).get("status") == "True", word
    return True, None


def _init_word(item: Obj, place: str, *, sidecar: bool) -> str | None:
    state = item.get("state") or {}
    ended, waiting = state.get("terminated"), state.get("waiting")
    if ended is not None and ended.get("exitCode") == 0:
        return None
    if sidecar and item.get("started"):
        return None
    if ended is not None:
        return f"Init:{_ended(ended)}"
    reason = (waiting or {}).get("reason", "")
    if reason and reason != "PodInitializing":
        return f"Init:{reason}"
    return f"Init:{place}"


def _ended(ended: Obj) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _container_reason(status: Obj, reason: str) -> str:
    running = False
    for item in reversed(status.get("containerStatuses") or ()):
        state = item.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _ended(state["terminated"])
        elif item.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        ready = (_condition(status, "Ready") or {}).get("status") == "True"
        return "Running" if ready else "NotReady"
    return reason


def _condition(status: Obj, type_: str) -> Obj | None:
    return next((item for item in status.get("conditions") or () if item.get("type") == type_), None)


def _counted(pod: Obj) -> list[Obj]:
    """Statuses of app containers and sidecars: those whose readiness and restarts are shown."""
    sidecars = {
        item["name"]
        for item in get_in(pod, ("spec", "initContainers"), [])
        if item.get("restartPolicy") == "Always"
    }
    inits = [
        item for item in get_in(pod, ("status", "initContainerStatuses"), []) if item["name"] in sidecars
    ]
    return inits + list(get_in(pod, ("status", "containerStatuses"), []))


def _ready(pod: Obj, now: float) -> Cell:
    sidecars = [
        item for item in get_in(pod, ("spec", "initContainers"), []) if item.get("restartPolicy") == "Always"
    ]
    total = len(get_in(pod, ("spec", "containers"), [])) + len(sidecars)
    ready = sum(1 for item in _counted(pod) if item.get("ready") and "running" in (item.get("state") or {}))
    return f"{ready}/{total}"


def _restarts(pod: Obj, now: float) -> Cell:
    """The count, and when the last container died."""
    items = _counted(pod)
    if not get_in(pod, ("status", "containerStatuses")):
        items = get_in(pod, ("status", "initContainerStatuses"), [])
    total = sum(item.get("restartCount", 0) for item in items)
    ends = [get_in(item, ("lastState", "terminated", "finishedAt")) for item in items]
    last = max((end for end in ends if end), default=None)
    return f"{total} ({since(last, now)} ago)" if total and last else str(total)


def _gates(pod: Obj, now: float) -> Cell:
    gates = get_in(pod, ("spec", "readinessGates"), [])
    if not gates:
        return NONE
    conditions = {item.get("type"): item.get("status") for item in get_in(pod, ("status", "conditions"), [])}
    met = sum(1 for gate in gates if conditions.get(gate["conditionType"]) == "True")
    return f"{met}/{len(gates)}"


def _node_status(node: Obj, now: float) -> Cell:
    ready = _condition(node.get("status") or {}, "Ready")
    word = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if get_in(node, ("spec", "unschedulable")) else word


def _roles(node: Obj, now: float) -> Cell:
    return joined(sorted(key.removeprefix(ROLE) for key in labels_of(node) if key.startswith(ROLE)))


def _address(node: Obj, type_: str) -> str:
    listed = get_in(node, ("status", "addresses"), [])
    return next((str(item.get("address", "")) for item in listed if item.get("type") == type_), NONE)


PODS: dict[str, tuple[Column, ...]] = {
    "Pod": (
        Column("Name", name_cell),
        Column("Ready", _ready),
        Column("Status", pod_status),
        Column("Restarts", _restarts),
        Column("Age", age),
        Column("IP", field("status", "podIP"), wide=True),
        Column("Node", field("spec", "nodeName"), wide=True),
        Column("Nominated Node", field("status", "nominatedNodeName"), wide=True),
        Column("Readiness Gates", _gates, wide=True),
    ),
    "Node": (
        Column("Name", name_cell),
        Column("Status", _node_status),
        Column("Roles", _roles),
        Column("Age", age),
        Column("Version", field("status", "nodeInfo", "kubeletVersion", default="")),
        Column("Internal-IP", lambda node, now: _address(node, "InternalIP"), wide=True),
        Column("External-IP", lambda node, now: _address(node, "ExternalIP"), wide=True),
        Column("OS-Image", field("status", "nodeInfo", "osImage", default=UNKNOWN), wide=True),
        Column("Kernel-Version", field("status", "nodeInfo", "kernelVersion", default=UNKNOWN), wide=True),
        Column(
            "Container-Runtime",
            field("status", "nodeInfo", "containerRuntimeVersion", default=UNKNOWN),
            wide=True,
        ),
    ),
}
