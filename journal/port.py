"""The journal as the rest of the house sees it. It stores and finds; it decides nothing.

Every method that writes returns only after the write is durable. All of them raise
JournalUnavailable when the store cannot be used now; then nothing was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.alert import Alert, AlertGroup, Delivery, Severity
from domain.attempt import Approval, Intent, Outcome
from domain.decision import Action
from domain.errors import Permanent, Transient
from domain.incident import Incident, IncidentState, Resolution


class UnknownIncident(Permanent):
    """There is no incident with this id; the text names the nearest ones."""


class NotWaiting(Permanent):
    """Nobody is asked about this action now, so there is nothing to answer."""


class Overtaken(Transient):
    """Another alert was filed under the incident since its alerts were read; nothing was saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What became of one delivery's alerts."""

    opened: tuple[str, ...] = ()  # incident ids, new
    joined: tuple[str, ...] = ()  # incident ids that got a new alert or a resolved one
    repeated_count: int = 0  # alerts known already with this fingerprint, start and status
    unmatched_count: int = 0  # resolved alerts for which no incident is open

    @property
    def touched(self) -> tuple[str, ...]:
        """Incidents that a worker has to look at."""
        return self.opened + self.joined


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSummary:
    """One row of a list of incidents."""

    id: str
    title: str
    target: str
    severity: Severity
    state: IncidentState
    resolution: Resolution | None
    opened_at: datetime
    closed_at: datetime | None
    alerts_count: int
    report_path: str


class Journal(Protocol):
    """Implemented by `journal/sqlite.py`."""

    async def keep_delivery(self, delivery: Delivery) -> None:
        """Store a raw delivery as not yet handled."""
        ...

    async def unhandled_deliveries(self, *, limit: int) -> list[Delivery]:
        """Deliveries that no `file_groups` or `drop_delivery` has settled, oldest first."""
        ...

    async def file_groups(self, delivery_id: str, groups: Sequence[AlertGroup], *, at: datetime) -> Filing:
        """Put alerts into incidents and mark the delivery handled, all in one transaction.

        A firing alert joins the open or parked incident with the group's key or opens one. A resolved
        alert goes to the incident that knows its fingerprint. Repeats only count up.
        """
        ...

    async def drop_delivery(self, delivery_id: str, *, reason: str, at: datetime) -> None:
        """Mark a delivery handled that cannot be understood; the body and the reason are kept."""
        ...

    async def alerts_of(self, incident_id: str) -> list[Alert]:
        """All alerts filed under an incident, in the order they came."""
        ...

    async def save(self, incident: Incident, *, alerts_count: int | None = None) -> None:
        """Store the incident as it is now; new timeline entries are added, old ones never change.

        Raises Overtaken when more than `alerts_count` alerts are filed under it; None does not count them.
        """
        ...

    async def load(self, incident_id: str) -> Incident:
        """Read one incident. Raises UnknownIncident with the nearest ids when there is none."""
        ...

    async def incidents(
        self, *, state: IncidentState | None = None, limit: int = 50
    ) -> list[IncidentSummary]:
        """Newest first."""
        ...

    async def unfinished(self) -> list[str]:
        """Ids a worker has to go on with after a start: open ones, and parked ones that were decided."""
        ...

    async def answered(self) -> list[str]:
        """Parked incidents whose question a person has answered, earliest answer first."""
        ...

    async def intend(self, incident_id: str, action: Action, *, at: datetime) -> Intent:
        """Record that an action is about to be applied; returns the earlier intent if there is one."""
        ...

    async def intent_of(self, action_key: str) -> Intent | None:
        """The intent under this key, if one was recorded."""
        ...

    async def settle(self, action_key: str, outcome: Outcome) -> None:
        """Record what came of an intent."""
        ...

    async def decide(self, approval: Approval) -> Approval:
        """Record a person's answer; the first answer stands and is returned, also to a later one.

        Raises UnknownIncident, or NotWaiting when the incident does not ask about this action.
        """
        ...

    async def approval_of(self, action_key: str) -> Approval | None:
        """The answer a person gave to this action, if any."""
        ...

    async def ready(self) -> None:
        """Return when the journal can commit; else raise JournalUnavailable."""
        ...
