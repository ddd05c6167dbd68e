"""What containers wrote: the lines of the present run and of the one before it."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.logs import LogOptions

KEPT_LINES = 5000  # a run's log is cut at the front, as log rotation does


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    text: str

    def render(self, *, timestamps: bool) -> str:
        if not timestamps:
            return f"{self.text}\n"
        moment = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        return f"{moment} {self.text}\n"


def _lines() -> deque[Line]:
    return deque(maxlen=KEPT_LINES)


@dataclass(slots=True)
class Output:
    """A container's log."""

    current: deque[Line] = field(default_factory=_lines)
    previous: deque[Line] = field(default_factory=_lines)

    def turn_over(self) -> None:
        """A new run begins: its log is empty, and what was current is the previous run's."""
        self.previous, self.current = self.current, _lines()

    def write(self, at: float, text: str) -> None:
        self.current.extend(Line(at, line) for line in text.split("\n"))

    def read(self, options: LogOptions) -> str:
        lines = list(self.previous if options.previous else self.current)
        if options.since is not None:
            since = options.since.timestamp()
            lines = [line for line in lines if line.at >= since]
        if options.tail_lines is not None:
            lines = lines[len(lines) - min(options.tail_lines, len(lines)) :]
        text = "".join(line.render(timestamps=options.timestamps) for line in lines)
        return (
            text
            if options.limit_bytes is None
            else text.encode()[: options.limit_bytes].decode(errors="ignore")
        )
