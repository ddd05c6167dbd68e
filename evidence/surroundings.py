"""What stands around a target in its namespace: services, claims, policies, quotas. One look a kind."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from domain.alert import Target
from domain.errors import LoopError
from domain.evidence import Observation
from evidence import describe
from evidence.cluster_reader import ClusterReader

SERVICES_COUNT = 20  # of one namespace that are held against their pods
CLAIMS_COUNT = 5

T = TypeVar("T")
Look = Coroutine[object, object, Iterable[Observation]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The looks around one target; each may fail without harm to the others."""

    reader: ClusterReader
    target: Target
    at: datetime

    def looks(self) -> Mapping[str, Look]:
        """What to look at, by what to call it when it cannot be seen."""
        return {"services": self._services(), "quotas": self._quotas(), "claims": self._claims()}

    async def _services(self) -> list[Observation]:
        """Services that lead to the target, are the target, or lead nowhere at all."""
        names = (await self.reader.names("Service", self.target.namespace))[:SERVICES_COUNT]
        place = [Target(kind="Service", namespace=self.target.namespace, name=name) for name in names]
        states = await those_seen([self.reader.service(service) for service in place])
        own = f"{self.target.kind}/{self.target.name}"
        concerned = [
            state for state in states
            if own in state.owners or state.target.name == self.target.name or state.mismatches
        ]  # fmt: skip
        return [describe.of_service(state, at=self.at) for state in concerned]

    async def _quotas(self) -> list[Observation]:
        found = await self.reader.quotas(self.target.namespace)
        return [describe.of_quota(state, at=self.at) for state in found]

    async def _claims(self) -> list[Observation]:
        """The namespace's claims, or the target itself when it is one."""
        if self.target.kind == "PersistentVolumeClaim":
            return [describe.of_claim(await self.reader.claim(self.target), at=self.at)]
        names = (await self.reader.names("PersistentVolumeClaim", self.target.namespace))[:CLAIMS_COUNT]
        place = [
            Target(kind="PersistentVolumeClaim", namespace=self.target.namespace, name=name) for name in names
        ]
        states = await those_seen([self.reader.claim(claim) for claim in place])
        return [describe.of_claim(state, at=self.at) for state in states]


async def those_seen(looks: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """What could be seen of several things; one that is gone meanwhile does not cost the others.

    Raises the first LoopError when nothing at all could be seen.
    """
    answers = await asyncio.gather(*looks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, LoopError):
            raise answer
    failed = [answer for answer in answers if isinstance(answer, LoopError)]
    if failed and len(failed) == len(answers):
        raise failed[0]
    return [answer for answer in answers if not isinstance(answer, BaseException)]
