"""Who owns a pod: the owner chain up to the workload that people know."""

from collections.abc import Sequence
from contextlib import aclosing

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


class Owners:
    """The owners of many pods, with one listing of replica sets at most, of which only names are kept."""

    def __init__(self, api: ClusterApi, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._tops: dict[Target, Target | None] | None = None

    async def of(self, pods: Sequence[Doc]) -> list[Target | None]:
        """The workload at the top of each pod's owner chain, in their order."""
        directs = [_direct(pod) for pod in pods]
        if not any(owner and owner.kind == MIDDLE for owner in directs):
            return directs
        if self._tops is None:
            self._tops = await self._listed()
        tops = self._tops
        return [owner and (tops.get(owner) or owner) for owner in directs]

    async def _listed(self) -> dict[Target, Target | None]:
        tops: dict[Target, Target | None] = {}
        try:
            async with aclosing(self._api.pages(MIDDLE, self._namespace)) as pages:
                async for page in pages:
                    tops |= {middle.target: _direct(middle) for middle in page.items}
        except LoopError:  # not ours to read: the nearest owners are still true
            return {}
        return tops


def _direct(thing: Doc) -> Target | None:
    owner = thing.controller
    if not owner.raw:
        return None
    return Target(kind=owner.text("kind"), namespace=thing.namespace, name=owner.text("name"))
