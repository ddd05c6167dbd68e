"""Takes wakes off the queue and runs the flow for each incident: many in parallel, one run per incident.

It decides nothing about an incident; when a run breaks it sees to it that a person is called.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from math import ldexp
from typing import Protocol

import structlog

from domain.alert import Alert, Delivery
from domain.clock import Clock
from domain.decision import Decision, DecisionKind
from domain.errors import LoopError, Transient
from domain.incident import Incident, IncidentState, Station
from execute.filing import file_begun
from flow import IncidentFlow
from journal.port import Filing, Journal, Overtaken
from journal.queue import Wake, WorkQueue
from utils.words import counted

RETRY_FIRST_S = 1.0
RETRY_LONGEST_S = 60.0
LONGEST_AFTER_COUNT = 6  # doublings of the first pause that reach the longest

Listener = Callable[[Incident], None]

log = structlog.get_logger("worker")


class Files(Protocol):
    """Puts a delivery's alerts into incidents; `receive/triage.py` fits."""

    async def file(self, delivery: Delivery) -> Filing: ...


class Worker:
    """Runs until stopped. A run that is cut off goes on where it was at the next start."""

    def __init__(
        self, queue: WorkQueue, journal: Journal, triage: Files, clock: Clock, *, concurrency_count: int
    ) -> None:
        self._queue = queue
        self._journal = journal
        self._triage = triage
        self._clock = clock
        self._concurrency_count = concurrency_count
        self._ready: asyncio.Queue[str] = asyncio.Queue()  # bounded by the number of live incidents
        self._waiting: set[str] = set()
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._postponed: Counter[str] = Counter()  # how often in a row the world was too busy for a run
        self._broken: set[str] = set()  # incidents handed over after a fault of our own
        self._listeners: list[Listener] = []
        self._stopping = False
        self._flow_of: Callable[[Incident], IncidentFlow] | None = None

    def use(self, flow_of: Callable[[Incident], IncidentFlow]) -> None:
        """Hand in what gives an incident's flow; the flows were given this worker's `checkpoint`."""
        self._flow_of = flow_of

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the incident after every node."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Work until cancelled or `stop` has let every run finish its step."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_wakes(), name="wakes")
            for number in range(self._concurrency_count):
                tasks.create_task(self._run_incidents(), name=f"runner-{number}")

    async def stop(self, task: asyncio.Task[None], *, within_s: float) -> None:
        """End `task`, which runs `run`: steps in hand may finish within `within_s`, then are cut off."""
        self._stopping = True
        deadline_s = self._clock.monotonic_s() + within_s
        while self._running and self._clock.monotonic_s() < deadline_s:
            await self._clock.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def checkpoint(self, incident: Incident) -> bool:
        """Save after a node, with the alerts that came meanwhile. False: do not go on now."""
        while not await self._saved_with_all_alerts(incident):
            pass  # each round found an alert more, so there are no more rounds than alerts
        for listener in self._listeners:
            listener(incident)
        return not self._stopping

    async def _saved_with_all_alerts(self, incident: Incident) -> bool:
        """False when one more was filed meanwhile: saved as closed, nobody would ever look at that one."""
        alerts_count = await self._merge_alerts(incident)
        try:
            await self._journal.save(incident, alerts_count=alerts_count)
        except Overtaken:
            return False
        return True

    async def _merge_alerts(self, incident: Incident) -> int:
        """Take over what was filed, and begin the way again for an alert that nobody would look at.

        Returns how many are filed.
        """
        filed = await self._journal.alerts_of(incident.id)
        late = incident.merge_alerts(filed)
        if late and _nobody_will_look(incident):
            self._begin_again(incident, late)
        return len(filed)

    def _begin_again(self, incident: Incident, late: list[Alert]) -> None:
        incident.state, incident.next = IncidentState.OPEN, Station.RECEIVE
        incident.resolution, incident.closed_at, incident.report_path = None, None, ""
        text = f"{counted(len(late), 'alert')} came after the last look"
        incident.note(at=self._clock.now(), station=Station.RECEIVE, event="incident_reopened", text=text)

    async def _take_wakes(self) -> None:
        while True:
            wake = await self._queue.get()
            try:
                await self._answer(wake)
            finally:
                self._queue.task_done(wake)

    async def _answer(self, wake: Wake) -> None:
        if wake.incident_id is not None:
            self._enqueue(wake.incident_id)
        if wake.delivery is not None:
            await self._file_safely(wake.delivery)

    async def _file_safely(self, delivery: Delivery) -> None:
        try:
            await self._file(delivery)
        except Exception as error:  # the worker's edge: one delivery must not stop all others
            log.exception("filing_failed", delivery=delivery.id)
            await self._set_aside(delivery, error)

    async def _set_aside(self, delivery: Delivery, error: Exception) -> None:
        """Keep a delivery that breaks filing out of the way, with the reason."""
        reason = f"an error inside the service: {type(error).__name__}: {error}"
        try:
            await self._journal.drop_delivery(delivery.id, reason=reason, at=self._clock.now())
        except LoopError as trouble:
            log.warning("delivery_waits_in_journal", delivery=delivery.id, reason=str(trouble))

    async def _file(self, delivery: Delivery) -> None:
        """File until it works: the sender was told 200, so this delivery is never given up."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                filing = await self._triage.file(delivery)
                break
            except Transient as error:
                log.warning("filing_postponed", delivery=delivery.id, retry_s=pause_s, reason=str(error))
                await self._clock.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_LONGEST_S)
        log.info(
            "delivery_filed", delivery=delivery.id, opened=len(filing.opened), joined=len(filing.joined),
            repeated=filing.repeated_count, unmatched=filing.unmatched_count,
        )  # fmt: skip
        for incident_id in filing.touched:
            self._enqueue(incident_id)

    def _enqueue(self, incident_id: str) -> None:
        if incident_id not in self._waiting:
            self._waiting.add(incident_id)
            self._ready.put_nowait(incident_id)

    async def _run_incidents(self) -> None:
        while True:
            incident_id = await self._ready.get()
            self._waiting.discard(incident_id)
            if self._stopping:
                continue  # it is in the journal and comes back at the next start
            if incident_id in self._running:
                self._again.add(incident_id)
                continue
            await self._run_alone(incident_id)

    async def _run_alone(self, incident_id: str) -> None:
        self._running.add(incident_id)
        try:
            with structlog.contextvars.bound_contextvars(incident=incident_id):
                await self._run_safely(incident_id)
        finally:
            self._running.discard(incident_id)
            if incident_id in self._again:
                self._again.discard(incident_id)
                self._enqueue(incident_id)

    async def _run_safely(self, incident_id: str) -> None:
        try:
            await self._run_once(incident_id)
            self._postponed.pop(incident_id, None)
            self._broken.discard(incident_id)
        except Transient as error:
            self._retry_later(incident_id, str(error))
        except Exception as error:  # the worker's edge: an incident must never vanish
            log.exception("run_failed")
            await self._hand_over(incident_id, error)

    async def _run_once(self, incident_id: str) -> None:
        incident = await self._journal.load(incident_id)
        if not incident.closed:
            await self._run_live(incident)

    async def _run_live(self, incident: Incident) -> None:
        assert self._flow_of is not None, "use() comes before run()"
        await self._merge_alerts(incident)
        await self._flow_of(incident).run_async(incident)
        steps_count = incident.used.steps_count
        log.info("run_ended", state=incident.state, resolution=incident.resolution, steps=steps_count)

    def _retry_later(self, incident_id: str, reason: str) -> None:
        pause_s = pause_before_retry_s(self._postponed[incident_id])
        self._postponed[incident_id] += 1
        log.warning("run_postponed", incident=incident_id, retry_s=pause_s, reason=reason)
        asyncio.get_running_loop().call_later(pause_s, self._enqueue, incident_id)

    async def _hand_over(self, incident_id: str, error: Exception) -> None:
        """A run broke on a fault of our own: close the incident as escalated, with what is known."""
        if incident_id in self._broken:
            return  # handing over broke, too; it stays open in the journal for the next start
        self._broken.add(incident_id)
        try:
            incident = await self._journal.load(incident_id)
            await self._file_begun(incident)
            self._escalate(incident, f"an error inside the service: {type(error).__name__}: {error}")
            await self._journal.save(incident)
            self._enqueue(incident_id)
        except Transient as trouble:
            self._broken.discard(incident_id)
            self._retry_later(incident_id, str(trouble))
        except LoopError as trouble:
            log.error("hand_over_failed", reason=str(trouble))  # no trace: the run's own was logged

    async def _file_begun(self, incident: Incident) -> None:
        """The report must not say that nothing was changed when a change was on its way."""
        action = incident.decision.action if incident.decision else None
        intent = await self._journal.intent_of(action.key) if action else None
        if intent is not None:
            approval = await self._journal.approval_of(intent.action.key)
            file_begun(incident, intent, approval, at=self._clock.now())

    def _escalate(self, incident: Incident, text: str) -> None:
        incident.decisions.append(
            Decision(kind=DecisionKind.NEEDS_MANUAL_INTERVENTION, analyst="worker", reasons=(text,))
        )
        incident.note(at=self._clock.now(), station=incident.next, event="run_failed", text=text)
        incident.state, incident.next = IncidentState.OPEN, Station.REPORT


def pause_before_retry_s(postponed_count: int) -> float:
    """1 s, 2 s, 4 s … and a minute for good: trouble may last for days, and then powers overflow."""
    return min(ldexp(RETRY_FIRST_S, min(postponed_count, LONGEST_AFTER_COUNT)), RETRY_LONGEST_S)


def _nobody_will_look(incident: Incident) -> bool:
    """Whether it was found settled, so that only its report is left or not even that."""
    called = incident.decision is not None and (
        incident.decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION
    )
    return incident.closed or (incident.next is Station.REPORT and not called)
