"""Looking around for one incident: the collectors, all at once, within a budget."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from domain.alert import Target
from domain.clock import Clock
from domain.cluster import PodState
from domain.errors import LoopError
from domain.evidence import Observation
from evidence import describe
from evidence.cluster_reader import WORKLOAD_KINDS, ClusterReader
from evidence.locate import locate

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

    async def gather(self, target: Target) -> Gathering:
        """Look at the target and what surrounds it; partial results when the budget is used up."""
        started_s = self._clock.monotonic_s()
        basket = _Basket(at=self._clock.now())
        try:
            async with asyncio.timeout(self._budget_s):
                target = await self._look(target, basket)
        except TimeoutError:
            basket.gaps.append(f"looking around was cut off after {self._budget_s:g} s")
        return Gathering(
            target=target,
            observations=tuple(basket.observations),
            gaps=tuple(basket.gaps),
            took_s=self._clock.monotonic_s() - started_s,
        )

    async def _look(self, target: Target, basket: _Basket) -> Target:
        try:
            target = await locate(self._reader, target)
        except LoopError as error:
            basket.gaps.append(f"finding the workload of {target}: {error}")
        async with asyncio.TaskGroup() as looks:
            looks.create_task(basket.attempt("nodes", self._nodes(basket.at)))
            if target.kind in WORKLOAD_KINDS:
                looks.create_task(basket.attempt(f"{target}", self._workload(target, basket.at)))
                looks.create_task(self._pods(target, basket))
            if target.known:
                looks.create_task(basket.attempt(f"events of {target}", self._events(target, basket.at)))
        return target

    async def _workload(self, target: Target, at: datetime) -> list[Observation]:
        return [describe.of_workload(await self._reader.workload(target), at=at)]

    async def _nodes(self, at: datetime) -> list[Observation]:
        return [describe.of_node(node, at=at) for node in await self._reader.nodes()]

    async def _events(self, target: Target, at: datetime) -> list[Observation]:
        return [describe.of_event(event, at=at) for event in await self._reader.events(target)]

    async def _pods(self, target: Target, basket: _Basket) -> None:
        try:
            pods = await self._reader.pods(target)
        except LoopError as error:
            basket.gaps.append(f"pods of {target}: {error}")
            return
        basket.observations.extend(describe.of_pod(pod, at=basket.at) for pod in pods)
        unwell = [pod for pod in pods if not pod.ready][:PODS_LOOKED_INTO_COUNT]
        async with asyncio.TaskGroup() as looks:
            for pod in unwell:
                looks.create_task(
                    basket.attempt(f"events of {pod.target}", self._events(pod.target, basket.at))
                )
                looks.create_task(basket.attempt(f"logs of {pod.target}", self._logs(pod, basket.at)))

    async def _logs(self, pod: PodState, at: datetime) -> list[Observation]:
        seen = []
        for container in pod.containers:
            if container.restart_count or container.state == "running":
                tail = await self._reader.log(
                    pod.target,
                    container.name,
                    previous=container.restart_count > 0,
                    lines_count=self._log_lines_count,
                )
                seen.append(describe.of_log(tail, at=at))
        return seen
