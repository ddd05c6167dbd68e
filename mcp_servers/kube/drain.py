"""The changing tool that empties a node: cordon, then evict pod by pod as disruption budgets allow."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from domain.cluster import ChangeResult
from domain.errors import LoopError
from mcp_servers.kube.api_errors import Blocked, Conflict, NotFound
from mcp_servers.kube.change_nodes import NodeChanges
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.parameters import DryRun, Key, Node
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef, report_progress
from utils.words import counted

DONE = ("Succeeded", "Failed")
MIRROR = "kubernetes.io/config.mirror"  # pods that a kubelet runs by itself; the API cannot move them
POLL_S = 0.5
MAX_NAMED = 20

WithinS = Annotated[int, Field(ge=1, le=600, description="Answer after so long with what is left by then.")]
EmptyDirs = Annotated[bool, Field(description="Also evict pods whose emptyDir data is lost by it.")]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Progress:
    """What became of a node's pods."""

    left: dict[str, str] = field(default_factory=dict)  # pod -> why it is still there
    stays: dict[str, str] = field(default_factory=dict)  # pod -> why it is not evicted at all
    total_count: int = 0

    @property
    def gone_count(self) -> int:
        """Pods that have left."""
        return self.total_count - len(self.left)


class Drains:
    """drain_node."""

    def __init__(self, api: ClusterApi, sleep: Sleep = asyncio.sleep) -> None:
        self._api = api
        self._nodes = NodeChanges(api)
        self._sleep = sleep

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        rights = ("create pods/eviction", *to_change("Node"), *to_change("Pod", verb="list"))
        budgets = ("list poddisruptionbudgets.policy",)
        return [change_tool(self.drain_node, rights=(*rights, *budgets), destructive=True)]

    async def drain_node(
        self,
        node: Node,
        key: Key,
        within_s: WithinS = 8,
        empty_dirs: EmptyDirs = False,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Cordon a node and evict its pods within disruption budgets; call again to go on with the rest.

        Pods of daemon sets, and pods that nobody would make anew, stay and are named.
        """
        cordoned = await self._nodes.cordon_node(node, key, dry_run)
        await self._api.list("PodDisruptionBudget", limit=1)  # learns which version evictions are written in
        pods = [pod for pod in await self._pods(node) if pod.text("status", "phase") not in DONE]
        progress = _planned(pods, empty_dirs)
        if dry_run:
            await self._try(pods, progress)
        else:
            await self._evict(node, progress, within_s)
        return _answer(cordoned, progress, dry_run)

    async def _pods(self, node: str) -> Sequence[Doc]:
        return (await self._api.list("Pod", fields=f"spec.nodeName={node}")).items

    async def _try(self, pods: Sequence[Doc], progress: Progress) -> None:
        """Ask the API server about each eviction without any."""
        for pod in pods:
            if _name(pod) in progress.left:
                progress.left[_name(pod)] = await self._ask(pod, dry_run=True)

    async def _evict(self, node: str, progress: Progress, within_s: float) -> None:
        """Evict what may go and wait for it to be gone, again and again until the time is up."""
        asked: set[str] = set()
        deadline_s = asyncio.get_running_loop().time() + within_s
        while progress.left:
            here = {pod.uid: pod for pod in await self._pods(node)}
            names = {_name(pod) for pod in here.values()}
            progress.left = {name: why for name, why in progress.left.items() if name in names}
            await report_progress(progress.gone_count, progress.total_count)
            for pod in here.values():
                if _name(pod) in progress.left and pod.uid not in asked:
                    progress.left[_name(pod)] = why = await self._ask(pod, dry_run=False)
                    asked |= set() if why else {pod.uid}
            if asyncio.get_running_loop().time() > deadline_s:
                return
            await self._sleep(POLL_S if progress.left else 0)

    async def _ask(self, pod: Doc, *, dry_run: bool) -> str:
        """Evict one pod; returns why it may not go, empty when it may."""
        try:
            await self._api.evict(pod, dry_run=dry_run)
        except (Blocked, Conflict) as error:
            return str(error)
        except NotFound:
            return ""
        except LoopError as error:
            return f"eviction failed: {error}"
        return ""


def _name(pod: Doc) -> str:
    return f"{pod.namespace}/{pod.name}"


def _planned(pods: Sequence[Doc], empty_dirs: bool) -> Progress:
    progress = Progress()
    for pod in pods:
        why = why_it_stays(pod, empty_dirs)
        (progress.stays if why else progress.left)[_name(pod)] = why
    progress.total_count = len(progress.left)
    return progress


def why_it_stays(pod: Doc, empty_dirs: bool) -> str:
    """Why a pod is not evicted; empty when it is."""
    if pod.controller.text("kind") == "DaemonSet" or MIRROR in pod.annotations:
        return "daemon"
    if not pod.controller.raw:
        return "no controller would make it anew"
    if not empty_dirs and any(volume.has("emptyDir") for volume in pod.parts("spec", "volumes")):
        return "its emptyDir data would be lost; give empty_dirs to evict it all the same"
    return ""


def _answer(cordoned: ChangeResult, progress: Progress, dry_run: bool) -> ChangeResult:
    """The cordon's answer, with what became of the pods."""
    moved = progress.total_count if dry_run else progress.gone_count
    blocked = {name: why for name, why in progress.left.items() if why or not dry_run}
    said = f"{counted(progress.total_count, 'pod')} to move, {moved - len(blocked) * dry_run} "
    said += "may go" if dry_run else "gone"
    warnings = [f"{name} stays: {why}" for name, why in progress.stays.items() if why != "daemon"]
    warnings += [f"{name} is still there: {why or 'it is ending'}" for name, why in blocked.items()]
    if not dry_run and progress.gone_count:
        warnings.append("uncordon_node opens the node again; pods do not come back by themselves")
    return replace(
        cordoned,
        changed=cordoned.changed or bool(progress.total_count),
        summary=f"{'Dry run, nothing changed: ' if dry_run else ''}{cordoned.target}: cordoned, {said}",
        before={**cordoned.before, "pods to move": str(progress.total_count)},
        after={**cordoned.after, "pods to move": str(len(blocked))},
        warnings=(*cordoned.warnings, *warnings[:MAX_NAMED]),
    )
