"""What an incident asks a person. Whether somebody has answered is for the journal to say."""

from domain.attempt import Answer, Attempt
from domain.incident import Incident, IncidentState


def waiting_attempt(incident: Incident) -> Attempt | None:
    """The newest attempt, if the incident is parked because policy said "ask"."""
    attempt = incident.last_attempt
    if attempt is None or attempt.verdict.answer is not Answer.ASK:
        return None
    return attempt if incident.state is IncidentState.PARKED else None  # else it was withdrawn
