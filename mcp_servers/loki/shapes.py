"""What the Loki tools answer. Times are UTC; credentials in lines are masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mcp_servers.prom.shapes import RangeSeries
from mcp_servers.toolkit import Envelope
from utils.log_patterns import LogPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line; `source` is what tells its stream from the others."""

    at: datetime
    source: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsAnswer(Envelope):
    """Lines oldest first, or the series of a metric query; `labels` are those that all streams share."""

    items: tuple[LogEntry, ...]
    series: tuple[RangeSeries, ...] = ()
    labels: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternsAnswer(Envelope):
    """Templates of `lines_count` lines."""

    items: tuple[LogPattern, ...]
    lines_count: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLabelsAnswer(Envelope):
    """Names or values of labels."""

    items: tuple[str, ...]
    note: str = ""
