"""What the Prometheus tools answer: an outer shape for each, items inside. Times are UTC, units are named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mcp_servers.toolkit import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value at one moment; `value` is None for NaN and infinities, `said` is what Prometheus wrote."""

    labels: Mapping[str, str]
    value: float | None
    said: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a series."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeSeries:
    """A series over a time: its points thinned, the numbers beside them taken from all of them.

    `slope_per_h` is the change an hour of the straight line that fits best.
    """

    labels: Mapping[str, str]
    points: tuple[Point, ...]
    points_count: int  # before thinning; without NaN and infinities
    min: float | None = None
    max: float | None = None
    last: float | None = None
    slope_per_h: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantAnswer(Envelope):
    """Values at one moment; `note` says what a reader should know, such as why there are none."""

    items: tuple[Sample, ...]
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAnswer(Envelope):
    """Series over a time, the highest first; `queries` are what was asked, to be asked again by hand."""

    items: tuple[RangeSeries, ...]
    unit: str = ""
    queries: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """What a metric is."""

    name: str
    type: str
    help: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """One thing that is scraped; `labels` are those of its series."""

    pool: str
    labels: Mapping[str, str]
    health: str
    url: str
    error: str = ""
    scraped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """One alert of Prometheus' own rules."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    active_at: datetime | None = None
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """One alerting or recording rule; an alert fires when `query` has held for `hold_s` seconds."""

    group: str
    name: str
    kind: Literal["alerting", "recording"]
    query: str
    hold_s: float = 0.0
    state: str = ""
    error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataAnswer(Envelope):
    """Metrics by name."""

    items: tuple[MetricFacts, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetsAnswer(Envelope):
    """Targets, those that fail first."""

    items: tuple[TargetState, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsAnswer(Envelope):
    """Alerts, firing ones first."""

    items: tuple[AlertState, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesAnswer(Envelope):
    """Rules in the order of their files, those that fail or fire first."""

    items: tuple[RuleState, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigAnswer(Envelope):
    """Lines of the configuration, credentials masked."""

    lines: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer(Envelope):
    """Build, runtime and storage as name and value; `note` names the parts that this server leaves out."""

    build: Mapping[str, str]
    runtime: Mapping[str, str]
    storage: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesAnswer(Envelope):
    """Names or values of labels."""

    items: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAnswer(Envelope):
    """Label sets."""

    items: tuple[Mapping[str, str], ...]
    note: str = ""
