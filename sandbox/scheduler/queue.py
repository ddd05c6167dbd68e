"""Pods that wait for a node: ready to be tried, backing off, or set aside until the cluster changes."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sandbox.clock import SimClock
from sandbox.state import Key

FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 10.0
LONGEST_ASIDE_S = 60.0  # a pod set aside is tried again after a minute even when nothing changed


@dataclass(slots=True)
class Waiting:
    """One pod in the queue: tried `attempts` times so far, lastly at `tried_at`."""

    key: Key
    uid: str
    priority: int
    attempts: int = 0
    tried_at: float = 0.0


class SchedulingQueue:
    """Hands out the pod of highest priority; the oldest one among equals."""

    def __init__(self, clock: SimClock, on_ready: Callable[[], None]) -> None:
        self._clock = clock
        self._on_ready = on_ready
        self._heap: list[tuple[int, int, Waiting]] = []
        self._known: dict[str, Waiting] = {}
        self._aside: dict[str, Waiting] = {}
        self._count = 0

    def add(self, key: Key, uid: str, priority: int) -> None:
        if uid not in self._known:
            self._known[uid] = Waiting(key, uid, priority)
            self._push(self._known[uid])

    def drop(self, uid: str) -> None:
        self._known.pop(uid, None)
        self._aside.pop(uid, None)

    def pop(self) -> Waiting | None:
        while self._heap:
            waiting = heapq.heappop(self._heap)[2]
            if waiting.uid in self._known:
                waiting.attempts += 1
                waiting.tried_at = self._clock.time()
                return waiting
        return None

    def set_aside(self, waiting: Waiting) -> None:
        """The pod fits nowhere: wait for a change, or a minute."""
        if waiting.uid in self._known:
            self._aside[waiting.uid] = waiting
            self._clock.call_after(LONGEST_ASIDE_S, partial(self._recall, waiting, waiting.attempts))

    def recall_all(self) -> None:
        """Something changed: every pod set aside is tried again, after its back-off."""
        aside, self._aside = self._aside, {}
        for waiting in aside.values():
            self._back_off(waiting)

    def _recall(self, waiting: Waiting, attempts: int) -> None:
        if waiting.attempts == attempts and self._aside.pop(waiting.uid, None) is not None:
            self._push(waiting)

    def _back_off(self, waiting: Waiting) -> None:
        backoff_s = min(FIRST_BACKOFF_S * 2 ** (waiting.attempts - 1), LONGEST_BACKOFF_S)
        left_s = waiting.tried_at + backoff_s - self._clock.time()
        if left_s <= 0:
            self._push(waiting)
        else:
            self._clock.call_after(left_s, partial(self._push, waiting))

    def _push(self, waiting: Waiting) -> None:
        if self._known.get(waiting.uid) is waiting:
            self._count += 1
            heapq.heappush(self._heap, (-waiting.priority, self._count, waiting))
            self._on_ready()
