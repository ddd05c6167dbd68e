"""Changing tools on configuration: one environment variable, one key of a ConfigMap."""

from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ChangeResult
from domain.errors import Permanent
from domain.tools import ToolCall
from mcp_servers.kube.allowed import check_unmasked
from mcp_servers.kube.applying import Change, Op, apply, escaped
from mcp_servers.kube.change_containers import CONTAINERS, container_of
from mcp_servers.kube.change_workloads import paused_warning
from mcp_servers.kube.changing import change_tool
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import WORKLOADS
from mcp_servers.kube.parameters import Container, DryRun, Key, Kind, Name, Namespace
from mcp_servers.kube.revisions import current_number, kept_revisions
from mcp_servers.kube.rights import to_change, to_look_at
from mcp_servers.kube.secrecy import is_secret, shown
from mcp_servers.toolkit import ToolDef

NONE = ""  # how a missing variable or key is told
NOT_READ_ANEW = (
    "pods read a ConfigMap when they start, unless they watch its file: restart_workload may be needed"
)

Variable = Annotated[str, Field(pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$", description="Name of the variable.")]
Value = Annotated[str | None, Field(max_length=100_000, description="The new value; null removes it.")]
ConfigKey = Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", description="Key in the ConfigMap's data.")]


class ConfigChanges:
    """set_env and set_config_key."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        history = to_look_at("ReplicaSet", "ControllerRevision")
        return [
            change_tool(self.set_env, rights=(*to_change(*WORKLOADS), *history)),
            change_tool(self.set_config_key, rights=to_change("ConfigMap")),
        ]

    async def set_env(
        self,
        namespace: Namespace,
        kind: Kind,
        name: Name,
        variable: Variable,
        value: Value,
        key: Key,
        container: Container = "",
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set or remove one environment variable of one container; its pods are replaced."""
        check_unmasked(value, "value")

        async def plan(workload: Doc) -> Change:
            place, found = container_of(workload, container)
            entries = found.parts("env")
            index = next((i for i, entry in enumerate(entries) if entry.text("name") == variable), None)
            present = entries[index] if index is not None else None
            title = f"env {variable} of {found.text('name')}"
            return Change(
                ops=_env_ops(f"{CONTAINERS}/{place}/env", found, index, variable, value),
                before={title: _told(variable, present)},
                after={title: _said(variable, value)},
                undo=await self._env_back(workload, found.text("name"), variable, present),
                warnings=paused_warning(workload),
                same=_is_so(present, value),
            )

        target = Target(kind=kind, namespace=namespace, name=name)
        return await apply(self._api, target, plan, key=key, dry_run=dry_run)

    async def _env_back(
        self, workload: Doc, container: str, variable: str, present: Doc | None
    ) -> ToolCall | None:
        """The old value where it may be told; else the revision that had it."""
        place = {"namespace": workload.namespace, "kind": workload.kind, "name": workload.name}
        if present is None or (
            not present.has("valueFrom") and not is_secret(variable, present.text("value"))
        ):
            old = present.text("value") if present else None
            back = {**place, "container": container, "variable": variable, "value": old}
            return ToolCall(tool="set_env", arguments=back)
        revision = current_number(workload, await kept_revisions(self._api, workload))
        return (
            ToolCall(tool="rollback_workload", arguments={**place, "to_revision": revision})
            if revision
            else None
        )

    async def set_config_key(
        self,
        namespace: Namespace,
        name: Name,
        config_key: ConfigKey,
        value: Value,
        key: Key,
        dry_run: DryRun = False,
    ) -> ChangeResult:
        """Set or remove one key of a ConfigMap."""
        check_unmasked(value, "value")

        async def plan(config: Doc) -> Change:
            data = config.texts("data")
            present = data.get(config_key)
            if present is not None and is_secret(config_key, present):
                raise Permanent(f"{config_key} looks like a credential; change it where it is kept.")
            back = {"namespace": namespace, "name": name, "config_key": config_key, "value": present}
            return Change(
                ops=_config_ops(config, config_key, value),
                before={config_key: _said(config_key, present)},
                after={config_key: _said(config_key, value)},
                undo=ToolCall(tool="set_config_key", arguments=back),
                warnings=(NOT_READ_ANEW,),
                same=present == value,
            )

        target = Target(kind="ConfigMap", namespace=namespace, name=name)
        return await apply(self._api, target, plan, key=key, dry_run=dry_run)


def _env_ops(
    path: str, container: Doc, index: int | None, variable: str, value: str | None
) -> tuple[Op, ...]:
    entry = {"name": variable, "value": value}
    if index is not None:
        place = f"{path}/{index}"
        return ({"op": "remove", "path": place},) if value is None else (
            {"op": "replace", "path": place, "value": entry},
        )  # fmt: skip
    if value is None:
        return ()
    if not container.parts("env"):
        return ({"op": "add", "path": path, "value": [entry]},)
    return ({"op": "add", "path": f"{path}/-", "value": entry},)


def _config_ops(config: Doc, key: str, value: str | None) -> tuple[Op, ...]:
    path = f"/data/{escaped(key)}"
    if value is None:
        return ({"op": "remove", "path": path},)
    if not config.has("data"):
        return ({"op": "add", "path": "/data", "value": {key: value}},)
    return ({"op": "add", "path": path, "value": value},)


def _is_so(present: Doc | None, value: str | None) -> bool:
    if present is None:
        return value is None
    return not present.has("valueFrom") and present.text("value") == value


def _told(variable: str, entry: Doc | None) -> str:
    if entry is not None and entry.has("valueFrom"):
        return f"from {', '.join(entry.part('valueFrom').raw)}"
    return _said(variable, entry.text("value") if entry else None)


def _said(name: str, value: str | None) -> str:
    return NONE if value is None else shown(name, value)
