"""What a look at the cluster gives: the facts that tools answer with and rules reason on.

Tool servers produce these shapes, `evidence/` reads them back. Nothing here judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.alert import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """One container of a pod: what it is asked to be and what it is."""

    name: str
    image: str
    state: Literal["waiting", "running", "terminated", "unknown"] = "unknown"
    reason: str = ""  # of the present state: ImagePullBackOff, CrashLoopBackOff, OOMKilled …
    message: str = ""
    exit_code: int | None = None  # when terminated now
    ready: bool = False
    restart_count: int = 0
    started_at: datetime | None = None
    last_reason: str = ""  # of the last termination
    last_exit_code: int | None = None
    last_finished_at: datetime | None = None
    init: bool = False
    memory_limit_bytes: int | None = None
    memory_request_bytes: int | None = None
    cpu_limit_cores: float | None = None
    cpu_request_cores: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """One pod. `status` is what `kubectl get pods` prints in its STATUS column."""

    target: Target
    uid: str
    phase: str
    status: str
    ready: bool
    created_at: datetime
    owner: Target | None = None  # the workload at the top of the owner chain
    node: str = ""
    template_hash: str = ""  # the pod-template-hash label, which names its replica set
    terminating: bool = False
    unschedulable: str = ""  # the scheduler's message while no node fits
    containers: tuple[ContainerState, ...] = ()
    fact: Literal["pod"] = "pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container of a workload's pod template."""

    name: str
    image: str
    memory_limit_bytes: int | None = None
    memory_request_bytes: int | None = None
    cpu_limit_cores: float | None = None
    cpu_request_cores: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One rollout of a workload, kept by Kubernetes as a replica set or controller revision."""

    number: int
    name: str
    created_at: datetime
    containers: tuple[ContainerSpec, ...] = ()
    replicas_count: int = 0
    ready_count: int = 0
    current: bool = False
    changes: tuple[str, ...] = ()  # against the revision before, such as "web image app:1 -> app:2"
    cause: str = ""  # the change-cause annotation


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadState:
    """One deployment, stateful set or daemon set with its rollout history, newest revision first."""

    target: Target
    uid: str
    resource_version: str
    desired_count: int
    updated_count: int
    ready_count: int
    available_count: int
    rollout: Literal["complete", "progressing", "stalled", "paused"]
    created_at: datetime
    rollout_message: str = ""
    declared_count: int | None = None  # replicas in the last applied manifest, where there is one
    containers: tuple[ContainerSpec, ...] = ()
    revisions: tuple[Revision, ...] = ()
    change_key: str = ""  # idempotency key of the last change that went through the change tools
    managed_by: str = ""  # "Helm", "Argo CD" or "Flux" where annotations or labels say so
    fact: Literal["workload"] = "workload"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """One node. `maintenance` quotes the label, annotation or taint that announces planned work."""

    target: Target
    ready: bool
    cordoned: bool
    ready_message: str = ""
    pressures: tuple[str, ...] = ()  # MemoryPressure, DiskPressure, PIDPressure when True
    taints: tuple[str, ...] = ()  # "key=value:Effect"
    roles: tuple[str, ...] = ()
    maintenance: str = ""
    change_key: str = ""
    uid: str = ""
    pods_count: int | None = None
    allocatable_cpu_cores: float | None = None
    allocatable_memory_bytes: int | None = None
    fact: Literal["node"] = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """Events of one object with one reason, merged: newest message, how often, first and last."""

    about: Target
    type: str  # Normal or Warning
    reason: str
    message: str
    count: int
    first_at: datetime
    last_at: datetime
    component: str = ""
    fact: Literal["event"] = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The end of one container's log, oldest line first; `previous` is the run before the last restart."""

    pod: Target
    container: str
    previous: bool
    lines: tuple[str, ...] = ()
    truncated: bool = False
    fact: Literal["log"] = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolText:
    """What any other tool answered, as text: evidence for readers, not for rules."""

    tool: str
    text: str
    ok: bool = True
    fact: Literal["text"] = "text"


Fact = WorkloadState | PodState | NodeState | EventSummary | LogTail | ToolText


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResult:
    """What a changing tool did. `changed` is False when the object already was as asked.

    `repeated` says that this very key had been applied before, so nothing was done again.
    `undo_tool` with `undo_arguments` is the exact call that takes the change back.
    """

    target: Target
    changed: bool
    repeated: bool = False
    dry_run: bool = False
    summary: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    undo_tool: str = ""
    undo_arguments: Mapping[str, object] = field(default_factory=dict)
    uid: str = ""
    resource_version: str = ""
    warnings: tuple[str, ...] = ()
