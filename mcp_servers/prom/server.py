"""The tool server for Prometheus and what speaks its API. All of its tools only look."""

from collections.abc import Callable
from datetime import UTC, datetime

from mcp.server.mcpserver import MCPServer

from mcp_servers.http_access import Access
from mcp_servers.prom.api import PromApi
from mcp_servers.prom.look_queries import QueryLooks
from mcp_servers.prom.look_server import ServerLooks
from mcp_servers.prom.look_usage import UsageLooks
from mcp_servers.prom.measure import Measurer
from mcp_servers.toolkit import build_server
from utils.metric_names import MetricNames

NAME = "prom"
INSTRUCTIONS = (
    "Looks at metrics. Start with prom_pod_*, prom_service_* or prom_node_*: they find metrics themselves. "
    "prom_query and prom_query_range take any PromQL; prom_labels and prom_metadata tell what there is."
)


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def build(
    access: Access, names: MetricNames | None = None, now: Callable[[], datetime] = wall_clock
) -> MCPServer[None]:
    """The server; it connects at the first call. `now` is the time that Prometheus lives in."""
    api, known = PromApi(access), names or MetricNames()
    measurer = Measurer(api, known, now)
    groups = (
        UsageLooks(measurer, known, now),
        QueryLooks(api, measurer, now),
        ServerLooks(api, measurer, now),
    )
    tools = [tool for group in groups for tool in group.tools()]
    return build_server(NAME, instructions=INSTRUCTIONS, tools=tools, lifespan=api.lifespan)
