"""Metrics, logs and alerts of one cluster, put together: scraped on cluster time, served on a loopback port.

It may be left out: a cluster lives without being observed.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from aiohttp import web

from sandbox.alerting.evaluation import EVALUATION_S, RuleEvaluator
from sandbox.alerting.notifications import Dispatcher, Routing, Send
from sandbox.alerting.rule_file import load_rules
from sandbox.cluster import Cluster
from sandbox.logql.logs import LogStore
from sandbox.loki_api import LokiApi
from sandbox.metrics.monitor import SCRAPE_S, Monitor
from sandbox.prometheus_api import PrometheusApi
from sandbox.prometheus_status import PrometheusStatus

STOP_S = 0.2
SKETCH = 4.0  # one scrape a minute: within the lookback, and enough for rates over five minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds of cluster time; `factor` scales every rule's `for` and the waits of notifications."""

    scrape_s: float = SCRAPE_S
    evaluation_s: float = EVALUATION_S
    factor: float = 1.0


class Observer:
    """What watches a cluster from the moment it is made; it must be made before the cluster's past."""

    def __init__(self, cluster: Cluster, *, pace: Pace | None = None, routing: Routing | None = None) -> None:
        self.pace = pace or Pace()
        self._clock = cluster.clock
        self._routing = (routing or Routing()).scaled(self.pace.factor)
        self._dispatchers: list[Dispatcher] = []
        self.monitor = Monitor(
            cluster.store, cluster.clock, cluster.fleet, cluster.traffic, scrape_s=self.pace.scrape_s
        )
        self.logs = LogStore(cluster.store, cluster.clock, cluster.fleet)
        self.rules = RuleEvaluator(
            load_rules(hold_factor=self.pace.factor),
            self.monitor.series,
            cluster.clock,
            interval_s=self.pace.evaluation_s,
            external_url=self._routing.external_url,
        )
        self.monitor.start()
        self.rules.start()

    def notify(self, send: Send) -> None:
        """From now on, hands webhook bodies of Alertmanager over: of alerts that fire, and that end."""
        dispatcher = Dispatcher(self._clock, self._routing, send)
        self._dispatchers.append(dispatcher)
        self.rules.listen(dispatcher.take)

    @contextmanager
    def sketching(self) -> Iterator[None]:
        """Looks more rarely while the block runs: for a past in which little happens."""
        self.monitor.stretch = self.rules.stretch = SKETCH
        try:
            yield
        finally:
            self.monitor.stretch = self.rules.stretch = 1.0

    def stop(self) -> None:
        self.monitor.stop()
        self.rules.stop()
        for dispatcher in self._dispatchers:
            dispatcher.stop()

    def routes(self) -> list[web.RouteDef]:
        """Prometheus' and Loki's HTTP APIs; their paths do not meet."""
        return [
            *PrometheusApi(self.monitor).routes(),
            *PrometheusStatus(self.monitor, self.rules).routes(),
            *LokiApi(self.logs, self._clock.time).routes(),
        ]


@asynccontextmanager
async def served(observer: Observer, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The URL under which both APIs answer while the block runs."""
    application = web.Application()
    application.add_routes(observer.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
