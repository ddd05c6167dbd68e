"""The reading tool for objects of any kind, custom resources too."""

from typing import Annotated

from pydantic import Field

from domain.errors import BadInput
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.discovery import Discovery
from mcp_servers.kube.finding import find
from mcp_servers.kube.kinds import KINDS
from mcp_servers.kube.manifests import shown_object
from mcp_servers.kube.parameters import AnyNamespace, Grep, Limit, Selector
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.shapes import ObjectList, ObjectText
from mcp_servers.kube.telling_more import tell_objects
from mcp_servers.toolkit import ToolDef

AnyKind = Annotated[str, Field(min_length=1, description="Kind, plural or short name, as kubectl takes it.")]
MaybeName = Annotated[str, Field(description="Name; left out: all objects, by name alone.")]


class ObjectLooks:
    """get_resource."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._discovery = Discovery(api)

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.get_resource, ObjectList, tell_objects, read_only=True, rest="give a name, or grep",
                rights=to_look_at(*(kind for kind in KINDS if kind != "Secret")),
            )
        ]  # fmt: skip

    async def get_resource(
        self,
        kind: AnyKind,
        namespace: AnyNamespace = "",
        name: MaybeName = "",
        selector: Selector = "",
        grep: Grep = "",
        limit: Limit = 100,
    ) -> ObjectList:
        """One object of any kind as JSON without credentials, or the names of many."""
        found = await self._discovery.find(kind)
        place = namespace if found.namespaced else ""
        if name:
            if found.namespaced and not place:
                raise BadInput(f"a {found.name} needs its namespace", field="namespace")
            thing = await find(self._api, found.name, place, name)
            text = _matching(shown_object(thing), grep)
            return ObjectList(items=(ObjectText(kind=found.name, namespace=place, name=name, text=text),))
        listing = await self._api.list(found.name, place, labels=selector, limit=limit)
        things = (
            ObjectText(kind=found.name, namespace=thing.namespace, name=thing.name) for thing in listing.items
        )
        return ObjectList(items=tuple(things), truncated=listing.truncated)


def _matching(text: str, grep: str) -> str:
    words = [word.casefold() for word in grep.split("|") if word]
    if not words:
        return text
    return "\n".join(line for line in text.splitlines() if any(word in line.casefold() for word in words))
