"""Reading tools on pods and their logs."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import PodState
from domain.errors import BadInput
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.events import merge_events
from mcp_servers.kube.finding import find, pick_container
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.logs import MAX_LOG_BYTES, log_tail
from mcp_servers.kube.owners import Owners, owner_of
from mcp_servers.kube.parameters import (
    AnyNamespace,
    Container,
    Grep,
    Limit,
    Name,
    Namespace,
    Page,
    Selector,
)
from mcp_servers.kube.pods import pod_state
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.selectors import selector_text
from mcp_servers.kube.shapes import LogList, PodDescription, PodList, paged
from mcp_servers.kube.telling import tell_logs, tell_pod, tell_pods
from mcp_servers.toolkit import ToolDef

RECENT = timedelta(minutes=15)  # a container that ended within it has not proved itself well
MAX_EVENTS = 20
MAX_SCANNED = 50_000  # pods looked through for the few that are asked for
SCAN_S = 7.0  # of the 10 s that callers usually give

Workload = Annotated[str, Field(description="Only pods of this workload, as Kind/name; needs the namespace.")]
OnNode = Annotated[str, Field(description="Only pods on this node.")]
OnlyUnhealthy = Annotated[
    bool, Field(description="Only pods that are not ready, end, or ended a container lately.")
]
TailLines = Annotated[int, Field(ge=1, le=5000, description="How many lines from the end.")]
SinceS = Annotated[int | None, Field(ge=1, description="Only lines of the last so many seconds.")]
PodStatus = Annotated[str, Field(description="Only pods with this status, such as CrashLoopBackOff.")]
Previous = Annotated[bool, Field(description="The run before the last restart: why it crashed.")]


MORE_PODS = "give page=2, a selector, a status or only_unhealthy"
MORE_LINES = "give grep, since_s or more tail_lines"


class PodLooks:
    """list_pods, describe_pod and get_pod_logs."""

    def __init__(self, api: ClusterApi, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._api = api
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.list_pods,
                PodList,
                tell_pods,
                read_only=True,
                rest=MORE_PODS,
                rights=to_look_at("Pod", "ReplicaSet", *WORKLOADS),
            ),
            ToolDef(
                self.describe_pod,
                PodDescription,
                tell_pod,
                read_only=True,
                rest="ask list_events",
                rights=to_look_at("Pod", "ReplicaSet", "Event"),
            ),
            ToolDef(
                self.get_pod_logs,
                LogList,
                tell_logs,
                read_only=True,
                rest=MORE_LINES,
                rights=("get pods/log", *to_look_at("Pod")),
            ),
        ]

    async def list_pods(
        self,
        namespace: AnyNamespace = "",
        selector: Selector = "",
        workload: Workload = "",
        node: OnNode = "",
        only_unhealthy: OnlyUnhealthy = False,
        status: PodStatus = "",
        limit: Limit = 500,
        page: Page = 1,
    ) -> PodList:
        """Pods with status as kubectl prints it, containers, and the workload that owns them."""
        owner = _owner(workload, namespace)
        labels = await self._labels(owner, selector)

        def wanted(pod: PodState) -> bool:
            return (
                owner in (None, pod.owner)
                and (not only_unhealthy or _unhealthy(pod, self._now()))
                and status in ("", pod.status)
            )

        fields = f"spec.nodeName={node}" if node else ""
        found, all_seen = await self._scan(namespace, labels, fields, wanted, page * limit + 1)
        items, truncated = paged(found, page, limit)
        return PodList(items=items, truncated=truncated or not all_seen)

    async def _scan(
        self, namespace: str, labels: str, fields: str, wanted: Callable[[PodState], bool], most: int
    ) -> tuple[list[PodState], bool]:
        """At most so many pods that are wanted, and whether all were looked at. Only these are kept."""
        owners, found, seen = Owners(self._api, namespace), list[PodState](), 0
        deadline_s = asyncio.get_running_loop().time() + SCAN_S
        async with aclosing(self._api.pages("Pod", namespace, labels=labels, fields=fields)) as pages:
            async for page in pages:
                seen += len(page.items)
                tops = await owners.of(page.items)
                pods = (pod_state(pod, top) for pod, top in zip(page.items, tops, strict=True))
                found += filter(wanted, pods)
                late = asyncio.get_running_loop().time() > deadline_s
                if page.truncated and (len(found) >= most or seen >= MAX_SCANNED or late):
                    return found[:most], False
        return found, True

    async def describe_pod(self, namespace: Namespace, name: Name) -> PodDescription:
        """One pod: containers with states, probes and resources, volumes, conditions, events newest first."""
        pod = await find(self._api, "Pod", namespace, name)
        events = await self._api.list("Event", namespace, fields=f"involvedObject.uid={pod.uid}")
        merged = merge_events(events.items)
        state = pod_state(pod, await owner_of(self._api, pod), in_full=True)
        return PodDescription(items=(state, *merged[:MAX_EVENTS]), truncated=len(merged) > MAX_EVENTS)

    async def get_pod_logs(
        self,
        namespace: Namespace,
        name: Name,
        container: Container = "",
        previous: Previous = False,
        tail_lines: TailLines = 100,
        since_s: SinceS = None,
        grep: Grep = "",
    ) -> LogList:
        """The end of a container's log, oldest line first; `grep` looks through the tail_lines."""
        pod = await find(self._api, "Pod", namespace, name)
        chosen = pick_container(f"Pod {name}", _containers(pod), container)
        query = {"container": chosen, "tailLines": str(tail_lines), "previous": str(previous).lower()}
        query["sinceSeconds"] = str(since_s or "")
        body = await self._api.log(namespace, name, query, most_bytes=MAX_LOG_BYTES)
        tail = await log_tail(pod.target, chosen, previous=previous, body=body, grep=grep)
        return LogList(items=(tail,), truncated=tail.truncated)

    async def _labels(self, owner: Target | None, selector: str) -> str:
        """The selector that was asked for, narrowed to the workload's own where there is one."""
        if owner is None or owner.kind not in WORKLOADS:
            return selector
        workload = await find(self._api, owner.kind, owner.namespace, owner.name)
        parts = (selector_text(workload.part("spec", "selector")), selector)
        return ",".join(part for part in parts if part)


def _owner(workload: str, namespace: str) -> Target | None:
    if not workload:
        return None
    kind, slash, name = workload.partition("/")
    if not (kind and slash and name and namespace):
        raise BadInput("workload is Kind/name, such as Deployment/web, with a namespace", field="workload")
    return Target(kind=kind, namespace=namespace, name=name)


def _unhealthy(pod: PodState, now: datetime) -> bool:
    if pod.phase == "Succeeded":
        return False
    ended = [c.last_finished_at for c in pod.containers if c.last_finished_at is not None]
    return not pod.ready or pod.terminating or any(now - at < RECENT for at in ended)


def _containers(pod: Doc) -> list[str]:
    """Main containers first: they are what a log is mostly asked of."""
    return [c.text("name") for side in ("containers", "initContainers") for c in pod.parts("spec", side)]
