"""The tool server for Loki. All of its tools only look."""

from collections.abc import Callable
from datetime import datetime

from mcp.server.mcpserver import MCPServer

from mcp_servers.http_access import Access
from mcp_servers.loki.api import LokiApi
from mcp_servers.loki.looks import LogLooks
from mcp_servers.prom.server import wall_clock
from mcp_servers.toolkit import build_server

NAME = "loki"
INSTRUCTIONS = (
    "Looks at logs. Start with loki_first_errors or loki_patterns on a selector such as "
    '{namespace="shop"}; loki_labels tells what there is to select by.'
)


def build(access: Access, now: Callable[[], datetime] = wall_clock) -> MCPServer[None]:
    """The server; it connects at the first call. `now` is the time that Loki lives in."""
    api = LokiApi(access)
    return build_server(
        NAME, instructions=INSTRUCTIONS, tools=LogLooks(api, now).tools(), lifespan=api.lifespan
    )
