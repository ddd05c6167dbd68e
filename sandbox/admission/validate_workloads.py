"""What workloads may not be: selectors, strategies, schedules, bounds."""

import re
from typing import Any

from sandbox.admission.causes import Causes, Shown, go_map, go_selector
from sandbox.admission.validate_names import check_labels
from sandbox.admission.validate_pod import check_pod_spec, check_selector
from sandbox.fields import Obj, get_in, labels_of
from sandbox.selectors import Selector

NAMES = {
    "Deployment": "deployment",
    "ReplicaSet": "replicaset",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
}
PERCENT = re.compile(r"[0-9]+%")
PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    "used for validation is '[0-9]+%')"
)
JOB_RESTARTS = ("OnFailure", "Never")
SCHEDULE_FIELDS = 5
MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")


def check_workload(obj: Obj, causes: Causes) -> None:
    """What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common."""
    spec = obj.get("spec") or {}
    causes.not_negative("spec.replicas", spec.get("replicas"))
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    _check_selector(obj["kind"], spec, causes)
    _check_template(spec, causes)


def _check_selector(kind: str, spec: Obj, causes: Causes) -> None:
    selector = spec.get("selector")
    labels = labels_of(spec.get("template") or {})
    if selector is None:
        causes.required("spec.selector")
        matches = False
    else:
        usable = check_selector(selector, "spec.selector", causes)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            why = f"empty selector is invalid for {NAMES.get(kind, kind.lower())}"
            causes.invalid("spec.selector", go_selector(selector), why)
            return
        if not usable:
            causes.invalid("spec.selector", go_selector(selector), "invalid label selector")
            return
        matches = Selector.from_obj(selector).matches(labels)
    if not matches:
        causes.invalid(
            "spec.template.metadata.labels", go_map(labels), "`selector` does not match template `labels`"
        )


def _check_template(spec: Obj, causes: Causes) -> None:
    inner = get_in(spec, ("template", "spec"), {})
    check_labels(labels_of(spec.get("template") or {}), "spec.template.labels", causes)
    claimed = [get_in(t, ("metadata", "name"), "") for t in spec.get("volumeClaimTemplates") or ()]
    check_pod_spec(inner, "spec.template.spec", causes, claimed=claimed)
    if inner.get("restartPolicy") != "Always":
        causes.unsupported("spec.template.spec.restartPolicy", inner.get("restartPolicy"), ("Always",))
    if inner.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", why)


def check_deployment(obj: Obj, causes: Causes) -> None:
    check_workload(obj, causes)
    spec = obj["spec"]
    _check_strategy(spec["strategy"], causes)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        causes.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _check_strategy(strategy: Obj, causes: Causes) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        causes.unsupported("spec.strategy.type", kind, ("Recreate", "RollingUpdate"))
    elif kind == "Recreate" and rolling:
        why = "may not be specified when strategy `type` is 'Recreate'"
        causes.forbidden("spec.strategy.rollingUpdate", why)
    elif kind == "RollingUpdate":
        _check_rolling(rolling or {}, "spec.strategy.rollingUpdate", causes)


def _check_rolling(rolling: Obj, field: str, causes: Causes) -> None:
    surge, unavailable = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 0)
    sound = [
        check_share(value, f"{field}.{name}", causes)
        for name, value in (("maxUnavailable", unavailable), ("maxSurge", surge))
    ]
    if all(sound) and _number(surge) == 0 and _number(unavailable) == 0:
        causes.invalid(
            f"{field}.maxUnavailable", go_int_or_string(unavailable), "may not be 0 when `maxSurge` is 0"
        )


def check_share(value: Any, field: str, causes: Causes) -> bool:
    """Whether a value is a number of at least 0 or a percentage."""
    if isinstance(value, str) and not PERCENT.fullmatch(value):
        causes.invalid(field, go_int_or_string(value), PERCENT_TEXT)
        return False
    if isinstance(value, int) and value < 0:
        causes.invalid(field, value, "must be greater than or equal to 0")
        return False
    return True


def _number(value: int | str) -> int:
    return int(value.rstrip("%")) if isinstance(value, str) else value


def go_int_or_string(value: int | str) -> Shown:
    """How Go prints a field that may be a number or text."""
    kind, number, text = (1, 0, value) if isinstance(value, str) else (0, value, "")
    return Shown(f'intstr.IntOrString{{Type:{kind}, IntVal:{number}, StrVal:"{text}"}}')


def check_stateful_set(obj: Obj, causes: Causes) -> None:
    check_workload(obj, causes)
    spec = obj["spec"]
    causes.one_of("spec.podManagementPolicy", spec["podManagementPolicy"], ("OrderedReady", "Parallel"))
    causes.one_of("spec.updateStrategy", spec["updateStrategy"].get("type"), ("OnDelete", "RollingUpdate"))


def check_daemon_set(obj: Obj, causes: Causes) -> None:
    check_workload(obj, causes)
    strategy = obj["spec"]["updateStrategy"]
    causes.one_of("spec.updateStrategy.type", strategy.get("type"), ("OnDelete", "RollingUpdate"))
    if strategy.get("type") == "RollingUpdate":
        _check_rolling(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate", causes)


def check_job(obj: Obj, causes: Causes) -> None:
    spec = obj.get("spec") or {}
    _check_job_spec(spec, "spec", causes)
    if spec.get("manualSelector") and not spec.get("selector"):
        causes.required("spec.selector")


def _check_job_spec(spec: Obj, field: str, causes: Causes) -> None:
    for name in (
        "parallelism",
        "completions",
        "backoffLimit",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    ):
        causes.not_negative(f"{field}.{name}", spec.get(name))
    inner = get_in(spec, ("template", "spec"), {})
    where = f"{field}.template.spec"
    check_pod_spec(inner, where, causes)
    if inner.get("restartPolicy") not in JOB_RESTARTS:
        causes.required(f"{where}.restartPolicy", 'valid values: "OnFailure", "Never"')


def check_cron_job(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    schedule = spec.get("schedule") or ""
    if not schedule:
        causes.required("spec.schedule")
    elif why := _schedule_fault(schedule):
        causes.invalid("spec.schedule", schedule, why)
    causes.one_of("spec.concurrencyPolicy", spec["concurrencyPolicy"], ("Allow", "Forbid", "Replace"))
    for name in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        causes.not_negative(f"spec.{name}", spec.get(name))
    _check_job_spec(get_in(spec, ("jobTemplate", "spec"), {}), "spec.jobTemplate.spec", causes)
    if len(obj["metadata"].get("name", "")) > 52:
        causes.invalid("metadata.name", obj["metadata"]["name"], "must be no more than 52 characters")


def _schedule_fault(schedule: str) -> str | None:
    if schedule in MACROS or schedule.startswith("@every "):
        return None
    fields = schedule.split()
    if len(fields) != SCHEDULE_FIELDS:
        return f"Expected exactly {SCHEDULE_FIELDS} fields, found {len(fields)}: {schedule}"
    wrong = next((field for field in fields if not re.fullmatch(r"[\d*/,\-A-Za-z?]+", field)), None)
    return f"Failed to parse int from {wrong}" if wrong else None


def check_autoscaler(obj: Obj, causes: Causes) -> None:
    spec = obj["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        causes.invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        causes.invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        causes.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    for name in ("kind", "name"):
        if not get_in(spec, ("scaleTargetRef", name)):
            causes.required(f"spec.scaleTargetRef.{name}")


def check_budget(obj: Obj, causes: Causes) -> None:
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        causes.invalid("spec", Shown("policy.PodDisruptionBudgetSpec"), why)
    for name, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            check_share(value, f"spec.{name}", causes)
    check_selector(spec.get("selector"), "spec.selector", causes)
