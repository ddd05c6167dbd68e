"""The four nodes. Each calls the folder of its station and files what comes back in the Incident."""

from dataclasses import replace
from typing import ClassVar

from pocketflow import AsyncNode

from analyze.station import Analysis, Finding
from domain.clock import Clock
from domain.decision import DecisionKind
from domain.incident import Incident, IncidentState, Station
from execute.executor import Executor, Progress
from execute.filing import file_progress
from report.closing import close
from report.writer import ReportWriter
from utils.words import counted

NAMES_COUNT = 5  # of rules, told in one line of the timeline; a storm has hundreds


class StationNode(AsyncNode):  # type: ignore[misc]  # pocketflow is untyped
    """What all nodes share: their place in the flow, declared exits, and timing."""

    station: ClassVar[Station]
    exits: ClassVar[frozenset[str]]  # every value that post_async may return
    ends: ClassVar[frozenset[str]] = frozenset()  # those that no node follows
    pauses: ClassVar[frozenset[str]] = frozenset()  # those that stop the run and leave the incident here

    def __init__(self, clock: Clock) -> None:
        super().__init__(max_retries=1)  # a half-done change must never be repeated by the flow
        self.clock = clock

    def check_wiring(self) -> None:
        """Raise ValueError unless exactly the declared exits are wired."""
        wired = frozenset(self.successors)
        if wired != self.exits - self.ends - self.pauses:
            raise ValueError(
                f"{type(self).__name__} is wired for {sorted(wired)}, declares {sorted(self.exits)}"
            )

    async def visit(self, incident: Incident) -> str:
        """Run prep, exec and post once; the time it takes counts as work on the incident."""
        started_s = self.clock.monotonic_s()
        exit_taken: str = await self._run_async(incident)
        incident.used.active_s += self.clock.monotonic_s() - started_s
        return exit_taken

    def station_after(self, exit_taken: str) -> Station:
        """Where that exit leads. Raises ValueError for an exit that was not declared."""
        if exit_taken not in self.exits:
            raise ValueError(f"{type(self).__name__} left by {exit_taken!r}, declares {sorted(self.exits)}")
        if exit_taken in self.pauses:
            return self.station
        follower = self.successors.get(exit_taken)
        return follower.station if follower else Station.END

    async def prep_async(self, incident: Incident) -> Incident:
        """Hand the incident to exec, which reads it and changes nothing."""
        return incident


class ReceiveAlertNode(StationNode):
    """Looks whether there is still something wrong."""

    station = Station.RECEIVE
    exits = frozenset({"analyze", "report"})

    async def post_async(self, incident: Incident, prep: Incident, result: None) -> str:
        """Analyze while anything fires; otherwise only the report is left."""
        text = f"{counted(len(incident.alerts), 'alert')} about {incident.target}: {_names(incident)}"
        incident.note(at=self.clock.now(), station=self.station, event="alerts_received", text=text)
        return "analyze" if incident.firing else "report"


class AnalyzeRootCauseNode(StationNode):
    """Looks around, weighs the evidence, decides. Code: evidence/ and analyze/."""

    station = Station.ANALYZE
    exits = frozenset(kind.value for kind in DecisionKind)

    def __init__(self, clock: Clock, analysis: Analysis) -> None:
        super().__init__(clock)
        self._analysis = analysis

    async def exec_async(self, incident: Incident) -> Finding:
        """Gather and assess."""
        return await self._analysis.find(incident)

    async def post_async(self, incident: Incident, prep: Incident, finding: Finding) -> str:
        """File evidence, hypotheses and the decision."""
        self._analysis.file(incident, finding, at=self.clock.now())
        return finding.assessment.decision.kind.value


class ExecuteSolutionNode(StationNode):
    """Carries out what was decided and checks whether it helped. Code: policy/ and execute/."""

    station = Station.EXECUTE
    exits = frozenset({"analyze", "await_approval"})
    pauses = frozenset({"await_approval"})

    def __init__(self, clock: Clock, executor: Executor) -> None:
        super().__init__(clock)
        self._executor = executor

    async def exec_async(self, incident: Incident) -> Progress:
        """Look, or bring the change through the door."""
        return await self._executor.carry_out(incident)

    async def post_async(self, incident: Incident, prep: Incident, progress: Progress) -> str:
        """File what happened; park when a person has to answer first."""
        file_progress(incident, progress, at=self.clock.now())
        incident.state = IncidentState.PARKED if progress.waits else IncidentState.OPEN
        return "await_approval" if progress.waits else "analyze"


class GenerateReportNode(StationNode):
    """Closes the incident and tells people. Code: report/."""

    station = Station.REPORT
    exits = frozenset({"closed"})
    ends = frozenset({"closed"})

    def __init__(self, clock: Clock, writer: ReportWriter) -> None:
        super().__init__(clock)
        self._writer = writer

    async def exec_async(self, incident: Incident) -> str:
        """Write the report of the incident as it will stand once closed."""
        closed = replace(incident, timeline=list(incident.timeline))
        close(closed, at=self.clock.now())
        return str(await self._writer.write(closed))

    async def post_async(self, incident: Incident, prep: Incident, path: str) -> str:
        """Close it."""
        incident.report_path = path
        close(incident, at=self.clock.now())
        return "closed"


def _names(incident: Incident) -> str:
    """Which rules fired; of many the first, for a line of the timeline."""
    names = list(dict.fromkeys(alert.name for alert in incident.alerts))
    told, more_count = ", ".join(names[:NAMES_COUNT]), len(names) - NAMES_COUNT
    return f"{told} and {more_count} more" if more_count > 0 else told
