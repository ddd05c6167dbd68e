"""Families of pods and their containers, as kube-state-metrics names them."""

from collections.abc import Callable, Iterator

from sandbox.fields import Obj, get_in, meta
from sandbox.metrics.family import Family, Reading, counter, gauge, one_of
from sandbox.metrics.objects import (
    CONDITION_STATUS,
    ObjectFamily,
    Words,
    created_by,
    resources,
)
from sandbox.state import condition, unix_time

PHASES = ("Pending", "Succeeded", "Failed", "Unknown", "Running")
REASONS = ("Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError")


def _who(pod: Obj) -> dict[str, str]:
    data = meta(pod)
    return {"namespace": data.get("namespace") or "", "pod": data["name"], "uid": data.get("uid", "")}


WORDS = Words("kube_pod", _who)


def _info(pod: Obj) -> dict[str, str]:
    spec, status = pod["spec"], pod.get("status") or {}
    return {
        "host_ip": status.get("hostIP", ""),
        "pod_ip": status.get("podIP", ""),
        "node": spec.get("nodeName", ""),
        "priority_class": spec.get("priorityClassName", ""),
        "host_network": str(bool(spec.get("hostNetwork"))).lower(),
        **created_by(pod),
    }


def _reason(pod: Obj) -> Iterator[Reading]:
    return one_of(_who(pod), "reason", REASONS, get_in(pod, ("status", "reason")))


def _condition(kind: str) -> Callable[[Obj], Iterator[Reading]]:
    def read(pod: Obj) -> Iterator[Reading]:
        entry = condition(pod, kind)
        if entry is not None:
            yield from one_of(_who(pod), "condition", CONDITION_STATUS, entry["status"].lower())

    return read


def _unschedulable(pod: Obj) -> Iterator[Reading]:
    entry = condition(pod, "PodScheduled")
    if entry is not None and entry["status"] == "False" and entry.get("reason") == "Unschedulable":
        yield Reading(_who(pod), 1.0)


def _claims(pod: Obj) -> Iterator[Reading]:
    for volume in pod["spec"].get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim:
            labels = {"volume": volume["name"], "persistentvolumeclaim": claim["claimName"]}
            yield Reading({**_who(pod), **labels}, 1.0)


# --- containers


def _statuses(field: str) -> Callable[[Obj], Iterator[tuple[dict[str, str], Obj]]]:
    def each(pod: Obj) -> Iterator[tuple[dict[str, str], Obj]]:
        for status in get_in(pod, ("status", field), ()):
            yield {**_who(pod), "container": status["name"]}, status

    return each


def _flag(field: str, value: Callable[[Obj], float]) -> Callable[[Obj], Iterator[Reading]]:
    each = _statuses(field)
    return lambda pod: (Reading(labels, value(status)) for labels, status in each(pod))


def _reason_in(field: str, *path: str) -> Callable[[Obj], Iterator[Reading]]:
    """The reason of a state, where the container is in it."""
    each = _statuses(field)

    def read(pod: Obj) -> Iterator[Reading]:
        for labels, status in each(pod):
            reason = get_in(status, (*path, "reason"))
            if reason:
                yield Reading({**labels, "reason": reason}, 1.0)

    return read


def _last(value: Callable[[Obj], float]) -> Callable[[Obj], Iterator[Reading]]:
    each = _statuses("containerStatuses")

    def read(pod: Obj) -> Iterator[Reading]:
        for labels, status in each(pod):
            ended = get_in(status, ("lastState", "terminated"))
            if ended is not None:
                yield Reading(labels, value(ended))

    return read


def _started(pod: Obj) -> Iterator[Reading]:
    for labels, status in _statuses("containerStatuses")(pod):
        stamp = get_in(status, ("state", "running", "startedAt"))
        if stamp:
            yield Reading(labels, unix_time(stamp))


def _container_info(pod: Obj) -> Iterator[Reading]:
    images = {spec["name"]: spec["image"] for spec in pod["spec"]["containers"]}
    for labels, status in _statuses("containerStatuses")(pod):
        known = {
            "image": status["image"],
            "image_spec": images.get(status["name"], ""),
            "image_id": status.get("imageID", ""),
            "container_id": status.get("containerID", ""),
        }
        yield Reading({**labels, **known}, 1.0)


def _resources(field: str) -> Callable[[Obj], Iterator[Reading]]:
    def read(pod: Obj) -> Iterator[Reading]:
        for spec in pod["spec"]["containers"]:
            labels = {**_who(pod), "container": spec["name"], "node": pod["spec"].get("nodeName", "")}
            yield from resources(labels, (spec.get("resources") or {}).get(field))

    return read


def _states(prefix: str, field: str, what: str) -> tuple[ObjectFamily, ...]:
    """Families that containers and init containers have alike."""

    def is_in(state: str) -> Callable[[Obj], Iterator[Reading]]:
        return _flag(field, lambda status: float(state in (status.get("state") or {})))

    return (
        gauge(
            f"{prefix}_waiting",
            f"Describes whether the {what} is currently in waiting state.",
            is_in("waiting"),
        ),
        gauge(
            f"{prefix}_waiting_reason",
            f"Describes the reason the {what} is currently in waiting state.",
            _reason_in(field, "state", "waiting"),
        ),
        gauge(
            f"{prefix}_running",
            f"Describes whether the {what} is currently in running state.",
            is_in("running"),
        ),
        gauge(
            f"{prefix}_terminated",
            f"Describes whether the {what} is currently in terminated state.",
            is_in("terminated"),
        ),
        gauge(
            f"{prefix}_terminated_reason",
            f"Describes the reason the {what} is currently in terminated state.",
            _reason_in(field, "state", "terminated"),
        ),
        gauge(
            f"{prefix}_last_terminated_reason",
            f"Describes the last reason the {what} was in terminated state.",
            _reason_in(field, "lastState", "terminated"),
        ),
        gauge(
            f"{prefix}_ready",
            f"Describes whether the {what}s readiness check succeeded.",
            _flag(field, lambda status: float(bool(status.get("ready")))),
        ),
        counter(
            f"{prefix}_restarts_total",
            f"The number of {what} restarts.",
            _flag(field, lambda status: float(status.get("restartCount", 0))),
        ),
    )


POD_FAMILIES: tuple[Family[Obj], ...] = (
    WORDS.facts("info", "Information about pod.", _info),
    WORDS.owners(),
    WORDS.created(),
    WORDS.time("start_time", "Start time in unix timestamp for a pod.", "status", "startTime"),
    WORDS.time("deletion_timestamp", "Unix deletion timestamp", "metadata", "deletionTimestamp"),
    WORDS.phase("The pods current phase.", PHASES),
    gauge("kube_pod_status_reason", "The pod status reasons", _reason),
    gauge(
        "kube_pod_status_ready",
        "Describes whether the pod is ready to serve requests.",
        _condition("Ready"),
    ),
    gauge(
        "kube_pod_status_scheduled",
        "Describes the status of the scheduling process for the pod.",
        _condition("PodScheduled"),
    ),
    gauge(
        "kube_pod_status_unschedulable",
        "Describes the unschedulable status for the pod.",
        _unschedulable,
    ),
    WORDS.facts(
        "status_qos_class",
        "The pods current qosClass.",
        lambda pod: {"qos_class": get_in(pod, ("status", "qosClass"), "")},
    ),
    WORDS.facts(
        "restart_policy",
        "Describes the restart policy in use by this pod.",
        lambda pod: {"type": pod["spec"].get("restartPolicy", "Always")},
    ),
    gauge(
        "kube_pod_spec_volumes_persistentvolumeclaims_info",
        "Information about persistentvolumeclaim volumes in a pod.",
        _claims,
    ),
    gauge("kube_pod_container_info", "Information about a container in a pod.", _container_info),
    *_states("kube_pod_container_status", "containerStatuses", "container"),
    *_states("kube_pod_init_container_status", "initContainerStatuses", "init container"),
    gauge(
        "kube_pod_container_status_last_terminated_exitcode",
        "Describes the exit code for the last container in terminated state.",
        _last(lambda ended: float(ended["exitCode"])),
    ),
    gauge(
        "kube_pod_container_status_last_terminated_timestamp",
        "Last terminated time for a pod container in unix timestamp.",
        _last(lambda ended: unix_time(ended["finishedAt"])),
    ),
    gauge("kube_pod_container_state_started", "Start time in unix timestamp for a pod container.", _started),
    gauge(
        "kube_pod_container_resource_requests",
        "The number of requested request resource by a container.",
        _resources("requests"),
    ),
    gauge(
        "kube_pod_container_resource_limits",
        "The number of requested limit resource by a container.",
        _resources("limits"),
    ),
)
