"""Puts alerts into incidents, inside one transaction.

    firing    joins the live incident with the group's key, or opens one
    resolved  goes to the incident that knows its fingerprint; wakes nobody when that one is closed
    repeated  an alert known with this fingerprint, start and status is only counted

It does not parse and does not group; it is given groups.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.alert import Alert, AlertGroup, AlertStatus
from domain.errors import Permanent
from domain.incident import Incident, IncidentState, Station
from journal.codec import ALERT, to_text
from journal.ids import new_incident_id
from journal.port import Filing
from journal.records import entry_rows, incident_row, put_incident
from journal.statements import sql


def file_groups(
    connection: sqlite3.Connection, delivery_id: str, groups: Sequence[AlertGroup], at: datetime
) -> Filing:
    """File a delivery's groups and mark it handled; a delivery handled before changes nothing."""
    if not settle_delivery(connection, delivery_id, at=at, reason=None):
        return Filing()
    clerk = _Clerk(connection, delivery_id, at)
    for group in groups:
        clerk.file(group)
    return clerk.filing()


def settle_delivery(
    connection: sqlite3.Connection, delivery_id: str, *, at: datetime, reason: str | None
) -> bool:
    """Mark a delivery handled; False when it was already. Raises Permanent for one that was never kept."""
    known = connection.execute(sql("deliveries.handled_at"), {"id": delivery_id}).fetchone()
    if known is None:
        raise Permanent(f"there is no delivery {delivery_id!r}; keep it before filing its alerts")
    row = {"id": delivery_id, "at": to_text(at), "reason": reason}
    return connection.execute(sql("deliveries.settle"), row).rowcount > 0


@dataclass(slots=True)
class _Clerk:
    """Files the groups of one delivery and remembers what became of them."""

    connection: sqlite3.Connection
    delivery_id: str
    at: datetime
    opened: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    repeated_count: int = 0
    unmatched_count: int = 0

    def filing(self) -> Filing:
        return Filing(
            opened=tuple(self.opened),
            joined=tuple(self.joined),
            repeated_count=self.repeated_count,
            unmatched_count=self.unmatched_count,
        )

    def file(self, group: AlertGroup) -> None:
        for alert in group.alerts:
            if self._repeats(alert):
                self.repeated_count += 1
            elif alert.firing:
                self._file_firing(alert, group)
            else:
                self._file_resolved(alert)

    def _repeats(self, alert: Alert) -> bool:
        row = {**_identity(alert), "at": to_text(self.at)}
        return self.connection.execute(sql("alerts.repeat"), row).rowcount > 0

    def _file_firing(self, alert: Alert, group: AlertGroup) -> None:
        twin = self._find("alerts.twin", alert, twin_status=AlertStatus.RESOLVED)
        if twin is not None:  # its end came first, so this news is old
            self._add(alert, twin["incident_id"])
            self.repeated_count += 1
            return
        live = self.connection.execute(sql("incidents.live"), {"group_key": group.key}).fetchone()
        incident_id = live["id"] if live else self._open(group, alert)
        self._add(alert, incident_id)
        self._touch(incident_id)

    def _file_resolved(self, alert: Alert) -> None:
        twin = self._find("alerts.twin", alert, twin_status=AlertStatus.FIRING)
        known = twin or self._find("alerts.known", alert)
        if known is None:
            self._add(alert, None)
            self.unmatched_count += 1
            return
        self._add(alert, known["incident_id"])
        if known["state"] == IncidentState.CLOSED:
            self.unmatched_count += 1
        else:
            self._touch(known["incident_id"])

    def _find(self, statement: str, alert: Alert, **more: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection.execute(
            sql(statement), {**_identity(alert), **more}
        ).fetchone()
        return row

    def _add(self, alert: Alert, incident_id: str | None) -> None:
        row = {
            **_identity(alert),
            "incident_id": incident_id,
            "delivery_id": self.delivery_id,
            "alert": ALERT.encode(alert),
            "at": to_text(self.at),
        }
        self.connection.execute(sql("alerts.add"), row)

    def _touch(self, incident_id: str) -> None:
        if incident_id not in self.opened and incident_id not in self.joined:
            self.joined.append(incident_id)

    def _open(self, group: AlertGroup, first: Alert) -> str:
        incident = Incident(
            id=new_incident_id(self.at, taken=self._is_taken),
            group_key=group.key,
            target=group.target,
            opened_at=self.at,
            title=_title(first, group),
        )
        incident.merge_alerts(alert for alert in group.alerts if alert.firing)
        incident.note(at=self.at, station=Station.RECEIVE, event="incident_opened", text=incident.title)
        if group.truncated_count:
            text = f"the sender left out {group.truncated_count} more alerts of this notification"
            incident.note(at=self.at, station=Station.RECEIVE, event="alerts_truncated", text=text)
        row = incident_row(incident, saved_at=to_text(self.at))
        put_incident(self.connection, row, entry_rows(incident))
        self.opened.append(incident.id)
        return incident.id

    def _is_taken(self, incident_id: str) -> bool:
        found = self.connection.execute(sql("incidents.snapshot"), {"id": incident_id}).fetchone()
        return found is not None


def _identity(alert: Alert) -> dict[str, str]:
    return {
        "fingerprint": alert.fingerprint,
        "started_at": to_text(alert.started_at),
        "status": alert.status,
    }


def _title(alert: Alert, group: AlertGroup) -> str:
    named = group.target.known or group.target.name or group.target.namespace
    return f"{alert.name} on {group.target}" if named else alert.name
