"""What the worker does when its own parts are busy or broken: nothing stops, and a person is called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from analyze.rules_analyst import RulesAnalyst
from analyze.station import Analysis, Limits
from domain.alert import Delivery
from domain.attempt import Outcome, OutcomeKind
from domain.decision import DecisionKind
from domain.errors import ToolUnavailable
from domain.incident import Incident, Resolution
from evidence.cluster_reader import ClusterReader
from evidence.gather import Gatherer
from execute.actions import Door
from execute.executor import Executor
from execute.looks import Looker
from execute.verify import Verifier
from flow import build_flow
from journal.port import Filing
from journal.queue import Wake, WorkQueue
from journal.sqlite import SqliteJournal
from nodes import AnalyzeRootCauseNode, ExecuteSolutionNode, GenerateReportNode, ReceiveAlertNode
from policy.judge import Policy
from policy.table import PolicyTable
from receive.triage import Triage
from report.writer import ReportWriter
from tests.builders import action
from tests.crash.desk import Desk
from tests.execute.world import ScriptedToolbox
from tests.fakes import START, FakeClock
from tests.receive.bodies import alert, body
from worker import Files, Worker, pause_before_retry_s

PATIENCE_S = 5.0


class MoodyNode(ReceiveAlertNode):
    """Raises one error after the other."""

    def __init__(self, *moods: Exception) -> None:
        super().__init__(FakeClock())
        self._moods = list(moods)

    async def exec_async(self, incident: Incident) -> None:
        raise self._moods.pop(0)


class MoodyFiles:
    """Breaks on the first delivery and files the others."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._broken_once = False

    async def file(self, delivery: Delivery) -> Filing:
        if not self._broken_once:
            self._broken_once = True
            raise ZeroDivisionError("a defect")
        return await self._files.file(delivery)


async def test_a_run_that_breaks_is_handed_to_a_person(tmp_path: Path) -> None:
    async with working(tmp_path, MoodyNode(ZeroDivisionError("a defect"))) as (worker, journal, queue):
        await tell(journal, queue, "dlv-1")
        assert_handed_over(await closed(worker, journal))


async def test_a_run_that_breaks_after_busy_times_is_handed_to_a_person_as_well(tmp_path: Path) -> None:
    moods = ToolUnavailable("busy"), ZeroDivisionError("a defect")
    async with working(tmp_path, MoodyNode(*moods)) as (worker, journal, queue):
        await tell(journal, queue, "dlv-1")
        assert_handed_over(await closed(worker, journal))


async def test_a_delivery_that_breaks_filing_is_set_aside_and_the_next_one_is_filed(tmp_path: Path) -> None:
    receive = MoodyNode(ZeroDivisionError("a defect"))
    async with working(tmp_path, receive, moody_files=True) as (worker, journal, queue):
        await tell(journal, queue, "dlv-1")
        await tell(journal, queue, "dlv-2")
        await closed(worker, journal)
        assert await journal.unhandled_deliveries(limit=10) == []


@pytest.mark.parametrize("outcome", [None, OutcomeKind.DONE])
async def test_a_change_whose_run_broke_afterwards_stands_in_the_report(
    tmp_path: Path, outcome: OutcomeKind | None
) -> None:
    change, handed_over = action(), list[Incident]()
    async with SqliteJournal(tmp_path / "journal.db", clock=FakeClock()) as journal:
        desk = Desk(journal)
        incident = await desk.decided(DecisionKind.EXECUTE_TOOL, change)
        await journal.save(incident)
        await journal.intend(incident.id, change, at=START)
        if outcome:
            await journal.settle(change.key, Outcome(kind=outcome, text="restarted", at=START))
        await desk.run(incident, breaking, handed_over.append)
    (attempt,) = handed_over[0].attempts
    assert attempt.action == change
    assert attempt.outcome is not None
    assert attempt.outcome.kind is (outcome or OutcomeKind.UNKNOWN)
    assert "action_applied" in [entry.event for entry in handed_over[0].timeline]


def test_pauses_grow_to_a_minute_and_stay_there_however_long_the_trouble_lasts() -> None:
    assert [pause_before_retry_s(count) for count in (0, 1, 5, 6, 7, 5000)] == [1, 2, 32, 60, 60, 60]


def breaking(incident: Incident) -> None:
    """A run with a defect."""
    raise ZeroDivisionError("a defect")


def assert_handed_over(incident: Incident) -> None:
    assert incident.resolution is Resolution.ESCALATED
    assert incident.decision is not None
    assert incident.decision.reasons == ("an error inside the service: ZeroDivisionError: a defect",)
    assert Path(incident.report_path).exists()


async def tell(journal: SqliteJournal, queue: WorkQueue, delivery_id: str) -> None:
    """Keep a delivery and wake the worker, as the webhook does."""
    delivery = Delivery(id=delivery_id, source="alertmanager", body=body(alert()), received_at=START)
    await journal.keep_delivery(delivery)
    queue.offer(Wake(delivery=delivery))


async def closed(worker: Worker, journal: SqliteJournal) -> Incident:
    """The only incident, once it is closed."""
    ended: asyncio.Future[Incident] = asyncio.get_running_loop().create_future()
    worker.listen(lambda seen: ended.set_result(seen) if seen.closed and not ended.done() else None)
    async with asyncio.timeout(PATIENCE_S):
        return await ended


@asynccontextmanager
async def working(
    folder: Path, receive: MoodyNode, *, moody_files: bool = False
) -> AsyncIterator[tuple[Worker, SqliteJournal, WorkQueue]]:
    """A worker on real stations but the first, with a cluster that cannot be seen."""
    clock, queue = FakeClock(), WorkQueue(10)
    async with SqliteJournal(folder / "journal.db", clock=clock) as journal:
        triage = Triage(journal, clock=clock)
        files: Files = MoodyFiles(triage) if moody_files else triage
        worker = Worker(queue, journal, files, clock, concurrency_count=1)
        reader = ClusterReader(ScriptedToolbox(), 1)
        limits = Limits(steps_count=5, active_s=60, tokens_count=0)
        policy = Policy(PolicyTable.model_validate({"version": 1, "actions": {}}), "sandbox")
        executor = Executor(
            Door(ScriptedToolbox(), policy, journal, clock, call_s=1),
            Looker(ScriptedToolbox(), clock, call_s=1),
            Verifier(reader, clock, poll_s=1, settle_s=1, deadline_s=1),
        )
        gatherer = Gatherer(reader, clock, budget_s=5, log_lines_count=5)
        flow = build_flow(
            receive,
            AnalyzeRootCauseNode(clock, Analysis(gatherer, RulesAnalyst(), limits)),
            ExecuteSolutionNode(clock, executor),
            GenerateReportNode(clock, ReportWriter(folder / "reports")),
            worker.checkpoint,
        )
        worker.use(lambda incident: flow)
        task = asyncio.create_task(worker.run())
        try:
            yield worker, journal, queue
        finally:
            await worker.stop(task, within_s=1)
