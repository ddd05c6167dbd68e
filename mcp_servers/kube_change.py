"""The changing tool server for Kubernetes. Whether a change may be made is decided before it is called."""

from mcp.server.mcpserver import MCPServer

from mcp_servers.kube.change_containers import ContainerChanges
from mcp_servers.kube.change_nodes import NodeChanges
from mcp_servers.kube.change_pods import PodChanges
from mcp_servers.kube.change_workloads import WorkloadChanges
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.toolkit import build_server

NAME = "kube-change"
INSTRUCTIONS = (
    "Changes one Kubernetes cluster, one object a call. Every call takes an idempotency `key` and may be a "
    "`dry_run`. Answers tell the values before and after and the call that takes the change back."
)
GROUPS = (WorkloadChanges, ContainerChanges, PodChanges, NodeChanges)


def build(access: Access) -> MCPServer[None]:
    """The server; it connects to the cluster at the first call."""
    api = ClusterApi(access)
    tools = [tool for group in GROUPS for tool in group(api).tools()]
    return build_server(NAME, instructions=INSTRUCTIONS, tools=tools, lifespan=api.lifespan)
