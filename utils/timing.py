"""The real clock. Tests and drills hand in their own instead."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """`domain.clock.Clock` on the machine's own time."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)
