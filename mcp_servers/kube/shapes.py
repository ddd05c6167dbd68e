"""The shapes that reading tools answer with: facts under `items`, each tagged by its `fact`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field

from domain.cluster import (
    ClaimState,
    ConfigState,
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
from mcp_servers.toolkit import Envelope

T = TypeVar("T")


def paged(found: Sequence[T], page: int, limit: int) -> tuple[tuple[T, ...], bool]:
    """One page of what was found, and whether more follows."""
    end = page * limit
    return tuple(found[end - limit : end]), len(found) > end


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadList(Envelope):
    """Workloads; `truncated` when there were more than the limit."""

    items: tuple[WorkloadState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodList(Envelope):
    """Pods; `truncated` when there were more than the limit."""

    items: tuple[PodState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodDescription(Envelope):
    """One pod, then its events, newest first."""

    items: tuple[Annotated[PodState | EventSummary, Field(discriminator="fact")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventList(Envelope):
    """Merged events, newest first; `truncated` when there were more than the limit."""

    items: tuple[EventSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeList(Envelope):
    """Nodes; `truncated` when there were more than the limit."""

    items: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogList(Envelope):
    """The end of one container's log; `truncated` when it was cut."""

    items: tuple[LogTail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDescription(Envelope):
    """One node, then the pods on it, those that ask for most memory first."""

    items: tuple[Annotated[NodeState | PodState, Field(discriminator="fact")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceList(Envelope):
    """Services held against their pods."""

    items: tuple[ServiceState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyList(Envelope):
    """Network policies in words."""

    items: tuple[PolicyState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimList(Envelope):
    """Volume claims with their volumes and storage classes."""

    items: tuple[ClaimState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigList(Envelope):
    """ConfigMaps and Secrets."""

    items: tuple[ConfigState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaList(Envelope):
    """Resource quotas, then limit ranges."""

    items: tuple[Annotated[QuotaState | LimitRangeState, Field(discriminator="fact")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDiff(Envelope):
    """What changed between two revisions of a workload's pod template, in short sentences."""

    workload: str
    from_revision: int
    to_revision: int
    changes: tuple[str, ...]
    from_images: tuple[str, ...] = ()
    to_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectText:
    """One object of any kind."""

    kind: str
    namespace: str
    name: str
    text: str = ""  # JSON, only where one object was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What a container or a node uses now, beside what it may use at most."""

    name: str
    cpu_cores: float
    memory_bytes: int
    container: str = ""
    cpu_limit_cores: float | None = None
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectList(Envelope):
    """Objects of any kind: one in full as JSON text without credentials, or many by name."""

    items: tuple[ObjectText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageList(Envelope):
    """What pods or nodes use now, most memory first."""

    items: tuple[UsageRow, ...]
