"""Container logs: where the API gets them, and which words it refuses with.

The text itself is written by the kubelets; here is only the door to it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sandbox.errors import BadRequest
from sandbox.fields import Obj, get_in, name_of

PULLING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """Which part of a log is asked for; `since` is a moment, sizes are upper bounds."""

    previous: bool = False
    since: datetime | None = None
    tail_lines: int | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


class LogSource(Protocol):
    """Whoever keeps the containers' output: the kubelets."""

    def read(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The lines asked for, each ended by a newline; empty when nothing was written."""
        ...


class NoLogs:
    """A cluster without kubelets: containers never wrote anything."""

    def read(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        return ""


def chosen_container(pod: Obj, asked: str) -> str:
    """The container whose log is meant; raises BadRequest when that is not clear."""
    names = [item["name"] for item in pod["spec"]["containers"]]
    inits = [item["name"] for item in pod["spec"].get("initContainers") or ()]
    if asked:
        if asked not in names + inits:
            raise BadRequest(f"container {asked} is not valid for pod {name_of(pod)}")
        return asked
    if len(names) == 1:
        return str(names[0])
    choice = f"choose one of: [{' '.join(names)}]"
    if inits:
        choice += f" or one of the init containers: [{' '.join(inits)}]"
    raise BadRequest(f"a container name must be specified for pod {name_of(pod)}, {choice}")


def check_readable(pod: Obj, container: str, *, previous: bool) -> None:
    """Raises BadRequest in a kubelet's words while the container has no such log."""
    status = _status_of(pod, container)
    where = f'container "{container}" in pod "{name_of(pod)}"'
    if status is None:
        raise BadRequest(f"{where} is not available")
    before = get_in(status, ("lastState", "terminated"))
    if previous:
        if before is None:
            raise BadRequest(f"previous terminated {where} not found")
        return
    waiting = get_in(status, ("state", "waiting"))
    if before is None and waiting is not None:
        reason = waiting.get("reason", "no reason known")
        raise BadRequest(f"{where} is waiting to start: {PULLING.get(reason, reason)}")


def _status_of(pod: Obj, container: str) -> Obj | None:
    status = pod.get("status") or {}
    listed = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return next((item for item in listed if item["name"] == container), None)
