"""Objects that the contract tests create. Every pod has one container called `app`."""

from collections.abc import Mapping

Manifest = dict[str, object]


def deployment(
    name: str,
    image: str = "app:1",
    *,
    replicas: int = 2,
    annotations: Mapping[str, str] | None = None,
    memory: str = "",
    deadline_s: int = 600,
) -> Manifest:
    """A deployment; `annotations` go to its pods, `memory` is the limit."""
    template = _template(name, image, annotations or {}, memory)
    return _workload(name, template, replicas=replicas, progressDeadlineSeconds=deadline_s)


def stateful_set(name: str, image: str = "app:1", *, replicas: int = 2) -> Manifest:
    """A stateful set without volumes."""
    return _workload(name, _template(name, image), replicas=replicas, serviceName=name)


def daemon_set(name: str, image: str = "app:1") -> Manifest:
    """A daemon set for all nodes."""
    return _workload(name, _template(name, image))


def _workload(name: str, template: Manifest, **spec: object) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {**spec, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def _template(
    name: str, image: str, annotations: Mapping[str, str] | None = None, memory: str = ""
) -> Manifest:
    container: Manifest = {"name": "app", "image": image}
    if memory:
        container["resources"] = {"limits": {"memory": memory}}
    return {
        "metadata": {"labels": {"app": name}, "annotations": dict(annotations or {})},
        "spec": {"containers": [container]},
    }
