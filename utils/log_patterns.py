"""Log lines grouped into templates: what is said, how often, since when, and what is new.

It fetches nothing and shows no credential: lines are masked before they are grouped.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from utils.redact import redact

if TYPE_CHECKING:
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

MAX_LINE_LENGTH = 600  # what differs between messages stands at their beginning
MAX_PATTERNS = 500  # kept at a time; beyond, the rarest seen longest ago are forgotten
MASKS = (  # in this order: a timestamp is not three numbers
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "TIME"),
    (r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?", "TIME"),
    (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "ID"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "ADDRESS"),
    (r"\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "ID"),
    (r"(?<![\w-])[-+]?\d+(?:\.\d+)?(?=(?:ns|us|µs|ms|s|m|h|%|[kKMGT]i?B?)?\b)", "N"),
)
SAYS_ERROR = (  # in the syntax that Python and Go share, for log stores filter by it as well
    r"^[EF]\d{4} |(?:\b|[a-z])(?:error|exception)\b|\b(?:err|fatal|panic|critical|traceback|segfault"
    r"|oomkilled|out of memory|refused|denied|unreachable|timed out|failed|failure)\b"
)
ERROR = re.compile(SAYS_ERROR, re.IGNORECASE)
NO_ERROR = re.compile(
    r"\b(?:no|0|without) (?:errors?|failures?|failed)\b|\b(?:errors?|failed|failures?|err)[\"']?[=:] ?"
    r"(?:0\b|nil|null|none|<nil>|false|\"\")",
    re.IGNORECASE,
)
MESSAGE_KEYS = ("msg", "message", "log", "event")
DETAIL_KEYS = ("error", "err", "exception", "reason")
LEVEL_KEYS = ("level", "severity", "lvl")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line with its time, where that is known, and where it comes from."""

    text: str
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPattern:
    """A template with what it stands for. `is_new` is None where nothing before was looked at."""

    template: str
    count: int
    sample: str
    first_at: datetime | None = None
    last_at: datetime | None = None
    sources: tuple[str, ...] = ()
    is_error: bool = False
    is_new: bool | None = None


@dataclass(slots=True)
class Group:
    """The lines of one template so far."""

    first: LogLine
    last: LogLine
    count: int
    sources: dict[str, None]


def group_lines(lines: Iterable[LogLine], *, new_since: datetime | None = None) -> list[LogPattern]:
    """Templates of lines given oldest first: new errors first, then errors, then the most frequent.

    A template is new when it was first seen at or after `new_since` and older lines were among those given.
    """
    miner, groups, earliest = _miner(), dict[int, Group](), None
    for line in lines:
        shown = LogLine(text=shown_line(line.text), at=line.at, source=line.source)
        if not shown.text.strip():
            continue
        earliest = earliest or shown.at
        _take(groups, int(miner.add_log_message(message_of(shown.text))["cluster_id"]), shown)
    templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
    looked_back = bool(new_since and earliest and earliest < new_since)
    found = [
        _pattern(templates[number], group, new_since if looked_back else None)
        for number, group in groups.items()
        if number in templates
    ]
    return sorted(found, key=lambda pattern: (not pattern.is_error, not pattern.is_new, -pattern.count))


def says_error(line: str) -> bool:
    """Whether a line tells of something that went wrong; "0 errors" does not."""
    return bool(ERROR.search(NO_ERROR.sub("", line)))


def shown_line(text: str) -> str:
    """A line that may be shown: without credentials, and cut."""
    cut = redact(text[: 2 * MAX_LINE_LENGTH]).rstrip()
    return cut if len(cut) <= MAX_LINE_LENGTH else f"{cut[:MAX_LINE_LENGTH]}…"


def message_of(line: str) -> str:
    """What a JSON line says: level, message and error; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    said = [_first(fields, keys) for keys in (LEVEL_KEYS, MESSAGE_KEYS, DETAIL_KEYS)]
    return " ".join(part for part in said if part) if said[1] or said[2] else line


def _first(fields: dict[str, object], keys: Sequence[str]) -> str:
    return next((str(fields[key]) for key in keys if fields.get(key)), "")


def _take(groups: dict[int, Group], number: int, line: LogLine) -> None:
    group = groups.get(number)
    if group is None:
        groups[number] = group = Group(first=line, last=line, count=0, sources={})
    group.last = line
    group.count += 1
    if line.source:
        group.sources[line.source] = None


def _pattern(template: str, group: Group, new_since: datetime | None) -> LogPattern:
    first_at = group.first.at
    return LogPattern(
        template=template,
        count=group.count,
        sample=group.first.text,
        first_at=first_at,
        last_at=group.last.at,
        sources=tuple(group.sources),
        is_error=says_error(group.first.text),
        is_new=first_at >= new_since if first_at and new_since else None,
    )


def _miner() -> "TemplateMiner":
    from drain3 import TemplateMiner  # with its configuration, or it looks for a file and complains

    return TemplateMiner(config=_config())


@cache
def _config() -> "TemplateMinerConfig":
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    config.profiling_enabled = False
    config.drain_sim_th = 0.5  # of the words must agree
    config.drain_max_clusters = MAX_PATTERNS
    config.drain_extra_delimiters = ["=", ","]
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    return config
