"""Reading tools on the cluster at large: events and nodes."""

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import Annotated

from pydantic import Field

from domain.errors import LoopError
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.events import merge_events
from mcp_servers.kube.nodes import node_state
from mcp_servers.kube.parameters import AnyNamespace, Limit, Page, Selector
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.shapes import EventList, NodeList, paged
from mcp_servers.kube.telling import tell_events, tell_nodes
from mcp_servers.toolkit import ToolDef

DONE = ("Succeeded", "Failed")
COUNT_S = 3.0  # counting the pods of a large cluster is a courtesy; the nodes themselves are wanted

AboutKind = Annotated[str, Field(description="Only events about objects of this kind, such as Pod.")]
AboutName = Annotated[str, Field(description="Only events about the object of this name.")]
WarningsOnly = Annotated[bool, Field(description="Leave out events of type Normal.")]


class ClusterLooks:
    """list_events and list_nodes."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.list_events, EventList, tell_events, read_only=True, rights=to_look_at("Event"),
                rest="give page=2, a namespace, kind and name, or warnings_only",
            ),
            ToolDef(
                self.list_nodes, NodeList, tell_nodes, read_only=True, rest="give a selector",
                rights=to_look_at("Node", "Pod"),
            ),
        ]  # fmt: skip

    async def list_events(
        self,
        namespace: AnyNamespace = "",
        kind: AboutKind = "",
        name: AboutName = "",
        warnings_only: WarningsOnly = False,
        limit: Limit = 100,
        page: Page = 1,
    ) -> EventList:
        """Events, newest first, merged by object and reason."""
        asked = {
            "involvedObject.kind": kind,
            "involvedObject.name": name,
            "type": "Warning" if warnings_only else "",
        }
        fields = ",".join(f"{field}={value}" for field, value in asked.items() if value)
        listing = await self._api.list("Event", namespace, fields=fields)
        merged = merge_events(listing.items)
        items, more = paged(merged, page, limit)
        return EventList(items=items, truncated=listing.truncated or more)

    async def list_nodes(self, selector: Selector = "", limit: Limit = 500) -> NodeList:
        """Nodes: readiness, pressures, taints, cordon, announced maintenance, and how many pods run there."""
        listing = await self._api.list("Node", labels=selector, limit=limit)
        counts = await self._pods_counts()
        nodes = (
            node_state(node, counts[node.name] if counts is not None else None) for node in listing.items
        )
        return NodeList(items=tuple(nodes), truncated=listing.truncated)

    async def _pods_counts(self) -> Counter[str] | None:
        """Pods that still run, by node; None when pods may not be listed or are too many to count."""
        unfinished = ",".join(f"status.phase!={phase}" for phase in DONE)
        counts = Counter[str]()
        deadline_s = asyncio.get_running_loop().time() + COUNT_S
        try:
            async with aclosing(self._api.pages("Pod", fields=unfinished)) as pages:
                async for page in pages:
                    counts.update(pod.text("spec", "nodeName") for pod in page.items)
                    if page.truncated and asyncio.get_running_loop().time() > deadline_s:
                        return None
        except LoopError:
            return None
        return counts
