"""Intents and approvals as rows: what is about to be done, and who said yes or no.

Both are written once under the action's key; whoever comes later gets what is there.
"""

import sqlite3
from datetime import datetime

from domain.attempt import Approval, Intent, Outcome
from domain.decision import Action
from domain.errors import Permanent
from journal.codec import ACTION, APPROVAL, OUTCOME, to_text, to_time
from journal.port import NotWaiting
from journal.records import unknown_incident
from journal.statements import sql


def intend(connection: sqlite3.Connection, incident_id: str, action: Action, at: datetime) -> Intent:
    """The intent under the action's key: the earlier one, or this."""
    earlier = intent_of(connection, action.key)
    if earlier is not None:
        return earlier
    _require_incident(connection, incident_id)
    row = {
        "key": action.key,
        "incident_id": incident_id,
        "action": ACTION.encode(action),
        "at": to_text(at),
    }
    connection.execute(sql("actions.intend"), row)
    return Intent(action=action, intended_at=at)


def intent_of(connection: sqlite3.Connection, action_key: str) -> Intent | None:
    """The intent under this key, if one was recorded."""
    row = connection.execute(sql("actions.intent"), {"key": action_key}).fetchone()
    return _intent(row) if row else None


def settle(connection: sqlite3.Connection, action_key: str, outcome: Outcome) -> None:
    """Put the outcome to its intent; a later look may correct an unknown one."""
    row = {"key": action_key, "outcome": OUTCOME.encode(outcome)}
    if connection.execute(sql("actions.settle"), row).rowcount == 0:
        raise Permanent(f"there is no intent {action_key!r}; journal the intent before applying the action")


def decide(connection: sqlite3.Connection, approval: Approval) -> Approval:
    """The answer that stands. Raises NotWaiting when this incident asks nobody about this action."""
    pending = _require_incident(connection, approval.incident_id)
    earlier = approval_of(connection, approval.action_key)
    if earlier is not None:
        return earlier
    if pending["pending_action"] != approval.action_key:
        raise NotWaiting(
            f"incident {approval.incident_id} does not wait for an answer to {approval.action_key!r}; "
            "look at its pending action"
        )
    row = {
        "key": approval.action_key,
        "incident_id": approval.incident_id,
        "approver": approval.approver,
        "granted": approval.granted,
        "at": to_text(approval.decided_at),
        "approval": APPROVAL.encode(approval),
    }
    connection.execute(sql("actions.decide"), row)
    return approval


def approval_of(connection: sqlite3.Connection, action_key: str) -> Approval | None:
    """The answer to this action, if a person gave one."""
    row = connection.execute(sql("actions.approval"), {"key": action_key}).fetchone()
    return APPROVAL.decode(row["approval"]) if row else None


def _intent(row: sqlite3.Row) -> Intent:
    return Intent(
        action=ACTION.decode(row["action"]),
        intended_at=to_time(row["intended_at"]),
        outcome=OUTCOME.decode(row["outcome"]) if row["outcome"] else None,
    )


def _require_incident(connection: sqlite3.Connection, incident_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        sql("incidents.pending_action"), {"id": incident_id}
    ).fetchone()
    if row is None:
        raise unknown_incident(connection, incident_id)
    return row
