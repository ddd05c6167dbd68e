"""An alert that comes while its incident is closing still gets somebody to look at it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.alert import Delivery
from domain.decision import Decision, DecisionKind
from domain.incident import Incident, IncidentState, Station
from flow import IncidentFlow
from journal.queue import Wake, WorkQueue
from journal.sqlite import SqliteJournal
from receive.triage import Triage
from report.closing import close
from tests.fakes import START, FakeClock
from tests.receive.bodies import alert, body
from worker import Worker

PATIENCE_S = 5.0
LATE = alert(fingerprint="f2", startsAt="2026-11-20T12:30:00Z")


class Desk:
    """A worker with its journal, and the hands to file alerts."""

    def __init__(self, journal: SqliteJournal) -> None:
        clock = FakeClock()
        self.journal = journal
        self.queue = WorkQueue(10)
        self.triage = Triage(journal, clock=clock)
        self.worker = Worker(self.queue, journal, self.triage, clock, concurrency_count=1)

    async def file(self, delivery_id: str, **said: object) -> tuple[str, ...]:
        """File one alert; the incidents that it touched."""
        delivery = Delivery(
            id=delivery_id, source="alertmanager", body=body({**alert(), **said}), received_at=START
        )
        await self.journal.keep_delivery(delivery)
        return (await self.triage.file(delivery)).touched

    async def decided(self, kind: DecisionKind) -> Incident:
        """An incident whose way leads to its report."""
        (incident_id,) = await self.file("dlv-1")
        incident = await self.journal.load(incident_id)
        incident.decisions.append(Decision(kind=kind, analyst="rules", reasons=("seen",)))
        incident.next = Station.REPORT
        return incident


class Seen(IncidentFlow):
    """A flow that only says where the incident would be entered."""

    def __init__(self) -> None:
        self.entered_at: asyncio.Future[Station] = asyncio.get_running_loop().create_future()

    async def run_async(self, shared: Incident) -> None:
        self.entered_at.set_result(shared.next)


class Overtaking(SqliteJournal):
    """Another delivery is filed between the last look at the alerts and the saving of the closed incident."""

    desk: Desk

    async def save(self, incident: Incident, *, alerts_count: int | None = None) -> None:
        if incident.closed:
            await self.desk.file("dlv-2", **LATE)
        await super().save(incident, alerts_count=alerts_count)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with SqliteJournal(tmp_path / "journal.db", clock=FakeClock()) as journal:
        yield Desk(journal)


async def test_before_the_report_the_way_begins_again(desk: Desk) -> None:
    incident = await desk.decided(DecisionKind.RESOLVED)
    await desk.file("dlv-2", **LATE)
    await desk.worker.checkpoint(incident)
    assert (incident.state, incident.next) == (IncidentState.OPEN, Station.RECEIVE)
    assert incident.timeline[-1].event == "incident_reopened"


async def test_after_a_restart_the_way_begins_again_as_well(desk: Desk) -> None:
    incident = await desk.decided(DecisionKind.RESOLVED)
    await desk.journal.save(incident)
    await desk.file("dlv-2", **LATE)
    flow = Seen()
    desk.worker.use(lambda incident: flow)
    desk.queue.offer(Wake(incident_id=incident.id))
    task = asyncio.create_task(desk.worker.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await flow.entered_at is Station.RECEIVE
    finally:
        await desk.worker.stop(task, within_s=1)


async def test_after_the_report_the_incident_is_open_again(desk: Desk) -> None:
    incident = await desk.decided(DecisionKind.RESOLVED)
    incident.next = Station.END
    close(incident, at=START)
    await desk.file("dlv-2", **LATE)
    await desk.worker.checkpoint(incident)
    saved = await desk.journal.load(incident.id)
    assert (saved.state, saved.next, saved.resolution) == (IncidentState.OPEN, Station.RECEIVE, None)
    assert {one.fingerprint for one in saved.alerts} == {"f1", "f2"}


async def test_an_alert_filed_at_the_very_moment_of_closing_is_not_missed(tmp_path: Path) -> None:
    async with Overtaking(tmp_path / "journal.db", clock=FakeClock()) as journal:
        desk = journal.desk = Desk(journal)
        incident = await desk.decided(DecisionKind.RESOLVED)
        incident.next = Station.END
        close(incident, at=START)
        await desk.worker.checkpoint(incident)
        assert (await journal.load(incident.id)).next is Station.RECEIVE


async def test_what_a_person_is_called_for_anyway_goes_on_to_its_report(desk: Desk) -> None:
    incident = await desk.decided(DecisionKind.NEEDS_MANUAL_INTERVENTION)
    await desk.file("dlv-2", **LATE)
    await desk.worker.checkpoint(incident)
    assert incident.next is Station.REPORT
    assert len(incident.alerts) == 2


@pytest.mark.parametrize("late", [{**LATE, "status": "resolved"}, {}])
async def test_an_end_or_a_repeat_reopens_nothing(desk: Desk, late: dict[str, object]) -> None:
    incident = await desk.decided(DecisionKind.RESOLVED)
    await desk.file("dlv-2", **late)
    await desk.worker.checkpoint(incident)
    assert incident.next is Station.REPORT
