"""Builds every concrete thing once, hands it in, starts and stops in order. Only this file knows them all."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analyze.analyst import Analyst
from analyze.baselines import Noop, RestartOnly
from analyze.fallback import WithFallback
from analyze.llm import LlmAnalyst
from analyze.prose import LlmProse
from analyze.rules_analyst import RulesAnalyst
from analyze.station import Analysis, Limits
from domain.clock import Clock
from domain.errors import BadInput
from domain.incident import Incident
from domain.tools import Toolbox
from evidence.cluster_reader import ClusterReader
from evidence.gather import Gatherer
from execute.actions import Door
from execute.executor import Executor
from execute.looks import Looker
from execute.verify import Verifier
from flow import IncidentFlow, build_flow
from journal.queue import Feeder, WorkQueue
from journal.sqlite import SqliteJournal
from mcp_servers.builtin import OWN_NAMES, Reach, builtin_servers
from mcp_servers.http_access import Access as ApiAccess
from mcp_servers.kube.connection import Access
from nodes import AnalyzeRootCauseNode, ExecuteSolutionNode, GenerateReportNode, ReceiveAlertNode
from policy.judge import Policy
from policy.table import load_policy
from receive.triage import Triage
from receive.webhook import Webhook
from report.writer import ReportWriter
from sandbox.alerting.poster import WebhookPoster
from sandbox.embedded import Embedded, alert_body, open_embedded
from sandbox.scenario import Scenario, load_scenario
from sandbox.virtual_time import VirtualTime
from utils.call_llm import DEFAULT_BASE_URL, Llm, LlmSettings
from utils.cluster_tools import ClusterToolbox, NoTools, server_of
from utils.http_server import HttpServer, build_application
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig, load_servers
from utils.settings import HOME, ApiSection, ClusterSection, Settings, VerifySection, journal_path
from utils.timing import SystemClock
from web.api import Api
from web.health import Health
from web.metrics import Metrics
from worker import Worker

VERSION = "0.1.0"
BASELINES: Mapping[str, Analyst] = {"restart-only": RestartOnly(), "noop": Noop()}
TOOLS_READY_S = 10.0  # a tool server that takes longer is connected later; incidents say so meanwhile
FlowOf = Callable[[Incident], IncidentFlow]
STOP_HTTP_S = 1.0  # requests are short; the rest of the time to stop belongs to the steps in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the service acts: a real cluster or the sandbox, and how it is reached and watched there."""

    kind: Literal["cluster", "sandbox"]
    title: str
    kubeconfig: str
    context: str
    verify: VerifySection
    clock: Clock = field(default_factory=SystemClock)
    alert: bytes = b""  # in a sandbox with a scenario: the webhook body that tells of its fault
    embedded: Embedded | None = None
    scenario: Scenario | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service, for the commands that hold it. `working` ends only when the worker fails."""

    journal: SqliteJournal
    worker: Worker
    working: asyncio.Task[None]
    analyst: Analyst
    reader: ClusterReader
    url: str


@asynccontextmanager
async def open_place(
    settings: Settings, *, sandbox: bool, scenario: str | None = None
) -> AsyncIterator[Place]:
    """The cluster of the settings, or an embedded one in which `scenario` (a name or a file) has happened."""
    if not sandbox:
        title = f"the cluster of context {settings.context}" if settings.context else "the current cluster"
        yield Place(
            kind="cluster", title=title, kubeconfig=settings.kubeconfig, context=settings.context,
            verify=settings.verify,
        )  # fmt: skip
        return
    played = load_scenario(scenario_file(scenario)) if scenario else None
    kubeconfig, speed = settings.files.journal.parent / "sandbox.kubeconfig", settings.sandbox.speed
    told_by_rules = played is not None and played.alert.rules is True
    async with open_embedded(
        kubeconfig,
        nodes_count=settings.sandbox.nodes_count,
        speed=speed,
        scenario=played,
        observed=settings.sandbox.observed or told_by_rules,
    ) as embedded:
        clock = SystemClock() if speed else VirtualTime(embedded.cluster.clock)
        alert = alert_body(played, at=clock.now()) if played else b""
        yield Place(
            kind="sandbox", title="the embedded sandbox", kubeconfig=str(embedded.kubeconfig), context="",
            verify=settings.sandbox.verify, clock=clock, alert=alert, embedded=embedded, scenario=played,
        )  # fmt: skip


def scenario_file(name: str) -> Path:
    """The file of a shipped scenario by its name, whatever its folder, or the path itself."""
    shipped = {path.stem: path for path in (HOME / "scenarios").rglob("*.yaml")}
    if name in shipped or Path(name).exists():
        return shipped.get(name) or Path(name)
    known = ", ".join(sorted(shipped))
    raise BadInput(f"there is no scenario {name!r}; shipped are {known}", field="scenario")


@asynccontextmanager
async def open_service(settings: Settings, place: Place) -> AsyncIterator[Service]:
    """Start everything. Leaving stops intake first, lets steps in hand finish, then closes the rest.

    Raises BadInput, Permanent or JournalUnavailable with the next step when something cannot be started.
    """
    async with AsyncExitStack() as stack:
        builder = _Builder(settings, place, stack)
        await builder.open_storage_and_tools()
        flow_of = await builder.build_flows()
        await builder.start_work(flow_of)
        url = await builder.open_doors()
        yield Service(
            journal=builder.journal, worker=builder.worker, working=builder.working, analyst=builder.analyst,
            reader=builder.reader, url=url,
        )  # fmt: skip


@asynccontextmanager
async def sandbox_alerts(settings: Settings, place: Place, service: Service) -> AsyncIterator[None]:
    """While the block runs, the sandbox's own rules send their alerts to the service."""
    observer = place.embedded.observer if place.embedded else None
    if observer is None:
        yield
        return
    token = settings.webhook_token.get_secret_value()
    async with WebhookPoster(f"{service.url}/webhook", token=token) as poster:
        observer.notify(poster.send)
        yield


class _Builder:
    """Builds one service from the ground up; each step stands on the ones before it."""

    journal: SqliteJournal
    toolbox: McpToolbox
    reader: ClusterReader
    analyst: Analyst
    working: asyncio.Task[None]

    def __init__(self, settings: Settings, place: Place, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._place = place
        self._stack = stack
        self._clock = place.clock
        self._wall = SystemClock()  # housekeeping keeps to real time, also in a drill
        self._policy = Policy(load_policy(settings.files.policy), place.kind)
        self._metrics = Metrics()
        self._queue = WorkQueue(settings.worker.queue_size)

    async def open_storage_and_tools(self) -> None:
        """The journal, the tool servers, and the worker that the flow will report to."""
        settings, clock = self._settings, self._clock
        path = journal_path(settings, sandbox=self._place.kind == "sandbox")
        self.journal = await self._stack.enter_async_context(SqliteJournal(path, clock=clock))
        self.toolbox = await self._stack.enter_async_context(_toolbox(settings, self._place, clock))
        triage = Triage(
            self.journal, clock=clock, cluster=settings.cluster, cluster_label=settings.cluster_label
        )
        count = settings.worker.concurrency_count
        self.worker = Worker(self._queue, self.journal, triage, self._wall, concurrency_count=count)

    async def build_flows(self) -> FlowOf:
        """A flow for each cluster, of which an incident's own is the only one that it can reach."""
        llm = await self._open_llm()
        first = ClusterToolbox(self.toolbox, "")
        self.reader, self.analyst = self._reader(first), self._analyst(first, llm)
        flows = {self._settings.cluster: self._flow(first, llm)}
        flows[""] = flows[self._settings.cluster]
        if not self._settings.clusters:  # then a name is for people only
            return lambda incident: flows[""]
        for cluster in self._settings.clusters:
            flows[cluster.name] = self._flow(ClusterToolbox(self.toolbox, cluster.name), llm)
        unknown = self._flow(NoTools(), llm)
        return lambda incident: flows.get(incident.target.cluster, unknown)

    def _flow(self, toolbox: Toolbox, llm: Llm | None) -> IncidentFlow:
        """The four nodes with everything they need."""
        clock, reader = self._clock, self._reader(toolbox)
        prose = LlmProse(llm).summarise if llm else None
        return build_flow(
            ReceiveAlertNode(clock),
            AnalyzeRootCauseNode(clock, self._analysis(reader, self._analyst(toolbox, llm))),
            ExecuteSolutionNode(clock, self._executor(reader, toolbox)),
            GenerateReportNode(clock, ReportWriter(self._settings.files.reports, prose=prose)),
            self.worker.checkpoint,
        )

    def _reader(self, toolbox: Toolbox) -> ClusterReader:
        return ClusterReader(toolbox, self._settings.gather.call_s)

    def _analysis(self, reader: ClusterReader, analyst: Analyst) -> Analysis:
        gather, limits = self._settings.gather, self._settings.limits
        gatherer = Gatherer(
            reader, self._clock, budget_s=gather.budget_s, log_lines_count=gather.log_lines_count
        )
        bounds = Limits(
            steps_count=limits.steps_count, active_s=limits.active_s, tokens_count=limits.tokens_count
        )
        return Analysis(gatherer, analyst, bounds)

    def _executor(self, reader: ClusterReader, toolbox: Toolbox) -> Executor:
        call_s, watch = self._settings.gather.call_s, self._place.verify
        verifier = Verifier(
            reader,
            self._clock,
            poll_s=watch.poll_s,
            settle_s=watch.settle_s,
            deadline_s=watch.deadline_s,
        )
        door = Door(toolbox, self._policy, self.journal, self._clock, call_s=call_s)
        return Executor(door, Looker(toolbox, self._clock, call_s=call_s), verifier)

    async def _open_llm(self) -> Llm | None:
        settings = self._settings
        if settings.analyst == "llm" or (settings.analyst == "auto" and settings.llm_configured):
            return await self._stack.enter_async_context(Llm(_llm_settings(settings), clock=self._clock))
        return None

    def _analyst(self, toolbox: Toolbox, llm: Llm | None) -> Analyst:
        """The LLM where one is configured, with the rules behind it; else the rules."""
        rules = RulesAnalyst()
        if self._settings.analyst in BASELINES:
            return self._baseline(self._settings.analyst)
        if llm is None:
            return rules
        asked = LlmAnalyst(llm, toolbox, self._clock, actions=self._policy.table.actions)
        return WithFallback(asked, rules, self._clock)

    def _baseline(self, name: str) -> Analyst:
        if self._place.kind == "cluster":
            raise BadInput(f"analyst {name} is for drills only; set analyst: auto", field="analyst")
        return BASELINES[name]

    async def start_work(self, flow_of: FlowOf) -> None:
        """The worker and its feeder; what was left unfinished goes on from here."""
        self.worker.use(flow_of)
        self.worker.listen(self._metrics.watch_incident)
        self._metrics.watch_queue(self._queue)
        await self.toolbox.wait_ready(TOOLS_READY_S)
        feeder = Feeder(self.journal, self._queue, clock=self._wall)
        self.working = asyncio.create_task(_together(self.worker.run(), feeder.run()), name="work")
        within_s = self._settings.server.stop_s - 2 * STOP_HTTP_S
        self._stack.push_async_callback(self.worker.stop, self.working, within_s=within_s)

    async def open_doors(self) -> str:
        """Listen; returns the base URL."""
        settings = self._settings.server
        routes = [*self._intake().routes(), *self._api().routes(), *self._health().routes()]
        application = build_application(
            [*routes, *self._metrics.routes()], max_body_bytes=settings.max_body_bytes
        )
        server = HttpServer(application, host=settings.host, port=settings.port, stop_s=STOP_HTTP_S)
        await self._stack.enter_async_context(server)
        return f"http://{settings.host}:{server.port}"

    def _intake(self) -> Webhook:
        return Webhook(
            self.journal, self._queue, clock=self._clock, metrics=self._metrics,
            token=self._settings.webhook_token.get_secret_value(),
            max_body_bytes=self._settings.server.max_body_bytes,
        )  # fmt: skip

    def _api(self) -> Api:
        token = self._settings.api_token.get_secret_value()
        return Api(self.journal, self._queue, clock=self._clock, token=token)

    def _health(self) -> Health:
        return Health(
            self.journal, self._queue, clock=self._clock, version=VERSION, analyst=self.analyst.name,
            worker_runs=lambda: not self.working.done(), tool_servers=self.toolbox.state,
        )  # fmt: skip


def _toolbox(settings: Settings, place: Place, clock: Clock) -> McpToolbox:
    """Our own servers run in this process unless servers_config.json says otherwise.

    Those for metrics and logs are left out where there is nothing for them to look at.
    """
    environ = {**os.environ, **({"KUBECONFIG": place.kubeconfig} if place.kubeconfig else {})}
    there = VirtualTime(place.embedded.cluster.clock) if place.embedded else clock  # its time may run faster
    builtin = dict(builtin_servers(_reach(settings, place), settings.metrics, there.now))
    entries = load_servers(settings.files.servers, environ).servers
    wanted = {
        name: entry
        for name, entry in entries.items()
        if name in builtin or name not in OWN_NAMES or entry.transport
    }
    for cluster in settings.clusters:
        for name, build in builtin_servers(_reach_of(cluster), settings.metrics, clock.now).items():
            if name in entries:
                builtin[server_of(name, cluster.name)] = build
                wanted[server_of(name, cluster.name)] = entries[name].model_copy(update={"transport": ""})
    return McpToolbox(ServersConfig(mcpServers=wanted), builtin=builtin, clock=clock)


def _reach_of(cluster: ClusterSection) -> Reach:
    return Reach(
        cluster=Access(kubeconfig=cluster.kubeconfig, context=cluster.context),
        prometheus=_access(cluster.prometheus),
        loki=_access(cluster.loki),
    )


def _reach(settings: Settings, place: Place) -> Reach:
    cluster = Access(kubeconfig=place.kubeconfig, context=place.context)
    if place.embedded is None:
        return Reach(cluster=cluster, prometheus=_access(settings.prometheus), loki=_access(settings.loki))
    return Reach(
        cluster=cluster,
        prometheus=ApiAccess(url=place.embedded.prometheus_url),
        loki=ApiAccess(url=place.embedded.loki_url),
    )


def _access(section: ApiSection) -> ApiAccess:
    return ApiAccess(**{**section.model_dump(), "headers": tuple(section.headers)})


def _llm_settings(settings: Settings) -> LlmSettings:
    return LlmSettings(
        model=settings.openai_model or settings.llm.model,
        base_url=settings.openai_base_url or DEFAULT_BASE_URL,
        api_key=settings.openai_api_key.get_secret_value(),
        timeout_s=settings.llm.timeout_s,
    )


async def _together(*works: Coroutine[object, object, None]) -> None:
    """Run them side by side; when one breaks the others end, and it is known."""
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(work)
