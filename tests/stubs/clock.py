"""A clock that stands still until somebody sleeps on it or moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class StillClock:
    """`domain.clock.Clock` for tests; `slept_s` keeps every wait."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self._passed_s += seconds
