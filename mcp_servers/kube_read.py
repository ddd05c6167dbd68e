"""The reading tool server for Kubernetes. It changes nothing, and shows no Secret's values."""

from mcp.server.mcpserver import MCPServer

from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.look_cluster import ClusterLooks
from mcp_servers.kube.look_namespace import NamespaceLooks
from mcp_servers.kube.look_nodes import NodeLooks
from mcp_servers.kube.look_objects import ObjectLooks
from mcp_servers.kube.look_pods import PodLooks
from mcp_servers.kube.look_services import ServiceLooks
from mcp_servers.kube.look_workloads import WorkloadLooks
from mcp_servers.toolkit import ToolDef, build_server

NAME = "kube-read"
INSTRUCTIONS = (
    "Looks at one Kubernetes cluster. Answers carry facts under `items`; `truncated` says there is more. "
    "Start with list_pods (only_unhealthy) or describe_workload, then logs and events."
)
GROUPS = (
    WorkloadLooks,
    PodLooks,
    ClusterLooks,
    NodeLooks,
    ServiceLooks,
    NamespaceLooks,
    ObjectLooks,
)


def build(access: Access) -> MCPServer[None]:
    """The server; it connects to the cluster at the first call."""
    api = ClusterApi(access)
    return build_server(NAME, instructions=INSTRUCTIONS, tools=tools(api), lifespan=api.lifespan)


def tools(api: ClusterApi) -> list[ToolDef]:
    """Every tool of the server, in the order they are listed."""
    return [tool for group in GROUPS for tool in group(api).tools()]
