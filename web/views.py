"""Incidents and approvals as JSON for the API. Names are the glossary's; nothing is computed here."""

from dataclasses import asdict

from pydantic import TypeAdapter

from domain.attempt import Approval, Attempt
from domain.incident import Incident
from journal.port import IncidentSummary

JsonObject = dict[str, object]

_INCIDENT = TypeAdapter(Incident)


def incident_json(incident: Incident) -> bytes:
    """The whole incident with its timeline."""
    return _INCIDENT.dump_json(incident)


def summary_json(summary: IncidentSummary) -> JsonObject:
    """One row of a list."""
    row = asdict(summary)
    return {**row, "opened_at": summary.opened_at.isoformat(), "closed_at": _iso(summary)}


def pending_json(incident: Incident, attempt: Attempt) -> JsonObject:
    """What a person is asked, with all they need to answer."""
    action = attempt.action
    return {
        "incident_id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "action_key": action.key,
        "action": str(action),
        "tool": action.tool,
        "target": str(action.target),
        "arguments": action.arguments,
        "reason": action.reason,
        "expects": action.expects,
        "rule": attempt.verdict.rule,
        "asked_because": attempt.verdict.reason,
    }


def approval_json(approval: Approval) -> JsonObject:
    """An answer that stands."""
    return {**asdict(approval), "decided_at": approval.decided_at.isoformat()}


def _iso(summary: IncidentSummary) -> str | None:
    return summary.closed_at.isoformat() if summary.closed_at else None
