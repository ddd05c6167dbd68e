"""From a kept delivery to incidents, on a real journal."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.alert import Delivery
from journal.sqlite import SqliteJournal
from receive.triage import Triage
from tests.fakes import START, FakeClock
from tests.receive.bodies import captured, mixins


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "journal.db", clock=FakeClock()) as opened:
        yield opened


async def keep(journal: SqliteJournal, body: bytes, source: str = "alertmanager") -> Delivery:
    number = len(await journal.unhandled_deliveries(limit=1000))
    delivery = Delivery(id=f"d{number}-{hash(body)}", source=source, body=body, received_at=START)
    await journal.keep_delivery(delivery)
    return delivery


async def test_a_delivery_becomes_an_incident_and_its_end_joins_it(journal: SqliteJournal) -> None:
    triage = Triage(journal, clock=FakeClock())
    opened = await triage.file(await keep(journal, captured("firing-1")))
    ended = await triage.file(await keep(journal, captured("resolved-1")))
    assert len(opened.opened) == 1
    assert ended.joined == opened.opened
    assert await journal.unhandled_deliveries(limit=9) == []


async def test_all_mixin_payloads_are_filed_and_only_node_alerts_share_an_incident(
    journal: SqliteJournal,
) -> None:
    triage = Triage(journal, clock=FakeClock(), cluster="c1")
    filings = [await triage.file(await keep(journal, raw)) for raw in mixins()]
    opened = {incident_id for filing in filings for incident_id in filing.opened}
    joined = [incident_id for filing in filings for incident_id in filing.joined]
    assert len(opened) + len(joined) == 45
    titles = {(await journal.load(incident_id)).target.kind for incident_id in joined}
    assert titles == {"Node", "PersistentVolumeClaim"}


@pytest.mark.parametrize(
    ("body", "source"), [(b"not json", "alertmanager"), (b"[]", "prometheus"), (b"[]", "pigeon")]
)
async def test_what_cannot_be_understood_is_set_aside(
    journal: SqliteJournal, body: bytes, source: str
) -> None:
    filing = await Triage(journal, clock=FakeClock()).file(await keep(journal, body, source))
    assert filing.touched == ()
    assert await journal.unhandled_deliveries(limit=9) == []
    assert await journal.incidents() == []
