"""Every alert fixture posted to a running server: how it is answered, and what becomes of it."""

import json
from pathlib import Path

import pytest

from app import Service
from cli.fixtures import Fixture, read_fixtures
from domain.incident import Resolution
from tests.real.postbox import Became, posted

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent.parent / "data" / "alertmanager"
FILES = sorted(FOLDER.glob("*.json"))
FIXTURES = [fixture for file in FILES for fixture in read_fixtures(file)]


async def test_every_fixture_is_taken_in_and_each_disturbance_is_handed_to_a_person(service: Service) -> None:
    became = {fixture.name: await sent(service, fixture) for fixture in FIXTURES}
    assert {one.status for one in became.values()} == {200}
    assert [one.alerts_count for one in became.values()] == [alerts_in(fixture) for fixture in FIXTURES]
    opened = {name: len(one.opened) for name, one in became.items()}
    # all open one incident; the end of an alert that an earlier fixture told of opens none
    assert opened == {fixture.name: 0 if fixture.name == "resolved-1.json" else 1 for fixture in FIXTURES}
    for one in became.values():
        for incident in one.opened:
            assert incident.resolution is Resolution.ESCALATED
            assert Path(incident.report_path).exists()


async def test_what_the_sender_left_out_is_told_to_the_sender_and_noted(service: Service) -> None:
    became = await sent(service, fixture_of("truncated-8-to-3"))
    assert (became.alerts_count, became.truncated_count) == (3, 5)
    (incident,) = became.opened
    assert {alert.labels["shard"] for alert in incident.alerts} == {"0", "1", "2"}
    assert "the sender left out 5 more alerts of this notification" in [e.text for e in incident.timeline]


async def test_a_group_that_fires_in_part_opens_an_incident_for_that_part_alone(service: Service) -> None:
    became = await sent(service, fixture_of("mixed-firing-and-resolved"))
    assert became.alerts_count == 2
    (incident,) = became.opened
    assert [(alert.labels["pod"], alert.firing) for alert in incident.alerts] == [("a", True)]


async def test_three_pods_of_one_workload_are_one_disturbance(service: Service) -> None:
    (incident,) = (await sent(service, fixture_of("grouped-3-firing"))).opened
    assert sorted(alert.labels["pod"] for alert in incident.alerts) == ["api-0", "api-1", "api-2"]


async def test_the_end_of_an_alert_is_filed_with_its_beginning(service: Service) -> None:
    (incident,) = (await sent(service, fixture_of("firing-1"))).opened
    assert not (await sent(service, fixture_of("resolved-1"))).opened
    firing, resolved = await service.journal.alerts_of(incident.id)
    assert (firing.fingerprint, firing.firing) == (resolved.fingerprint, True)
    assert resolved.ended_at is not None


def fixture_of(name: str) -> Fixture:
    """The only fixture of that file."""
    (only,) = read_fixtures(FOLDER / f"{name}.json")
    return only


def alerts_in(fixture: Fixture) -> int:
    """How many alerts its body holds."""
    return len(json.loads(fixture.body)["alerts"])


async def sent(service: Service, fixture: Fixture) -> Became:
    """Post it to where its source would."""
    return await posted(service, fixture.body, fixture.path)
