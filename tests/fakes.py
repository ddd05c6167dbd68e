"""Stand-ins for the outside that tests share."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 12, 52, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until somebody sleeps on it; then it jumps and lets others run."""

    def __init__(self, at: datetime = START) -> None:
        self._start = at
        self._passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        self._passed_s += seconds
        await asyncio.sleep(0)
