"""Incidents go in and come out as they were; the timeline only grows."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from domain.attempt import OutcomeKind
from domain.errors import Permanent
from domain.incident import IncidentState, Station
from journal.codec import INCIDENT
from journal.port import NotWaiting
from journal.sqlite import SqliteJournal
from tests.fakes import START, FakeClock
from tests.journal import samples


async def test_an_incident_with_everything_filled_in_comes_back_equal(journal: SqliteJournal) -> None:
    whole = samples.full_incident()
    await journal.save(whole)
    assert await journal.load(whole.id) == whole


def test_a_large_incident_comes_back_with_all_its_evidence() -> None:
    large = samples.full_incident()
    large.evidence = large.evidence * 60  # 360 facts, near the bound
    assert INCIDENT.decode(INCIDENT.encode(large)).evidence == large.evidence


async def test_saving_again_adds_only_the_new_lines(journal: SqliteJournal) -> None:
    incident = samples.incident()
    incident.note(at=START, station=Station.RECEIVE, event="alert_received", text="first")
    await journal.save(incident)
    incident.timeline[0] = replace(incident.timeline[0], text="rewritten")
    incident.note(at=START, station=Station.ANALYZE, event="cause_found", text="second")
    await journal.save(incident)
    loaded = await journal.load(incident.id)
    assert [entry.text for entry in loaded.timeline] == ["first", "second"]


async def test_the_file_itself_refuses_to_change_the_timeline(journal: SqliteJournal, path: Path) -> None:
    await journal.save(samples.full_incident())
    with closing(sqlite3.connect(path)) as other:
        for change in ("UPDATE entries SET entry = '{}'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                other.execute(change)


async def test_an_unknown_id_is_answered_with_the_nearest_ones(journal: SqliteJournal) -> None:
    await journal.save(samples.incident("inc-20261120-1252-7f3a"))
    with pytest.raises(Permanent, match="inc-20261120-1252-7f3a"):
        await journal.load("inc-20261120-1252-7f3b")


async def test_an_unknown_id_in_an_empty_journal_says_so(journal: SqliteJournal) -> None:
    with pytest.raises(Permanent, match="no incidents yet"):
        await journal.load("inc-1")


async def test_two_live_incidents_of_one_group_are_refused(journal: SqliteJournal) -> None:
    await journal.save(samples.incident("inc-1"))
    with pytest.raises(Permanent, match="group_key"):
        await journal.save(samples.incident("inc-2"))


async def test_a_value_that_is_not_json_is_refused_before_anything_is_written(journal: SqliteJournal) -> None:
    incident = samples.incident()
    incident.note(at=START, station=Station.RECEIVE, event="alert_received", text="odd", odd=object())
    with pytest.raises(Permanent, match="cannot be journalled"):
        await journal.save(incident)
    assert await journal.incidents() == []


async def test_the_list_is_newest_first_and_can_be_filtered(journal: SqliteJournal) -> None:
    closed = samples.full_incident()
    await journal.save(closed)
    opened = samples.incident("inc-2")
    opened.opened_at = START.replace(hour=13)
    await journal.save(opened)
    assert [row.id for row in await journal.incidents()] == ["inc-2", "inc-1"]
    (row,) = await journal.incidents(state=IncidentState.CLOSED)
    assert (row.id, row.resolution, row.closed_at) == ("inc-1", closed.resolution, closed.closed_at)
    assert row.target == "Deployment/shop/web"
    assert [row.id for row in await journal.incidents(limit=1)] == ["inc-2"]
    assert await journal.counts() == {
        IncidentState.OPEN: 1,
        IncidentState.PARKED: 0,
        IncidentState.CLOSED: 1,
    }


async def test_a_question_that_was_withdrawn_takes_no_answer_any_more(journal: SqliteJournal) -> None:
    withdrawn = samples.incident()
    withdrawn.put_attempt(samples.asking())
    await journal.save(withdrawn)
    with pytest.raises(NotWaiting):
        await journal.decide(samples.approval(withdrawn.id))


async def test_a_parked_incident_is_unfinished_only_once_it_was_decided(journal: SqliteJournal) -> None:
    parked = samples.parked()
    await journal.save(parked)
    assert await journal.unfinished() == []
    await journal.decide(samples.approval(parked.id))
    assert await journal.unfinished() == [parked.id]
    assert await journal.answered() == [parked.id]


async def test_an_answer_that_is_being_carried_out_wakes_nobody_again_but_is_unfinished(
    journal: SqliteJournal,
) -> None:
    parked = samples.parked()
    await journal.save(parked)
    await journal.decide(samples.approval(parked.id))
    await journal.intend(parked.id, samples.action(), at=START)
    assert await journal.answered() == []
    assert await journal.unfinished() == [parked.id]


async def test_open_incidents_are_unfinished_and_closed_ones_are_not(journal: SqliteJournal) -> None:
    await journal.save(samples.full_incident())
    await journal.save(samples.incident("inc-2"))
    assert await journal.unfinished() == ["inc-2"]


async def test_the_first_answer_stands(journal: SqliteJournal) -> None:
    parked = samples.parked()
    await journal.save(parked)
    yes = samples.approval(parked.id)
    assert await journal.decide(yes) == yes
    later = replace(yes, approver="bob", granted=False)
    assert await journal.decide(later) == yes
    assert await journal.approval_of("inc-1/1") == yes
    assert await journal.approval_of("inc-1/2") is None


async def test_an_answer_to_an_unknown_incident_or_action_is_refused(journal: SqliteJournal) -> None:
    with pytest.raises(Permanent, match="no incident"):
        await journal.decide(samples.approval("inc-9"))
    await journal.save(samples.incident())
    with pytest.raises(Permanent, match="does not wait"):
        await journal.decide(samples.approval("inc-1"))
    assert await journal.approval_of("inc-1/1") is None


async def test_an_intent_is_journalled_once_and_remembers_its_outcome(journal: SqliteJournal) -> None:
    await journal.save(samples.incident())
    first = await journal.intend("inc-1", samples.action(), at=START)
    assert (first.intended_at, first.outcome) == (START, None)
    await journal.settle("inc-1/1", samples.outcome())
    again = await journal.intend("inc-1", samples.action(), at=START.replace(hour=13))
    assert again == replace(first, outcome=samples.outcome())


async def test_an_unknown_outcome_may_be_corrected_by_looking(journal: SqliteJournal) -> None:
    await journal.save(samples.incident())
    await journal.intend("inc-1", samples.action(), at=START)
    await journal.settle("inc-1/1", samples.outcome(OutcomeKind.UNKNOWN))
    await journal.settle("inc-1/1", samples.outcome(OutcomeKind.DONE))
    found = await journal.intend("inc-1", samples.action(), at=START)
    assert found.outcome == samples.outcome(OutcomeKind.DONE)


async def test_intents_need_their_incident_and_outcomes_their_intent(journal: SqliteJournal) -> None:
    with pytest.raises(Permanent, match="no incident"):
        await journal.intend("inc-9", samples.action(), at=START)
    with pytest.raises(Permanent, match="no intent"):
        await journal.settle("inc-1/1", samples.outcome())


async def test_everything_is_there_after_opening_the_file_again(path: Path) -> None:
    whole = samples.full_incident()
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        await journal.keep_delivery(samples.delivery())
        await journal.save(whole)
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        assert await journal.load(whole.id) == whole
        assert await journal.unhandled_deliveries(limit=9) == [samples.delivery()]
