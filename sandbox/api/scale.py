"""The Scale view: how many replicas a workload wants and has, whatever its kind."""

from sandbox.errors import Cause, Conflict, Invalid
from sandbox.fields import Obj, get_in, meta, name_of, with_in
from sandbox.kinds import Kind

SCALE = Kind(group="autoscaling", version="v1", kind="Scale", plural="scales")


def scale(obj: Obj) -> Obj:
    """The Scale view of a workload."""
    data = {
        key: meta(obj)[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = get_in(obj, ("spec", "selector", "matchLabels"), {})
    status: Obj = {"replicas": get_in(obj, ("status", "replicas"), 0)}
    if labels:
        status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    spec = {"replicas": get_in(obj, ("spec", "replicas"), 0)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": data, "spec": spec, "status": status}


def rescaled(kind: Kind, obj: Obj, wanted: Obj) -> Obj:
    """The workload with a Scale's replicas; raises Invalid for a negative number, Conflict when stale."""
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise Invalid.because(SCALE, name_of(obj), [Cause("spec.replicas", why)])
    version = meta(wanted).get("resourceVersion")
    if version and version != meta(obj)["resourceVersion"]:
        raise Conflict.stale(kind, name_of(obj))
    return with_in(obj, ("spec", "replicas"), replicas)
