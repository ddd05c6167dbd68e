"""Reading tools on pods and their logs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import LogTail, PodState
from domain.errors import BadInput
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.events import merge_events
from mcp_servers.kube.finding import find, pick_container
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.owners import owner_of, owners_of
from mcp_servers.kube.parameters import AnyNamespace, Container, Limit, Name, Namespace, Selector
from mcp_servers.kube.pods import pod_state
from mcp_servers.kube.selectors import selector_text
from mcp_servers.kube.shapes import LogList, PodDescription, PodList
from mcp_servers.kube.telling import tell_logs, tell_pod, tell_pods
from mcp_servers.toolkit import ToolDef

RECENT = timedelta(minutes=15)  # a container that ended within it has not proved itself well
MAX_LOG_BYTES = 256 * 1024
MAX_LINE_LENGTH = 2000
MAX_EVENTS = 20

Workload = Annotated[str, Field(description="Only pods of this workload, as Kind/name; needs the namespace.")]
OnNode = Annotated[str, Field(description="Only pods on this node.")]
OnlyUnhealthy = Annotated[
    bool, Field(description="Only pods that are not ready, end, or ended a container lately.")
]
TailLines = Annotated[int, Field(ge=1, le=5000, description="How many lines from the end.")]
Previous = Annotated[bool, Field(description="The run before the last restart: why it crashed.")]


class PodLooks:
    """list_pods, describe_pod and get_pod_logs."""

    def __init__(self, api: ClusterApi, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._api = api
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(self.list_pods, PodList, tell_pods, read_only=True),
            ToolDef(self.describe_pod, PodDescription, tell_pod, read_only=True),
            ToolDef(self.get_pod_logs, LogList, tell_logs, read_only=True),
        ]

    async def list_pods(
        self,
        namespace: AnyNamespace = "",
        selector: Selector = "",
        workload: Workload = "",
        node: OnNode = "",
        only_unhealthy: OnlyUnhealthy = False,
        limit: Limit = 500,
    ) -> PodList:
        """Pods with status as kubectl prints it, containers, and the workload that owns them."""
        owner = _owner(workload, namespace)
        labels = await self._labels(owner, selector)
        fields = f"spec.nodeName={node}" if node else ""
        listing = await self._api.list("Pod", namespace, labels=labels, fields=fields)
        owners = await owners_of(self._api, listing.items, namespace)
        pods = (pod_state(pod, top) for pod, top in zip(listing.items, owners, strict=True))
        found = [pod for pod in pods if owner in (None, pod.owner)]
        if only_unhealthy:
            found = [pod for pod in found if _unhealthy(pod, self._now())]
        return PodList(items=tuple(found[:limit]), truncated=listing.truncated or len(found) > limit)

    async def describe_pod(self, namespace: Namespace, name: Name) -> PodDescription:
        """One pod with the states of its containers and its events, newest first."""
        pod = await find(self._api, "Pod", namespace, name)
        events = await self._api.list("Event", namespace, fields=f"involvedObject.uid={pod.uid}")
        merged = merge_events(events.items)
        state = pod_state(pod, await owner_of(self._api, pod))
        return PodDescription(items=(state, *merged[:MAX_EVENTS]), truncated=len(merged) > MAX_EVENTS)

    async def get_pod_logs(
        self,
        namespace: Namespace,
        name: Name,
        container: Container = "",
        previous: Previous = False,
        tail_lines: TailLines = 100,
    ) -> LogList:
        """The end of a container's log, oldest line first."""
        pod = await find(self._api, "Pod", namespace, name)
        chosen = pick_container(f"Pod {name}", _containers(pod), container)
        query = {"container": chosen, "tailLines": str(tail_lines), "previous": str(previous).lower()}
        body = await self._api.log(namespace, name, query)
        tail = _tail(pod.target, chosen, previous, body)
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


def _tail(pod: Target, container: str, previous: bool, body: bytes) -> LogTail:
    """The last bytes as whole lines; the first one, cut in the middle, is dropped."""
    cut = len(body) > MAX_LOG_BYTES
    lines = body[-MAX_LOG_BYTES:].decode(errors="replace").splitlines()[1 if cut else 0 :]
    shortened = tuple(
        line if len(line) <= MAX_LINE_LENGTH else f"{line[:MAX_LINE_LENGTH]}…" for line in lines
    )
    return LogTail(pod=pod, container=container, previous=previous, lines=shortened, truncated=cut)
