"""A cluster with the tools on it, as the contract tests see it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter

from domain.cluster import ChangeResult, EventSummary, Fact, LogTail, NodeState, PodState, WorkloadState
from domain.tools import ToolAnswer, ToolCall
from mcp_servers.kube.connection import Connection
from mcp_servers.kube.kinds import KINDS
from utils.mcp_client import McpToolbox

REAL = os.environ.get("KUBE_CONTRACT_KUBECONFIG", "")
PATIENCE_S = 60.0 if REAL else 8.0
CALL_S = 10.0

T = TypeVar("T")

FACTS = TypeAdapter(list[Annotated[Fact, Field(discriminator="fact")]])
CHANGE = TypeAdapter(ChangeResult)
Doc = dict[str, object]


class World:
    """A cluster, tools on it, and a namespace to work in."""

    def __init__(self, toolbox: McpToolbox, connection: Connection, namespace: str) -> None:
        self.toolbox = toolbox
        self.connection = connection
        self.namespace = namespace

    async def create(self, kind: str, doc: Mapping[str, object]) -> None:
        """Create an object past the tools."""
        status, body = await self.connection.exchange(
            "POST", KINDS[kind].path(self.namespace), {}, {**doc, "kind": kind}
        )
        assert status == 201, body.decode()

    async def make_autoscaler(self, name: str, *, least: int, most: int) -> None:
        """An autoscaler of a deployment, in the newest version that the cluster serves."""
        about = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        spec = {"scaleTargetRef": about, "minReplicas": least, "maxReplicas": most}
        body = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}}
        path = f"/apis/autoscaling/v1/namespaces/{self.namespace}/horizontalpodautoscalers"
        status, answer = await self.connection.exchange("POST", path, {}, {**body, "spec": spec})
        assert status == 201, answer.decode()

    async def make_cron_job(self, name: str, template: Doc) -> None:
        """A cron job that runs once a year, in the newest version that is served."""
        spec: Doc = {"schedule": "0 0 1 1 *", "jobTemplate": template}
        await self._make_in("cronjobs", "CronJob", name, spec, ("batch/v1", "batch/v1beta1"))

    async def budget_is_seen(self, name: str) -> bool:
        """Whether a budget's controller has counted its pods."""
        found = (await self.workload(name)).budgets
        return bool(found) and found[0].healthy_count > 0

    async def make_budget(self, name: str, *, min_available: int) -> None:
        """A disruption budget for the pods of a deployment, in the newest version that is served."""
        spec: Doc = {"minAvailable": min_available, "selector": {"matchLabels": {"app": name}}}
        versions = ("policy/v1", "policy/v1beta1")
        await self._make_in("poddisruptionbudgets", "PodDisruptionBudget", name, spec, versions)

    async def _make_in(self, plural: str, kind: str, name: str, spec: Doc, versions: Sequence[str]) -> None:
        for version in versions:
            path = f"/apis/{version}/namespaces/{self.namespace}/{plural}"
            body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
            status, answer = await self.connection.exchange("POST", path, {}, body)
            if status != 404:
                break
        assert status == 201, answer.decode()

    async def patch(self, kind: str, name: str, ops: list[Doc]) -> None:
        """Change an object past the tools."""
        status, body = await self.connection.exchange(
            "PATCH", KINDS[kind].path(self.namespace, name), {}, ops
        )
        assert status == 200, body.decode()

    async def ask(self, tool: str, **arguments: object) -> ToolAnswer:
        """One call of any tool."""
        return await self.toolbox.call(ToolCall(tool=tool, arguments=arguments), budget_s=CALL_S)

    async def items(self, shape: type[T], tool: str, **arguments: object) -> list[T]:
        """The facts of a reading tool, of one shape."""
        answer = await self.ask(tool, **arguments)
        assert answer.data is not None
        found = answer.data["items"]
        return [fact for fact in FACTS.validate_python(found) if isinstance(fact, shape)]

    async def workload(self, name: str, kind: str = "Deployment") -> WorkloadState:
        """One workload with its history."""
        found = await self.items(
            WorkloadState, "describe_workload", namespace=self.namespace, kind=kind, name=name
        )
        return found[0]

    async def pods(self, workload: str, **arguments: object) -> list[PodState]:
        """The pods of one workload, `Kind/name`."""
        return await self.items(
            PodState, "list_pods", namespace=self.namespace, workload=workload, **arguments
        )

    async def events(self, **arguments: object) -> list[EventSummary]:
        """Events of the namespace."""
        return await self.items(EventSummary, "list_events", namespace=self.namespace, **arguments)

    async def nodes(self) -> dict[str, NodeState]:
        """Nodes by name."""
        return {node.target.name: node for node in await self.items(NodeState, "list_nodes")}

    async def log(self, pod: str, **arguments: object) -> LogTail:
        """The end of a pod's log."""
        found = await self.items(LogTail, "get_pod_logs", namespace=self.namespace, name=pod, **arguments)
        return found[0]

    async def change(self, tool: str, *, key: str, **arguments: object) -> ChangeResult:
        """One change; keys are made unique, as a real cluster outlives a test."""
        answer = await self.ask(tool, key=f"{self.namespace}-{key}", **arguments)
        return CHANGE.validate_python(answer.data)

    async def undo(self, change: ChangeResult, *, key: str) -> ChangeResult:
        """Take a change back by the call that it named."""
        return await self.change(change.undo_tool, key=key, **change.undo_arguments)

    async def until(self, look: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """Look again and again until it holds; the last look is shown when it never does."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            seen = await look()
            if holds(seen):
                return seen
            assert asyncio.get_running_loop().time() < deadline, f"never came true, last seen: {seen}"
            await asyncio.sleep(0.3 if REAL else 0.02)

    async def until_complete(self, name: str, kind: str = "Deployment") -> WorkloadState:
        """Wait for a rollout to end well."""
        return await self.until(lambda: self.workload(name, kind), lambda w: w.rollout == "complete")
