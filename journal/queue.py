"""The worker's queue, and how the journal feeds it with what nobody has handled yet.

The journal remembers; the queue only says "look now". Losing a wake costs seconds, for the feeder comes
round again. It does not run anything.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.alert import Delivery
from domain.clock import Clock
from domain.errors import JournalUnavailable

PAGE_COUNT = 50  # deliveries read at once; with bodies of 4 MiB still 200 MB at worst
FEED_EVERY_S = 2.0  # how long an answer given through another process may go unnoticed
INTAKE_SHARE = 0.5  # of the queue that the feeder leaves free, so that new alerts are never refused for old

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A reason to look: a delivery to be filed, or an incident to go on with. Exactly one is set."""

    delivery: Delivery | None = None
    incident_id: str | None = None

    def __post_init__(self) -> None:
        if (self.delivery is None) == (self.incident_id is None):
            raise ValueError("a wake names either a delivery or an incident")

    @property
    def key(self) -> str:
        """What the wake is about; two wakes with one key ask for the same."""
        return f"delivery:{self.delivery.id}" if self.delivery else f"incident:{self.incident_id}"


class WorkQueue:
    """A bounded queue of wakes for the tasks of one loop.

    A wake that waits already is not added twice. An incident may be woken again while it runs, since
    something new may have come; a delivery may not, since nothing about it changes.
    """

    def __init__(self, size: int) -> None:
        self.capacity = size
        self._wakes: asyncio.Queue[Wake] = asyncio.Queue(size)
        self._waiting: set[str] = set()
        self._running: Counter[str] = Counter()
        self._taken = asyncio.Event()
        self._done_meanwhile: set[str] | None = None

    @property
    def depth(self) -> int:
        """How many wakes wait."""
        return self._wakes.qsize()

    @property
    def full(self) -> bool:
        """Whether `offer` would refuse a new wake."""
        return self._wakes.full()

    @property
    def known_count(self) -> int:
        """How many wakes wait or are being worked on."""
        return len(self._waiting) + self._running.total()

    def knows(self, wake: Wake) -> bool:
        """Whether a wake about the same waits or is being worked on."""
        return wake.key in self._waiting or wake.key in self._running

    def offer(self, wake: Wake) -> bool:
        """Add a wake unless it waits already; False when the queue is full."""
        if wake.key in self._waiting or (wake.delivery is not None and wake.key in self._running):
            return True
        if self.full:
            return False
        self._wakes.put_nowait(wake)
        self._waiting.add(wake.key)
        return True

    async def room(self, *, leave_free: int) -> None:
        """Return when more than `leave_free` places are free; `offer` works then, until the next await."""
        while self.depth >= max(1, self.capacity - leave_free):
            self._taken.clear()
            await self._taken.wait()

    async def get(self) -> Wake:
        """Take the oldest wake; say `task_done` when it is dealt with, whatever came of it."""
        wake = await self._wakes.get()
        self._waiting.discard(wake.key)
        self._running[wake.key] += 1
        self._taken.set()
        return wake

    def task_done(self, wake: Wake) -> None:
        """The wake was dealt with; a delivery that is still unhandled will be fed again."""
        self._running -= Counter([wake.key])
        if self._done_meanwhile is not None:
            self._done_meanwhile.add(wake.key)

    @contextmanager
    def noting_done(self) -> Iterator[set[str]]:
        """A set that the keys of wakes dealt with inside this block are added to; for the one feeder."""
        self._done_meanwhile = done = set[str]()
        try:
            yield done
        finally:
            self._done_meanwhile = None


class Backlog(Protocol):
    """What the feeder asks the journal."""

    async def unhandled_deliveries(self, *, limit: int) -> list[Delivery]:
        """Oldest first."""
        ...

    async def unfinished(self) -> list[str]:
        """Open incidents, and parked ones that were answered."""
        ...

    async def answered(self) -> list[str]:
        """Parked incidents that were answered and that nobody has gone on with yet."""
        ...


class Feeder:
    """Brings the journal's backlog into the queue: after a start, a full queue, an answer from elsewhere.

    It waits while the queue is more than half full, so it never takes the places of new deliveries.
    """

    def __init__(
        self, journal: Backlog, queue: WorkQueue, *, clock: Clock, every_s: float = FEED_EVERY_S
    ) -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock
        self._every_s = every_s
        self._leave_free = int(queue.capacity * INTAKE_SHARE)
        self._started = False
        self._in_trouble = False

    async def run(self) -> None:
        """Feed until cancelled. Start it before deliveries are taken in, so that nothing runs twice."""
        while True:
            if not await self._feed_or_log():
                await self._clock.sleep(self._every_s)

    async def feed(self) -> bool:
        """Go round once; returns whether more deliveries may be waiting. Raises JournalUnavailable."""
        with self._queue.noting_done() as done:  # what was read may be over by the time there is room
            ids = await (self._journal.answered() if self._started else self._journal.unfinished())
            await self._put((Wake(incident_id=incident_id) for incident_id in ids), done)
            self._started = True
            limit = self._queue.known_count + PAGE_COUNT  # those in the queue are unhandled as well
            deliveries = await self._journal.unhandled_deliveries(limit=limit)
            await self._put((Wake(delivery=delivery) for delivery in deliveries), done)
        return len(deliveries) == limit

    async def _put(self, wakes: Iterable[Wake], done: set[str]) -> None:
        for wake in wakes:
            await self._queue.room(leave_free=self._leave_free)
            if not self._queue.knows(wake) and wake.key not in done:
                self._queue.offer(wake)

    async def _feed_or_log(self) -> bool:
        try:
            more = await self.feed()
        except JournalUnavailable as error:
            if not self._in_trouble:
                log.warning("feeding_stopped", reason=str(error))
            self._in_trouble = True
            return False
        if self._in_trouble:
            log.info("feeding_resumed")
        self._in_trouble = False
        return more
