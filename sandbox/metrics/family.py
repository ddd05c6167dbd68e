"""Metric families: a name, what it means, and how its readings are taken from one subject.

A subject is whatever a source looks at: an object of the store, a node, a container. No family keeps state.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S")


class Reading(NamedTuple):
    """One value of a family; `suffix` is `_bucket`, `_sum` or `_count` in a histogram."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


Readings = Iterable[Reading]


@dataclass(frozen=True, slots=True)
class Family(Generic[S]):
    """`kind` is gauge, counter or histogram."""

    name: str
    kind: str
    help: str
    read: Callable[[S], Readings]


class Described(Protocol):
    """What is told about a family without reading it."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def help(self) -> str: ...


Taken = tuple[Described, Reading]


@dataclass(frozen=True, slots=True)
class Group:
    """Readings that change together; while `version` is the same, and not None, they are as before."""

    key: Hashable
    version: Hashable
    take: Callable[[], Iterable[Taken]]


class Down(Exception):
    """The target does not answer."""


@dataclass(slots=True)
class Target:
    """One endpoint that is scraped: its path below `/metrics`, its labels, and its groups.

    `groups` raises Down while the target does not answer.
    """

    path: str
    labels: Mapping[str, str]
    groups: Callable[[], Iterable[Group]]


def gauge(name: str, text: str, read: Callable[[S], Readings]) -> Family[S]:
    return Family(name, "gauge", text, read)


def counter(name: str, text: str, read: Callable[[S], Readings]) -> Family[S]:
    return Family(name, "counter", text, read)


def taken(families: Iterable[Family[S]], subject: S) -> Iterator[Taken]:
    """All readings of one subject."""
    for family in families:
        for reading in family.read(subject):
            yield family, reading


def one_of(
    labels: Mapping[str, str], name: str, values: Iterable[str], actual: str | None
) -> Iterator[Reading]:
    """A reading for each possible value of a label: 1 for the actual one, else 0."""
    for value in values:
        yield Reading({**labels, name: value}, float(value == actual))
