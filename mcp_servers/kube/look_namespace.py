"""Reading tools on what a namespace's pods build on: configuration, claims, quotas."""

from typing import Annotated

from pydantic import Field

from domain.alert import Target
from domain.cluster import ConfigState
from domain.errors import BadInput
from mcp_servers.kube.api_errors import NotFound
from mcp_servers.kube.claims import claim_state
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.finding import find
from mcp_servers.kube.parameters import Grep, Name, Namespace
from mcp_servers.kube.quotas import limit_range_state, quota_state
from mcp_servers.kube.rights import to_look_at
from mcp_servers.kube.secrecy import shown_text
from mcp_servers.kube.shapes import ClaimList, ConfigList, QuotaList
from mcp_servers.kube.telling_more import tell_claims, tell_config, tell_quotas
from mcp_servers.toolkit import ToolDef

MAX_OTHERS = 1000  # volumes and pods that a claim is held against
MAX_VALUE_LENGTH = 8_000  # of one ConfigMap value; grep finds lines in longer ones

ConfigKind = Annotated[str, Field(pattern="^(ConfigMap|Secret)$", description="ConfigMap or Secret.")]


class NamespaceLooks:
    """get_config, get_quota and describe_volume_claim."""

    def __init__(self, api: ClusterApi) -> None:
        self._api = api

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(
                self.get_config, ConfigList, tell_config, read_only=True, rest="give grep",
                rights=to_look_at("ConfigMap", "Secret"),
            ),
            ToolDef(
                self.get_quota, QuotaList, tell_quotas, read_only=True,
                rights=to_look_at("ResourceQuota", "LimitRange"),
            ),
            ToolDef(
                self.describe_volume_claim, ClaimList, tell_claims, read_only=True,
                rights=to_look_at("PersistentVolumeClaim", "PersistentVolume", "StorageClass", "Pod"),
            ),
        ]  # fmt: skip

    async def get_config(
        self, namespace: Namespace, name: Name, kind: ConfigKind = "ConfigMap", grep: Grep = ""
    ) -> ConfigList:
        """A ConfigMap's values, or a Secret's keys and never its values."""
        if kind == "Secret" and grep:
            raise BadInput("grep would look into a Secret's values; ask for its keys alone", field="grep")
        found = await find(self._api, kind, namespace, name)
        return ConfigList(items=(config_state(found, grep),))

    async def get_quota(self, namespace: Namespace) -> QuotaList:
        """Quotas with what is used and used up, and limit ranges with what pods get by default."""
        quotas = await self._api.list("ResourceQuota", namespace)
        ranges = await self._api.list("LimitRange", namespace)
        return QuotaList(items=(*map(quota_state, quotas.items), *map(limit_range_state, ranges.items)))

    async def describe_volume_claim(self, namespace: Namespace, name: Name) -> ClaimList:
        """One claim with its volume, storage class and users, and why it is not bound."""
        claim = await find(self._api, "PersistentVolumeClaim", namespace, name)
        volume = await self._maybe("PersistentVolume", claim.text("spec", "volumeName"))
        storage_class = await self._maybe("StorageClass", claim.text("spec", "storageClassName"))
        bound = claim.text("status", "phase") == "Bound"
        volumes = () if bound else (await self._api.list("PersistentVolume", limit=MAX_OTHERS)).items
        pods = await self._api.list("Pod", namespace, limit=MAX_OTHERS)
        state = claim_state(claim, volume, storage_class, volumes, pods.items)
        return ClaimList(items=(state,), truncated=pods.truncated)

    async def _maybe(self, kind: str, name: str) -> Doc | None:
        """A cluster-wide object, None where there is none of that name."""
        if not name:
            return None
        try:
            return await self._api.get(kind, "", name)
        except NotFound:
            return None


def config_state(found: Doc, grep: str = "") -> ConfigState:
    """Keys, and of a ConfigMap the values, masked where they look like credentials."""
    data, binary = found.texts("data"), found.texts("binaryData")
    values = {} if found.kind == "Secret" else {key: _value(key, data[key], grep) for key in data}
    return ConfigState(
        target=Target(kind=found.kind, namespace=found.namespace, name=found.name),
        keys=tuple(sorted(data.keys() | binary.keys())),
        values={key: value for key, value in values.items() if value or not grep},
        immutable=found.flag("immutable"),
    )


def _value(key: str, value: str, grep: str) -> str:
    words = [word.casefold() for word in grep.split("|") if word]
    masked = shown_text(key, value)
    if words:
        masked = "\n".join(
            line for line in masked.splitlines() if any(word in line.casefold() for word in words)
        )
    return masked if len(masked) <= MAX_VALUE_LENGTH else f"{masked[:MAX_VALUE_LENGTH]} …"
