"""Requests and limits of a container as numbers; None where nothing is asked for."""

from domain.cluster import ContainerSpec
from domain.errors import BadInput
from mcp_servers.kube.doc import Doc
from utils.quantity import parse_quantity


def container_spec(container: Doc) -> ContainerSpec:
    """One container of a pod template."""
    return ContainerSpec(
        name=container.text("name"),
        image=container.text("image"),
        memory_limit_bytes=memory(container, "limits"),
        memory_request_bytes=memory(container, "requests"),
        cpu_limit_cores=cpu(container, "limits"),
        cpu_request_cores=cpu(container, "requests"),
    )


def memory(container: Doc, side: str) -> int | None:
    """Bytes of memory under `limits` or `requests`."""
    found = quantity(container.text("resources", side, "memory"))
    return None if found is None else int(found)


def cpu(container: Doc, side: str) -> float | None:
    """Cores under `limits` or `requests`."""
    return quantity(container.text("resources", side, "cpu"))


def quantity(text: str) -> float | None:
    """A quantity as a number; None when empty or in a form that the API would not have sent."""
    try:
        return parse_quantity(text) if text else None
    except BadInput:
        return None
