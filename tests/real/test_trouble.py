"""Odd deliveries and missing surroundings: the service goes on, and says what is the matter."""

import json
from collections.abc import Mapping

from app import Service
from domain.incident import Resolution
from tests.real.postbox import posted


def body(*alerts: Mapping[str, object]) -> bytes:
    """A webhook body around alerts about one deployment."""
    shared = {"status": "firing", "labels": {"alertname": "Stuck", "namespace": "shop", "deployment": "web"}}
    return json.dumps({"groupKey": "g", "alerts": [{**shared, **alert} for alert in alerts]}).encode()


async def test_an_alert_that_fired_twice_in_one_incident_closes_it_once(service: Service) -> None:
    first = {"fingerprint": "f1", "startsAt": "2026-11-20T12:00:00Z"}
    second = {"fingerprint": "f1", "startsAt": "2026-11-20T12:05:00Z"}
    (incident,) = (await posted(service, body(first, second))).opened
    other = {"fingerprint": "f2", "startsAt": "2026-11-20T12:00:00Z", "labels": {"alertname": "Other"}}
    await posted(service, body(other))  # by then a second look at the first one would have begun
    ended = await service.journal.load(incident.id)
    assert ended.resolution is Resolution.ESCALATED
    assert [entry.event for entry in ended.timeline].count("incident_closed") == 1
