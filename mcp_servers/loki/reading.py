"""Streams as lines in the order of time, each with what tells its stream from the others."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mcp_servers.loki.api import Stream
from utils.log_patterns import LogLine

EXACT = re.compile(r'(\w+)\s*=\s*"([^"\\]*)"')
TELLING = ("namespace", "pod", "container", "app", "service_name", "job", "filename", "host", "instance")


def shared_labels(streams: Sequence[Stream]) -> dict[str, str]:
    """Labels that all streams have with the same value."""
    if not streams:
        return {}
    sets = [set(stream.labels.items()) for stream in streams]
    return dict(sorted(set.intersection(*sets)))


def lines_of(streams: Sequence[Stream]) -> list[LogLine]:
    """All lines, oldest first."""
    shared = shared_labels(streams)
    found = [
        (at_ns, LogLine(text=line, at=_moment(at_ns), source=source))
        for stream in streams
        for source in [_source(stream.labels, shared)]
        for at_ns, line in stream.values
    ]
    return [line for _, line in sorted(found, key=lambda pair: pair[0])]


def exact_matchers(query: str) -> list[tuple[str, str]]:
    """Labels and values that the selector of a query asks for exactly."""
    selector = query.partition("{")[2].partition("}")[0]
    return [(label, value) for label, value in EXACT.findall(selector)]


def _source(labels: Mapping[str, str], shared: Mapping[str, str]) -> str:
    own = {name: value for name, value in labels.items() if name not in shared}
    known = [own[name] for name in TELLING if name in own]
    return "/".join(known or [f"{name}={value}" for name, value in sorted(own.items())])


def _moment(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)
