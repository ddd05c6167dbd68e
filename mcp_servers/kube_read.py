"""The reading tool server for Kubernetes. It has no tool that changes anything, and reads no Secrets."""

from mcp.server.mcpserver import MCPServer

from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.look_cluster import ClusterLooks
from mcp_servers.kube.look_pods import PodLooks
from mcp_servers.kube.look_workloads import WorkloadLooks
from mcp_servers.toolkit import build_server

NAME = "kube-read"
INSTRUCTIONS = (
    "Looks at one Kubernetes cluster. Answers carry facts under `items`; `truncated` says there is more. "
    "Start with list_pods (only_unhealthy) or describe_workload, then logs and events."
)
GROUPS = (WorkloadLooks, PodLooks, ClusterLooks)


def build(access: Access) -> MCPServer[None]:
    """The server; it connects to the cluster at the first call."""
    api = ClusterApi(access)
    tools = [tool for group in GROUPS for tool in group(api).tools()]
    return build_server(NAME, instructions=INSTRUCTIONS, tools=tools, lifespan=api.lifespan)
