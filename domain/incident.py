"""The Incident: one disturbance from first alert to closing, and the store that all stations share.

Only nodes change it, in `post_async`; the journal saves it after each of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.alert import Alert, Severity, Target
from domain.attempt import Attempt, Effect, Verification
from domain.decision import Assessment, Decision, Hypothesis
from domain.evidence import Evidence, Observation

MAX_EVIDENCE_COUNT = 400  # bounds a snapshot to well under a megabyte; newer looks replace older ones


class IncidentState(StrEnum):
    """Open: a worker may run it. Parked: waiting for a person. Closed: reported, for good."""

    OPEN = "open"
    PARKED = "parked"
    CLOSED = "closed"


class Resolution(StrEnum):
    """How an incident ended."""

    RESOLVED = "resolved"  # a change helped, and looking afterwards showed it
    ESCALATED = "escalated"  # handed to a person with everything known
    NO_ACTION = "no_action"  # gone by itself, or nothing wrong


class Station(StrEnum):
    """The four nodes, and the end of the way."""

    RECEIVE = "receive"
    ANALYZE = "analyze"
    EXECUTE = "execute"
    REPORT = "report"
    END = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dated line of the timeline; only ever added. `event` is a constant name in past tense."""

    seq: int
    at: datetime
    station: str
    event: str
    text: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Usage:
    """What the incident has used of its limits; time spent parked does not count."""

    steps_count: int = 0
    active_s: float = 0.0
    tokens_count: int = 0


@dataclass(slots=True, kw_only=True)
class Incident:
    """The shared store of one flow run."""

    id: str
    group_key: str
    target: Target
    opened_at: datetime
    title: str
    severity: Severity = Severity.WARNING
    state: IncidentState = IncidentState.OPEN
    next: Station = Station.RECEIVE
    alerts: list[Alert] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    hypotheses: list[Hypothesis] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    timeline: list[Entry] = field(default_factory=list)
    used: Usage = field(default_factory=Usage)
    evidence_seen_count: int = 0
    resolution: Resolution | None = None
    closed_at: datetime | None = None
    report_path: str = ""

    def note(self, *, at: datetime, station: Station, event: str, text: str, **details: object) -> Entry:
        """Add one line to the timeline and return it."""
        entry = Entry(
            seq=len(self.timeline) + 1, at=at, station=station, event=event, text=text, details=details
        )
        self.timeline.append(entry)
        return entry

    def add_evidence(self, observations: Iterable[Observation]) -> list[Evidence]:
        """File what was observed; a look that shows nothing new is not filed twice. Returns the new ones."""
        latest = {item.seen.key: item.fact for item in self.evidence}
        added = []
        for seen in observations:
            if latest.get(seen.key) == seen.fact:
                continue
            latest[seen.key] = seen.fact
            self.evidence_seen_count += 1
            added.append(Evidence(id=f"E{self.evidence_seen_count}", seen=seen))
        self.evidence.extend(added)
        self._forget_surplus()
        return added

    def _forget_surplus(self) -> None:
        """Keep the bound: first goes what is far from the target, such as many nodes, then what is oldest."""
        surplus_count = max(0, len(self.evidence) - MAX_EVIDENCE_COUNT)
        far_first = sorted(self.evidence, key=lambda e: e.seen.about.namespace == self.target.namespace)
        gone = {item.id for item in far_first[:surplus_count]}
        self.evidence = [item for item in self.evidence if item.id not in gone]

    def current_evidence(self) -> list[Evidence]:
        """The newest look at each thing, in the order of filing."""
        newest = {item.seen.key: item.id for item in self.evidence}
        return [item for item in self.evidence if newest[item.seen.key] == item.id]

    def merge_alerts(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Take over alerts as the journal has them now: one per fingerprint, in order of start.

        Returns those that fire and were not known.
        """
        before = {alert.fingerprint: alert for alert in self.alerts}
        newest = dict(before)
        for alert in alerts:
            known = newest.get(alert.fingerprint)
            if known is None or supersedes(alert, known):
                newest[alert.fingerprint] = alert
        self.alerts = sorted(newest.values(), key=lambda alert: (alert.started_at, alert.fingerprint))
        if self.alerts:
            self.severity = max((alert.severity for alert in self.alerts), key=lambda s: s.rank)
        return [a for a in self.alerts if a.firing and a is not before.get(a.fingerprint)]

    @property
    def closed(self) -> bool:
        """Whether it was reported and is over."""
        return self.state is IncidentState.CLOSED

    @property
    def firing(self) -> bool:
        """Whether any alert of this incident still fires."""
        return any(alert.firing for alert in self.alerts)

    @property
    def decision(self) -> Decision | None:
        """The decision in force."""
        return self.decisions[-1] if self.decisions else None

    @property
    def last_attempt(self) -> Attempt | None:
        """The newest attempt, finished or not."""
        return self.attempts[-1] if self.attempts else None

    @property
    def last_verification(self) -> Verification | None:
        """What the newest check after a change showed."""
        checked = [a.verification for a in self.attempts if a.verification is not None]
        return checked[-1] if checked else None

    @property
    def mended(self) -> bool:
        """Whether the newest check showed that a change helped, and nothing has begun to fire since."""
        seen = self.last_verification
        if seen is None or seen.effect is not Effect.HELPED:
            return False
        return not any(alert.firing and alert.started_at > seen.at for alert in self.alerts)

    @property
    def next_key(self) -> str:
        """The idempotency key for an action of the next decision; no two decisions share one."""
        return f"{self.id}-{len(self.decisions) + 1}"

    def take(self, assessment: Assessment) -> None:
        """Adopt an analyst's answer."""
        if assessment.hypotheses:
            self.hypotheses = list(assessment.hypotheses)
        self.decisions.append(assessment.decision)
        self.used.tokens_count += assessment.tokens_count

    def put_attempt(self, attempt: Attempt) -> None:
        """Add an attempt, or replace the one with the same action key as it moves on."""
        if self.attempts and self.attempts[-1].action.key == attempt.action.key:
            self.attempts[-1] = attempt
        else:
            self.attempts.append(attempt)


def supersedes(alert: Alert, known: Alert) -> bool:
    """Whether `alert` says something newer about the same fingerprint than `known`."""
    if alert.started_at != known.started_at:
        return alert.started_at > known.started_at
    return known.firing and not alert.firing
