"""The STATUS column of `kubectl get pods`. Source: printPod in kubectl's printers."""

from mcp_servers.kube.doc import Doc

TERMINAL = ("Succeeded", "Failed")


def pod_status(pod: Doc) -> str:
    """What kubectl prints for this pod, such as `Running`, `Init:1/2` or `CrashLoopBackOff`."""
    status = pod.text("status", "reason") or pod.text("status", "phase") or "Unknown"
    if pod.condition("PodScheduled").text("reason") == "SchedulingGated":
        status = "SchedulingGated"
    starting = _init_status(pod)
    status = starting or status
    if not starting or pod.condition("Initialized").text("status") == "True":
        status = _main_status(pod, status)
    return _deletion_status(pod, status)


def _init_status(pod: Doc) -> str:
    """The first init container that is not done; empty when there is none."""
    specs = {spec.text("name"): spec for spec in pod.parts("spec", "initContainers")}
    for position, container in enumerate(pod.parts("status", "initContainerStatuses")):
        sidecar = specs.get(container.text("name"), Doc({})).text("restartPolicy") == "Always"
        if sidecar and container.flag("started"):
            continue
        ended, waits = container.part("state", "terminated"), container.text("state", "waiting", "reason")
        if container.has("state", "terminated"):
            if ended.number("exitCode") == 0:
                continue
            return f"Init:{_ended(ended)}"
        if waits and waits != "PodInitializing":
            return f"Init:{waits}"
        return f"Init:{position}/{len(specs)}"
    return ""


def _main_status(pod: Doc, status: str) -> str:
    """The first main container's trouble wins, hence from the last to the first."""
    running = False
    for container in reversed(pod.parts("status", "containerStatuses")):
        if waits := container.text("state", "waiting", "reason"):
            status = waits
        elif container.has("state", "terminated"):
            status = _ended(container.part("state", "terminated"))
        elif container.flag("ready") and container.has("state", "running"):
            running = True
    if status == "Completed" and running:
        return "Running" if pod.condition("Ready").text("status") == "True" else "NotReady"
    return status


def _ended(terminated: Doc) -> str:
    """A termination's reason, or its signal or exit code where the runtime gave none."""
    if reason := terminated.text("reason"):
        return reason
    if signal := terminated.number("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{terminated.number('exitCode')}"


def _deletion_status(pod: Doc, status: str) -> str:
    if not pod.text("metadata", "deletionTimestamp"):
        return status
    if pod.text("status", "reason") == "NodeLost":
        return "Unknown"
    return status if pod.text("status", "phase") in TERMINAL else "Terminating"
