"""How an incident ends: the resolution that its decisions and attempts add up to."""

from datetime import datetime

from domain.attempt import Effect
from domain.decision import DecisionKind
from domain.incident import Incident, IncidentState, Resolution, Station


def resolution_of(incident: Incident) -> Resolution:
    """Resolved only when a change helped; without a decision there was nothing to do."""
    decision = incident.decision
    if decision is not None and decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION:
        return Resolution.ESCALATED
    helped = any(a.verification and a.verification.effect is Effect.HELPED for a in incident.attempts)
    return Resolution.RESOLVED if helped else Resolution.NO_ACTION


def close(incident: Incident, *, at: datetime) -> None:
    """Close the incident for good."""
    incident.resolution = resolution_of(incident)
    incident.state = IncidentState.CLOSED
    incident.closed_at = at
    incident.note(
        at=at,
        station=Station.REPORT,
        event="incident_closed",
        text=f"closed as {incident.resolution.value}",
        resolution=incident.resolution.value,
    )
