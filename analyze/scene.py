"""An incident's evidence sorted by what it is, for rules to reason on. It holds facts, not conclusions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from domain.alert import Target
from domain.cluster import (
    ClaimState,
    ContainerState,
    EventSummary,
    LogTail,
    NodeState,
    PodState,
    QuotaState,
    Revision,
    ServiceState,
    WorkloadState,
)
from domain.incident import Incident

F = TypeVar(
    "F", WorkloadState, PodState, NodeState, EventSummary, LogTail, ServiceState, ClaimState, QuotaState
)


@dataclass(frozen=True, slots=True)
class Cited(Generic[F]):
    """A fact with the id of the evidence that holds it."""

    id: str
    fact: F
    text: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known now about one incident."""

    target: Target
    workloads: tuple[Cited[WorkloadState], ...]
    pods: tuple[Cited[PodState], ...]
    nodes: tuple[Cited[NodeState], ...]
    events: tuple[Cited[EventSummary], ...]
    logs: tuple[Cited[LogTail], ...]
    services: tuple[Cited[ServiceState], ...] = ()
    claims: tuple[Cited[ClaimState], ...] = ()
    quotas: tuple[Cited[QuotaState], ...] = ()

    @classmethod
    def of(cls, incident: Incident) -> "Scene":
        """The newest look at everything."""
        items = [(item.id, item.fact, item.text) for item in incident.current_evidence()]
        return cls(
            target=incident.target,
            workloads=_pick(WorkloadState, items),
            pods=_pick(PodState, items),
            nodes=_pick(NodeState, items),
            events=_pick(EventSummary, items),
            logs=_pick(LogTail, items),
            services=_pick(ServiceState, items),
            claims=_pick(ClaimState, items),
            quotas=_pick(QuotaState, items),
        )

    @property
    def workload(self) -> Cited[WorkloadState] | None:
        """The workload the incident is about, when it was seen."""
        return next((w for w in self.workloads if w.fact.target == self.target), None)

    def containers(self) -> Iterator[tuple[Cited[PodState], ContainerState]]:
        """Every container of every pod that is not on its way out."""
        for pod in self.pods:
            if not pod.fact.terminating:
                for container in pod.fact.containers:
                    yield pod, container

    def each_workload(self) -> Iterator["Scene"]:
        """The same scene seen from each workload in it: its own pods, and events and logs of what it made."""
        for workload in self.workloads:
            target = workload.fact.target
            pods = tuple(pod for pod in self.pods if pod.fact.owner in (None, target))
            yield replace(self, target=target, workloads=(workload,), pods=pods)

    def log_ids(self, pod: PodState) -> tuple[str, ...]:
        """Evidence ids of that pod's logs."""
        return tuple(log.id for log in self.logs if log.fact.pod == pod.target)


def current_revision(state: WorkloadState) -> Revision | None:
    """The revision that is being rolled out or runs."""
    return next((revision for revision in state.revisions if revision.current), None)


def earlier_revision(state: WorkloadState) -> Revision | None:
    """The newest revision before the current one; None when there is no way back."""
    current = current_revision(state)
    if current is None:
        return None
    older = [revision for revision in state.revisions if revision.number < current.number]
    return max(older, key=lambda revision: revision.number, default=None)


def runs_revision(pod: PodState, revision: Revision) -> bool:
    """Whether this pod was made by that revision."""
    return bool(pod.template_hash) and revision.name.endswith(pod.template_hash)


def unique(ids: Iterable[str]) -> tuple[str, ...]:
    """Evidence ids without doubles, in order."""
    return tuple(dict.fromkeys(ids))


def _pick(kind: type[F], items: Sequence[tuple[str, object, str]]) -> tuple[Cited[F], ...]:
    return tuple(Cited(id, fact, text) for id, fact, text in items if isinstance(fact, kind))
