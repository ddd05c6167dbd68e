"""The way of an incident, on one page.

    ReceiveAlertNode ─► AnalyzeRootCauseNode ─► GenerateReportNode ─► closed
                              ▲     │ execute_tool
                              │     ▼
                           ExecuteSolutionNode ─► parked (await_approval)

Each node's code is in the folder of its station: receive/, analyze/, execute/, report/.
"""

import copy
from collections.abc import Awaitable, Callable

from pocketflow import AsyncFlow

from domain.incident import Incident, Station
from nodes import AnalyzeRootCauseNode, ExecuteSolutionNode, GenerateReportNode, ReceiveAlertNode, StationNode

Checkpoint = Callable[[Incident], Awaitable[bool]]


def build_flow(
    receive: ReceiveAlertNode,
    analyze: AnalyzeRootCauseNode,
    execute: ExecuteSolutionNode,
    report: GenerateReportNode,
    checkpoint: Checkpoint,
) -> "IncidentFlow":
    """Wire the four nodes; `checkpoint` saves the incident and says whether to go on."""
    receive - "analyze" >> analyze
    receive - "report" >> report
    analyze - "execute_tool" >> execute
    analyze - "resolved" >> report
    analyze - "needs_manual_intervention" >> report
    execute - "analyze" >> analyze
    # Two exits end the run: execute's await_approval (parked) and report's closed.
    return IncidentFlow((receive, analyze, execute, report), checkpoint)


class IncidentFlow(AsyncFlow):  # type: ignore[misc]  # pocketflow is untyped
    """Starts where the incident stands and saves it after every node. Keeps no state: runs may overlap."""

    def __init__(self, nodes: tuple[StationNode, ...], checkpoint: Checkpoint) -> None:
        super().__init__(start=nodes[0])
        self._nodes = {node.station: node for node in nodes}
        self._checkpoint = checkpoint
        for node in nodes:
            node.check_wiring()

    async def _orch_async(self, shared: Incident, params: object = None) -> str:
        exit_taken, go_on = "", True
        while go_on and shared.next is not Station.END:
            node = copy.copy(self._nodes[shared.next])
            exit_taken = await node.visit(shared)
            shared.next = node.station_after(exit_taken)
            go_on = await self._checkpoint(shared) and exit_taken not in node.pauses
        return exit_taken
