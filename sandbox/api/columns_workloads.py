"""Columns of workloads: deployments, sets, jobs, and what scales and guards them."""

from sandbox.api.cells import (
    NONE,
    UNKNOWN,
    Cell,
    Column,
    age,
    count,
    duration,
    field,
    joined,
    name_cell,
    pairs,
    seconds,
    selector,
    since,
)
from sandbox.fields import Obj, controller_of, get_in, meta

TEMPLATE = ("spec", "template", "spec", "containers")
CRON_TEMPLATE = ("spec", "jobTemplate", *TEMPLATE)


def _containers(path: tuple[str, ...], what: str, title: str) -> Column:
    return Column(title, lambda obj, now: joined(c.get(what, "") for c in get_in(obj, path, [])), wide=True)


def _template(path: tuple[str, ...] = TEMPLATE) -> tuple[Column, Column]:
    return _containers(path, "name", "Containers"), _containers(path, "image", "Images")


SELECTOR = Column("Selector", lambda obj, now: selector(get_in(obj, ("spec", "selector"))), wide=True)


def _ready(obj: Obj, now: float) -> Cell:
    return f"{get_in(obj, ('status', 'readyReplicas'), 0)}/{get_in(obj, ('spec', 'replicas'), 0)}"


def _job_status(job: Obj, now: float) -> Cell:
    true = {
        item.get("type"): item
        for item in get_in(job, ("status", "conditions"), [])
        if item.get("status") == "True"
    }
    for type_, word in (
        ("Complete", "Complete"),
        ("Failed", "Failed"),
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if type_ in true:
            return word
    return "Terminating" if "deletionTimestamp" in meta(job) else "Running"


def _completions(job: Obj, now: float) -> Cell:
    done = get_in(job, ("status", "succeeded"), 0)
    wanted, parallel = get_in(job, ("spec", "completions")), get_in(job, ("spec", "parallelism"), 1)
    if wanted is not None:
        return f"{done}/{wanted}"
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _job_duration(job: Obj, now: float) -> Cell:
    start, end = get_in(job, ("status", "startTime")), get_in(job, ("status", "completionTime"))
    if not start:
        return ""
    return duration((seconds(end) if end else now) - seconds(start))


def _last_schedule(job: Obj, now: float) -> Cell:
    last = get_in(job, ("status", "lastScheduleTime"))
    return since(last, now) if last else NONE


def _reference(scaler: Obj, now: float) -> Cell:
    target = get_in(scaler, ("spec", "scaleTargetRef"), {})
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _targets(scaler: Obj, now: float) -> Cell:
    """`cpu: 10%/80%`; the present value is unknown until metrics arrived."""
    if "targetCPUUtilizationPercentage" in scaler.get("spec", {}):
        present = get_in(scaler, ("status", "currentCPUUtilizationPercentage"))
        return f"cpu: {_percent(present)}/{scaler['spec']['targetCPUUtilizationPercentage']}%"
    current = get_in(scaler, ("status", "currentMetrics"), [])
    shown = [_target(metric, current) for metric in get_in(scaler, ("spec", "metrics"), [])]
    if len(shown) > 2:
        shown = [*shown[:2], f"{len(shown) - 2} more..."]
    return ", ".join(shown) or NONE


def _target(metric: Obj, current: list[Obj]) -> str:
    wanted = get_in(metric, ("resource", "target"), {})
    name = get_in(metric, ("resource", "name"))
    if name is None:
        return f"{UNKNOWN}/{metric.get('type')}"
    present: Obj = next(
        (
            get_in(item, ("resource", "current"), {})
            for item in current
            if get_in(item, ("resource", "name")) == name
        ),
        {},
    )
    if "averageUtilization" in wanted:
        return f"{name}: {_percent(present.get('averageUtilization'))}/{wanted['averageUtilization']}%"
    return f"{name}: {present.get('averageValue', UNKNOWN)}/{wanted.get('averageValue', UNKNOWN)}"


def _percent(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value}%"


def _revision_owner(obj: Obj, now: float) -> Cell:
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group, slash, _ = str(owner.get("apiVersion", "")).partition("/")
    kind = str(owner.get("kind", "")).lower()
    return f"{kind}.{group}/{owner.get('name')}" if slash else f"{kind}/{owner.get('name')}"


SCALED = (
    Column("Name", name_cell),
    Column("Desired", count("spec", "replicas"), type="integer"),
    Column("Current", count("status", "replicas"), type="integer"),
    Column("Ready", count("status", "readyReplicas"), type="integer"),
    Column("Age", age),
    *_template(),
    SELECTOR,
)

WORKLOADS: dict[str, tuple[Column, ...]] = {
    "Deployment": (
        Column("Name", name_cell),
        Column("Ready", _ready),
        Column("Up-to-date", count("status", "updatedReplicas")),
        Column("Available", count("status", "availableReplicas")),
        Column("Age", age),
        *_template(),
        SELECTOR,
    ),
    "ReplicaSet": SCALED,
    "ReplicationController": SCALED,
    "StatefulSet": (Column("Name", name_cell), Column("Ready", _ready), Column("Age", age), *_template()),
    "DaemonSet": (
        Column("Name", name_cell),
        Column("Desired", count("status", "desiredNumberScheduled"), type="integer"),
        Column("Current", count("status", "currentNumberScheduled"), type="integer"),
        Column("Ready", count("status", "numberReady"), type="integer"),
        Column("Up-to-date", count("status", "updatedNumberScheduled"), type="integer"),
        Column("Available", count("status", "numberAvailable"), type="integer"),
        Column(
            "Node Selector", lambda obj, now: pairs(get_in(obj, ("spec", "template", "spec", "nodeSelector")))
        ),
        Column("Age", age),
        *_template(),
        SELECTOR,
    ),
    "Job": (
        Column("Name", name_cell),
        Column("Status", _job_status),
        Column("Completions", _completions),
        Column("Duration", _job_duration),
        Column("Age", age),
        *_template(),
        SELECTOR,
    ),
    "CronJob": (
        Column("Name", name_cell),
        Column("Schedule", field("spec", "schedule")),
        Column("Timezone", field("spec", "timeZone")),
        Column("Suspend", lambda obj, now: str(bool(get_in(obj, ("spec", "suspend"), False)))),
        Column("Active", lambda obj, now: len(get_in(obj, ("status", "active"), [])), type="integer"),
        Column("Last Schedule", _last_schedule),
        Column("Age", age),
        *_template(CRON_TEMPLATE),
        Column(
            "Selector",
            lambda obj, now: selector(get_in(obj, ("spec", "jobTemplate", "spec", "selector"))),
            wide=True,
        ),
    ),
    "HorizontalPodAutoscaler": (
        Column("Name", name_cell),
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", lambda obj, now: str(get_in(obj, ("spec", "minReplicas"), "<unset>"))),
        Column("MaxPods", count("spec", "maxReplicas"), type="integer"),
        Column("Replicas", count("status", "currentReplicas"), type="integer"),
        Column("Age", age),
    ),
    "PodDisruptionBudget": (
        Column("Name", name_cell),
        Column("Min Available", lambda obj, now: str(get_in(obj, ("spec", "minAvailable"), "N/A"))),
        Column("Max Unavailable", lambda obj, now: str(get_in(obj, ("spec", "maxUnavailable"), "N/A"))),
        Column("Allowed Disruptions", count("status", "disruptionsAllowed"), type="integer"),
        Column("Age", age),
    ),
    "ControllerRevision": (
        Column("Name", name_cell),
        Column("Controller", _revision_owner),
        Column("Revision", count("revision"), type="integer"),
        Column("Age", age),
    ),
}
