"""Reading tools on the network: services with what is behind them, and policies that close it."""

from typing import Annotated

from pydantic import Field

from mcp_servers.kube.api_errors import NotFound
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find
from mcp_servers.kube.owners import Owners
from mcp_servers.kube.parameters import Limit, Name, Namespace
from mcp_servers.kube.policies import policy_state, selects_pod
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.services import service_state
from mcp_servers.kube.shapes import PolicyList, ServiceList
from mcp_servers.kube.telling_more import tell_policies, tell_services
from mcp_servers.toolkit import ToolDef

MAX_PODS = 2000  # of a namespace, held against one service
OfPod = Annotated[str, Field(description="Only policies that select this pod; left out: all.")]


class ServiceLooks:
    """describe_service and list_network_policies."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.describe_service, ServiceList, tell_services, read_only=True,
                rights=to_look_at("Service", "Endpoints", "Pod", "ReplicaSet"),
            ),
            ToolDef(
                self.list_network_policies, PolicyList, tell_policies, read_only=True, rest="name a pod",
                rights=to_look_at("NetworkPolicy", "Pod"),
            ),
        ]  # fmt: skip

    async def describe_service(self, namespace: Namespace, name: Name) -> ServiceList:
        """One service: endpoints, and whether selector and targetPorts fit the pods, said outright."""
        service = await find(self._api, "Service", namespace, name)
        pods = await self._api.list("Pod", namespace, limit=MAX_PODS)
        tops = await Owners(self._api, namespace).of(pods.items)
        owners = [f"{top.kind}/{top.name}" if top else "" for top in tops]
        state = service_state(service, await self._endpoints(namespace, name), pods.items, owners)
        return ServiceList(items=(state,), truncated=pods.truncated)

    async def list_network_policies(
        self, namespace: Namespace, pod: OfPod = "", limit: Limit = 100
    ) -> PolicyList:
        """Network policies in words: whom they select, who may come in, whom they may reach."""
        labels = (await find(self._api, "Pod", namespace, pod)).labels if pod else None
        listing = await self._api.list("NetworkPolicy", namespace)
        found = [policy for policy in listing.items if labels is None or selects_pod(policy, labels)]
        return PolicyList(items=tuple(map(policy_state, found[:limit])), truncated=len(found) > limit)

    async def _endpoints(self, namespace: str, name: str) -> Doc:
        """The addresses behind a service; a service of a kind that has none is no fault."""
        try:
            return await self._api.get("Endpoints", namespace, name)
        except NotFound:
            return Doc({})
