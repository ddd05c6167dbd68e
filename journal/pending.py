"""What an incident asks a person. Whether somebody has answered is for the journal to say."""

from domain.attempt import Answer, Attempt
from domain.incident import Incident


def waiting_attempt(incident: Incident) -> Attempt | None:
    """The newest attempt, if policy said "ask" and nothing came of it yet."""
    attempt = incident.last_attempt
    if attempt is None or attempt.outcome is not None or attempt.verdict.answer is not Answer.ASK:
        return None
    return attempt
