"""Parameters that several tools share, with the descriptions that models read."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from domain.errors import BadInput

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
PART = re.compile(r"(\d+)(ms|[smhdwy])")
RATE_S = 300.0  # at least four scrapes at the usual interval of a minute

Query = Annotated[str, Field(min_length=1, description="PromQL.")]
Window = Annotated[str, Field(description="How far back from the end, such as 30m, 1h, 2d.")]
End = Annotated[str, Field(description="ISO 8601 time with zone; empty for now.")]
Limit = Annotated[int, Field(ge=1, le=1000, description="At most so many items.")]
Grep = Annotated[str, Field(description="Only items whose text contains this, in any case.")]
AnyNamespace = Annotated[str, Field(description="Namespace; empty for all.")]
Pod = Annotated[str, Field(description="Pod; * stands for anything, such as web-*; empty for all.")]
Service = Annotated[str, Field(description="Service, app or job; * stands for anything; empty for all.")]
Node = Annotated[str, Field(description="Node by name; empty for all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that a range query covers, and the seconds between two of its points."""

    start: datetime
    end: datetime
    step_s: float

    @property
    def window(self) -> str:
        """The range of rates, in PromQL: as long as a step, so that no peak falls between two points."""
        length_s = (self.end - self.start).total_seconds()
        return f"{round(max(min(RATE_S, length_s), self.step_s, 1.0))}s"


def span(window: str, end: str, now: datetime, *, points: int) -> Span:
    """The time before `end`, in steps of whole seconds that give at most `points`. Raises BadInput."""
    length_s = max(seconds(window, "window"), 1.0)
    last = at(end, now)
    step_s = max(1.0, -(-length_s // max(points - 1, 1)))
    return Span(start=last - timedelta(seconds=length_s), end=last, step_s=step_s)


def at(text: str, now: datetime) -> datetime:
    """A moment; `now` for an empty text. Raises BadInput."""
    if not text:
        return now
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no ISO 8601 time such as 2026-01-05T09:00:00Z.", field="end") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds(text: str, field: str) -> float:
    """A duration as Prometheus writes it. Raises BadInput."""
    if not DURATION.fullmatch(text):
        raise BadInput(f"{field} {text!r} is no duration such as 30m, 1h or 2d.", field=field)
    return sum(int(number) * UNITS_S[unit] for number, unit in PART.findall(text))
