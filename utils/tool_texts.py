"""How long a tool's text is for a model, and how a long one is cut: head, tail, and the lines around errors.

It never cuts the head off alone or the tail off alone: causes stand at either end and in the middle.
"""

import re
from collections.abc import Iterator
from math import ceil

BYTES_PER_TOKEN = 3.5  # an estimate: tokenizers give 3 to 4 bytes a token for names, numbers and English
MAX_TOKENS = 2000  # of one answer, unless its server says otherwise
HEAD_RATIO, TAIL_RATIO = 0.3, 0.4  # the newest lines of a log are at its end; the rest is for errors
LINE_RATIO = 0.25  # no line may take more of the room
MARK_LENGTH = 32  # of a note on left out lines
TROUBLE = re.compile(
    r"error|fatal|panic|exception|traceback|fail|denied|refused|timed? ?out|killed|backoff|mismatch"
    r"|\b[45]\d\d\b",
    re.IGNORECASE,
)


def tokens_count(text: str) -> int:
    """About how many tokens a text is: its UTF-8 bytes by `BYTES_PER_TOKEN`, rounded up."""
    return ceil(len(text.encode(errors="replace")) / BYTES_PER_TOKEN)


def cut_text(text: str, most_tokens: int = MAX_TOKENS) -> tuple[str, int]:
    """The text within `most_tokens`, and how many of its lines are left out or shortened."""
    if tokens_count(text) <= most_tokens:
        return text, 0
    room = int(most_tokens * BYTES_PER_TOKEN)
    whole = text.splitlines()
    lines = [_shortened(line, int(room * LINE_RATIO)) for line in whole]
    kept = _kept(lines, room)
    shortened_count = sum(lines[index] != whole[index] for index in kept)
    return "\n".join(_rendered(lines, kept)), len(lines) - len(kept) + shortened_count


def _size(line: str) -> int:
    return len(line.encode(errors="replace")) + 1


def _shortened(line: str, most: int) -> str:
    """Head and tail of a line that is longer than `most` bytes."""
    if len(line) * 4 <= most or _size(line) <= most:  # no character takes more than four bytes
        return line
    half = max((most - MARK_LENGTH) // 2 * len(line) // _size(line), 1)
    return f"{line[:half]} … {line[-half:]}"


def _kept(lines: list[str], room: int) -> set[int]:
    """The indices of the lines that stay: what fits of head and tail, then of errors, last first."""
    kept = set(_fitting(lines, range(len(lines)), int(room * HEAD_RATIO)))
    kept |= set(_fitting(lines, range(len(lines) - 1, -1, -1), int(room * TAIL_RATIO)))
    left = room - sum(_size(lines[index]) for index in kept) - MARK_LENGTH
    for index in range(len(lines) - 1, -1, -1):
        if index in kept or not TROUBLE.search(lines[index]):
            continue
        around = {near for near in range(index - 1, index + 2) if 0 <= near < len(lines)} - kept
        cost = sum(_size(lines[near]) for near in around) + MARK_LENGTH
        if cost > left:
            break
        kept |= around
        left -= cost
    return kept


def _fitting(lines: list[str], order: range, room: int) -> Iterator[int]:
    for index in order:
        room -= _size(lines[index])
        if room < 0:
            return
        yield index


def _rendered(lines: list[str], kept: set[int]) -> Iterator[str]:
    """The kept lines in order, with a note where some are left out."""
    after = 0
    for index in [*sorted(kept), len(lines)]:
        if index > after:
            yield f"[… {index - after} lines left out …]"
        if index < len(lines):
            yield lines[index]
        after = index + 1
