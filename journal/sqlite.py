"""The journal on one SQLite file: what `port.py` promises, on a writer and a reader thread.

Values are turned into JSON by the caller's task, so the writer's thread only waits for the disk.
It stores and finds; it decides nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import Self

from domain.alert import Alert, AlertGroup, Delivery
from domain.attempt import Approval, Intent, Outcome
from domain.clock import Clock
from domain.decision import Action
from domain.incident import Incident, IncidentState
from journal import actions, filing, records
from journal.codec import ALERT, to_text, to_time
from journal.port import Filing, IncidentSummary
from journal.reader import Reader
from journal.statements import sql
from journal.writer import Writer


class SqliteJournal:
    """`async with SqliteJournal(path, clock=clock) as journal:`; methods are described in `port.Journal`."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._clock = clock
        self._writer = Writer(path)
        self._reader = Reader(path)

    async def __aenter__(self) -> Self:
        """Open the file, create or migrate its tables. Raises JournalUnavailable or Permanent."""
        await self._writer.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._writer.close)
            closing.push_async_callback(self._reader.close)

    async def keep_delivery(self, delivery: Delivery) -> None:
        row: dict[str, str | bytes] = {
            "id": delivery.id,
            "source": delivery.source,
            "sender": delivery.sender,
            "body": delivery.body,
            "received_at": to_text(delivery.received_at),
        }
        await self._write("deliveries.keep", row)

    async def unhandled_deliveries(self, *, limit: int) -> list[Delivery]:
        rows = await self._reader.ask(
            lambda db: db.execute(sql("deliveries.unhandled"), {"limit": limit}).fetchall()
        )
        return [
            Delivery(
                id=row["id"],
                source=row["source"],
                sender=row["sender"],
                body=row["body"],
                received_at=to_time(row["received_at"]),
            )
            for row in rows
        ]

    async def file_groups(self, delivery_id: str, groups: Sequence[AlertGroup], *, at: datetime) -> Filing:
        return await self._writer.submit(lambda db: filing.file_groups(db, delivery_id, groups, at))

    async def drop_delivery(self, delivery_id: str, *, reason: str, at: datetime) -> None:
        await self._writer.submit(lambda db: filing.settle_delivery(db, delivery_id, at=at, reason=reason))

    async def alerts_of(self, incident_id: str) -> list[Alert]:
        rows = await self._reader.ask(
            lambda db: db.execute(sql("alerts.of_incident"), {"id": incident_id}).fetchall()
        )
        return [ALERT.decode(row["alert"]) for row in rows]

    async def save(self, incident: Incident, *, alerts_count: int | None = None) -> None:
        row = records.incident_row(incident, saved_at=to_text(self._clock.now()))
        entries = records.entry_rows(incident)

        def work(connection: Connection) -> None:
            if alerts_count is not None:
                records.refuse_overtaken(connection, incident.id, alerts_count)
            records.put_incident(connection, row, entries)

        await self._writer.submit(work)

    async def load(self, incident_id: str) -> Incident:
        return await self._reader.ask(lambda db: records.read_incident(db, incident_id))

    async def incidents(
        self, *, state: IncidentState | None = None, limit: int = 50
    ) -> list[IncidentSummary]:
        statement = sql("incidents.newest_in_state" if state else "incidents.newest")
        rows = await self._reader.ask(
            lambda db: db.execute(statement, {"state": state, "limit": limit}).fetchall()
        )
        return [records.summary(row) for row in rows]

    async def counts(self) -> dict[IncidentState, int]:
        """How many incidents there are in each state, zeros included."""
        rows = await self._reader.ask(lambda db: db.execute(sql("incidents.counts")).fetchall())
        found = {row["state"]: int(row["incidents_count"]) for row in rows}
        return {state: found.get(state, 0) for state in IncidentState}

    async def unfinished(self) -> list[str]:
        return await self._ids("incidents.open") + await self._ids("incidents.answered")

    async def answered(self) -> list[str]:
        """Parked incidents whose question was answered and that nobody has gone on with yet."""
        return await self._ids("incidents.answered_and_not_begun")

    async def intend(self, incident_id: str, action: Action, *, at: datetime) -> Intent:
        return await self._writer.submit(lambda db: actions.intend(db, incident_id, action, at))

    async def intent_of(self, action_key: str) -> Intent | None:
        return await self._reader.ask(lambda db: actions.intent_of(db, action_key))

    async def settle(self, action_key: str, outcome: Outcome) -> None:
        await self._writer.submit(lambda db: actions.settle(db, action_key, outcome))

    async def decide(self, approval: Approval) -> Approval:
        return await self._writer.submit(lambda db: actions.decide(db, approval))

    async def approval_of(self, action_key: str) -> Approval | None:
        return await self._reader.ask(lambda db: actions.approval_of(db, action_key))

    async def ready(self) -> None:
        await self._write("actions.mark_ready", {"at": to_text(self._clock.now())})

    async def _write(self, statement: str, row: Mapping[str, str | bytes]) -> None:
        def work(connection: Connection) -> None:  # the cursor stays on the writer's thread
            connection.execute(sql(statement), row)

        await self._writer.submit(work)

    async def _ids(self, statement: str) -> list[str]:
        rows = await self._reader.ask(lambda db: db.execute(sql(statement)).fetchall())
        return [row["id"] for row in rows]
