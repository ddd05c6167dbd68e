"""Changing tools on one container of a workload's pod template: image, requests and limits."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import BadInput
from domain.tools import ToolCall
from mcp_servers.kube.applying import Change, apply
from mcp_servers.kube.change_workloads import paused_warning
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import pick_container
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.parameters import Container, DryRun, Key, Kind, Name, Namespace
from mcp_servers.kube.rights import to_change
from mcp_servers.toolkit import ToolDef
from utils.quantity import parse_quantity

NONE = "none"
CONTAINERS = "/spec/template/spec/containers"
SIDES = {"limit": "limits", "request": "requests"}  # memory_limit is resources.limits.memory

Image = Annotated[str, Field(min_length=1, description="Image with its tag or digest.")]
Quantity = Annotated[
    str, Field(description="Kubernetes quantity such as 512Mi or 250m; 'none' removes it; empty leaves it.")
]

RIGHTS = to_change(*WORKLOADS)


class ContainerChanges:
    """set_image and set_resources."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        functions = (self.set_image, self.set_resources)
        return [change_tool(function, rights=RIGHTS) for function in functions]

    async def set_image(
        self,
        namespace: Namespace,
        kind: Kind,
        name: Name,
        image: Image,
        key: Key,
        container: Container = "",
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set the image of one container."""

        async def plan(workload: Doc) -> Change:
            place, found = container_of(workload, container)
            chosen, before = found.text("name"), found.text("image")
            back = {"namespace": namespace, "kind": kind, "name": name, "container": chosen, "image": before}
            return Change(
                ops=({"op": "replace", "path": f"{CONTAINERS}/{place}/image", "value": image},),
                before={f"image {chosen}": before},
                after={f"image {chosen}": image},
                undo=ToolCall(tool="set_image", arguments=back),
                warnings=paused_warning(workload),
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)

    async def set_resources(
        self,
        namespace: Namespace,
        kind: Kind,
        name: Name,
        key: Key,
        container: Container = "",
        memory_limit: Quantity = "",
        memory_request: Quantity = "",
        cpu_limit: Quantity = "",
        cpu_request: Quantity = "",
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set memory and CPU limits and requests of one container; what is left out stays."""
        asked = _asked(
            memory_limit=memory_limit,
            memory_request=memory_request,
            cpu_limit=cpu_limit,
            cpu_request=cpu_request,
        )

        async def plan(workload: Doc) -> Change:
            place, found = container_of(workload, container)
            before = {part: _present(found, part) for part in asked}
            after = {part: _settled(value, before[part]) for part, value in asked.items()}
            back = {"namespace": namespace, "kind": kind, "name": name, "container": found.text("name")}
            value = _resources(found, after)
            return Change(
                ops=({"op": "add", "path": f"{CONTAINERS}/{place}/resources", "value": value},),
                before=before,
                after=after,
                undo=ToolCall(tool="set_resources", arguments=back | before),
                warnings=paused_warning(workload),
            )

        return await apply(self._api, _target(namespace, kind, name), plan, key=key, dry_run=dry_run)


def _target(namespace: str, kind: str, name: str) -> Target:
    return Target(kind=kind, namespace=namespace, name=name)


def container_of(workload: Doc, asked: str) -> tuple[int, Doc]:
    """Place and object of the container in the pod template."""
    found = workload.parts("spec", "template", "spec", "containers")
    names = [container.text("name") for container in found]
    place = names.index(pick_container(str(workload.target), names, asked))
    return place, found[place]


def _asked(**values: str) -> dict[str, str]:
    """The quantities that were given. Raises BadInput for none, and for what is no quantity."""
    asked = {part: value for part, value in values.items() if value}
    if not asked:
        raise BadInput(f"Give at least one of {', '.join(values)}.", field="memory_limit")
    for part, value in asked.items():
        if value != NONE and parse_quantity(value) <= 0:
            raise BadInput(f"{part} must be more than zero; use 'none' to remove it.", field=part)
    return asked


def _place(part: str) -> tuple[str, str]:
    resource, side = part.split("_")
    return SIDES[side], resource


def _present(container: Doc, part: str) -> str:
    return container.text("resources", *_place(part)) or NONE


def _settled(asked: str, present: str) -> str:
    """The value to set; the present spelling where the amount is the same (1Gi, 1024Mi)."""
    if NONE in (asked, present):
        return asked
    return present if parse_quantity(asked) == parse_quantity(present) else asked


def _resources(container: Doc, after: Mapping[str, str]) -> dict[str, object]:
    """The container's whole `resources`, with the new amounts in place."""
    resources: dict[str, object] = dict(container.part("resources").raw)
    for part, value in after.items():
        side, resource = _place(part)
        amounts = Doc(resources).texts(side)
        amounts.pop(resource, None)
        resources[side] = amounts if value == NONE else amounts | {resource: value}
    return resources
