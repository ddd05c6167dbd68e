"""Who owns a pod: the owner chain up to the workload that people know."""

from collections.abc import Sequence

from domain.alert import Target
from domain.errors import LoopError
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc

MIDDLE = "ReplicaSet"  # the only owner that has an owner of its own worth naming


async def owner_of(api: ClusterApi, pod: Doc) -> Target | None:
    """The workload at the top of one pod's owner chain."""
    direct = _direct(pod)
    if direct is None or direct.kind != MIDDLE:
        return direct
    try:
        middle = await api.get(MIDDLE, pod.namespace, direct.name)
    except LoopError:  # gone, or not ours to read: the nearest owner is still true
        return direct
    return _direct(middle) or direct


async def owners_of(api: ClusterApi, pods: Sequence[Doc], namespace: str) -> list[Target | None]:
    """The owners of many pods, in their order, with one listing of replica sets at most."""
    directs = [_direct(pod) for pod in pods]
    if not any(owner and owner.kind == MIDDLE for owner in directs):
        return directs
    try:
        listing = await api.list(MIDDLE, namespace)
    except LoopError:
        return directs
    tops = {middle.target: _direct(middle) for middle in listing.items}
    return [owner and (tops.get(owner) or owner) for owner in directs]


def _direct(thing: Doc) -> Target | None:
    owner = thing.controller
    if not owner.raw:
        return None
    return Target(kind=owner.text("kind"), namespace=thing.namespace, name=owner.text("name"))
