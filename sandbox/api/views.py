"""The same objects in another API version's shape: events.k8s.io events, autoscaling/v1 autoscalers.

Objects are stored in one shape; these functions are the way to the other and back.
"""

from collections.abc import Callable

from sandbox.fields import Obj, compact, get_in
from sandbox.kinds import Kind

_EVENT = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}


def show(kind: Kind, obj: Obj) -> Obj:
    """A stored object as `kind` serves it."""
    convert = _SHOW.get(kind.group + "/" + kind.version)
    return convert(obj) if kind.view_of and convert else obj


def keep(kind: Kind, obj: Obj) -> Obj:
    """An object as `kind` received it, in the stored shape."""
    convert = _KEEP.get(kind.group + "/" + kind.version)
    return convert(obj) if kind.view_of and convert else obj


def _event_shown(obj: Obj) -> Obj:
    return {_EVENT.get(key, key): value for key, value in obj.items()} | {"apiVersion": "events.k8s.io/v1"}


def _event_kept(obj: Obj) -> Obj:
    back = {new: old for old, new in _EVENT.items()}
    return {back.get(key, key): value for key, value in obj.items()} | {"apiVersion": "v1"}


def _autoscaler_shown(obj: Obj) -> Obj:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    plain = {key: value for key, value in spec.items() if key not in ("metrics", "behavior")}
    target = _cpu(spec.get("metrics"), ("target", "averageUtilization"))
    current = _cpu(status.get("currentMetrics"), ("current", "averageUtilization"))
    names = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
    old_status = {key: status[key] for key in names if key in status}
    return {
        **obj,
        "apiVersion": "autoscaling/v1",
        "spec": plain | compact([("targetCPUUtilizationPercentage", target)]),
        "status": old_status | compact([("currentCPUUtilizationPercentage", current)]),
    }


def _autoscaler_kept(obj: Obj) -> Obj:
    spec = dict(obj.get("spec") or {})
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec}


def _cpu(metrics: list[Obj] | None, path: tuple[str, str]) -> int | None:
    for metric in metrics or ():
        if get_in(metric, ("resource", "name")) == "cpu":
            value: int | None = get_in(metric, ("resource", *path))
            return value
    return None


_SHOW: dict[str, Callable[[Obj], Obj]] = {
    "events.k8s.io/v1": _event_shown,
    "autoscaling/v1": _autoscaler_shown,
}
_KEEP: dict[str, Callable[[Obj], Obj]] = {"events.k8s.io/v1": _event_kept, "autoscaling/v1": _autoscaler_kept}
