"""Time as something handed in, so that tests and drills can own it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the service takes its time from; `utils/timing.py` has the real one."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow; for budgets and durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a test's clock returns at once and moves itself."""
        ...
