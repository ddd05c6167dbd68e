"""Which kinds a cluster serves besides the usual ones: found in the API's own lists, custom resources too."""

import asyncio
from collections.abc import Iterator
from difflib import get_close_matches

from domain.errors import LoopError, Permanent
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import CORE, KINDS, Kind

AT_ONCE = 8  # lists read at a time: large clusters have a hundred API groups
NEAR_COUNT = 5


class Discovery:
    """Finds kinds by their name, plural or short name, case aside. What was found is kept."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._found: dict[str, Kind] = {}

    async def find(self, name: str) -> Kind:
        """The kind, known to the API from now on. Raises Permanent with near names for an unknown one."""
        folded = name.casefold()
        for kind in KINDS.values():
            if folded in (kind.name.casefold(), kind.plural) and kind.root != KINDS["PodMetrics"].root:
                return kind
        if folded in self._found:
            return self._found[folded]
        served = await self._served()
        if folded not in served:
            near = get_close_matches(folded, served, n=NEAR_COUNT, cutoff=0.5)
            more = f" Near names: {', '.join(served[other].name for other in near)}." if near else ""
            raise Permanent(f"This cluster serves no kind {name!r}.{more}")
        kind = served[folded]
        self._api.learn(kind)
        self._found[folded] = kind
        return kind

    async def _served(self) -> dict[str, Kind]:
        """Every kind by all its names; the first group that has a name keeps it."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def read(root: str) -> list[tuple[str, Kind]]:
            async with slots:
                try:
                    return list(_kinds(root, await self._api.read(root)))
                except LoopError:  # an aggregated API that is down must not hide the others
                    return []

        roots = [CORE, *_roots(await self._api.read("/apis"))]
        found: dict[str, Kind] = {}
        for names in await asyncio.gather(*map(read, roots)):
            for name, kind in names:
                found.setdefault(name, kind)
        return found


def _roots(groups: Doc) -> Iterator[str]:
    """The preferred version of each API group."""
    for group in groups.parts("groups"):
        if version := group.text("preferredVersion", "groupVersion"):
            yield f"/apis/{version}"


def _kinds(root: str, served: Doc) -> Iterator[tuple[str, Kind]]:
    for resource in served.parts("resources"):
        plural = resource.text("name")
        if "/" in plural:  # a part of another resource
            continue
        kind = Kind(resource.text("kind"), root, plural, namespaced=resource.flag("namespaced"))
        shorts = resource.at("shortNames")
        names = [
            kind.name,
            plural,
            resource.text("singularName"),
            *(shorts if isinstance(shorts, list) else []),
        ]
        yield from ((str(name).casefold(), kind) for name in names if name)
