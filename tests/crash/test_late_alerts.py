"""An alert that comes while its incident is closing still gets somebody to look at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.decision import DecisionKind
from domain.incident import Incident, IncidentState, Station
from journal.sqlite import SqliteJournal
from report.closing import close
from tests.crash.desk import Desk
from tests.fakes import START, FakeClock
from tests.receive.bodies import alert

LATE = alert(fingerprint="f2", startsAt="2026-11-20T12:30:00Z")


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
    await desk.file("dlv-2", **LATE)
    entered_at: list[Station] = []
    await desk.run(incident, lambda seen: entered_at.append(seen.next))
    assert entered_at == [Station.RECEIVE]


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
