"""A change as the kubectl line that does the same: what a person types at night. It runs nothing."""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from domain.tools import ToolCall

Arguments = Mapping[str, object]

RESOURCE_FLAGS = {
    "--limits": {"memory_limit": "memory", "cpu_limit": "cpu"},
    "--requests": {"memory_request": "memory", "cpu_request": "cpu"},
}


def as_kubectl(call: ToolCall) -> str:
    """The command line; empty for calls that kubectl has no single line for."""
    known = LINES.get(call.tool)
    return shlex.join(["kubectl", *known(call.arguments)]) if known else ""


def _workload(arguments: Arguments) -> list[str]:
    kind = str(arguments.get("kind", "")).lower()
    return ["-n", str(arguments.get("namespace", "")), f"{kind}/{arguments.get('name', '')}"]


def _rollback(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    revision = arguments.get("to_revision")
    return [namespace, name, "rollout", "undo", target] + ([f"--to-revision={revision}"] if revision else [])


def _restart(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    return [namespace, name, "rollout", "restart", target]


def _scale(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    return [namespace, name, "scale", target, f"--replicas={arguments.get('replicas')}"]


def _image(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    return [
        namespace,
        name,
        "set",
        "image",
        target,
        f"{arguments.get('container') or '*'}={arguments.get('image')}",
    ]


def _resources(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    line = [namespace, name, "set", "resources", target, "-c", str(arguments.get("container") or "*")]
    for flag, parts in RESOURCE_FLAGS.items():
        said = [f"{part}={_amount(arguments[name])}" for name, part in parts.items() if arguments.get(name)]
        line += [f"{flag}={','.join(said)}"] if said else []
    return line


def _amount(value: object) -> str:
    """kubectl removes a value that is set to 0."""
    return "0" if value == "none" else str(value)


def _delete_pod(arguments: Arguments) -> list[str]:
    return ["-n", str(arguments.get("namespace", "")), "delete", "pod", str(arguments.get("name", ""))]


def _cordon(arguments: Arguments) -> list[str]:
    return ["cordon", str(arguments.get("node", ""))]


def _uncordon(arguments: Arguments) -> list[str]:
    return ["uncordon", str(arguments.get("node", ""))]


def _named(arguments: Arguments, *words: str) -> list[str]:
    """The words in the namespace, then the object's kind and name where the words hold no kind yet."""
    return ["-n", str(arguments.get("namespace", "")), *words, str(arguments.get("name", ""))]


def _env(arguments: Arguments) -> list[str]:
    namespace, name, target = _workload(arguments)
    variable, value = arguments.get("variable"), arguments.get("value")
    said = f"{variable}-" if value is None else f"{variable}={value}"
    return [namespace, name, "set", "env", target, "-c", str(arguments.get("container") or "*"), said]


def _config_key(arguments: Arguments) -> list[str]:
    data = {"data": {str(arguments.get("config_key")): arguments.get("value")}}
    return [*_named(arguments, "patch", "configmap"), "--type=merge", "-p", _json(data)]


def _patch(arguments: Arguments) -> list[str]:
    kind = str(arguments.get("kind", "")).lower()
    return [*_named(arguments, "patch", kind), "--type=json", "-p", _json(arguments.get("patch"))]


def _delete(arguments: Arguments) -> list[str]:
    return _named(arguments, "delete", str(arguments.get("kind", "")).lower())


def _drain(arguments: Arguments) -> list[str]:
    lost = ["--delete-emptydir-data"] if arguments.get("empty_dirs") else []
    return ["drain", str(arguments.get("node", "")), "--ignore-daemonsets", *lost]


def _taints(arguments: Arguments) -> list[str]:
    added, removed = (_listed(arguments.get(side)) for side in ("add", "remove"))
    gone = [f"{re.sub('=[^:]*', '', taint)}-" for taint in removed]  # kubectl takes key:Effect- alone
    return ["taint", "node", str(arguments.get("node", "")), *gone, *added, "--overwrite"]


def _delete_job(arguments: Arguments) -> list[str]:
    return _named(arguments, "delete", "job")


def _suspend(arguments: Arguments) -> list[str]:
    spec = {"spec": {"suspend": arguments.get("suspended", True)}}
    return [*_named(arguments, "patch", "cronjob"), "-p", _json(spec)]


def _expand(arguments: Arguments) -> list[str]:
    spec = {"spec": {"resources": {"requests": {"storage": arguments.get("size")}}}}
    return [*_named(arguments, "patch", "persistentvolumeclaim"), "-p", _json(spec)]


def _bounds(arguments: Arguments) -> list[str]:
    fields = {"min_replicas": "minReplicas", "max_replicas": "maxReplicas"}
    spec = {field: arguments[name] for name, field in fields.items() if arguments.get(name)}
    return [*_named(arguments, "patch", "horizontalpodautoscaler"), "-p", _json({"spec": spec})]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, Sequence) else []


# create_resource and restore_object have none: a whole manifest is no line.
LINES: Mapping[str, Callable[[Arguments], list[str]]] = {
    "rollback_workload": _rollback,
    "restart_workload": _restart,
    "scale_workload": _scale,
    "set_image": _image,
    "set_resources": _resources,
    "delete_pod": _delete_pod,
    "cordon_node": _cordon,
    "uncordon_node": _uncordon,
    "set_env": _env,
    "set_config_key": _config_key,
    "patch_resource": _patch,
    "delete_resource": _delete,
    "drain_node": _drain,
    "set_taints": _taints,
    "delete_job": _delete_job,
    "suspend_cronjob": _suspend,
    "expand_volume_claim": _expand,
    "set_autoscaler_bounds": _bounds,
}
