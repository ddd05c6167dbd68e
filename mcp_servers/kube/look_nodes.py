"""Reading tools on one node and on what is used now."""

from typing import Annotated

from pydantic import Field

from domain.errors import BadInput, Permanent
from mcp_servers.kube.amounts import cpu, memory, quantity
from mcp_servers.kube.api_errors import NotServed
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find
from mcp_servers.kube.loads import load_of, loads_of
from mcp_servers.kube.nodes import node_state
from mcp_servers.kube.owners import Owners
from mcp_servers.kube.parameters import AnyNamespace, Limit, Node, Selector
from mcp_servers.kube.pods import pod_state
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.shapes import NodeDescription, UsageList, UsageRow
from mcp_servers.kube.telling_more import tell_node, tell_usage
from mcp_servers.toolkit import ToolDef

Nodes = Annotated[bool, Field(description="Nodes instead of pods.")]


class NodeLooks:
    """describe_node and get_usage."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.describe_node, NodeDescription, tell_node, read_only=True,
                rest="ask list_pods with node",
                rights=to_look_at("Node", "Pod", "ReplicaSet"),
            ),
            ToolDef(
                self.get_usage, UsageList, tell_usage, read_only=True, rest="give namespace or selector",
                rights=to_look_at("PodMetrics", "NodeMetrics", "Pod", "Node"),
            ),
        ]  # fmt: skip

    async def describe_node(self, node: Node, limit: Limit = 50) -> NodeDescription:
        """One node with its pods, and what they request of what it can give."""
        found = await find(self._api, "Node", "", node)
        listing = await self._api.list("Pod", fields=f"spec.nodeName={node}")
        load = loads_of(listing.items)
        largest = sorted(listing.items, key=lambda pod: load_of(pod).memory_bytes, reverse=True)[:limit]
        tops = await Owners(self._api, "").of(largest)
        state = node_state(
            found,
            len(listing.items),
            requested_cpu_cores=load.cpu_cores,
            requested_memory_bytes=load.memory_bytes,
        )
        pods = (pod_state(pod, top) for pod, top in zip(largest, tops, strict=True))
        return NodeDescription(items=(state, *pods), truncated=len(listing.items) > limit)

    async def get_usage(
        self,
        namespace: AnyNamespace = "",
        selector: Selector = "",
        nodes: Nodes = False,
        limit: Limit = 50,
    ) -> UsageList:
        """CPU and memory in use now by container, or by node, most memory first. Needs metrics-server."""
        if nodes and namespace:
            raise BadInput("nodes have no namespace; leave one of the two out", field="namespace")
        try:
            rows = await self._nodes(selector) if nodes else await self._pods(namespace, selector)
        except NotServed as error:
            raise Permanent(
                "This cluster serves no metrics.k8s.io: metrics-server is not installed or not ready. "
                "Ask Prometheus instead, where there is one."
            ) from error
        rows.sort(key=lambda row: row.memory_bytes, reverse=True)
        return UsageList(items=tuple(rows[:limit]), truncated=len(rows) > limit)

    async def _pods(self, namespace: str, selector: str) -> list[UsageRow]:
        measured = await self._api.list("PodMetrics", namespace, labels=selector)
        pods = await self._api.list("Pod", namespace, labels=selector)
        specs = {
            (pod.namespace, pod.name, spec.text("name")): spec
            for pod in pods.items
            for spec in pod.parts("spec", "containers")
        }
        return [
            _container_row(pod, part, specs.get((pod.namespace, pod.name, part.text("name")), Doc({})))
            for pod in measured.items
            for part in pod.parts("containers")
        ]

    async def _nodes(self, selector: str) -> list[UsageRow]:
        measured = await self._api.list("NodeMetrics", labels=selector)
        listing = await self._api.list("Node", labels=selector)
        nodes = {node.name: node.part("status", "allocatable") for node in listing.items}
        return [_node_row(part, nodes.get(part.name, Doc({}))) for part in measured.items]


def _container_row(pod: Doc, measured: Doc, spec: Doc) -> UsageRow:
    return UsageRow(
        name=f"{pod.namespace}/{pod.name}",
        container=measured.text("name"),
        cpu_cores=quantity(measured.text("usage", "cpu")) or 0.0,
        memory_bytes=int(quantity(measured.text("usage", "memory")) or 0),
        cpu_limit_cores=cpu(spec, "limits"),
        memory_limit_bytes=memory(spec, "limits"),
    )


def _node_row(measured: Doc, allocatable: Doc) -> UsageRow:
    most = quantity(allocatable.text("memory"))
    return UsageRow(
        name=measured.name,
        cpu_cores=quantity(measured.text("usage", "cpu")) or 0.0,
        memory_bytes=int(quantity(measured.text("usage", "memory")) or 0),
        cpu_limit_cores=quantity(allocatable.text("cpu")),
        memory_limit_bytes=None if most is None else int(most),
    )
