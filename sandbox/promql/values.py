"""What PromQL calculates with: label sets, samples, windows of points, and where series come from.

Times are unix milliseconds, as Prometheus counts them. A label set is a sorted tuple of pairs, so that it can
be compared, hashed and shared.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

NAME = "__name__"

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """One element of an instant vector."""

    labels: Labels
    value: float


class Points(NamedTuple):
    """One series of a window, oldest first; times in milliseconds."""

    labels: Labels
    times: Sequence[int]
    values: Sequence[float]


class Window(NamedTuple):
    """A range vector together with the range that was asked for, both ends included."""

    start_ms: int
    end_ms: int
    series: list[Points]


Vector = list[Sample]


class Series(Protocol):
    """One stored series."""

    @property
    def labels(self) -> Labels: ...

    def latest(self, at_ms: int, lookback_ms: int) -> tuple[int, float] | None:
        """The newest point not after `at_ms` and not older than the lookback; None when stale or absent."""
        ...

    def window(self, start_ms: int, end_ms: int) -> tuple[Sequence[int], Sequence[float]]:
        """Times and values of the points between both ends, both included, without stale markers."""
        ...


class Matcher(Protocol):
    """Says whether a label's value is wanted; an absent label has the value ''."""

    @property
    def name(self) -> str: ...

    @property
    def exact(self) -> str | None:
        """The one value that matches, where there is only one."""
        ...

    def matches(self, value: str) -> bool: ...


class Source(Protocol):
    """Where series are found."""

    def select(self, matchers: Sequence[Matcher]) -> Sequence[Series]: ...


def labels_from(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """A label set; empty values are absent labels."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value != ""))


def value_of(labels: Labels, name: str) -> str:
    return next((value for key, value in labels if key == name), "")


@lru_cache(maxsize=16384)
def nameless(labels: Labels) -> Labels:
    """Without the metric's name."""
    return tuple(pair for pair in labels if pair[0] != NAME)


@lru_cache(maxsize=16384)
def only(labels: Labels, names: frozenset[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in names)


@lru_cache(maxsize=16384)
def without(labels: Labels, names: frozenset[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] not in names)


def with_label(labels: Labels, name: str, value: str) -> Labels:
    """With one label set; an empty value removes it."""
    return labels_from([*(pair for pair in labels if pair[0] != name), (name, value)])


def number_text(value: float) -> str:
    """A value as Prometheus writes it: shortest digits, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def metric_text(labels: Labels) -> str:
    """`{label="value", …}`, as messages show a series."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
