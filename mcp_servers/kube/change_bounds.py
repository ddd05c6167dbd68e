"""Changing tools on what bounds a workload: its autoscaler's counts, its claim's size."""

from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import BadInput, Permanent
from domain.tools import ToolCall
from mcp_servers.kube.api_errors import NotFound
from mcp_servers.kube.applying import Change, apply
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.parameters import DryRun, Key, Name, Namespace
from mcp_servers.kube.rights import to_change, to_look_at
from mcp_servers.toolkit import ToolDef
from utils.quantity import parse_quantity

SIZE = ("spec", "resources", "requests", "storage")
NO_WAY_BACK = "a claim cannot be made smaller again: there is no way back"

Bound = Annotated[int | None, Field(ge=1, le=10_000, description="Left out: as it is.")]
Size = Annotated[str, Field(min_length=1, description="The whole new size, such as 20Gi.")]


class BoundChanges:
    """set_autoscaler_bounds and expand_volume_claim."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        claim = (*to_change("PersistentVolumeClaim"), *to_look_at("StorageClass"))
        return [
            change_tool(self.set_autoscaler_bounds, rights=to_change("HorizontalPodAutoscaler")),
            change_tool(self.expand_volume_claim, rights=claim),
        ]

    async def set_autoscaler_bounds(
        self,
        namespace: Namespace,
        name: Name,
        key: Key,
        min_replicas: Bound = None,
        max_replicas: Bound = None,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set how few and how many pods an autoscaler may choose; `name` is the autoscaler's."""
        if min_replicas is None and max_replicas is None:
            raise BadInput("Give min_replicas, max_replicas or both.", field="max_replicas")
        asked = {"min_replicas": min_replicas, "max_replicas": max_replicas}

        async def plan(scaler: Doc) -> Change:
            least = scaler.maybe_number("spec", "minReplicas")
            present = {
                "min_replicas": 1 if least is None else least,
                "max_replicas": scaler.number("spec", "maxReplicas"),
            }
            after = present | {part: count for part, count in asked.items() if count is not None}
            if after["min_replicas"] > after["max_replicas"]:
                raise BadInput(f"min_replicas would be above max_replicas: {after}", field="min_replicas")
            return Change(
                ops=(
                    {"op": "add", "path": "/spec/minReplicas", "value": after["min_replicas"]},
                    {"op": "add", "path": "/spec/maxReplicas", "value": after["max_replicas"]},
                ),
                before={part: str(count) for part, count in present.items()},
                after={part: str(count) for part, count in after.items()},
                undo=ToolCall(
                    tool="set_autoscaler_bounds", arguments={"namespace": namespace, "name": name, **present}
                ),
            )

        target = Target(kind="HorizontalPodAutoscaler", namespace=namespace, name=name)
        return await apply(self._api, target, plan, key=key, dry_run=dry_run)

    async def expand_volume_claim(
        self, namespace: Namespace, name: Name, size: Size, key: Key, dry_run: DryRun = False
    ) -> ChangeResult:
        """Ask for a larger volume, where the storage class lets claims grow. There is no way back."""
        asked = parse_quantity(size)

        async def plan(claim: Doc) -> Change:
            present = claim.text(*SIZE)
            if asked < parse_quantity(present):
                raise BadInput(f"a claim cannot shrink: it asks for {present} now", field="size")
            await self._check_can_grow(claim)
            return Change(
                ops=({"op": "replace", "path": f"/{'/'.join(SIZE)}", "value": size},),
                before={"size": present},
                after={"size": size},
                warnings=(NO_WAY_BACK,),
                same=asked == parse_quantity(present),
            )

        target = Target(kind="PersistentVolumeClaim", namespace=namespace, name=name)
        return await apply(self._api, target, plan, key=key, dry_run=dry_run)

    async def _check_can_grow(self, claim: Doc) -> None:
        """Raises Permanent where the storage class does not let claims grow, or there is none."""
        class_name = claim.text("spec", "storageClassName")
        try:
            found = await self._api.get("StorageClass", "", class_name) if class_name else Doc({})
        except NotFound:
            found = Doc({})
        if not found.flag("allowVolumeExpansion"):
            raise Permanent(f"The storage class {class_name or '(none)'} does not let claims grow.")
