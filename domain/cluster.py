"""What a look at the cluster gives: the facts that tools answer with and rules reason on.

Tool servers produce these shapes, `evidence/` reads them back. Nothing here judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.alert import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How the kubelet asks a container whether it is well; `port` is a number or a port's name."""

    purpose: Literal["startup", "readiness", "liveness"]
    action: Literal["http", "tcp", "grpc", "exec"]
    port: str = ""
    path: str = ""
    scheme: str = ""
    command: tuple[str, ...] = ()
    initial_delay_s: int = 0
    period_s: int = 10
    timeout_s: int = 1
    failures_count: int = 3  # in a row, before it counts as failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPort:
    """A port that a container says it listens on."""

    number: int
    name: str = ""
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume of a pod: `source` names the claim, ConfigMap or Secret behind it, where there is one."""

    name: str
    kind: str  # persistentVolumeClaim, configMap, secret, emptyDir …
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of an object's status."""

    type: str
    status: str  # True, False or Unknown
    reason: str = ""
    message: str = ""


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
    ports: tuple[ContainerPort, ...] = ()
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """One pod. `status` is what `kubectl get pods` prints in its STATUS column.

    Volumes, conditions and the containers' ports and probes come only with a description of the one pod.
    """

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
    volumes: tuple[Volume, ...] = ()
    conditions: tuple[Condition, ...] = ()
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
class AutoscalerState:
    """A horizontal pod autoscaler: bounds, counts, and what it says about its metrics."""

    target: Target
    min_count: int
    max_count: int
    current_count: int
    desired_count: int
    metrics: tuple[str, ...] = ()  # "cpu: 80% of requests, now 95%"
    trouble: str = ""  # why it cannot scale, or is held at a bound


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptionBudget:
    """How many of a workload's pods may be gone by somebody's will at a time."""

    target: Target
    rule: str  # "minAvailable 2" or "maxUnavailable 1"
    allowed_count: int  # how many may go now
    healthy_count: int
    desired_healthy_count: int


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
    autoscaler: AutoscalerState | None = None  # it and the budgets come only with a description
    budgets: tuple[DisruptionBudget, ...] = ()
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
    requested_cpu_cores: float | None = None  # by its pods; only with a description of the one node
    requested_memory_bytes: int | None = None
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
class ServicePort:
    """A port of a service and where it leads; `target` is a number or the name of a container's port."""

    number: int
    target: str
    name: str = ""
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """One service held against the pods behind it. `mismatches` says outright what does not fit."""

    target: Target
    type: str
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    ready_endpoints: tuple[str, ...] = ()  # "10.0.0.7 (web-1)"
    unready_endpoints: tuple[str, ...] = ()
    pods_count: int = 0  # that the selector matches
    owners: tuple[str, ...] = ()  # workloads of those pods, as "Kind/name"
    mismatches: tuple[str, ...] = ()
    fact: Literal["service"] = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState:
    """One network policy in words: whom it selects, and what it lets through in each direction."""

    target: Target
    selects: str
    ingress: tuple[str, ...] | None = None  # None: it says nothing about this direction; (): nothing may pass
    egress: tuple[str, ...] | None = None
    fact: Literal["network_policy"] = "network_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimState:
    """One volume claim with its volume and storage class. `mismatches` says why it does not fit."""

    target: Target
    phase: str
    requested_bytes: int | None = None
    capacity_bytes: int | None = None
    access_modes: tuple[str, ...] = ()
    storage_class: str = ""
    provisioner: str = ""
    binding_mode: str = ""
    expandable: bool = False
    volume: str = ""
    volume_phase: str = ""
    used_by: tuple[str, ...] = ()  # names of pods
    mismatches: tuple[str, ...] = ()
    fact: Literal["claim"] = "claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigState:
    """A ConfigMap with its values, or a Secret with its keys alone. Values like credentials are masked."""

    target: Target
    keys: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    immutable: bool = False
    fact: Literal["config"] = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """A resource quota: what may be used at most and is used, as quantities by resource."""

    target: Target
    hard: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    exhausted: tuple[str, ...] = ()  # resources of which nothing is left
    fact: Literal["quota"] = "quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRangeState:
    """A limit range in words: what containers get by default, and between which bounds they must stay."""

    target: Target
    rules: tuple[str, ...] = ()
    fact: Literal["limit_range"] = "limit_range"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolText:
    """What any other tool answered, as text: evidence for readers, not for rules."""

    tool: str
    text: str
    ok: bool = True
    fact: Literal["text"] = "text"


Fact = (
    WorkloadState
    | PodState
    | NodeState
    | EventSummary
    | LogTail
    | ServiceState
    | PolicyState
    | ClaimState
    | ConfigState
    | QuotaState
    | LimitRangeState
    | ToolText
)


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
