"""Workloads that fail because something that they call is not there."""

import re

from analyze.scene import Scene, current_revision
from domain.alert import Target
from domain.decision import Hypothesis

# In-cluster names: `orders`, `orders.shop`, `orders.shop.svc…`; one with a public ending is another's.
LOOKUP = re.compile(
    r"lookup (?P<name>[a-z0-9-]+)(?:\.(?P<namespace>[a-z0-9-]+))?(?:\.svc\S*)? on \S+: no such host"
)


def name_is_gone(scene: Scene) -> list[Hypothesis]:
    """The name of a service that the program calls does not resolve, though the program did not change."""
    workload = scene.workload
    if workload is None:
        return []
    revision = current_revision(workload.fact)
    if revision is not None and any(" env " in change or "dns" in change for change in revision.changes):
        return []  # its own rollout may have led it astray
    names = {pod.fact.target.name for pod in scene.pods}
    found: dict[Target, list[str]] = {}
    for log in scene.logs:
        if log.fact.pod.name in names and (match := LOOKUP.search("\n".join(log.fact.lines))):
            namespace = match["namespace"] or workload.fact.target.namespace
            found.setdefault(Target(kind="Service", namespace=namespace, name=match["name"]), []).append(
                log.id
            )
    return [
        Hypothesis(
            cause="svc-deleted",
            title=f"{service} is gone: its name does not resolve",
            target=service,
            confidence=0.8,
            reasons=(f"{workload.fact.target} cannot look up {service.name} in {service.namespace}",),
            evidence_for=tuple(ids),
        )
        for service, ids in found.items()
    ]
