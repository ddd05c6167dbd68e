"""Builds every concrete thing once, hands it in, starts and stops in order. Only this file knows them all."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from aiohttp import web

from analyze.analyst import Analyst
from analyze.baselines import Noop, RestartOnly
from analyze.fallback import WithFallback
from analyze.llm import LlmAnalyst
from analyze.prose import LlmProse
from analyze.rules_analyst import RulesAnalyst
from analyze.station import Analysis, Limits
from domain.clock import Clock
from domain.errors import BadInput
from evidence.cluster_reader import ClusterReader
from evidence.gather import Gatherer
from execute.actions import Door
from execute.executor import Executor
from execute.looks import Looker
from execute.verify import Verifier
from flow import IncidentFlow, build_flow
from journal.queue import Feeder, WorkQueue
from journal.sqlite import SqliteJournal
from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access
from nodes import AnalyzeRootCauseNode, ExecuteSolutionNode, GenerateReportNode, ReceiveAlertNode
from policy.judge import Policy
from policy.table import load_policy
from receive.triage import Triage
from receive.webhook import Webhook
from report.writer import Prose, ReportWriter
from sandbox.embedded import Embedded, alert_body, open_embedded
from sandbox.scenario import Scenario, load_scenario
from sandbox.virtual_time import VirtualTime
from utils.call_llm import DEFAULT_BASE_URL, Llm, LlmSettings
from utils.http_server import HttpServer, build_application
from utils.mcp_client import McpToolbox
from utils.servers_config import load_servers
from utils.settings import HOME, Settings, VerifySection, journal_path
from utils.timing import SystemClock
from web.api import Api
from web.health import Health
from web.metrics import Metrics
from worker import Worker

VERSION = "0.1.0"
BASELINES: Mapping[str, Analyst] = {"restart-only": RestartOnly(), "noop": Noop()}
TOOLS_READY_S = 10.0  # a tool server that takes longer is connected later; incidents say so meanwhile
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
    async with open_embedded(
        kubeconfig, nodes_count=settings.sandbox.nodes_count, speed=speed, scenario=played
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
    clock, wall = place.clock, SystemClock()  # housekeeping keeps to real time, also in a drill
    async with AsyncExitStack() as stack:
        policy = Policy(load_policy(settings.files.policy), place.kind)
        path = journal_path(settings, sandbox=place.kind == "sandbox")
        journal = await stack.enter_async_context(SqliteJournal(path, clock=clock))
        toolbox = await stack.enter_async_context(_toolbox(settings, place, clock))
        analyst, prose = await _analyst(settings, policy, toolbox, clock, stack)
        metrics = Metrics()
        queue = WorkQueue(settings.worker.queue_size)
        triage = Triage(journal, clock=clock, cluster=settings.cluster)
        concurrency_count = settings.worker.concurrency_count
        worker = Worker(queue, journal, triage, wall, concurrency_count=concurrency_count)
        worker.use(_flow(settings, place, clock, journal, toolbox, policy, analyst, prose, worker))
        metrics.watch_queue(queue)
        worker.listen(metrics.watch_incident)
        await toolbox.wait_ready(TOOLS_READY_S)
        working = asyncio.create_task(worker.run(), name="worker")
        stack.push_async_callback(worker.stop, working, within_s=settings.server.stop_s - 2 * STOP_HTTP_S)
        feeding = asyncio.create_task(Feeder(journal, queue, clock=wall).run(), name="feeder")
        stack.push_async_callback(_cancelled, feeding)
        token = settings.webhook_token.get_secret_value()
        pages = (
            Webhook(
                journal, queue, clock=clock, metrics=metrics, token=token,
                max_body_bytes=settings.server.max_body_bytes,
            ),
            Api(journal, queue, clock=clock, token=settings.api_token.get_secret_value()),
            Health(
                journal, queue, clock=clock, version=VERSION, analyst=analyst.name,
                worker_runs=lambda: not working.done(), tool_servers=toolbox.state,
            ),
            metrics,
        )  # fmt: skip
        server = await stack.enter_async_context(
            _server(settings, [route for page in pages for route in page.routes()])
        )
        url = f"http://{settings.server.host}:{server.port}"
        yield Service(journal=journal, worker=worker, working=working, analyst=analyst, url=url)


def _toolbox(settings: Settings, place: Place, clock: Clock) -> McpToolbox:
    """Our own servers run in this process unless servers_config.json says otherwise."""
    access = Access(kubeconfig=place.kubeconfig, context=place.context)
    environ = {**os.environ, **({"KUBECONFIG": place.kubeconfig} if place.kubeconfig else {})}
    builtin = {
        kube_read.NAME: lambda: kube_read.build(access),
        kube_change.NAME: lambda: kube_change.build(access),
    }
    return McpToolbox(load_servers(settings.files.servers, environ), builtin=builtin, clock=clock)


async def _analyst(
    settings: Settings, policy: Policy, toolbox: McpToolbox, clock: Clock, stack: AsyncExitStack
) -> tuple[Analyst, Prose | None]:
    """The LLM where one is configured, with the rules behind it; else the rules."""
    rules = RulesAnalyst()
    if settings.analyst in BASELINES:
        if policy.place == "cluster":
            raise BadInput(
                f"analyst {settings.analyst} is for drills only; set analyst: auto", field="analyst"
            )
        return BASELINES[settings.analyst], None
    if settings.analyst == "rules" or (settings.analyst == "auto" and not settings.llm_configured):
        return rules, None
    llm = await stack.enter_async_context(Llm(_llm_settings(settings), clock=clock))
    actions = policy.table.actions
    asked = LlmAnalyst(llm, toolbox, clock, actions=actions)
    return WithFallback(asked, rules, clock), LlmProse(llm).summarise


def _llm_settings(settings: Settings) -> LlmSettings:
    return LlmSettings(
        model=settings.openai_model or settings.llm.model,
        base_url=settings.openai_base_url or DEFAULT_BASE_URL,
        api_key=settings.openai_api_key.get_secret_value(),
        timeout_s=settings.llm.timeout_s,
    )


def _flow(
    settings: Settings,
    place: Place,
    clock: Clock,
    journal: SqliteJournal,
    toolbox: McpToolbox,
    policy: Policy,
    analyst: Analyst,
    prose: Prose | None,
    worker: Worker,
) -> IncidentFlow:
    call_s, limits, verify = settings.gather.call_s, settings.limits, place.verify
    reader = ClusterReader(toolbox, call_s)
    gatherer = Gatherer(
        reader, clock, budget_s=settings.gather.budget_s, log_lines_count=settings.gather.log_lines_count
    )
    bounds = Limits(
        steps_count=limits.steps_count, active_s=limits.active_s, tokens_count=limits.tokens_count
    )
    executor = Executor(
        Door(toolbox, policy, journal, clock, call_s=call_s),
        Looker(toolbox, clock, call_s=call_s),
        Verifier(reader, clock, poll_s=verify.poll_s, settle_s=verify.settle_s, deadline_s=verify.deadline_s),
    )
    return build_flow(
        ReceiveAlertNode(clock),
        AnalyzeRootCauseNode(clock, Analysis(gatherer, analyst, bounds)),
        ExecuteSolutionNode(clock, executor),
        GenerateReportNode(clock, ReportWriter(settings.files.reports, prose=prose)),
        worker.checkpoint,
    )


def _server(settings: Settings, routes: list[web.RouteDef]) -> HttpServer:
    application = build_application(routes, max_body_bytes=settings.server.max_body_bytes)
    return HttpServer(application, host=settings.server.host, port=settings.server.port, stop_s=STOP_HTTP_S)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
