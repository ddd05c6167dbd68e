"""Objects that the contract tests create."""

from collections.abc import Mapping


def deployment(
    name: str,
    image: str = "app:1",
    *,
    replicas: int = 2,
    annotations: Mapping[str, str] | None = None,
    memory: str = "",
    deadline_s: int = 600,
) -> dict[str, object]:
    """A deployment of one container called `app`."""
    container: dict[str, object] = {"name": "app", "image": image}
    if memory:
        container["resources"] = {"limits": {"memory": memory}}
    return {
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": deadline_s,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": dict(annotations or {})},
                "spec": {"containers": [container]},
            },
        },
    }
