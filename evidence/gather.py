"""Looking around for one incident: the collectors, all at once, within a budget."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.alert import Target
from domain.clock import Clock
from domain.cluster import EventSummary, PodState, ServiceState
from domain.errors import LoopError
from domain.evidence import Observation
from evidence import describe
from evidence.cluster_reader import WORKLOAD_KINDS, ClusterReader
from evidence.locate import locate
from evidence.surroundings import Surroundings

NEIGHBOURS_COUNT = 2  # looked into besides the target
# Normal events that explain something; the others say that pods are made, placed and started.
TELLING = frozenset(
    {"ScalingReplicaSet", "SuccessfulRescale", "Killing", "Preempted", "TaintManagerEviction"}
)
EVENTS_KEPT_COUNT = 60
PODS_LOOKED_INTO_COUNT = 3  # pods of one workload fail alike; three show whether they do


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What a look around brought. `gaps` says in words what could not be seen and why."""

    target: Target
    observations: tuple[Observation, ...]
    gaps: tuple[str, ...]
    took_s: float


@dataclass(slots=True)
class _Basket:
    """Where the parallel looks of one gathering put what they find."""

    at: datetime
    observations: list[Observation] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def neighbours(self, target: Target) -> list[Target]:
        """Workloads behind services of the namespace that have no ready endpoint: they may be the cause."""
        found = []
        for seen in self.observations:
            if isinstance(seen.fact, ServiceState) and not seen.fact.ready_endpoints:
                for owner in seen.fact.owners:
                    kind, _, name = owner.partition("/")
                    found.append(replace(target, kind=kind, name=name))
        return [workload for workload in dict.fromkeys(found) if workload != target]

    async def attempt(self, what: str, look: Awaitable[Iterable[Observation]]) -> None:
        """Run one look; a failure becomes a gap and spoils no other look."""
        try:
            self.observations.extend(await look)
        except LoopError as error:
            self.gaps.append(f"{what}: {error}")


class Gatherer:
    """Collects the facts around a target through the reading tools."""

    def __init__(self, reader: ClusterReader, clock: Clock, *, budget_s: float, log_lines_count: int) -> None:
        self._reader = reader
        self._clock = clock
        self._budget_s = budget_s
        self._log_lines_count = log_lines_count

    async def gather(self, target: Target, labels: Mapping[str, str]) -> Gathering:
        """Look at the target and what surrounds it; partial results when the budget is used up.

        `labels` are those of the alert; they help to find the workload where the target is none.
        """
        started_s = self._clock.monotonic_s()
        basket = _Basket(at=self._clock.now())
        try:
            async with asyncio.timeout(self._budget_s):
                target = await self._look(target, labels, basket)
        except TimeoutError:
            basket.gaps.append(f"looking around was cut off after {self._budget_s:g} s")
        return Gathering(
            target=target,
            observations=tuple(basket.observations),
            gaps=tuple(basket.gaps),
            took_s=self._clock.monotonic_s() - started_s,
        )

    async def _look(self, named: Target, labels: Mapping[str, str], basket: _Basket) -> Target:
        target = named
        try:
            target = await locate(self._reader, target, labels)
        except LoopError as error:
            basket.gaps.append(f"finding the workload of {target}: {error}")
        async with asyncio.TaskGroup() as looks:
            looks.create_task(basket.attempt("nodes", self._nodes(basket.at)))
            if target.namespace:
                events = self._events(target, basket.at, named=named)
                looks.create_task(basket.attempt(f"events in {target.namespace}", events))
                surroundings = Surroundings(self._reader, target, basket.at)
                for what, look in surroundings.looks().items():
                    looks.create_task(basket.attempt(f"{what} in {target.namespace}", look))
            elif target.known:
                looks.create_task(basket.attempt(f"events of {target}", self._events_of(target, basket.at)))
            if target.kind in WORKLOAD_KINDS:
                looks.create_task(basket.attempt(f"{target}", self._workload(target, basket.at)))
                looks.create_task(self._pods(target, basket))
        async with asyncio.TaskGroup() as looks:
            for neighbour in basket.neighbours(target)[:NEIGHBOURS_COUNT]:
                looks.create_task(basket.attempt(f"{neighbour}", self._workload(neighbour, basket.at)))
                looks.create_task(
                    basket.attempt(f"events of {neighbour}", self._events(neighbour, basket.at))
                )
                looks.create_task(self._pods(neighbour, basket))
        return target

    async def _workload(self, target: Target, at: datetime) -> list[Observation]:
        return [describe.of_workload(await self._reader.workload(target), at=at)]

    async def _nodes(self, at: datetime) -> list[Observation]:
        return [describe.of_node(node, at=at) for node in await self._reader.nodes()]

    async def _events(
        self, target: Target, at: datetime, *, named: Target | None = None
    ) -> list[Observation]:
        """Events of what the alert named, of the target, and of what bears its name: replica sets, pods."""
        events = await self._reader.events_in(target.namespace)
        concerned = [
            event for event in events
            if tells(event) and (bears_name(event.about, target) or event.about == named)
        ]  # fmt: skip
        return [describe.of_event(event, at=at) for event in concerned[:EVENTS_KEPT_COUNT]]

    async def _events_of(self, target: Target, at: datetime) -> list[Observation]:
        return [describe.of_event(event, at=at) for event in await self._reader.events(target)]

    async def _pods(self, target: Target, basket: _Basket) -> None:
        try:
            pods = await self._reader.pods(target)
        except LoopError as error:
            basket.gaps.append(f"pods of {target}: {error}")
            return
        unwell = [pod for pod in pods if not pod.ready][:PODS_LOOKED_INTO_COUNT]
        described = {pod.target for pod in unwell}
        basket.observations.extend(
            describe.of_pod(p, at=basket.at) for p in pods if p.target not in described
        )
        async with asyncio.TaskGroup() as looks:
            for pod in unwell:
                looks.create_task(basket.attempt(f"{pod.target}", self._pod(pod, basket.at)))
            for pod in unwell or pods[:1]:
                looks.create_task(basket.attempt(f"logs of {pod.target}", self._logs(pod, basket.at)))

    async def _pod(self, pod: PodState, at: datetime) -> list[Observation]:
        """With probes, ports, volumes and conditions, which a list leaves out."""
        return [describe.of_pod(await self._reader.pod(pod.target), at=at)]

    async def _logs(self, pod: PodState, at: datetime) -> list[Observation]:
        seen = []
        for container in pod.containers:
            runs = [True] if container.restart_count else []
            runs += [False] if container.state == "running" else []
            for previous in runs:
                tail = await self._reader.log(
                    pod.target, container.name, previous=previous, lines_count=self._log_lines_count
                )
                seen.append(describe.of_log(tail, at=at))
        return seen


def tells(event: EventSummary) -> bool:
    """Whether an event says more than that things take their usual way."""
    return event.type == "Warning" or event.reason in TELLING


def bears_name(about: Target, target: Target) -> bool:
    """Whether an object is the target or named after it, as its replica sets, pods and claims are."""
    if about.namespace != target.namespace:
        return False
    return (
        about.name == target.name
        or about.name.startswith(f"{target.name}-")
        or f"-{target.name}-" in about.name
    )
