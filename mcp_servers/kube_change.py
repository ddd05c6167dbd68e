"""The changing tool server for Kubernetes. Whether a change may be made is decided before it is called."""

from mcp.server.mcpserver import MCPServer

from mcp_servers.kube.change_bounds import BoundChanges
from mcp_servers.kube.change_config import ConfigChanges
from mcp_servers.kube.change_containers import ContainerChanges
from mcp_servers.kube.change_jobs import JobChanges
from mcp_servers.kube.change_nodes import NodeChanges
from mcp_servers.kube.change_objects import ObjectChanges
from mcp_servers.kube.change_pods import PodChanges
from mcp_servers.kube.change_taints import TaintChanges
from mcp_servers.kube.change_workloads import WorkloadChanges
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.drain import Drains
from mcp_servers.toolkit import ToolDef, build_server

NAME = "kube-change"
INSTRUCTIONS = (
    "Changes one Kubernetes cluster, one object a call. Every call takes an idempotency `key` and may be a "
    "`dry_run`. Answers tell the values before and after and the call that takes the change back."
)
GROUPS = (
    WorkloadChanges,
    ContainerChanges,
    ConfigChanges,
    BoundChanges,
    PodChanges,
    JobChanges,
    NodeChanges,
    TaintChanges,
    Drains,
    ObjectChanges,
)


def build(access: Access) -> MCPServer[None]:
    """The server; it connects to the cluster at the first call."""
    api = ClusterApi(access)
    return build_server(NAME, instructions=INSTRUCTIONS, tools=tools(api), lifespan=api.lifespan)


def tools(api: ClusterApi) -> list[ToolDef]:
    """Every tool of the server, in the order they are listed."""
    return [tool for group in GROUPS for tool in group(api).tools()]
