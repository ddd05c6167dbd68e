"""What Analyze does: look around, ask the analyst within the limits, file what came of it."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from analyze.analyst import Analyst
from domain.budget import Budget
from domain.decision import Assessment, Decision, DecisionKind
from domain.incident import Incident, Station
from evidence.gather import Gatherer, Gathering
from utils.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where an incident goes to a person instead of on."""

    steps_count: int
    active_s: float
    tokens_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one visit of Analyze brought."""

    gathering: Gathering
    assessment: Assessment


class Analysis:
    """Gathers evidence and gets a decision on it."""

    def __init__(self, gatherer: Gatherer, analyst: Analyst, limits: Limits) -> None:
        self._gatherer = gatherer
        self._analyst = analyst
        self._limits = limits

    async def find(self, incident: Incident) -> Finding:
        """Look and decide. The evidence is filed first, because the analyst reads it from the incident."""
        labels = next((alert.labels for alert in incident.alerts if alert.firing), {})
        gathering = await self._gatherer.gather(incident.target, labels)
        seen = with_evidence(incident, gathering)
        return Finding(gathering=gathering, assessment=await self._decide(seen, gathering))

    async def _decide(self, incident: Incident, gathering: Gathering) -> Assessment:
        stop = self._limit_reached(incident) or _blindness(incident, gathering)
        if stop and not incident.mended:
            return Assessment(decision=_stop(incident, stop), hypotheses=tuple(incident.hypotheses))
        used, limits = incident.used, self._limits
        budget = Budget(
            seconds=limits.active_s - used.active_s, tokens_count=limits.tokens_count - used.tokens_count
        )
        return await self._analyst.assess(incident, budget=budget)

    def _limit_reached(self, incident: Incident) -> str:
        used, limits = incident.used, self._limits
        if used.steps_count >= limits.steps_count:
            return f"the limit of {limits.steps_count} steps is reached"
        if used.active_s >= limits.active_s:
            return f"the limit of {limits.active_s:g} s of work is reached"
        return ""

    def file(self, incident: Incident, finding: Finding, *, at: datetime) -> None:
        """Add evidence, hypotheses, decision and the timeline's lines to the incident."""
        gathering, decision = finding.gathering, finding.assessment.decision
        incident.target = gathering.target
        new = incident.add_evidence(gathering.observations)
        incident.take(finding.assessment)
        incident.used.steps_count += 1
        text = f"looked at {gathering.target} for {gathering.took_s:.2f} s: {counted(len(new), 'new fact')}"
        _note(incident, at, "evidence_gathered", text, evidence=[item.id for item in new])
        for gap in gathering.gaps:
            _note(incident, at, "evidence_missing", f"could not see {gap}")
        for remark in finding.assessment.remarks:
            _note(incident, at, "analyst_remarked", remark)
        _note(
            incident, at, "decision_made", _in_words(decision), kind=decision.kind.value, cause=decision.cause
        )


def with_evidence(incident: Incident, gathering: Gathering) -> Incident:
    """A copy of the incident that already holds what was just seen, under the ids it will get."""
    seen = copy(incident)
    seen.target = gathering.target
    seen.evidence = list(incident.evidence)
    seen.add_evidence(gathering.observations)
    return seen


def _blindness(incident: Incident, gathering: Gathering) -> str:
    """Why nothing can be decided when this look showed nothing at all; empty when it did."""
    if gathering.observations or not gathering.gaps or not incident.firing:
        return ""
    return f"nothing of the cluster could be seen: {gathering.gaps[0]}"


def _stop(incident: Incident, reason: str) -> Decision:
    before = incident.decision
    return Decision(
        kind=DecisionKind.NEEDS_MANUAL_INTERVENTION,
        analyst="analysis",
        cause=before.cause if before else "",
        confidence=before.confidence if before else 0.0,
        reasons=(reason,),
    )


def _in_words(decision: Decision) -> str:
    about = f" ({decision.cause}, confidence {decision.confidence:.2f})" if decision.cause else ""
    what = str(decision.action) if decision.action else ", ".join(map(str, decision.looks))
    why = f"{what} because " if what else ""
    return f"{decision.analyst} decided {decision.kind.value}{about}: {why}{'; '.join(decision.reasons)}"


def _note(incident: Incident, at: datetime, event: str, text: str, **details: object) -> None:
    incident.note(at=at, station=Station.ANALYZE, event=event, text=text, **details)
