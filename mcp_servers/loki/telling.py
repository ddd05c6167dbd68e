"""Answers in words: a summary line, then a line for each line, template or name."""

from mcp_servers.loki.shapes import LogLabelsAnswer, LogsAnswer, PatternsAnswer
from mcp_servers.prom.shapes import RangeAnswer
from mcp_servers.prom.telling import name_of, tell_range, told
from utils.log_patterns import LogPattern

SHOWN_SOURCES = 3


def tell_logs(answer: LogsAnswer) -> str:
    """The lines, or the numbers of a metric query."""
    if answer.series:
        return tell_range(RangeAnswer(items=answer.series, note=answer.note))
    lines = [
        f"{item.at:%H:%M:%S.%f} {item.source} {item.line}".replace("  ", " ", 1) for item in answer.items
    ]
    of = f" of {name_of(answer.labels)}" if answer.labels else ""
    when = f" from {answer.items[0].at:%Y-%m-%d %H:%M:%S} UTC" if answer.items else ""
    return told(f"{len(lines)} lines{of}{when}", lines, answer.note)


def tell_patterns(answer: PatternsAnswer) -> str:
    """Two lines a template: its numbers, then what its first line said."""
    lines = [line for pattern in answer.items for line in _pattern_lines(pattern)]
    return told(f"{len(answer.items)} templates of {answer.lines_count} lines", lines, answer.note)


def tell_labels(answer: LogLabelsAnswer) -> str:
    """One name a line."""
    return told(f"{len(answer.items)} names", answer.items, answer.note)


def _pattern_lines(pattern: LogPattern) -> list[str]:
    marks = [*(["new"] if pattern.is_new else []), *(["error"] if pattern.is_error else [])]
    times = "".join(
        f", {name} {at:%H:%M:%S}"
        for name, at in (("first", pattern.first_at), ("last", pattern.last_at))
        if at
    )
    sources = ", ".join(pattern.sources[:SHOWN_SOURCES])
    more = f" and {len(pattern.sources) - SHOWN_SOURCES} more" if len(pattern.sources) > SHOWN_SOURCES else ""
    where = f", {sources}{more}" if sources else ""
    head = f"×{pattern.count} {' '.join(marks)}".rstrip()
    return [f"{head}{times}{where}: {pattern.template}", f"  first: {pattern.sample}"]
