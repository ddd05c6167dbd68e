"""The tree of a LogQL query, and its words. Built by parse.py, carried out by evaluate.py."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.promql.values import Matcher

Fields = dict[str, str]


class BadLogQuery(ValueError):
    """The text is no LogQL, or asks for what is not known here."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line on its way through the stages: its time in nanoseconds, its text, its labels so far."""

    at_ns: int
    text: str
    fields: Fields


Stage = Callable[[Entry], Entry | None]
"""Lets an entry through, changed or not, or drops it (None)."""


@dataclass(frozen=True, slots=True)
class LabelIs:
    """A condition on one label of a stream."""

    name: str
    matches: Callable[[str], bool]
    exact: str | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which streams, and what their lines go through."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """A function over the lines of the last `range_ns`."""

    function: str
    logs: LogQuery
    range_ns: int


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Sum and the like over another metric query; `labels` are kept, or dropped with `without`."""

    op: str
    inner: "MetricQuery"
    labels: frozenset[str]
    without: bool
    count: int = 0  # of topk and bottomk


@dataclass(frozen=True, slots=True)
class Comparison:
    """A filter of values."""

    inner: "MetricQuery"
    op: str
    number: float


MetricQuery = RangeQuery | Aggregation | Comparison
Query = LogQuery | RangeQuery | Aggregation | Comparison


def text_matches(op: str, wanted: str) -> Callable[[str], bool]:
    """A label's condition: `=`, `!=`, `=~`, `!~`; expressions must fit the whole value."""
    if op in ("=", "=="):
        return wanted.__eq__
    if op == "!=":
        return wanted.__ne__
    fits = pattern(wanted).fullmatch
    if op == "=~":
        return lambda found: fits(found) is not None
    return lambda found: fits(found) is None


def pattern(text: str) -> re.Pattern[str]:
    """Raises BadLogQuery."""
    try:
        return re.compile(text)
    except re.error as error:
        raise BadLogQuery(f"error parsing regexp: {error}: `{text}`") from error
