"""Ready-made looks at machines, pods and services: plain arguments in, series with their numbers out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from mcp_servers.prom.measure import Measurer, Question
from mcp_servers.prom.parameters import AnyNamespace, End, Limit, Node, Pod, Service, Window, span
from mcp_servers.prom.shapes import RangeAnswer
from mcp_servers.prom.telling import amount, tell_range
from mcp_servers.prom.thinning import MAX_POINTS
from mcp_servers.toolkit import ToolDef
from utils.metric_names import MetricNames

POD_LIMIT = 'sum by ($by) (kube_pod_container_resource_limits{resource="%s",$scope})'
UNITS = {
    "node_cpu": "ratio",
    "node_memory": "ratio",
    "node_disk": "ratio",
    "pod_cpu": "cores",
    "pod_memory": "bytes",
    "request_rate": "requests/s",
    "error_ratio": "ratio",
}
REST = "name a namespace, pod, service or node, shorten window, or raise limit"
FEW = 10


class UsageLooks:
    """What nodes and pods use, and how services serve."""

    def __init__(self, measurer: Measurer, names: MetricNames, now: Callable[[], datetime]) -> None:
        self._measurer = measurer
        self._names = names
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        looks = (
            self.prom_node_cpu_usage, self.prom_node_memory_usage, self.prom_node_disk_usage,
            self.prom_pod_cpu_usage, self.prom_pod_memory_usage,
            self.prom_service_latency, self.prom_service_error_rate, self.prom_service_request_rate,
        )  # fmt: skip
        return [ToolDef(look, RangeAnswer, tell_range, read_only=True, rest=REST) for look in looks]

    async def prom_node_cpu_usage(
        self, node: Node = "", window: Window = "1h", end: End = "", limit: Limit = FEW
    ) -> RangeAnswer:
        """Share of the processors of a node that is busy, 0..1."""
        return await self._ask("node_cpu", {"node": node}, window, end, limit)

    async def prom_node_memory_usage(
        self, node: Node = "", window: Window = "1h", end: End = "", limit: Limit = FEW
    ) -> RangeAnswer:
        """Share of a node's memory that is not available, 0..1."""
        return await self._ask("node_memory", {"node": node}, window, end, limit)

    async def prom_node_disk_usage(
        self, node: Node = "", window: Window = "6h", end: End = "", limit: Limit = FEW
    ) -> RangeAnswer:
        """Share of each file system of a node that is used, 0..1."""
        return await self._ask("node_disk", {"node": node}, window, end, limit)

    async def prom_pod_cpu_usage(
        self,
        namespace: AnyNamespace = "",
        pod: Pod = "",
        window: Window = "1h",
        end: End = "",
        limit: Limit = FEW,
    ) -> RangeAnswer:
        """Processor cores that pods use, and their limits."""
        wanted = {"namespace": namespace, "pod": pod}
        found = await self._ask("pod_cpu", wanted, window, end, limit)
        return await self._with_limits(found, wanted, "cpu")

    async def prom_pod_memory_usage(
        self,
        namespace: AnyNamespace = "",
        pod: Pod = "",
        window: Window = "1h",
        end: End = "",
        limit: Limit = FEW,
    ) -> RangeAnswer:
        """Working set of pods, which the kernel cannot take back, and their limits."""
        wanted = {"namespace": namespace, "pod": pod}
        found = await self._ask("pod_memory", wanted, window, end, limit)
        return await self._with_limits(found, wanted, "memory")

    async def prom_service_latency(
        self,
        service: Service = "",
        namespace: AnyNamespace = "",
        window: Window = "1h",
        end: End = "",
        limit: Limit = FEW,
    ) -> RangeAnswer:
        """P50, P90 and P99 of a service's response times; the mean where nothing else is measured."""
        wanted = {"namespace": namespace, "service": service}
        return await self._ask("latencies", wanted, window, end, limit)

    async def prom_service_error_rate(
        self,
        service: Service = "",
        namespace: AnyNamespace = "",
        window: Window = "1h",
        end: End = "",
        limit: Limit = FEW,
    ) -> RangeAnswer:
        """Share of a service's requests that fail on its side (5xx and their like), 0..1."""
        wanted = {"namespace": namespace, "service": service}
        return await self._ask("error_ratio", wanted, window, end, limit)

    async def prom_service_request_rate(
        self,
        service: Service = "",
        namespace: AnyNamespace = "",
        window: Window = "1h",
        end: End = "",
        limit: Limit = FEW,
    ) -> RangeAnswer:
        """Requests a second that a service gets."""
        wanted = {"namespace": namespace, "service": service}
        return await self._ask("request_rate", wanted, window, end, limit)

    async def _ask(
        self, quantity: str, wanted: Mapping[str, str], window: str, end: str, limit: int
    ) -> RangeAnswer:
        question = Question(
            setting=quantity,
            templates=self._names.queries(quantity),
            wanted=wanted,
            unit=UNITS.get(quantity, ""),
        )
        asked = span(window, end, self._now(), points=MAX_POINTS)
        return await self._measurer.measure(question, asked, limit)

    async def _with_limits(self, found: RangeAnswer, wanted: Mapping[str, str], resource: str) -> RangeAnswer:
        """The answer with the limits of its pods, where kube-state-metrics tells them."""
        if not found.items:
            return found
        question = Question(setting="", templates=(POD_LIMIT % resource,), wanted=wanted, unit=found.unit)
        moment = span("5m", "", self._now(), points=2)
        limits = await self._measurer.measure(question, moment, limit=len(found.items))
        said = [f"{item.labels.get('pod', '')} {amount(item.last, found.unit)}" for item in limits.items]
        if not said:
            return found
        notes = [*([found.note] if found.note else []), f"limits: {', '.join(said)}"]
        return replace(found, note="; ".join(notes))
