"""What is counted, and that it is counted once."""

import aiohttp
import pytest

from domain.attempt import OutcomeKind
from domain.incident import IncidentState, Resolution, Station
from journal.queue import Wake, WorkQueue
from tests.journal import samples
from utils.http_server import HttpServer, build_application
from web import metrics as module
from web.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"alert_agent_{name}", labels)


def test_deliveries_are_counted_by_status_and_alerts_by_source() -> None:
    metrics = Metrics()
    metrics.count_delivery(source="alertmanager", status=200, alerts_count=3)
    metrics.count_delivery(source="alertmanager", status=503)
    assert value(metrics, "deliveries_total", source="alertmanager", status="200") == 1
    assert value(metrics, "deliveries_total", source="alertmanager", status="503") == 1
    assert value(metrics, "alerts_total", source="alertmanager") == 3


def test_the_queue_is_asked_at_every_scrape() -> None:
    metrics, queue = Metrics(), WorkQueue(7)
    metrics.watch_queue(queue)
    assert (value(metrics, "queue_depth"), value(metrics, "queue_capacity")) == (0, 7)
    queue.offer(Wake(incident_id="inc-1"))
    assert value(metrics, "queue_depth") == 1


def test_an_incident_is_followed_from_opening_to_closing() -> None:
    metrics, incident = Metrics(), samples.incident()
    incident.used.active_s, incident.next = 0.5, Station.ANALYZE
    metrics.watch_incident(incident)
    incident.decisions = samples.full_incident().decisions
    incident.used.active_s, incident.next = 2.5, Station.EXECUTE
    metrics.watch_incident(incident)
    incident.attempts = samples.full_incident().attempts
    metrics.watch_incident(incident)
    metrics.watch_incident(incident)
    incident.state, incident.resolution = IncidentState.CLOSED, Resolution.RESOLVED
    metrics.watch_incident(incident)
    assert value(metrics, "incidents_opened_total") == 1
    assert value(metrics, "incidents_closed_total", resolution="resolved") == 1
    assert value(metrics, "step_duration_seconds_sum", station="receive") == 0.5
    assert value(metrics, "step_duration_seconds_sum", station="analyze") == 2.0
    assert value(metrics, "actions_total", tool="rollback_workload", outcome=OutcomeKind.DONE) == 1


def test_an_incident_from_before_a_restart_is_not_counted_anew() -> None:
    metrics, old = Metrics(), samples.full_incident()
    old.state = IncidentState.OPEN
    metrics.watch_incident(old)
    assert value(metrics, "incidents_opened_total") == 0
    assert value(metrics, "actions_total", tool="rollback_workload", outcome="done") is None


def test_memory_for_watched_incidents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WATCHED_COUNT", 2)
    metrics = Metrics()
    for number in range(5):
        metrics.watch_incident(samples.incident(f"inc-{number}"))
    assert list(metrics._seen) == ["inc-3", "inc-4"]


async def test_metrics_are_served_as_text() -> None:
    metrics = Metrics()
    metrics.count_delivery(source="prometheus", status=400)
    app = build_application(metrics.routes())
    async with (
        HttpServer(app, host="127.0.0.1", port=0, stop_s=1.0) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client,
        client.get("/metrics") as response,
    ):
        assert response.headers["Content-Type"].startswith("text/plain")
        assert 'alert_agent_deliveries_total{source="prometheus",status="400"} 1.0' in await response.text()
