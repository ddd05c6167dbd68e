"""The end of a container's log as lines that may be shown: bounded, and with credentials masked."""

import asyncio

from domain.alert import Target
from domain.cluster import LogTail
from utils.redact import redact

MAX_LOG_BYTES = 256 * 1024
MAX_LINE_LENGTH = 2000
SEARCHED_LENGTH = 16_000  # of a line; what is shown lies far from this cut, so no credential is halved
TAIL_LENGTH = 600  # of a long line: what went wrong often stands at its end


async def log_tail(pod: Target, container: str, *, previous: bool, body: bytes, grep: str) -> LogTail:
    """The lines with one of the words of `grep`, oldest first. A line that the bound cuts keeps its end."""
    wanted = tuple(word.casefold() for word in grep.split("|") if word)
    cut = len(body) >= MAX_LOG_BYTES
    lines = await asyncio.to_thread(_lines, body[-MAX_LOG_BYTES:], cut, wanted)
    return LogTail(pod=pod, container=container, previous=previous, lines=lines, truncated=cut)


def _lines(body: bytes, cut: bool, wanted: tuple[str, ...]) -> tuple[str, ...]:
    lines = body.decode(errors="replace").splitlines()
    if cut and len(lines) > 1:
        lines = lines[1:]  # its beginning is lost
    shown = (_shown(line) for line in lines)
    return tuple(line for line in shown if not wanted or _has(line, wanted))


def _has(line: str, wanted: tuple[str, ...]) -> bool:
    folded = line.casefold()
    return any(word in folded for word in wanted)


def _shown(line: str) -> str:
    """The line without credentials; head and tail of a long one."""
    if len(line) > 2 * SEARCHED_LENGTH:
        line = f"{line[:SEARCHED_LENGTH]} … {line[-SEARCHED_LENGTH:]}"
    line = redact(line)
    if len(line) <= MAX_LINE_LENGTH:
        return line
    return f"{line[: MAX_LINE_LENGTH - TAIL_LENGTH]} … {line[-TAIL_LENGTH:]}"
