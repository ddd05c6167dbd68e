"""The sandbox's time and chance: one clock, one queue of timers, one seeded random generator.

Virtual time jumps from timer to timer (`advance`); real time is pumped by `run`. The clock knows nothing
of what it calls: an exception in a callback reaches whoever moves the clock.
"""

import asyncio
import heapq
import time as wall
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)  # any fixed moment: equal seeds must give equal timestamps
SLICE_S = 0.005  # longest work between two yields, so that HTTP requests are answered meanwhile
IDLE_S = 0.5  # longest sleep of the pump; new work wakes it earlier


class Timer:
    """A callback that waits for its moment; `cancel` may be called at any time."""

    __slots__ = ("_fn", "due_at")

    def __init__(self, due_at: float, fn: Callable[[], None]) -> None:
        self.due_at = due_at
        self._fn: Callable[[], None] | None = fn

    def cancel(self) -> None:
        self._fn = None

    @property
    def pending(self) -> bool:
        return self._fn is not None

    def fire(self) -> None:
        fn, self._fn = self._fn, None
        if fn is not None:
            fn()


class SimClock:
    """Simulated time in unix seconds; deterministic while nobody calls `run`."""

    def __init__(self, *, seed: int = 0, start: datetime = EPOCH) -> None:
        self.random = Random(seed)
        self._time = start.timestamp()
        self._ready: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._origin: tuple[float, float, float] | None = None  # (wall, simulated, speed) while `run` pumps
        self._wake: asyncio.Event | None = None

    @classmethod
    def from_wall(cls, *, seed: int = 0) -> "SimClock":
        """A clock that starts at the present moment: what people look at with kubectl."""
        return cls(seed=seed, start=datetime.now(UTC))

    def time(self) -> float:
        """Unix seconds of the simulated moment."""
        if self._origin is not None:
            began, base, speed = self._origin
            self._time = max(self._time, base + (wall.monotonic() - began) * speed)
        return self._time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def stamp(self, *, after_s: float = 0.0) -> str:
        """RFC 3339 in whole seconds, as `creationTimestamp` has it; optionally of a later moment."""
        return datetime.fromtimestamp(self.time() + after_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def micro_stamp(self) -> str:
        """RFC 3339 with microseconds, as leases and events.k8s.io have it."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def soon(self, fn: Callable[[], None]) -> None:
        """Call `fn` at the present moment, after what is queued already."""
        self._ready.append(fn)
        self._wake_pump()

    def call_after(self, delay_s: float, fn: Callable[[], None]) -> Timer:
        timer = Timer(self.time() + max(delay_s, 0.0), fn)
        self._count += 1
        heapq.heappush(self._timers, (timer.due_at, self._count, timer))
        self._wake_pump()
        return timer

    def run_due(self) -> int:
        """Run all that is ready now, and what that makes ready; returns how many calls were made."""
        calls = 0
        while self._step():
            calls += 1
        return calls

    def advance(self, seconds: float) -> None:
        """Move virtual time on, running every timer at its own moment."""
        if self._origin is not None:
            raise RuntimeError("the clock is pumped in real time; wait instead of advancing it")
        end = self._time + seconds
        self.run_due()
        while (due := self.next_due()) is not None and due <= end:
            self._time = max(self._time, due)
            self.run_due()
        self._time = end

    def next_due(self) -> float | None:
        """When the next timer is due, in unix seconds; None when none waits."""
        while self._timers and not self._timers[0][2].pending:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    async def run(self, speed: float = 1.0) -> None:
        """Pump in real time until cancelled; `speed` simulated seconds pass in a real one."""
        self._origin = (wall.monotonic(), self._time, speed)
        self._wake = asyncio.Event()
        try:
            while True:
                self._run_slice()
                await self._pause(speed)
        finally:
            self.time()
            self._origin = self._wake = None

    def _step(self) -> bool:
        """Run one ready callback, or one due timer; False when there is none."""
        if self._ready:
            self._ready.popleft()()
            return True
        due = self.next_due()
        if due is None or due > self.time():
            return False
        heapq.heappop(self._timers)[2].fire()
        return True

    def _run_slice(self) -> None:
        end = wall.monotonic() + SLICE_S
        while self._step():
            if wall.monotonic() > end:
                return

    async def _pause(self, speed: float) -> None:
        """Sleep until the next timer or new work; at least one turn of the event loop."""
        wait_s = self._idle_s(speed)
        if self._wake is None or wait_s <= 0:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return  # the next timer is due

    def _idle_s(self, speed: float) -> float:
        if self._ready:
            return 0.0
        due = self.next_due()
        return IDLE_S if due is None else min(IDLE_S, (due - self.time()) / speed)

    def _wake_pump(self) -> None:
        if self._wake is not None:
            self._wake.set()
