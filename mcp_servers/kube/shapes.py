"""The shapes that reading tools answer with: facts under `items`, each tagged by its `fact`."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from domain.cluster import EventSummary, LogTail, NodeState, PodState, WorkloadState


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadList:
    """Workloads; `truncated` when there were more than the limit."""

    items: tuple[WorkloadState, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodList:
    """Pods; `truncated` when there were more than the limit."""

    items: tuple[PodState, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodDescription:
    """One pod, then its events, newest first."""

    items: tuple[Annotated[PodState | EventSummary, Field(discriminator="fact")], ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventList:
    """Merged events, newest first; `truncated` when there were more than the limit."""

    items: tuple[EventSummary, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeList:
    """Nodes; `truncated` when there were more than the limit."""

    items: tuple[NodeState, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogList:
    """The end of one container's log; `truncated` when it was cut."""

    items: tuple[LogTail, ...]
    truncated: bool = False
