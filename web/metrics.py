"""Numbers for Prometheus, on a registry of our own. It counts what it is told and asks nobody.

Labels take few values only: sources, statuses, stations, tools, outcomes; never an incident or a target.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from domain.incident import Incident, Station

STEP_BUCKETS_S = (
    0.05,
    0.1,
    0.5,
    1,
    2,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
)  # a rules step up to a slow verification
MAX_WATCHED_COUNT = 10_000  # incidents remembered between two looks; the oldest are forgotten first


class QueueState(Protocol):
    """How full the worker's queue is."""

    capacity: int

    @property
    def depth(self) -> int: ...


@dataclass(slots=True)
class _Seen:
    """What was counted of an incident so far."""

    station: Station
    active_s: float
    settled: set[str] = field(default_factory=set)


class Metrics:
    """Counts deliveries, incidents, steps and actions, and serves them at GET /metrics."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._deliveries = Counter(
            "alert_agent_deliveries", "Webhook requests.", ["source", "status"], registry=registry
        )
        self._alerts = Counter("alert_agent_alerts", "Alerts taken in.", ["source"], registry=registry)
        self._opened = Counter("alert_agent_incidents_opened", "Incidents begun.", registry=registry)
        self._closed = Counter(
            "alert_agent_incidents_closed", "Incidents ended.", ["resolution"], registry=registry
        )
        self._steps = Histogram(
            "alert_agent_step_duration_seconds",
            "Working time of one step.",
            ["station"],
            buckets=STEP_BUCKETS_S,
            registry=registry,
        )
        self._actions = Counter(
            "alert_agent_actions", "Changes by what came of them.", ["tool", "outcome"], registry=registry
        )
        self._depth = Gauge("alert_agent_queue_depth", "Wakes that wait for a worker.", registry=registry)
        self._capacity = Gauge("alert_agent_queue_capacity", "Wakes that fit.", registry=registry)

    def routes(self) -> list[web.RouteDef]:
        """GET /metrics."""
        return [web.get("/metrics", self._show)]

    def watch_queue(self, queue: QueueState) -> None:
        """Ask this queue for its depth at every scrape."""
        self._depth.set_function(lambda: queue.depth)
        self._capacity.set(queue.capacity)

    def count_delivery(self, *, source: str, status: int, alerts_count: int = 0) -> None:
        """One webhook request, by the HTTP status it was answered with."""
        self._deliveries.labels(source=source, status=str(status)).inc()
        self._alerts.labels(source=source).inc(alerts_count)

    def watch_incident(self, incident: Incident) -> None:
        """Look at an incident after a step; what is new since the last look is counted."""
        seen = self._seen.get(incident.id) or self._first_look(incident)
        took_s = incident.used.active_s - seen.active_s
        if took_s > 0:
            self._steps.labels(station=seen.station).observe(took_s)
        self._count_actions(incident, seen)
        seen.station, seen.active_s = incident.next, incident.used.active_s
        if incident.closed:
            del self._seen[incident.id]
            self._closed.labels(resolution=incident.resolution or "unknown").inc()

    def _first_look(self, incident: Incident) -> _Seen:
        """After its first step an incident is new; one that is further on comes from before a restart."""
        fresh = not incident.decisions
        seen = _Seen(
            station=Station.RECEIVE if fresh else incident.next,
            active_s=0.0 if fresh else incident.used.active_s,
            settled=set() if fresh else {a.action.key for a in incident.attempts if a.outcome},
        )
        if fresh:
            self._opened.inc()
        self._seen[incident.id] = seen
        if len(self._seen) > MAX_WATCHED_COUNT:
            self._seen.popitem(last=False)
        return seen

    def _count_actions(self, incident: Incident, seen: _Seen) -> None:
        for attempt in incident.attempts:
            if attempt.outcome is not None and attempt.action.key not in seen.settled:
                seen.settled.add(attempt.action.key)
                self._actions.labels(tool=attempt.action.tool, outcome=attempt.outcome.kind).inc()

    async def _show(self, request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(self.registry), headers=headers)
