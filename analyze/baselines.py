"""Analysts that understand nothing, to compare with: a suite on which they do well measures nothing."""

from domain.attempt import Effect
from domain.budget import Budget
from domain.decision import Action, Assessment, Decision, DecisionKind
from domain.incident import Incident

RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


class Noop:
    """Never does anything; hands every incident to a person."""

    name = "noop"

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """Always the same."""
        return _hand_over(self.name, "this analyst never acts")


class RestartOnly:
    """Restarts whatever the alert is about, once, and believes that it helped when that was seen."""

    name = "restart-only"

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """Restart, then resolved or a person."""
        last = incident.last_attempt
        if last is not None:
            helped = last.verification is not None and last.verification.effect is Effect.HELPED
            return self._resolved() if helped else _hand_over(self.name, "the restart did not help")
        if incident.target.kind not in RESTARTABLE:
            return _hand_over(self.name, f"{incident.target} cannot be restarted")
        restart = Action(
            key=incident.next_key,
            tool="restart_workload",
            target=incident.target,
            reason="a restart sometimes helps",
            expects="it is well again",
        )
        kind = DecisionKind.EXECUTE_TOOL
        return Assessment(
            decision=Decision(kind=kind, analyst=self.name, reasons=(restart.reason,), action=restart)
        )

    def _resolved(self) -> Assessment:
        reasons = ("the restart helped",)
        return Assessment(decision=Decision(kind=DecisionKind.RESOLVED, analyst=self.name, reasons=reasons))


def _hand_over(analyst: str, reason: str) -> Assessment:
    kind = DecisionKind.NEEDS_MANUAL_INTERVENTION
    return Assessment(decision=Decision(kind=kind, analyst=analyst, reasons=(reason,)))
