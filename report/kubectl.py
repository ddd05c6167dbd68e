"""A change as the kubectl line that does the same: what a person types at night. It runs nothing."""

import shlex
from collections.abc import Callable, Mapping

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


LINES: Mapping[str, Callable[[Arguments], list[str]]] = {
    "rollback_workload": _rollback,
    "restart_workload": _restart,
    "scale_workload": _scale,
    "set_image": _image,
    "set_resources": _resources,
    "delete_pod": _delete_pod,
    "cordon_node": _cordon,
    "uncordon_node": _uncordon,
}
