"""Keys of objects that wait for a controller's look; each key waits at most once.

A refused write is tried again after 5 ms, doubling to 1,000 s, as controllers do. It does not read objects.
"""

from collections.abc import Callable
from functools import partial

from sandbox.clock import SimClock, Timer
from sandbox.errors import ApiError
from sandbox.fields import Obj
from sandbox.state import Key, key_of
from sandbox.tables import Change

FIRST_RETRY_S = 0.005
LONGEST_RETRY_S = 1000.0
BURST_S = 0.02  # what a watch takes to tell of changes
REMEMBERED = 20_000


class WorkQueue:
    """Calls `sync(key)` soon after `add(key)`; once, however often the key was added meanwhile."""

    def __init__(self, clock: SimClock, sync: Callable[[Key], None]) -> None:
        self._clock = clock
        self._sync = sync
        self._waiting: set[Key] = set()
        self._looked_at: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, Timer] = {}

    def add(self, key: Key) -> None:
        """At once, or a moment after the last look: a burst of changes is looked at together."""
        if key in self._waiting:
            return
        self._waiting.add(key)
        rest_s = self._looked_at.get(key, 0.0) + BURST_S - self._clock.time()
        if rest_s <= 0:
            self._clock.soon(partial(self._work, key))
        else:
            self._clock.call_after(rest_s, partial(self._work, key))

    def add_after(self, key: Key, delay_s: float) -> None:
        """Looks again after a while; an earlier look that is already planned stays."""
        timer = self._timers.get(key)
        due_at = self._clock.time() + delay_s
        if timer is not None and timer.pending:
            if timer.due_at <= due_at:
                return
            timer.cancel()
        self._timers[key] = self._clock.call_after(delay_s, partial(self._ring, key))

    def on_change(self, change: Change) -> None:
        """A subscriber that looks at every changed object."""
        self.add(key_of(change.object))

    def on_owned(self, kind: str) -> Callable[[Change], None]:
        """A subscriber that looks at the changed object's controller, when that is of `kind`."""

        def changed(change: Change) -> None:
            for obj in _versions(change):
                for owner in obj["metadata"].get("ownerReferences") or ():
                    if owner.get("controller") and owner["kind"] == kind:
                        self.add((obj["metadata"]["namespace"], owner["name"]))

        return changed

    def _ring(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _work(self, key: Key) -> None:
        self._waiting.discard(key)
        self._note_look(key)
        try:
            self._sync(key)
        except ApiError:
            self._retry(key)
        else:
            self._failures.pop(key, None)

    def _note_look(self, key: Key) -> None:
        if len(self._looked_at) >= REMEMBERED:
            self._looked_at.clear()  # costs no more than a few looks that could have been one
        self._looked_at[key] = self._clock.time()

    def _retry(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(FIRST_RETRY_S * 2**failures, LONGEST_RETRY_S))


def _versions(change: Change) -> list[Obj]:
    return [change.object] if change.old is None else [change.object, change.old]
