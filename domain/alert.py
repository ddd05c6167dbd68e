"""What comes in: deliveries, alerts, and the target an alert speaks about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much it hurts; an alert without a known severity label is a warning."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 2 for critical."""
        return list(Severity).index(self)


class AlertStatus(StrEnum):
    """An alert's own state, never its group's."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The object concerned. Empty strings mean "not named"; `kind` is the Kubernetes kind.

    The cluster is not compared: alerts name it, looks at a cluster do not, and an incident has only one.
    """

    kind: str = ""
    name: str = ""
    namespace: str = ""
    cluster: str = field(default="", compare=False)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part) or "unknown"

    @property
    def known(self) -> bool:
        """Whether there is an object to look at."""
        return bool(self.kind and self.name)

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `Kind/namespace/name` or, for objects without a namespace, `Kind/name`."""
        parts = text.split("/")
        if len(parts) == 3:
            return cls(kind=parts[0], namespace=parts[1], name=parts[2])
        if len(parts) == 2:
            return cls(kind=parts[0], name=parts[1])
        raise ValueError(f"{text!r} is not Kind/namespace/name or Kind/name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One raw webhook body, kept before it is understood."""

    id: str
    source: str  # "alertmanager" (v4 webhook) or "prometheus" (list of alerts)
    body: bytes
    received_at: datetime
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One statement that something is wrong, or no longer wrong."""

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    started_at: datetime
    ended_at: datetime | None = None  # None while it fires
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The rule's name, or "unnamed" when the sender gave none."""
        return self.labels.get("alertname", "unnamed")

    @property
    def severity(self) -> Severity:
        """From the `severity` label; common synonyms count, anything else is a warning."""
        return _SEVERITIES.get(self.labels.get("severity", "").lower(), Severity.WARNING)

    @property
    def firing(self) -> bool:
        """Whether this alert still says that something is wrong."""
        return self.status is AlertStatus.FIRING


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """Alerts of one delivery that concern one target and so become one incident."""

    key: str
    target: Target
    alerts: tuple[Alert, ...] = field(default_factory=tuple)
    truncated_count: int = 0  # alerts of the delivery that the sender left out, whatever they were about


_SEVERITIES = {
    "info": Severity.INFO,
    "information": Severity.INFO,
    "none": Severity.INFO,
    "low": Severity.INFO,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "minor": Severity.WARNING,
    "critical": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "major": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "high": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
}
