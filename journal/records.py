"""Incidents as rows: a snapshot, columns to find it by, and entries that only grow.

Everything here runs inside somebody else's transaction, on the connection it is given.
"""

import sqlite3
from collections.abc import Mapping

from domain.alert import Severity
from domain.incident import Incident, IncidentState, Resolution
from journal.codec import ENTRY, INCIDENT, to_text, to_time
from journal.ids import nearest
from journal.pending import waiting_attempt
from journal.port import IncidentSummary, Overtaken, UnknownIncident
from journal.statements import sql

NEAREST_AMONG_COUNT = 500  # newest ids searched for the one somebody may have meant

Row = Mapping[str, str | int | None]


def incident_row(incident: Incident, *, saved_at: str) -> Row:
    """The columns of one incident, snapshot included."""
    waiting = waiting_attempt(incident)
    return {
        "id": incident.id,
        "group_key": incident.group_key,
        "title": incident.title,
        "target": str(incident.target),
        "severity": incident.severity,
        "state": incident.state,
        "resolution": incident.resolution,
        "opened_at": to_text(incident.opened_at),
        "closed_at": to_text(incident.closed_at) if incident.closed_at else None,
        "report_path": incident.report_path,
        "pending_action": waiting.action.key if waiting else None,
        "snapshot": INCIDENT.encode(incident),
        "saved_at": saved_at,
    }


def entry_rows(incident: Incident) -> list[Row]:
    """All lines of the timeline."""
    return [
        {
            "id": incident.id,
            "seq": entry.seq,
            "at": to_text(entry.at),
            "event": entry.event,
            "entry": ENTRY.encode(entry),
        }
        for entry in incident.timeline
    ]


def put_incident(connection: sqlite3.Connection, incident: Row, entries: list[Row]) -> None:
    """Store a snapshot and the entries that are not stored yet."""
    connection.execute(sql("incidents.put"), incident)
    (last_seq,) = connection.execute(sql("incidents.last_seq"), {"id": incident["id"]}).fetchone()
    fresh = [entry for entry in entries if int(entry["seq"] or 0) > last_seq]
    connection.executemany(sql("incidents.add_entry"), fresh)


def refuse_overtaken(connection: sqlite3.Connection, incident_id: str, alerts_count: int) -> None:
    """Raises Overtaken when more alerts than these are filed under the incident."""
    (filed_count,) = connection.execute(sql("alerts.count_of_incident"), {"id": incident_id}).fetchone()
    if filed_count > alerts_count:
        raise Overtaken(f"{filed_count - alerts_count} more came for {incident_id}; read its alerts again")


def read_incident(connection: sqlite3.Connection, incident_id: str) -> Incident:
    """One incident with its timeline. Raises UnknownIncident with the nearest ids when there is none."""
    found = connection.execute(sql("incidents.snapshot"), {"id": incident_id}).fetchone()
    if found is None:
        raise unknown_incident(connection, incident_id)
    incident = INCIDENT.decode(found["snapshot"])
    entries = connection.execute(sql("incidents.entries"), {"id": incident_id})
    incident.timeline = [ENTRY.decode(row["entry"]) for row in entries]
    return incident


def unknown_incident(connection: sqlite3.Connection, incident_id: str) -> UnknownIncident:
    """The error for an id that is not there."""
    rows = connection.execute(sql("incidents.newest_ids"), {"limit": NEAREST_AMONG_COUNT})
    meant = nearest(incident_id, [row["id"] for row in rows])
    advice = f"nearest: {', '.join(meant)}" if meant else "there are no incidents yet"
    return UnknownIncident(f"there is no incident {incident_id!r}; {advice}")


def summary(row: sqlite3.Row) -> IncidentSummary:
    """One row of `incidents.newest`."""
    return IncidentSummary(
        id=row["id"],
        title=row["title"],
        target=row["target"],
        severity=Severity(row["severity"]),
        state=IncidentState(row["state"]),
        resolution=Resolution(row["resolution"]) if row["resolution"] else None,
        opened_at=to_time(row["opened_at"]),
        closed_at=to_time(row["closed_at"]) if row["closed_at"] else None,
        alerts_count=row["alerts_count"],
        report_path=row["report_path"],
    )
