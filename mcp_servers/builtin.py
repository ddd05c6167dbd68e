"""Our own tool servers by name, for a service that runs them in its process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mcp.server.mcpserver import MCPServer

from mcp_servers import kube_change, kube_read
from mcp_servers.http_access import Access as ApiAccess
from mcp_servers.kube.connection import Access
from mcp_servers.loki import server as loki
from mcp_servers.prom import server as prom
from utils.metric_names import MetricNames

Builtin = Callable[[], MCPServer[None]]
OWN_NAMES = frozenset({kube_read.NAME, kube_change.NAME, prom.NAME, loki.NAME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One cluster, and what keeps its metrics and logs; an access with an empty URL is none."""

    cluster: Access
    prometheus: ApiAccess
    loki: ApiAccess


def builtin_servers(reach: Reach, names: MetricNames, now: Callable[[], datetime]) -> dict[str, Builtin]:
    """How to build each server that there is something to look at for; `now` is the time there."""
    servers: dict[str, Builtin] = {
        kube_read.NAME: lambda: kube_read.build(reach.cluster),
        kube_change.NAME: lambda: kube_change.build(reach.cluster),
    }
    if reach.prometheus.url:
        servers[prom.NAME] = lambda: prom.build(reach.prometheus, names, now)
    if reach.loki.url:
        servers[loki.NAME] = lambda: loki.build(reach.loki, now)
    return servers
