"""A worker with its journal and triage; the stations are played by the test."""

import asyncio
from collections.abc import Callable

from domain.alert import Delivery
from domain.decision import Action, Decision, DecisionKind
from domain.incident import Incident, Station
from flow import IncidentFlow
from journal.queue import Wake, WorkQueue
from journal.sqlite import SqliteJournal
from receive.triage import Triage
from tests.fakes import START, FakeClock
from tests.receive.bodies import alert, body
from worker import Worker

PATIENCE_S = 5.0


class PlayedFlow(IncidentFlow):
    """A function of the test in place of the nodes."""

    def __init__(self, play: Callable[[Incident], None]) -> None:
        self._play = play

    async def run_async(self, shared: Incident) -> None:
        self._play(shared)


class Desk:
    """Hands to file alerts, to put an incident at a station, and to have it run."""

    def __init__(self, journal: SqliteJournal) -> None:
        clock = FakeClock()
        self.journal = journal
        self.queue = WorkQueue(10)
        self.triage = Triage(journal, clock=clock)
        self.worker = Worker(self.queue, journal, self.triage, clock, concurrency_count=1)

    async def file(self, delivery_id: str, **said: object) -> tuple[str, ...]:
        """File one alert; the incidents that it touched."""
        raw = body({**alert(), **said})
        delivery = Delivery(id=delivery_id, source="alertmanager", body=raw, received_at=START)
        await self.journal.keep_delivery(delivery)
        return (await self.triage.file(delivery)).touched

    async def decided(self, kind: DecisionKind, action: Action | None = None) -> Incident:
        """An incident that Analyze has just left by `kind`."""
        (incident_id,) = await self.file("dlv-1")
        incident = await self.journal.load(incident_id)
        incident.decisions.append(Decision(kind=kind, analyst="rules", reasons=("seen",), action=action))
        incident.next = Station.EXECUTE if action else Station.REPORT
        return incident

    async def run(self, incident: Incident, *plays: Callable[[Incident], None]) -> None:
        """Save the incident and wake the worker; each run of it is one of `plays`, until all were played."""
        await self.journal.save(incident)
        waiting, played = list(plays), asyncio.Event()

        def play(incident: Incident) -> None:
            now = waiting.pop(0)
            if not waiting:
                played.set()
            now(incident)

        flow = PlayedFlow(play)
        self.worker.use(lambda incident: flow)
        self.queue.offer(Wake(incident_id=incident.id))
        task = asyncio.create_task(self.worker.run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await played.wait()
        finally:
            await self.worker.stop(task, within_s=1)
