"""Typed looks at a cluster through the reading tools. One method a tool; no judgement, no retries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.alert import Target
from domain.cluster import (
    ClaimState,
    EventSummary,
    LimitRangeState,
    LogTail,
    NodeState,
    PodState,
    PolicyState,
    QuotaState,
    ServiceState,
    WorkloadState,
)
from domain.errors import ToolFailed
from domain.tools import ToolAnswer, Toolbox, ToolCall

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An object in a list of names."""

    name: str


WORKLOADS = TypeAdapter(list[WorkloadState])
PODS = TypeAdapter(list[PodState])
EVENTS = TypeAdapter(list[EventSummary])
NODES = TypeAdapter(list[NodeState])
LOGS = TypeAdapter(list[LogTail])
SERVICES = TypeAdapter(list[ServiceState])
CLAIMS = TypeAdapter(list[ClaimState])
POLICIES = TypeAdapter(list[PolicyState])
QUOTAS = TypeAdapter(list[QuotaState | LimitRangeState])
NAMES = TypeAdapter(list[Named])

EVENTS_COUNT = 200  # of a namespace; the newest say what is wrong now

WORKLOAD_KINDS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})


@dataclass(frozen=True, slots=True)
class ClusterReader:
    """Asks the reading tools; `call_s` bounds each call. Raises what the toolbox raises."""

    toolbox: Toolbox
    call_s: float = 10.0

    async def workload(self, target: Target) -> WorkloadState:
        """One workload with its rollout history."""
        arguments = {"namespace": target.namespace, "kind": target.kind, "name": target.name}
        return await self._first(WORKLOADS, "describe_workload", arguments)

    async def workloads(self, namespace: str) -> list[WorkloadState]:
        """All workloads of a namespace, without their histories."""
        return await self._items(WORKLOADS, "list_workloads", {"namespace": namespace})

    async def pods(self, workload: Target) -> list[PodState]:
        """The pods of one workload."""
        arguments = {"namespace": workload.namespace, "workload": f"{workload.kind}/{workload.name}"}
        return await self._items(PODS, "list_pods", arguments)

    async def pod(self, target: Target) -> PodState:
        """One pod, by name; its events, which the tool answers as well, are left out."""
        arguments = {"namespace": target.namespace, "name": target.name}
        return await self._first(PODS, "describe_pod", arguments)

    async def events(self, target: Target) -> list[EventSummary]:
        """Merged events of one object, newest first."""
        arguments = {"namespace": target.namespace, "kind": target.kind, "name": target.name}
        return await self._items(EVENTS, "list_events", arguments)

    async def events_in(self, namespace: str) -> list[EventSummary]:
        """Merged events of everything in a namespace, newest first, at most EVENTS_COUNT."""
        return await self._items(EVENTS, "list_events", {"namespace": namespace, "limit": EVENTS_COUNT})

    async def names(self, kind: str, namespace: str) -> list[str]:
        """The names of a namespace's objects of one kind."""
        found = await self._items(NAMES, "get_resource", {"kind": kind, "namespace": namespace})
        return [named.name for named in found]

    async def service(self, target: Target) -> ServiceState:
        """One service held against the pods behind it."""
        arguments = {"namespace": target.namespace, "name": target.name}
        return await self._first(SERVICES, "describe_service", arguments)

    async def claim(self, target: Target) -> ClaimState:
        """One volume claim with its volume and class."""
        arguments = {"namespace": target.namespace, "name": target.name}
        return await self._first(CLAIMS, "describe_volume_claim", arguments)

    async def policies(self, pod: Target) -> list[PolicyState]:
        """The network policies that select a pod."""
        arguments = {"namespace": pod.namespace, "pod": pod.name}
        return await self._items(POLICIES, "list_network_policies", arguments)

    async def quotas(self, namespace: str) -> list[QuotaState | LimitRangeState]:
        """Quotas and limit ranges of a namespace."""
        return await self._items(QUOTAS, "get_quota", {"namespace": namespace})

    async def nodes(self) -> list[NodeState]:
        """All nodes."""
        return await self._items(NODES, "list_nodes", {})

    async def log(self, pod: Target, container: str, *, previous: bool, lines_count: int) -> LogTail:
        """The end of one container's log."""
        arguments = {
            "namespace": pod.namespace,
            "name": pod.name,
            "container": container,
            "previous": previous,
            "tail_lines": lines_count,
        }
        return await self._first(LOGS, "get_pod_logs", arguments)

    async def _items(
        self, shape: TypeAdapter[list[T]], tool: str, arguments: Mapping[str, object]
    ) -> list[T]:
        answer = await self._ask(tool, arguments)
        return _read(shape, _listed(answer), answer)

    async def _first(self, shape: TypeAdapter[list[T]], tool: str, arguments: Mapping[str, object]) -> T:
        answer = await self._ask(tool, arguments)
        found = _read(shape, _listed(answer)[:1], answer)
        if not found:
            raise ToolFailed(
                f"{tool} answered without an item; the server {answer.server} may be another version"
            )
        return found[0]

    async def _ask(self, tool: str, arguments: Mapping[str, object]) -> ToolAnswer:
        return await self.toolbox.call(ToolCall(tool=tool, arguments=arguments), budget_s=self.call_s)


def _listed(answer: ToolAnswer) -> Sequence[object]:
    items = (answer.data or {}).get("items")
    return items if isinstance(items, Sequence) else ()


def _read(shape: TypeAdapter[list[T]], items: Sequence[object], answer: ToolAnswer) -> list[T]:
    """Raises ToolFailed when a server answers in a shape that is not ours."""
    try:
        return shape.validate_python(items)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ToolFailed(
            f"server {answer.server} answered in an unknown shape at {place}: {first['msg']}"
        ) from error
