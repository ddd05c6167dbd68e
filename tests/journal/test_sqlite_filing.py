"""Which incident an alert belongs to."""

import re
from datetime import timedelta

import pytest

from domain.alert import Target
from domain.errors import Permanent
from domain.incident import IncidentState, Resolution
from journal.sqlite import SqliteJournal
from tests.fakes import START
from tests.journal import samples
from tests.journal.samples import alert, file, group, resolved


async def close(journal: SqliteJournal, incident_id: str) -> None:
    incident = await journal.load(incident_id)
    incident.merge_alerts(await journal.alerts_of(incident_id))
    incident.state, incident.resolution = IncidentState.CLOSED, Resolution.RESOLVED
    await journal.save(incident)


async def test_a_firing_alert_opens_an_incident(journal: SqliteJournal) -> None:
    filing = await file(journal, "d1", group(alert()))
    (incident_id,) = filing.opened
    assert re.fullmatch(r"inc-20261120-1252-[0-9a-f]{4}", incident_id)
    incident = await journal.load(incident_id)
    assert incident.title == "KubePodCrashLooping on Deployment/shop/web"
    assert incident.severity == "critical"
    assert incident.alerts == [alert()]
    assert [entry.event for entry in incident.timeline] == ["incident_opened"]
    assert await journal.unhandled_deliveries(limit=9) == []


async def test_an_alert_about_nothing_known_gives_the_title_alone(journal: SqliteJournal) -> None:
    filing = await file(journal, "d1", group(alert(), target=Target()))
    assert (await journal.load(filing.opened[0])).title == "KubePodCrashLooping"


async def test_alerts_of_one_group_become_one_incident_in_the_order_they_came(journal: SqliteJournal) -> None:
    first = await file(journal, "d1", group(alert("f1"), alert("f2")))
    second = await file(journal, "d2", group(alert("f3")))
    assert len(first.opened) == 1 and first.joined == ()
    assert second.joined == first.opened and second.opened == ()
    fingerprints = [one.fingerprint for one in await journal.alerts_of(first.opened[0])]
    assert fingerprints == ["f1", "f2", "f3"]


async def test_groups_of_one_delivery_become_incidents_of_their_own(journal: SqliteJournal) -> None:
    filing = await file(journal, "d1", group(alert("f1"), key="a"), group(alert("f2"), key="b"))
    assert len(set(filing.opened)) == 2


async def test_a_thousand_incidents_of_one_minute_get_ids_of_their_own(journal: SqliteJournal) -> None:
    groups = [group(alert(f"f{n}"), key=f"k{n}") for n in range(1000)]
    filing = await file(journal, "d1", *groups)
    assert len(set(filing.opened)) == 1000


async def test_a_repeat_is_counted_and_wakes_nobody(journal: SqliteJournal) -> None:
    await file(journal, "d1", group(alert()))
    again = await file(journal, "d2", group(alert()))
    assert (again.touched, again.repeated_count) == ((), 1)


async def test_an_alert_twice_in_one_delivery_is_filed_once(journal: SqliteJournal) -> None:
    filing = await file(journal, "d1", group(alert(), alert()))
    assert (len(filing.opened), filing.repeated_count) == (1, 1)


async def test_a_delivery_filed_twice_changes_nothing(journal: SqliteJournal) -> None:
    await file(journal, "d1", group(alert()))
    again = await journal.file_groups("d1", [group(alert("f2"))], at=START)
    assert (again.touched, again.repeated_count) == ((), 0)


async def test_a_delivery_that_was_never_kept_is_refused(journal: SqliteJournal) -> None:
    with pytest.raises(Permanent, match="keep it before"):
        await journal.file_groups("d9", [group(alert())], at=START)
    assert await journal.incidents() == []


async def test_a_resolved_alert_joins_the_incident_that_knows_it(journal: SqliteJournal) -> None:
    opened = (await file(journal, "d1", group(alert()))).opened
    filing = await file(journal, "d2", group(resolved(alert()), key="another key"))
    assert filing.joined == opened
    assert [one.firing for one in await journal.alerts_of(opened[0])] == [True, False]


async def test_a_resolved_alert_with_a_later_start_is_known_by_its_fingerprint(
    journal: SqliteJournal,
) -> None:
    opened = (await file(journal, "d1", group(alert()))).opened
    later = resolved(alert(started_at=START + timedelta(minutes=1)))
    assert (await file(journal, "d2", group(later))).joined == opened


async def test_a_resolved_alert_that_nobody_knows_is_unmatched(journal: SqliteJournal) -> None:
    filing = await file(journal, "d1", group(resolved(alert())))
    assert (filing.touched, filing.unmatched_count) == ((), 1)
    assert await journal.incidents() == []


async def test_a_resolved_alert_of_a_closed_incident_is_filed_there_without_waking_it(
    journal: SqliteJournal,
) -> None:
    (incident_id,) = (await file(journal, "d1", group(alert()))).opened
    await close(journal, incident_id)
    filing = await file(journal, "d2", group(resolved(alert())))
    assert (filing.touched, filing.unmatched_count) == ((), 1)
    assert [one.firing for one in await journal.alerts_of(incident_id)] == [True, False]
    assert (await journal.load(incident_id)).state is IncidentState.CLOSED


async def test_a_repeat_of_a_closed_incidents_alert_only_counts(journal: SqliteJournal) -> None:
    (incident_id,) = (await file(journal, "d1", group(alert()))).opened
    await close(journal, incident_id)
    filing = await file(journal, "d2", group(alert()))
    assert (filing.touched, filing.repeated_count) == ((), 1)


async def test_a_new_start_after_closing_opens_a_new_incident(journal: SqliteJournal) -> None:
    (first,) = (await file(journal, "d1", group(alert()))).opened
    await close(journal, first)
    again = alert(started_at=START + timedelta(hours=1))
    (second,) = (await file(journal, "d2", group(again))).opened
    assert second != first


async def test_firing_news_that_arrives_after_its_end_opens_nothing(journal: SqliteJournal) -> None:
    await file(journal, "d1", group(resolved(alert())))
    filing = await file(journal, "d2", group(alert()))
    assert (filing.touched, filing.repeated_count) == ((), 1)


async def test_a_parked_incident_is_joined_too(journal: SqliteJournal) -> None:
    (incident_id,) = (await file(journal, "d1", group(alert()))).opened
    incident = await journal.load(incident_id)
    incident.state = IncidentState.PARKED
    await journal.save(incident)
    assert (await file(journal, "d2", group(alert("f2")))).joined == (incident_id,)


async def test_a_dropped_delivery_is_handled_and_stays_kept(journal: SqliteJournal) -> None:
    await journal.keep_delivery(samples.delivery("d1", b"not json"))
    await journal.drop_delivery("d1", reason="it is not JSON", at=START)
    assert await journal.unhandled_deliveries(limit=9) == []
    with pytest.raises(Permanent, match="no delivery"):
        await journal.drop_delivery("d2", reason="never seen", at=START)


async def test_unhandled_deliveries_come_oldest_first_and_bounded(journal: SqliteJournal) -> None:
    for delivery_id in ("d3", "d1", "d2"):
        await journal.keep_delivery(samples.delivery(delivery_id))
    found = await journal.unhandled_deliveries(limit=2)
    assert [one.id for one in found] == ["d3", "d1"]


async def test_the_number_of_alerts_counts_fingerprints(journal: SqliteJournal) -> None:
    await file(journal, "d1", group(alert("f1"), alert("f2")))
    await file(journal, "d2", group(resolved(alert("f1"))))
    (row,) = await journal.incidents()
    assert row.alerts_count == 2
