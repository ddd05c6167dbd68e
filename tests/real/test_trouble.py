"""Odd deliveries and missing surroundings: the service goes on, and says what is the matter."""

import json
from collections.abc import Mapping

from app import Service, open_place, open_service
from domain.incident import Resolution
from tests.real.postbox import posted
from utils.settings import Settings


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


async def test_without_a_cluster_the_service_starts_and_the_incident_says_what_is_missing(
    settings: Settings,
) -> None:
    settings.kubeconfig = str(settings.files.journal.parent / "missing")
    async with open_place(settings, sandbox=False) as place, open_service(settings, place) as service:
        (incident,) = (await posted(service, body({"startsAt": "2026-11-20T12:00:00Z"}))).opened
    assert incident.resolution is Resolution.ESCALATED
    assert incident.decision is not None
    (reason,) = incident.decision.reasons
    assert reason.startswith("nothing of the cluster could be seen: ")
    assert "check --kubeconfig" in reason
    assert not incident.attempts
